/** Does a live event wait for history? */
import { type DriftSim, startDrift } from '../../src/sim/drift.ts'
import { startPostgres } from '../../test/postgres.ts'
import { percentile } from '../arithmetic.ts'
import { alone, atMost, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { pace, warmPerSecond } from '../load.ts'
import { output } from '../process.ts'
import { accessToken, type Engine, install, serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'
import { firstOrg, numbersEach, writeKeyOf } from '../webhook.ts'

/** Live webhooks a second. */
const perSecond = 50
/** The generators begin slowly: their first second is load and not measured. */
const warmSeconds = 1
/** Of few contacts, so that Drift is asked for little beside its list: history comes as fast as it can. */
const contactsMany = 20
/** A hundred stand on a page of Drift's list, and five pages come in a second at most. */
const conversationsASecond = 500
const minuteMs = 60_000

interface Live {
  p50: number
  p99: number
}

interface Measured {
  alone: Live
  beside: Live
  /** Messages of the history that came to Segment meanwhile, a second: one of each conversation. */
  brought: number
}

async function driftWithHistory(conversationsMany: number): Promise<DriftSim> {
  const drift = await startDrift()
  drift.accessTokens.set(accessToken, drift.accessTokens.get(drift.privateToken(firstOrg))!)
  const now = Date.now()
  const contactOf = (n: number) => 30_000_000_000 + (n % contactsMany)
  const conversations = Array.from({ length: conversationsMany }, (_, n) => {
    const createdAt = now - (n + 60) * minuteMs
    return { id: 4_000_000_000 + n, contactId: contactOf(n), status: 'open', createdAt, updatedAt: createdAt }
  })
  const contacts = Array.from({ length: contactsMany }, (_, n) => ({
    id: contactOf(n),
    attributes: { name: 'Visitor' },
  }))
  drift.addOrg({ orgId: firstOrg, conversations, contacts })
  return drift
}

/** One after the other in the same processes. */
async function live(bench: Bench, engine: Engine, replicas: number): Promise<Measured> {
  const seconds = 3 * bench.seconds
  const [drift, segment] = [await driftWithHistory(2 * seconds * conversationsASecond), await startSegment()]
  const env = { ...settingsFor(engine, await bench.folder(), segment.url), DRIFT_API_URL: drift.url }
  await install(bench.root, env, 1)
  const services = await Promise.all(Array.from({ length: replicas }, () => serve(bench.root, env)))
  let next = 1
  const load = async (rate: number, loadSeconds: number) => {
    await segment.mode({ reset: true, measuredFrom: next + (warmSeconds * rate) / replicas })
    const loads = services.map((service, at) =>
      pace({
        url: webhooksOf(service),
        perSecond: rate / replicas,
        seconds: loadSeconds,
        warmSeconds,
        from: next + at * numbersEach,
      }),
    )
    const answers = await Promise.all(loads)
    next = Math.max(...answers.map((answer, at) => answer.next - at * numbersEach))
    const report = await segment.until(
      answers.reduce((sum, { answered }) => sum + answered, 0),
      3_000,
    )
    const latencies = report.latencies[writeKeyOf(firstOrg)] ?? []
    return { p50: percentile(latencies, 50), p99: percentile(latencies, 99), others: report.others }
  }
  try {
    await load(warmPerSecond, bench.warmSeconds)
    const alone = await load(perSecond, seconds)
    await output('src/main.ts', ['backfill', '--org', String(firstOrg), '--detach'], env)
    // Its first steps are compiled meanwhile, as those of live events were.
    await load(perSecond, 2)
    const beside = await load(perSecond, seconds)
    return { alone, beside, brought: beside.others / (seconds + 1) }
  } finally {
    await Promise.all(services.map((service) => service.kill()))
    await Promise.all([segment.kill(), drift.close()])
  }
}

export const history: Line = {
  name: 'history',
  question: 'Does a live event wait for history that is being brought in?',
  peers: false,
  async run(bench) {
    const postgres = await startPostgres()
    try {
      const onPostgres = async (replicas: number) => {
        const url = await postgres.fresh()
        return live(bench, { name: 'PostgreSQL', databaseUrl: () => url }, replicas)
      }
      const results = await roundsOf(bench, {
        sqlite: () => live(bench, bench.engine, 1),
        one: () => onPostgres(1),
        three: () => onPostgres(3),
      })
      const titles = { sqlite: 'SQLite', one: 'PostgreSQL', three: 'PostgreSQL, three replicas' }
      return (['sqlite', 'one', 'three'] as const).flatMap((name) => {
        const row = (which: keyof Live, aim?: ReturnType<typeof atMost>) =>
          compared(
            `webhook to Segment at ${perSecond}/s beside a backfill, ${which}, ${titles[name]}`,
            'ms',
            results[name].map(({ beside }) => beside[which]),
            { name: 'alone', figures: results[name].map(({ alone }) => alone[which]) },
            aim,
          )
        const brought = alone(
          `conversations that the backfill brought meanwhile, ${titles[name]}`,
          '/s',
          results[name].map((each) => each.brought),
        )
        return [row('p50'), row('p99', atMost(1.5)), brought]
      })
    } finally {
      await postgres.close()
    }
  },
}
