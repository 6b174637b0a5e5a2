/** What does an event cost the store, alone and in groups, with one and three destinations, of one and 300 accounts? */
import pg from 'pg'
import { readConfig } from '../../src/config.ts'
import { openStore, type Store } from '../../src/service.ts'
import type { Attempt } from '../../src/storage/ports/entry.ts'
import { onPostgres, onSqlite, type Stored } from '../engine.ts'
import { type Meter, postgresMeter, sqliteMeter } from '../engine-cost.ts'
import { alone, type Bench, type Line } from '../line.ts'
import { install } from '../product.ts'
import { clickOf, keep } from '../stored.ts'
import type { Row, Unit } from '../table.ts'
import { firstOrg } from '../webhook.ts'

interface Shape {
  /** Events of a commit. */
  group: number
  destinations: number
  accounts: number
}

/** Of one event, from its commit until it is delivered everywhere, and searched by. */
interface Costs {
  cpuMicros: number
  logPages: number
  logBytes: number
  diskBytes: number
}

const shapes: readonly Shape[] = [1, 25].flatMap((group) =>
  [1, 3].flatMap((destinations) => [1, 300].map((accounts) => ({ group, destinations, accounts }))),
)
/** Groups before those that are measured: statements are prepared, and the server's backends are there. */
const warmGroups = 40
/** By their own times, with which identities begin: those of one second are in no order, and so are the pages they are in. */
const eventsASecond = 1_000

async function costsOf(bench: Bench, stored: Stored, shape: Shape): Promise<Costs> {
  const env = stored.settings()
  await install(bench.root, env, shape.accounts)
  const store = await openStore(readConfig(env, 'store'))
  try {
    for (let org = firstOrg; org < firstOrg + shape.accounts; org++)
      for (let number = 2; number <= shape.destinations; number++)
        await store.storage.inbox.addDestination(String(org), number)
    const events = (shape.group > 1 && shape.accounts === 1 ? 20_000 : 2_500) / (bench.quick ? 10 : 1)
    const groups = Math.ceil(events / shape.group)
    const from = store.clock.now()
    const bringNth = (nth: number) =>
      bring(store, shape, nth, from + Math.round((nth * shape.group * 1_000) / eventsASecond))
    for (let nth = 0; nth < warmGroups; nth++) await bringNth(nth)
    await search(store)
    const bytesBefore = await stored.bytes()
    const meter: Meter = stored.path ? sqliteMeter(stored.path) : await postgresMeter(stored)
    for (let nth = warmGroups; nth < warmGroups + groups; nth++) {
      await bringNth(nth)
      // As the service does while it is idle, in steps of so many.
      if ((nth * shape.group) % 250 < shape.group) await search(store)
      meter.glance()
    }
    await search(store)
    const all = groups * shape.group
    const { cpuMs, logPages, logBytes } = await meter.read()
    const diskBytes = ((await stored.bytes()) - bytesBefore) / all
    return { cpuMicros: (1_000 * cpuMs) / all, logPages: logPages / all, logBytes: logBytes / all, diskBytes }
  } finally {
    await store.close()
  }
}

/** A group comes, and is delivered to each destination by one request for each account; those of a claim are answered together. */
async function bring(store: Store, { group, destinations, accounts }: Shape, nth: number, at: number): Promise<void> {
  const { inbox } = store.storage
  const made = Array.from({ length: group }, (_, more) => {
    const n = nth * group + more
    return clickOf(firstOrg + (n % accounts), n, at)
  })
  await keep(store, made, 100)
  for (let left = group * destinations; left > 0; ) {
    const { leases } = await inbox.claim('send', {
      now: at + 1,
      leaseMs: 60_000,
      limit: 500,
      bytesMax: 2 ** 22,
      room: 8,
    })
    if (leases.length === 0) throw new Error('what was kept is not to be claimed')
    const settled = leases.map((lease) => {
      const attempt: Attempt = { at, ms: 80, status: 200, many: lease.entries.length, tries: 1 }
      const settlements = lease.entries.map(({ id }) => ({ id, at, to: 'delivered' as const, attempt }))
      left -= lease.entries.length
      return inbox.settle(lease, settlements, { readyAt: at, failures: 0, tried: { at } })
    })
    await Promise.all(settled)
  }
}

async function search({ storage }: Store): Promise<void> {
  await storage.lookup.find({ message: 'none' }, { limit: 1 })
}

/** A transaction that reads an older state for as long as it lasts, as `pg_dump` has one. */
async function beginDump(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  await client.query('SELECT count(*) FROM pg_class')
  return () => client.end()
}

function nameOf({ group, destinations, accounts }: Shape): string {
  const to = destinations === 1 ? 'one destination' : `${destinations} destinations`
  return `groups of ${group}, ${to}, ${accounts === 1 ? 'one account' : `${accounts} accounts`}`
}

function rowsOf(engine: string, found: ReadonlyMap<Shape, readonly Costs[]>): Row[] {
  const isSqlite = engine === 'SQLite'
  const rows: Row[] = []
  const below = (most: number, words: string) => ({ words: `≤ ${words}`, holds: (figure: number) => figure <= most })
  for (const [shape, costs] of found) {
    const { group, destinations, accounts } = shape
    const isAimed = isSqlite && destinations === 1 && accounts === 1
    const row = (what: string, unit: Unit, which: (costs: Costs) => number, aim?: ReturnType<typeof below>) =>
      rows.push(alone(`${what}, ${engine}, ${nameOf(shape)}`, unit, costs.map(which), isAimed ? aim : undefined))
    const inGroups = group > 1
    row(
      isSqlite ? "the store's writing thread, an event" : 'CPU of the server, an event',
      'µs',
      ({ cpuMicros }) => cpuMicros,
      inGroups ? below(23, '23 µs') : undefined,
    )
    if (isSqlite)
      row(
        'pages of the log, an event',
        'an event',
        ({ logPages }) => logPages,
        inGroups ? below(0.95, '0.95') : undefined,
      )
    else row('bytes of the log, an event', 'bytes', ({ logBytes }) => logBytes)
    row(
      'bytes on disk, an event',
      'bytes',
      ({ diskBytes }) => diskBytes,
      inGroups ? below(900, '900') : below(960, '960'),
    )
  }
  for (const shape of found.keys()) {
    if (shape.destinations === 1) continue
    const single = [...found].find(
      ([{ group, destinations, accounts }]) =>
        group === shape.group && destinations === 1 && accounts === shape.accounts,
    )![1]
    const each = found
      .get(shape)!
      .map(({ cpuMicros }, round) => (cpuMicros - single[round]!.cpuMicros) / (shape.destinations - 1))
    const aim = isSqlite && shape.group > 1 ? below(5, '5 µs') : undefined
    rows.push(alone(`each further destination of an event, ${engine}, ${nameOf(shape)}`, 'µs', each, aim))
  }
  return rows
}

export const store: Line = {
  name: 'store',
  question:
    'What does an event cost the store, alone and in groups, with one and three destinations, of one and 300 accounts?',
  peers: false,
  hereOnly: true,
  async run(bench) {
    const found = { SQLite: new Map<Shape, Costs[]>(), PostgreSQL: new Map<Shape, Costs[]>() }
    const dumped: Costs[] = []
    const note = (of: Map<Shape, Costs[]>, shape: Shape, costs: Costs) =>
      of.set(shape, [...(of.get(shape) ?? []), costs])
    for (let round = 0; round < bench.rounds; round++) {
      for (const shape of shapes) {
        bench.say(`round ${round + 1} of ${bench.rounds}: ${nameOf(shape)}`)
        const file = await onSqlite(bench)
        note(found.SQLite, shape, await costsOf(bench, file, shape))
        await file.close()
        const server = await onPostgres()
        note(found.PostgreSQL, shape, await costsOf(bench, server, shape))
        await server.close()
      }
      bench.say(`round ${round + 1} of ${bench.rounds}: beside a dump`)
      dumped.push(await besideDump(bench))
    }
    const beside = `${nameOf(dumpShape)}, while a dump reads an older state`
    return [
      ...rowsOf('SQLite', found.SQLite),
      ...rowsOf('PostgreSQL', found.PostgreSQL),
      alone(
        `CPU of the server, an event, PostgreSQL, ${beside}`,
        'µs',
        dumped.map(({ cpuMicros }) => cpuMicros),
      ),
      alone(
        `bytes of the log, an event, PostgreSQL, ${beside}`,
        'bytes',
        dumped.map(({ logBytes }) => logBytes),
      ),
    ]
  },
}

const dumpShape: Shape = { group: 25, destinations: 1, accounts: 1 }

async function besideDump(bench: Bench): Promise<Costs> {
  const server = await onPostgres()
  const end = await beginDump(server.engine.databaseUrl(''))
  try {
    return await costsOf(bench, server, dumpShape)
  } finally {
    await end()
    await server.close()
  }
}
