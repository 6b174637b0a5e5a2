/** What an event costs: processor time by thread, statements, and pages of the log. */
import { type Aim, alone, compared } from './line.ts'
import type { Running, Thread } from './process.ts'
import { threads } from './process.ts'
import type { Row } from './table.ts'

/** Of one event. */
export interface Cost {
  /** Microseconds of all threads. */
  cpu: number
  /** Microseconds; `kernel` is a part of `all`. */
  threads: Record<Thread, { all: number; kernel: number }>
  statements: number
  /** SQLite's pages of 4 KiB that were added to its log. */
  pages: number
  /** SQLite's: those that arrive during one commit share the next. */
  commits: number
}

/** What the processes used for what `work` did; it resolves to how many events that were, among what else it measured. */
export async function costOf<Result extends { events: number }>(
  processes: readonly Running[],
  work: () => Promise<Result>,
): Promise<Result & { cost: Cost }> {
  const look = async () =>
    Promise.all(processes.map(async (process) => ({ ...process.usage(), ...(await process.counts()) })))
  const before = await look()
  const result = await work()
  const after = await look()
  type Looked = (typeof after)[number]
  const used = (which: (looked: Looked) => number) =>
    after.reduce((sum, looked, at) => sum + which(looked) - which(before[at]!), 0) / result.events
  const micros = (which: (looked: Looked) => number) => 1_000 * used(which)
  const thread = (name: Thread) => ({
    all: micros((looked) => looked.threads[name].allMs),
    kernel: micros((looked) => looked.threads[name].kernelMs),
  })
  const cost: Cost = {
    cpu: micros(({ cpuMs }) => cpuMs),
    threads: {
      main: thread('main'),
      'store writer': thread('store writer'),
      'store reader': thread('store reader'),
      others: thread('others'),
    },
    statements: used(({ statements }) => statements),
    pages: used(({ pages }) => pages),
    commits: used(({ commits }) => commits),
  }
  return { ...result, cost }
}

const named: Record<Thread, string> = {
  main: 'the main thread',
  'store writer': "the store's writing thread",
  'store reader': "the store's reading thread",
  others: "V8's and libuv's threads",
}

/** All of it as rows, `what` being what happened to the event; `aim` judges all CPU together. A peer has no threads for a store; ours that did nothing are left out. */
export function costRows(
  what: string,
  ours: readonly Cost[],
  peer?: { name: string; costs: readonly Cost[] },
  aim?: Aim,
): Row[] {
  const row = (title: string, which: (cost: Cost) => number, both = true, aim?: Aim) =>
    peer && both
      ? compared(title, 'µs', ours.map(which), { name: peer.name, figures: peer.costs.map(which) }, aim)
      : alone(title, 'µs', ours.map(which))
  return [
    row(`CPU an event, ${what}`, ({ cpu }) => cpu, true, aim),
    ...threads.flatMap((name) => {
      if (ours.every((cost) => cost.threads[name].all === 0)) return []
      const both = name === 'main' || name === 'others'
      return [
        row(`${what}: ${named[name]}`, (cost) => cost.threads[name].all, both),
        row(`${what}: ${named[name]}, in the kernel`, (cost) => cost.threads[name].kernel, name === 'main'),
      ]
    }),
    alone(
      `statements an event, ${what}`,
      'an event',
      ours.map(({ statements }) => statements),
    ),
    alone(
      `pages of SQLite's log an event, ${what}`,
      'an event',
      ours.map(({ pages }) => pages),
    ),
    alone(
      `commits of SQLite an event, ${what}`,
      'an event',
      ours.map(({ commits }) => commits),
    ),
  ]
}
