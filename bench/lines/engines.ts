/** How does PostgreSQL do against SQLite, and what do more replicas add? */
import { type Postgres, startPostgres } from '../../test/postgres.ts'
import { type Bench, compared, type Line, roundsOf } from '../line.ts'
import { flood } from '../load.ts'
import { type Engine, install, serve, settingsFor, webhooksOf } from '../product.ts'
import { startSegment } from '../segment.ts'

interface Rates {
  acknowledged: number
  /** From the first post to the last arrival. */
  delivered: number
}

const accounts = 8
const connections = 60
/** Each load has numbers of its own. */
const numbersEach = 1_000_000

/** Every replica gets its share of the connections, and sends what any of them took. */
async function rates(bench: Bench, engine: Engine, replicas: number): Promise<Rates> {
  const segment = await startSegment()
  const env = settingsFor(engine, await bench.folder(), segment.url)
  await install(bench.root, env, accounts)
  const services = await Promise.all(Array.from({ length: replicas }, () => serve(bench.root, env)))
  try {
    const startedAt = Date.now()
    const share = { connections: connections / replicas, seconds: bench.seconds, accounts }
    const answers = await Promise.all(
      services.map((service, at) => flood({ ...share, url: webhooksOf(service), from: 1 + at * numbersEach })),
    )
    const sum = (which: (answered: (typeof answers)[number]) => number) =>
      answers.reduce((total, answered) => total + which(answered), 0)
    const { events, lastAt } = await segment.until(sum(({ answered }) => answered))
    return { acknowledged: sum(({ perSecond }) => perSecond), delivered: (events * 1_000) / (lastAt - startedAt) }
  } finally {
    await Promise.all(services.map((service) => service.kill()))
    await segment.kill()
  }
}

async function onPostgres(bench: Bench, postgres: Postgres, replicas: number): Promise<Rates> {
  const url = await postgres.fresh()
  return rates(bench, { name: 'PostgreSQL', databaseUrl: () => url }, replicas)
}

export const engines: Line = {
  name: 'engines',
  question: 'How does PostgreSQL do against SQLite, and what do more replicas add?',
  peers: true,
  async run(bench) {
    const postgres = await startPostgres()
    try {
      const results = await roundsOf(bench, {
        sqlite: () => rates(bench, bench.engine, 1),
        one: () => onPostgres(bench, postgres, 1),
        two: () => onPostgres(bench, postgres, 2),
        three: () => onPostgres(bench, postgres, 3),
      })
      const rowsOf = (what: string, which: (rates: Rates) => number) => {
        const row = (ours: 'one' | 'two' | 'three', whose: string, theirs: 'sqlite' | 'one', name: string) =>
          compared(`${what}, ${whose}`, '/s', results[ours].map(which), { name, figures: results[theirs].map(which) })
        return [
          row('one', 'on PostgreSQL', 'sqlite', 'on SQLite'),
          row('two', 'two replicas', 'one', 'one replica on PostgreSQL'),
          row('three', 'three replicas', 'one', 'one replica on PostgreSQL'),
        ]
      }
      return [
        ...rowsOf('acknowledgements while sending', ({ acknowledged }) => acknowledged),
        ...rowsOf('events from webhook to Segment', ({ delivered }) => delivered),
      ]
    } finally {
      await postgres.close()
    }
  },
}
