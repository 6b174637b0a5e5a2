/** The pages of the console, asked for as a browser does: how long each took, and the slowest query of the store behind it. */
import { setTimeout as pause } from 'node:timers/promises'
import { median, percentile } from './arithmetic.ts'
import type { Bench } from './line.ts'
import { output, type Running } from './process.ts'
import { firstOrg } from './webhook.ts'

/** Each address so many times in a round. */
const timesEach = 5

/** Of every page its addresses: the first account's. `contact` is one of far more events than any other. */
function addressesOf(contact: number, events: Readonly<Record<'delivered' | 'failed', string>>) {
  const list = (query: string) => `/console/events?${query}`
  const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)
  return {
    Home: ['/console', '/console?range=1h', '/console?range=7d'],
    Events: [
      '/console/events',
      ...['delivered', 'queued', 'blocked', 'looking-up', 'failed', 'not-recognized', 'deletion', 'ignored'].map(
        (state) => list(`state=${state}`),
      ),
      list('type=button_clicked'),
      list('type=button_clicked&state=failed'),
      list('type=button_clicked&state=ignored'),
      list('reason=segment_400'),
      list('reason=filtered'),
      list('state=failed&reason=translation_failed'),
      list('range=1h'),
      list('range=24h&state=delivered'),
      list('range=7d&state=ignored'),
      list(`from=${day(5)}&to=${day(2)}`),
      list(`from=${day(5)}&to=${day(4)}&state=failed`),
      list(`q=${contact}`),
      list(`q=${contact}&state=failed`),
      list('q=21727000007'),
      list('q=3969100000'),
      list('q=1'),
      list(`q=${events.delivered}`),
    ],
    Event: [`/console/events/${events.delivered}`, `/console/events/${events.failed}`],
    Resend: ['/console/resend'],
    'Not sent': ['/console/not-sent'],
    Connection: ['/console/connection', '/console/connection/destination?number=1'],
    'What is sent': ['/console/mapping'],
    Website: ['/console/website'],
    History: ['/console/history'],
    Alerts: ['/console/alerts'],
    Privacy: ['/console/privacy', '/console/privacy?contact=21727000007'],
    Audit: ['/console/audit', '/console/audit?group=sessions', '/console/audit?range=24h'],
  } as const
}

export type Page = keyof ReturnType<typeof addressesOf>

/** Milliseconds, round by round. */
export interface PageTimes {
  /** Of the page's slowest address, from the request to the last byte. */
  whole: number[]
  /** Of the slowest query of the store for the page, of whichever address that is. */
  query: number[]
}

/** Of each page; which address was slowest is told. */
export async function timesOf(
  bench: Bench,
  service: Running,
  env: NodeJS.ProcessEnv,
  contact: number,
): Promise<Map<Page, PageTimes>> {
  await atRest(bench, service)
  const cookie = await signIn(service.url, env)
  const ask = async (path: string) => {
    const page = await fetch(`${service.url}${path}`, { headers: { cookie }, redirect: 'manual' })
    const text = await page.text()
    if (page.status !== 200) throw new Error(`${path} was answered ${page.status}`)
    return text
  }
  const firstOf = async (state: string) =>
    /\/console\/events\/(drift-[\w-]+)/.exec(await ask(`/console/events?state=${state}`))?.[1] ?? (await anyOf())
  const anyOf = async () => /\/console\/events\/(drift-[\w-]+)/.exec(await ask('/console/events'))![1]!
  const addresses = addressesOf(contact, { delivered: await firstOf('delivered'), failed: await firstOf('failed') })
  const times = new Map<Page, PageTimes>()
  for (const [page, paths] of Object.entries(addresses) as [Page, readonly string[]][]) {
    const each: (PageTimes & { path: string })[] = []
    for (const path of paths) {
      // What it looks at is in memory then, as of a page that people use.
      await ask(path)
      const [whole, query]: [number[], number[]] = [[], []]
      for (let round = 0; round < bench.rounds; round++) {
        const [ms, queryMs]: [number[], number[]] = [[], []]
        for (let times = 0; times < timesEach; times++) {
          await service.slowestMs()
          const startedAt = performance.now()
          await ask(path)
          ms.push(performance.now() - startedAt)
          queryMs.push(await service.slowestMs())
        }
        whole.push(percentile(ms, 50))
        query.push(percentile(queryMs, 50))
      }
      each.push({ path, whole, query })
    }
    const most = (of: 'whole' | 'query') => each.toSorted((one, other) => median(other[of]) - median(one[of]))[0]!
    const said = (of: 'whole' | 'query') => {
      const { path, [of]: rounds } = most(of)
      return `${path}, ${rounds.map((ms) => ms.toFixed(1)).join(', ')} ms`
    }
    bench.say(`${page}: ${said('whole')}; its slowest query: ${said('query')}`)
    times.set(page, { whole: most('whole').whole, query: most('query').query })
  }
  return times
}

/** Statements a second of a service that does nothing but look whether there is something to do. */
const idleMost = 50
const restSeconds = 120

/** What it takes up at its start is not what a page takes. */
async function atRest(bench: Bench, service: Running): Promise<void> {
  let before = (await service.counts()).statements
  for (let second = 0; second < restSeconds; second++) {
    await pause(1_000)
    const { statements } = await service.counts()
    if (statements - before <= idleMost) return
    before = statements
  }
  bench.say(`the service did not come to rest in ${restSeconds} s: other work is in these times`)
}

/** The operator's one-time link, used as a browser would; gives the cookie of the session. */
async function signIn(url: string, env: NodeJS.ProcessEnv): Promise<string> {
  const link = (await output('src/main.ts', ['sign-in', '--org', String(firstOrg), '--url', url], env)).trim()
  const used = await fetch(link, { method: 'POST', redirect: 'manual' })
  const cookies = used.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0])
  if (used.status !== 303 || cookies.length === 0) throw new Error(`the sign-in link was answered ${used.status}`)
  return cookies.join('; ')
}
