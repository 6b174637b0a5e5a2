/** How does PostgreSQL do against SQLite, and what do more replicas add, and cost? */
import { type Postgres, startPostgres } from '../../test/postgres.ts'
import { type Cost, costOf } from '../cost.ts'
import { type Aim, alone, atLeast, atMost, type Bench, compared, type Line, roundsOf } from '../line.ts'
import { flood } from '../load.ts'
import { type Engine, install, serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'
import type { Row, Unit } from '../table.ts'
import { numbersEach } from '../webhook.ts'

interface Rates {
  acknowledged: number
  /** From the first post to the last arrival. */
  delivered: number
  cost: Cost
  /** Bytes of PostgreSQL's log. */
  walBytes: number
}

const usualAccounts = 8
const manyAccounts = 300
const connections = 64

interface Load {
  replicas: number
  connectionsInAll: number
  accounts: number
}

const usual: Load = { replicas: 1, connectionsInAll: connections, accounts: usualAccounts }

/** Every replica gets its share of the connections, and sends what any of them took. */
async function rates(
  bench: Bench,
  engine: Engine,
  { replicas, connectionsInAll, accounts }: Load,
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

async function onPostgres(bench: Bench, postgres: Postgres, load: Load) {
  const url = await postgres.fresh()
  const walBytes = async () => {
    const [row] = await postgres.query(`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`)
    return Number(row!.bytes)
  }
  return rates(bench, { name: 'PostgreSQL', databaseUrl: () => url }, load, walBytes)
}

const threeFull: Load = { ...usual, replicas: 3, connectionsInAll: 3 * connections }
const rateAims = { three: atLeast(0.9), threeFull: atLeast(1) }

const titles = {
  one: 'one replica on PostgreSQL',
  three: `three replicas, ${connections} connections in all`,
  threeFull: `three replicas, ${connections} connections each`,
  many: `three replicas, ${connections} connections each, ${manyAccounts} accounts in turn`,
}

export const engines: Line = {
  name: 'engines',
  question: 'How does PostgreSQL do against SQLite, and what do more replicas add, and cost?',
  peers: true,
  async run(bench) {
    const postgres = await startPostgres()
    try {
      const results = await roundsOf(bench, {
        sqlite: () => rates(bench, bench.engine, usual),
        one: () => onPostgres(bench, postgres, usual),
        three: () => onPostgres(bench, postgres, { ...usual, replicas: 3 }),
        threeFull: () => onPostgres(bench, postgres, threeFull),
        many: () => onPostgres(bench, postgres, { ...threeFull, accounts: manyAccounts }),
      })
      const of = (name: keyof typeof results, which: (rates: Rates) => number) => results[name].map(which)
      /** The same load on SQLite does not count its statements as PostgreSQL does its own, nor has it a log of bytes. */
      const rowsOf = (
        what: string,
        unit: Unit,
        which: (rates: Rates) => number,
        aims: { three?: Aim; threeFull?: Aim } = {},
      ) => {
        const beside = (name: 'three' | 'threeFull'): Row => {
          const one = { name: titles.one, figures: of('one', which) }
          return compared(`${what}, ${titles[name]}`, unit, of(name, which), one, aims[name])
        }
        const onSqlite = { name: 'on SQLite', figures: of('sqlite', which) }
        return [
          compared(`${what}, ${titles.one}`, unit, of('one', which), onSqlite),
          beside('three'),
          beside('threeFull'),
        ]
      }
      const everyReplica = ['one', 'three', 'threeFull', 'many'] as const
      const statements = ({ cost }: Rates) => cost.statements
      const statementsMax = { one: 0.12, three: 0.2, threeFull: 0.2, many: undefined }
      return [
        ...rowsOf('acknowledgements while sending', '/s', ({ acknowledged }) => acknowledged),
        ...rowsOf('events from webhook to Segment', '/s', ({ delivered }) => delivered, rateAims),
        compared(
          `events from webhook to Segment, ${titles.many}`,
          '/s',
          of('many', ({ delivered }) => delivered),
          {
            name: 'eight accounts',
            figures: of('threeFull', ({ delivered }) => delivered),
          },
        ),
        ...rowsOf("the service's CPU an event", 'µs', ({ cost }) => cost.cpu, { three: atMost(1.25) }),
        alone(
          `the service's CPU an event, ${titles.many}`,
          'µs',
          of('many', ({ cost }) => cost.cpu),
        ),
        ...everyReplica.map((name) => {
          const most = statementsMax[name]
          const aim = most === undefined ? undefined : { words: `≤ ${most}`, holds: (many: number) => many <= most }
          const what = `statements an event, ${titles[name]}`
          return alone(what, 'an event', of(name, statements), aim)
        }),
        ...everyReplica.map((name) => {
          const what = `bytes of PostgreSQL's log an event, ${titles[name]}`
          return alone(
            what,
            'bytes',
            of(name, (rates) => rates.walBytes),
          )
        }),
      ]
    } finally {
      await postgres.close()
    }
  },
}
