/** With a million events waiting, each sealed by itself: how soon is it ready, in how much memory, and do pages answer at once? */
import { setTimeout as pause } from 'node:timers/promises'
import { readConfig } from '../../src/config.ts'
import { openStore } from '../../src/service.ts'
import { median } from '../arithmetic.ts'
import { onPostgres, onSqlite, type Stored } from '../engine.ts'
import { alone, type Bench, type Line } from '../line.ts'
import { timesOf } from '../pages.ts'
import { install, serve } from '../product.ts'
import { startSegment } from '../segment.ts'
import { addWaitingAlone } from '../stored.ts'
import type { Row } from '../table.ts'

/** Of one claim, as the service asks for them. */
const claimed = { limit: 500, bytesMax: 4 * 1024 * 1024, leaseMs: 60_000, room: 1 }
const claims = 21

/** Milliseconds of each of several claims of what stands first, which stays there. */
async function claimMs(env: ReturnType<Stored['settings']>): Promise<number> {
  const { storage, clock, close } = await openStore(readConfig(env, 'store'))
  try {
    const ms: number[] = []
    // What a service that was killed has claimed is its own for a minute.
    for (let now = clock.now() + claimed.leaseMs; ms.length < claims; now += 1_000) {
      const startedAt = performance.now()
      const { leases } = await storage.inbox.claim('send', { ...claimed, now, farAhead: true })
      ms.push(performance.now() - startedAt)
      if (leases[0]?.entries.length !== claimed.limit) throw new Error('a claim did not bring what waits')
      await storage.inbox.settle(leases[0], [], { readyAt: now, failures: 0 })
    }
    return median(ms)
  } finally {
    await close()
  }
}

async function rowsOf(bench: Bench, stored: Stored, entries: number): Promise<Row[]> {
  // Segment is down, so that all of it goes on waiting.
  const segment = await startSegment({ status: 503 })
  const env = stored.settings(segment.url)
  const { name } = stored.engine
  const [ready, peak, claim]: [number[], number[], number[]] = [[], [], []]
  try {
    bench.say(`making ${entries.toLocaleString('en')} waiting events on ${name}`)
    await install(bench.root, env, 1)
    await addWaitingAlone(env, entries)
    await stored.settle()
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`round ${round + 1} of ${bench.rounds}`)
      claim.push(await claimMs(env))
      const service = await serve(bench.root, env)
      ready.push(service.readyMs / 1_000)
      await pause(bench.seconds * 1_000)
      peak.push(service.usage().peakMb)
      await service.kill()
    }
    const service = await serve(bench.root, env)
    try {
      const times = [...(await timesOf(bench, service, env, 21_727_000_001))]
      const [page, { whole }] = times.toSorted(([, one], [, other]) => median(other.whole) - median(one.whole))[0]!
      bench.say(`the slowest page is ${page}`)
      const many = `${entries.toLocaleString('en')} waiting in bodies of one on ${name}`
      const below = (most: number, unit: string) => ({
        words: `< ${most} ${unit}`,
        holds: (figure: number) => figure < most,
      })
      return [
        alone(`from start to ready, ${many}`, 's', ready, below(1, 's')),
        alone(`peak memory, ${many}`, 'MB', peak, below(200, 'MB')),
        alone(`a claim of ${claimed.limit}, ${many}`, 'ms', claim),
        alone(`the console's slowest page, ${many}`, 'ms', whole, below(100, 'ms')),
      ]
    } finally {
      await service.kill()
    }
  } finally {
    await segment.kill()
    await stored.close()
  }
}

export const waitingAlone: Line = {
  name: 'waiting-alone',
  question:
    'With a million events waiting, each sealed by itself: how soon is it ready, in how much memory, and do pages answer at once?',
  peers: false,
  hereOnly: true,
  async run(bench) {
    const entries = bench.quick ? 20_000 : 1_000_000
    return [
      ...(await rowsOf(bench, await onSqlite(bench), entries)),
      ...(await rowsOf(bench, await onPostgres(['fsync=off']), entries)),
    ]
  },
}
