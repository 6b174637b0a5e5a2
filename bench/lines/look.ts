/** Do the console's pages answer at once with a million entries stored? */
import { onPostgres, onSqlite, type Stored } from '../engine.ts'
import { alone, type Bench, type Line } from '../line.ts'
import { timesOf } from '../pages.ts'
import { install, serve } from '../product.ts'
import { startSegment } from '../segment.ts'
import { addSpread, busyContact } from '../stored.ts'
import type { Row } from '../table.ts'

const accounts = 300
const aim = { words: '< 100 ms', holds: (ms: number) => ms < 100 }

async function rowsOf(bench: Bench, stored: Stored, entries: number): Promise<Row[]> {
  // Segment is down, so that what waits goes on waiting.
  const segment = await startSegment({ status: 503 })
  const env = stored.settings(segment.url)
  const { name } = stored.engine
  try {
    bench.say(`making ${entries.toLocaleString('en')} entries of ${accounts} accounts on ${name}`)
    await install(bench.root, env, accounts)
    await addSpread(env, entries, accounts)
    await stored.settle()
    const service = await serve(bench.root, env)
    try {
      const times = await timesOf(bench, service, env, busyContact)
      const many = `${entries.toLocaleString('en')} entries on ${name}`
      return [...times].flatMap(([page, { whole, query }]) => [
        alone(`console with ${many}, ${page}: the slowest query`, 'ms', query, aim),
        alone(`console with ${many}, ${page}: its slowest address`, 'ms', whole, aim),
      ])
    } finally {
      await service.kill()
    }
  } finally {
    await segment.kill()
    await stored.close()
  }
}

export const look: Line = {
  name: 'look',
  question: "Do the console's pages answer at once with a million entries stored?",
  peers: false,
  hereOnly: true,
  async run(bench) {
    const entries = bench.quick ? 20_000 : 1_000_000
    return [
      ...(await rowsOf(bench, await onSqlite(bench), entries)),
      // Making the store is not measured, and reading waits for no disk.
      ...(await rowsOf(bench, await onPostgres(['fsync=off']), entries)),
    ]
  },
}
