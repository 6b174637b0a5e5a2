/** With 1, 300 and 10,000 accounts: how soon is it ready, and a webhook at Segment? */
import { type Postgres, startPostgres } from '../../test/postgres.ts'
import { percentile } from '../arithmetic.ts'
import { type Cost, costOf } from '../cost.ts'
import { alone, type Bench, type Line, roundsOf } from '../line.ts'
import { pace } from '../load.ts'
import { type Engine, install, serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'
import { numbersEach } from '../webhook.ts'

/** Webhooks a second, to all accounts in turn: what ten thousand of them send when each sends one a minute. */
const perSecond = 167

interface Served {
  /** Until the last replica listens, when all start together. */
  readySeconds: number
  p50: number
  cost: Cost
}

async function served(
  bench: Bench,
  engine: Engine,
  folder: string,
  accounts: number,
  replicas: number,
): Promise<Served> {
  const segment = await startSegment()
  const env = settingsFor(engine, folder, segment.url)
  const services = await Promise.all(Array.from({ length: replicas }, () => serve(bench.root, env)))
  const load = async (seconds: number, from: number) => {
    const answers = await Promise.all(
      services.map((service, at) =>
        pace({
          url: webhooksOf(service),
          perSecond: perSecond / replicas,
          seconds,
          accounts,
          from: from + at * numbersEach,
        }),
      ),
    )
    return segment.until(
      answers.reduce((sum, { answered }) => sum + answered, 0),
      3_000,
    )
  }
  try {
    await load(bench.warmSeconds, 1)
    await segment.mode({ reset: true })
    const { latencies, cost } = await costOf(services, () => load(2 * bench.seconds, numbersEach / 2))
    return {
      readySeconds: Math.max(...services.map(({ readyMs }) => readyMs)) / 1_000,
      p50: percentile(Object.values(latencies).flat(), 50),
      cost,
    }
  } finally {
    await Promise.all(services.map((service) => service.kill()))
    await segment.kill()
  }
}

/** Databases with so many accounts, installed once each and then copied. */
function databasesOf(bench: Bench, postgres: Postgres) {
  const made = new Map<number, Promise<string>>()
  let copies = 0
  const make = async (accounts: number) => {
    const url = await postgres.fresh()
    await install(bench.root, settingsFor({ name: 'PostgreSQL', databaseUrl: () => url }, ''), accounts)
    return new URL(url).pathname.slice(1)
  }
  return async (accounts: number): Promise<Engine> => {
    const from = made.get(accounts) ?? make(accounts)
    made.set(accounts, from)
    const copy = `copy_${++copies}`
    await postgres.query(`CREATE DATABASE ${copy} TEMPLATE ${await from}`)
    const url = String(new URL(`/${copy}`, postgres.url))
    return { name: 'PostgreSQL', databaseUrl: () => url }
  }
}

export const manyAccounts: Line = {
  name: 'many-accounts',
  question: 'With 1, 300 and 10,000 accounts: how soon is it ready, and a webhook at Segment?',
  peers: false,
  async run(bench) {
    const rows = []
    const postgres = await startPostgres()
    try {
      const copied = databasesOf(bench, postgres)
      const onPostgres = async (accounts: number, replicas: number) =>
        served(bench, await copied(accounts), await bench.folder(), accounts, replicas)
      for (const accounts of bench.quick ? [1, 300] : [1, 300, 10_000]) {
        bench.say(`${accounts.toLocaleString('en')} accounts`)
        const results = await roundsOf(bench, {
          sqlite: async () => served(bench, bench.engine, await bench.backlog(0, accounts), accounts, 1),
          one: () => onPostgres(accounts, 1),
          three: () => onPostgres(accounts, 3),
        })
        const titles = { sqlite: 'SQLite', one: 'PostgreSQL', three: 'PostgreSQL, three replicas together' }
        for (const name of ['sqlite', 'one', 'three'] as const) {
          const what = `${accounts === 1 ? 'one account' : `${accounts.toLocaleString('en')} accounts`}, ${titles[name]}`
          const p50Max = accounts === 10_000 ? 50 : 10
          const readyMax = { sqlite: 1, one: 2, three: 4 }[name]
          rows.push(
            alone(
              `from start to ready, ${what}`,
              's',
              results[name].map(({ readySeconds }) => readySeconds),
              { words: `< ${readyMax} s`, holds: (seconds) => seconds < readyMax },
            ),
            alone(
              `webhook to Segment at ${perSecond}/s, p50, ${what}`,
              'ms',
              results[name].map(({ p50 }) => p50),
              { words: `< ${p50Max} ms`, holds: (ms) => ms < p50Max },
            ),
            alone(
              `statements an event, ${what}`,
              'an event',
              results[name].map(({ cost }) => cost.statements),
            ),
          )
        }
      }
      return rows
    } finally {
      await postgres.close()
    }
  },
}
