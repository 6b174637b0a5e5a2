/** The whole thing at work in a temporary folder of its own: a Drift, a Segment, the service, and all ten events. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addRecipient } from '../alerts/recipients.ts'
import { type Env, readConfig } from '../config.ts'
import { eventName } from '../events/define.ts'
import { catalogue } from '../events/index.ts'
import { systemClock } from '../lib/clock.ts'
import { codeOf, Problem } from '../lib/errors.ts'
import type { JsonObject } from '../lib/json.ts'
import { silentLog } from '../lib/log.ts'
import { systemRandom } from '../lib/random.ts'
import { openHttpClient } from '../lib/request.ts'
import type { Service } from '../service.ts'
import { type AlertReceiver, startAlertReceiver } from '../sim/alert-receiver.ts'
import { difference } from '../sim/expected.ts'
import { type Sims, startSims } from '../sim/index.ts'
import { pastOf } from '../sim/past.ts'
import { openStory } from '../sim/story.ts'
import { openVisitor } from '../sim/visitor.ts'
import type { Command, Context } from './command.ts'
import { signIn } from './sign-in.ts'

/** The account of Drift's own samples. */
const org = 5_000_883
/** The demo's patience for ten events that take a fraction of a second. */
const patienceMs = 20_000

export const demo: Command = {
  name: 'demo',
  summary: 'show the main job end to end, on free ports and in a temporary folder; needs no settings',
  options: [{ flags: '--once', meaning: 'exit when done: 0 only if all ten events arrived as documented' }],
  examples: ['npm run demo', 'npm run demo -- --once'],
  async run(context, given) {
    const folder = await temporaryFolder()
    const sims = await startSims()
    const receiver = given.once ? undefined : await startAlertReceiver()
    let service: Service | undefined
    try {
      const env = settingsFor(sims, folder)
      service = await context.openService(readConfig(env), { log: silentLog, unsafeAllowLoopback: true })
      sims.drift.settings.requestUrl = `${service.url}/webhooks/drift`
      context.print(
        `a Drift is at    ${sims.drift.url}\na Segment is at  ${sims.segment.url}\nthe service is at ${service.url}\n`,
      )
      await install(context, service, sims)
      const allRight = await fireAll(context, service, sims)
      if (!receiver) return allRight ? 0 : 1
      await sendAlertsTo(receiver, service)
      await sayHowToSignIn(context, env, service)
      context.print('  half a year of conversations is at Drift from before: History, in the console, brings it in')
      context.print(
        `\nalerts of the account arrive at: ${new URL(receiver.url).origin}` +
          `\n  break the simulated Segment on its page, ${sims.segment.url}, and mend it again: that it refuses the keys (401)` +
          '\n  and the end of that are noticed within two minutes each; that it is down (503), once events are late by 15 minutes' +
          `\na shop with a chat, and what its browser sends to Segment: ${sims.drift.url}/demo/site` +
          `\nDrift's page of apps, which sends events and disconnects: ${sims.drift.url}/settings/apps` +
          `\nall of it stays up until Ctrl+C; the first two addresses above show what they received`,
      )
      const stopped = new AbortController()
      const life = keepLiving(service, sims, stopped.signal)
      await context.untilStopped()
      stopped.abort()
      await life
      return 0
    } finally {
      await service?.close()
      await receiver?.close()
      await sims.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function temporaryFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), 'drift-segment-source-demo-'))
  } catch (cause) {
    const message = `no folder can be made in ${tmpdir()}, where temporary files belong (${codeOf(cause)})`
    throw new Problem('folder_unusable', message, {
      hint: 'let it be there and be writable, or name another one in TMPDIR (on Windows in TEMP)',
      exitCode: 78,
      cause,
    })
  }
}

function settingsFor(sims: Sims, folder: string): Env {
  const { clientId, clientSecret, verificationToken } = sims.drift.settings
  return {
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: `sqlite:${join(folder, 'demo.db')}`,
    ENCRYPTION_KEYS: `demo:${systemRandom.bytes(32).toString('base64')}`,
    DRIFT_VERIFICATION_TOKENS: verificationToken,
    DRIFT_CLIENT_ID: clientId,
    DRIFT_CLIENT_SECRET: clientSecret,
    DRIFT_API_URL: sims.drift.url,
    DRIFT_AUTHORIZE_URL: `${sims.drift.url}/authorize`,
    DRIFT_SETTINGS_URL: `${sims.drift.url}/settings/apps`,
    SEGMENT_API_URL_US: sims.segment.url,
    SEGMENT_API_URL_EU: sims.segment.url,
    SEGMENT_CDN_URL: sims.segment.url,
  }
}

/** The way that an admin's browser takes: to Drift and back, the write key, and back to Drift's settings. */
async function install(context: Context, { url }: Service, { drift }: Sims): Promise<void> {
  drift.addOrg({ orgId: org, name: 'Demo account', ...pastOf(systemClock.now()) })
  const httpClient = openHttpClient()
  const visitor = openVisitor(httpClient.send)
  try {
    context.remark(`installing the account by ${url}/connect, as an admin's browser does`)
    const consent = await visitor.follow(await visitor.get(`${url}/connect`))
    const form = await visitor.follow(await visitor.submit(consent, { orgId: String(org), decision: 'allow' }))
    const saved = await visitor.submit(form, { writeKey: 'DemoSourceKey0123456789abcdefghi' }, '/connect/write-key')
    if (saved.status === 303 && saved.headers.location?.startsWith(drift.url)) return
    throw new Problem('install_failed', `the install ended with ${saved.status} at ${new URL(saved.url).pathname}`)
  } finally {
    await httpClient.close()
  }
}

/** As an admin does in the console, under Alerts. */
async function sendAlertsTo(receiver: AlertReceiver, { store }: Service): Promise<void> {
  const needs = { ...store, random: systemRandom, canMail: false, unsafeAllowLoopback: true }
  const given = { channel: 'webhook', address: receiver.url, who: 'the demo' } as const
  const added = await addRecipient(needs, String(org), given)
  if (added.is !== 'added') throw new Problem('install_failed', `the receiver of alerts was not added: ${added.is}`)
  receiver.secret = added.secret
}

async function sayHowToSignIn(context: Context, env: Env, { url }: Service): Promise<void> {
  context.print(`\nthe console is at ${url}/console`)
  context.print('  sign in through the simulated Drift: "Continue with Drift", then "Allow"; or open, once:')
  const print = (text: string) => context.print(`  ${text}`)
  await signIn.run!({ ...context, env: () => env, print, remark: () => {} }, { org: String(org), url }, [])
}

/** The console has something to show, and something new now and then. */
async function keepLiving({ url }: Service, { drift }: Sims, signal: AbortSignal): Promise<void> {
  const story = await openStory(drift, { to: `${url}/webhooks/drift`, orgId: org, random: systemRandom })
  await story.goOn(systemClock, signal)
}

async function fireAll(context: Context, service: Service, { drift, segment }: Sims): Promise<boolean> {
  const types = [...catalogue.keys()]
  // The events of accounts that are not installed yet are held, so nothing depends on who is quicker here.
  for (const type of types) await drift.send(type, { to: `${service.url}/webhooks/drift`, orgId: org })
  const accepted = await segment.waitFor(types.length, patienceMs).catch(() => segment.accepted)
  const unseen = new Set(types)
  context.print(`${'Segment received'.padEnd(66)}${'anonymousId'.padEnd(14)}as documented?`)
  for (const { message, receivedAt } of accepted) {
    const candidates = candidatesFor(message, unseen)
    const verdicts = await Promise.all(candidates.map((type) => difference(type, message, receivedAt)))
    const right = candidates[verdicts.indexOf(undefined)]
    if (right !== undefined) unseen.delete(right)
    const what = message.type === 'track' ? `Track     ${message.event}` : `Identify  (${right ?? 'of no event known'})`
    const verdict = right ? 'yes' : `NO: ${verdicts[0] ?? 'not expected'}`
    context.print(`${what.padEnd(66)}${String(message.anonymousId).padEnd(14)}${verdict}`)
  }
  for (const type of unseen) context.print(`${type.padEnd(76)}NO: missing or wrong`)
  return unseen.size === 0
}

/** The event types this message may be of: a Track names its own, an Identify may be of any that becomes one. */
function candidatesFor(message: JsonObject, types: Iterable<string>): string[] {
  return [...types].filter((type) =>
    message.type === 'track' ? message.event === eventName({ type }) : catalogue.get(type)?.call === 'identify',
  )
}
