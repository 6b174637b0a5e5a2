/** What a simulated Segment shows: the library and the settings that browsers load, and the status page for people. */
import { readFileSync } from 'node:fs'
import { clockTime, html, page, table } from './page.ts'
import type { Arrivals, Stored } from './segment-intake.ts'
import type { Received, Reply } from './server.ts'

/** The settings that analytics.js loads: what makes it send to this server, and over plain http. */
export function settings(writeKey: string, url: string) {
  const segment = {
    apiKey: writeKey,
    apiHost: `${new URL(url).host}/v1`,
    protocol: 'http',
    unbundledIntegrations: [],
    addBundledMetadata: true,
    maybeBundledConfigIds: {},
    versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
  }
  const everything = { __default: { enabled: true, integrations: {} } }
  return {
    integrations: { 'Segment.io': segment },
    plan: { track: everything, identify: everything, group: everything },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
    autoInstrumentationSettings: { disableTraffic: false, sampleRate: 0 },
  }
}

const library = readFileSync(new URL('./site/analytics.js', import.meta.url), 'utf8')

/** Not Segment's own analytics.js, but what does as much of it as the demo page needs. */
export function analyticsScript(): Reply {
  return { status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' }, body: library }
}

/** `GET /demo/received?writeKey=`: the messages of one source as they came, for the demo page. */
export function receivedFor({ accepted }: Arrivals, { path, query }: Received): Reply | undefined {
  if (path !== '/demo/received') return undefined
  const messages = accepted.filter(({ writeKey }) => writeKey === query.get('writeKey')).map(({ message }) => message)
  return { status: 200, headers: { 'cache-control': 'no-store' }, body: messages }
}

function nameOf({ message }: Stored): string {
  return typeof message.event === 'string' ? message.event : `${message.type}`
}

/** What is there, in one line: for the error of a test that waited too long. */
export function summary({ accepted, rejected, duplicates }: Arrivals, requests: Received[]): string {
  const statuses = requests.map(({ status }) => status).slice(-10)
  const counts = `${accepted.length} accepted, ${rejected.length} rejected, ${duplicates.length} duplicates`
  return `${counts}; ${requests.length} requests, the last answered ${statuses.join(', ') || 'none'}`
}

/** How a person can break it and mend it: by `POST /demo/answers`, from its page. */
export const answers: Readonly<Record<string, readonly [label: string, status: number | undefined]>> = {
  normal: ['Answer as Segment does', undefined],
  refusing: ['Refuse the write keys (401)', 401],
  down: ['Be down (503)', 503],
}

export function statusPage(
  { region, answer }: { region: string; answer: string },
  { accepted, rejected, duplicates }: Arrivals,
  requests: Received[],
): Reply {
  const buttons = Object.entries(answers).map(
    ([value, [label]]) => html`<button name="answer" value="${value}">${label}</button>\n`,
  )
  const columns = ['received', 'write key', 'message', 'anonymousId', 'time']
  const row = (one: Stored) => {
    const { writeKey, receivedAt, timestamp, message } = one
    return [clockTime(receivedAt), writeKey, nameOf(one), `${message.anonymousId ?? message.userId ?? ''}`, timestamp]
  }
  const calls = requests.map((one) => [
    clockTime(one.receivedAt),
    `${one.method} ${one.path}`,
    one.body.length,
    one.status,
  ])
  const sorted = [
    table('Accepted', columns, accepted.map(row)),
    table(
      'Rejected',
      [...columns, 'reason'],
      rejected.map((one) => [...row(one), one.reason]),
    ),
    table('Duplicates', columns, duplicates.map(row)),
    table('Requests', ['received', 'request', 'characters', 'answered'], calls),
  ]
  const form = html`<form method="post" action="/demo/answers"><p>To events it answers now: ${answer}. Break it, and mend it:
${buttons}</p></form>\n`
  return page(`Simulated Segment (${region})`, html`${form}${sorted}`)
}
