/**
 * A store that forgets what it has not synced: the memory engine behind a queue of writes. A write is done, and answered,
 * when its turn to be synced comes; a crash takes the queue away, but for as many of its first as chance let through.
 */
import { Problem } from '../../src/lib/errors.ts'
import type { Claimed, Expired } from '../../src/storage/ports/inbox.ts'
import type { Storage } from '../../src/storage/ports/storage.ts'
import { openInMemory } from '../../src/storage/sqlite/in-memory.ts'
import type { ManualClock } from '../../test/clock.ts'
import type { SimulatedProcess } from './time.ts'

export interface Disk {
  /** What is on it, for those who judge. */
  readonly storage: Storage
  /** The store as one process sees it. */
  openFor(process: SimulatedProcess): Storage
  /** The writes that this process has under way are lost, or done without an answer. */
  crash(process: SimulatedProcess): void
  /** From now on this share of writes fails: half of them not done, half done all the same. */
  failing(share: number): void
  /** Whether every call fails from now on, as when the store's server is away. */
  gone(isGone: boolean): void
}

/** What only looks. Everything else of a port writes. */
const looks = new Set([
  'nextDue',
  'unclaimed',
  'totals',
  'backlog',
  'timeBuckets',
  'get',
  'list',
  'read',
  'recall',
  'of',
  'find',
  'lanes',
  'lastReceivedAt',
  'marked',
  'destinations',
  'allDestinations',
])
/** How often another process's writes are noticed; the ports say within a second. */
const noticeMs = 250

interface Write {
  by: SimulatedProcess
  /** Does it; the caller hears of it when `answer` is called. */
  perform(): Promise<{ changed: boolean; answer: () => void }>
  refuse(): void
}

function hasChanged(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value)
  if ('leases' in value) return (value as Claimed).leases.length > 0
  return 'removed' in value ? (value as Expired).removed > 0 : true
}

export function openDisk(world: ManualClock, fraction: () => number): Disk {
  const storage = openInMemory()
  let queue: Write[] = []
  let syncing = false
  let failures = 0
  let isGone = false
  const listeners: { process: SimulatedProcess; listener: () => void }[] = []

  /** All that waits is one group: done together, then answered. */
  async function sync(): Promise<void> {
    const group = queue
    const wrote: SimulatedProcess[] = []
    queue = []
    syncing = false
    for (const write of group) {
      const fails = isGone || fraction() < failures
      const done = fails && (isGone || fraction() < 0.5) ? undefined : await write.perform()
      if (fails || !done) write.refuse()
      else done.answer()
      if (done?.changed) wrote.push(write.by)
    }
    for (const { process, listener } of listeners)
      if (!process.isDead && wrote.some((by) => by !== process)) process.after(noticeMs, listener)
  }

  function write<T>(process: SimulatedProcess, what: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // What an engine did not keep and what it kept without being able to say so look the same to the caller.
      const refuse = () => process.after(0, () => reject(new Problem('store_failed', 'the simulated store failed')))
      const perform = () =>
        what().then(
          // A claim that finds nothing and a maintenance with nothing to do leave the store as it was.
          (value) => ({ changed: hasChanged(value), answer: () => process.after(0, () => resolve(value)) }),
          (error: unknown) => ({ changed: false, answer: () => process.after(0, () => reject(error)) }),
        )
      queue.push({ by: process, perform, refuse })
      if (syncing) return
      syncing = true
      world.after(1 + fraction() * 4, () => void sync())
    })
  }

  function portFor<Port extends object>(process: SimulatedProcess, port: Port): Port {
    return new Proxy(port, {
      get(target, method) {
        const call = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>
        if (looks.has(String(method))) return call
        return (...args: unknown[]) => write(process, () => call(...args))
      },
    })
  }

  return {
    storage,
    openFor(process) {
      const ports = Object.entries(storage).map(([name, port]) => [
        name,
        typeof port === 'object' && !(port instanceof Promise) ? portFor(process, port as object) : port,
      ])
      return {
        ...(Object.fromEntries(ports) as Storage),
        onChange: (listener) => void listeners.push({ process, listener: () => listener(undefined) }),
      }
    },
    crash(process) {
      const mine = queue.filter(({ by }) => by === process)
      const through = mine.slice(0, Math.floor(fraction() * (mine.length + 1)))
      queue = queue.filter(({ by }) => by !== process)
      for (const one of through) void one.perform()
    },
    failing(share) {
      failures = share
    },
    gone(now) {
      isGone = now
    },
  }
}
