/** How does PostgreSQL do against SQLite, and what do more replicas add, and cost? */
import { type Postgres, startPostgres } from '../../test/postgres.ts'
import { type Cost, costOf } from '../cost.ts'
import { alone, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { flood } from '../load.ts'
import { type Engine, install, serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'
import type { Row, Unit } from '../table.ts'

interface Rates {
  acknowledged: number
  /** From the first post to the last arrival. */
  delivered: number
  cost: Cost
  /** Bytes of PostgreSQL's log. */
  walBytes: number
}

const accounts = 8
const connections = 64
/** Each load has numbers of its own. */
const numbersEach = 1_000_000

/** Every replica gets its share of the connections, and sends what any of them took. */
async function rates(
  bench: Bench,
  engine: Engine,
  replicas: number,
  connectionsInAll: number,
  walBytes: () => Promise<number> = async () => Number.NaN,
): Promise<Rates> {
  const segment = await startSegment()
  const env = settingsFor(engine, await bench.folder(), segment.url)
  await install(bench.root, env, accounts)
  const services = await Promise.all(Array.from({ length: replicas }, () => serve(bench.root, env)))
  const sent = Array.from(services, () => 1)
  const load = async (seconds: number) => {
    const answers = await Promise.all(
      services.map((service, at) => {
        const share = Math.floor((connectionsInAll + at) / replicas)
        const from = sent[at]! + at * numbersEach
        return flood({ url: webhooksOf(service), connections: share, seconds, warmSeconds: 0, accounts, from })
      }),
    )
    for (const [at, { next }] of answers.entries()) sent[at] = next - at * numbersEach
    const sum = (which: (answered: (typeof answers)[number]) => number) =>
      answers.reduce((total, answered) => total + which(answered), 0)
    const { events, lastAt } = await segment.until(sum(({ answered }) => answered))
    return { events, lastAt, acknowledged: sum(({ perSecond }) => perSecond) }
  }
  try {
    await load(bench.warmSeconds)
    await segment.mode({ reset: true })
    const walBefore = await walBytes()
    const startedAt = Date.now()
    const { events, lastAt, acknowledged, cost } = await costOf(services, () => load(bench.seconds))
    const delivered = (events * 1_000) / (lastAt - startedAt)
    return { acknowledged, delivered, cost, walBytes: ((await walBytes()) - walBefore) / events }
  } finally {
    await Promise.all(services.map((service) => service.kill()))
    await segment.kill()
  }
}

async function onPostgres(bench: Bench, postgres: Postgres, replicas: number, connectionsInAll: number) {
  const url = await postgres.fresh()
  const walBytes = async () => {
    const [row] = await postgres.query(`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`)
    return Number(row!.bytes)
  }
  return rates(bench, { name: 'PostgreSQL', databaseUrl: () => url }, replicas, connectionsInAll, walBytes)
}

const titles = {
  one: 'one replica on PostgreSQL',
  three: `three replicas, ${connections} connections in all`,
  threeFull: `three replicas, ${connections} connections each`,
}

export const engines: Line = {
  name: 'engines',
  question: 'How does PostgreSQL do against SQLite, and what do more replicas add, and cost?',
  peers: true,
  async run(bench) {
    const postgres = await startPostgres()
    try {
      const results = await roundsOf(bench, {
        sqlite: () => rates(bench, bench.engine, 1, connections),
        one: () => onPostgres(bench, postgres, 1, connections),
        three: () => onPostgres(bench, postgres, 3, connections),
        threeFull: () => onPostgres(bench, postgres, 3, 3 * connections),
      })
      const rowsOf = (what: string, unit: Unit, which: (rates: Rates) => number, engines: 'both' | 'PostgreSQL') => {
        const of = (name: keyof typeof results) => results[name].map(which)
        const one = `${what}, ${titles.one}`
        const beside = (name: 'three' | 'threeFull'): Row =>
          compared(`${what}, ${titles[name]}`, unit, of(name), { name: titles.one, figures: of('one') })
        return [
          engines === 'both'
            ? compared(one, unit, of('one'), { name: 'on SQLite', figures: of('sqlite') })
            : alone(one, unit, of('one')),
          beside('three'),
          beside('threeFull'),
        ]
      }
      return [
        ...rowsOf('acknowledgements while sending', '/s', ({ acknowledged }) => acknowledged, 'both'),
        ...rowsOf('events from webhook to Segment', '/s', ({ delivered }) => delivered, 'both'),
        ...rowsOf("the service's CPU an event", 'µs', ({ cost }) => cost.cpu, 'both'),
        ...rowsOf('statements an event', 'an event', ({ cost }) => cost.statements, 'both'),
        ...rowsOf("bytes of PostgreSQL's log an event", 'bytes', ({ walBytes }) => walBytes, 'PostgreSQL'),
      ]
    } finally {
      await postgres.close()
    }
  },
}
