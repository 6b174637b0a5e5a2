/** Group commit: concurrent appends share one write, for every engine alike; no timer is involved. */
import type { Arrival, Inbox } from './ports.ts'

/**
 * One append under way at a time: what arrives meanwhile is the next, so a group is as large as the load makes it, up
 * to `most` arrivals and those that came with the last of them.
 */
export function groupAppends(append: Inbox['append'], most = Number.POSITIVE_INFINITY): Inbox['append'] {
  let next: { arrivals: Arrival[]; results: ReturnType<Inbox['append']> } | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  return async (batch) => {
    if (!next || next.arrivals.length >= most) {
      const group = { arrivals: [] as Arrival[], results: Promise.resolve([]) as ReturnType<Inbox['append']> }
      next = group
      group.results = underWay.then(async () => {
        await new Promise(setImmediate)
        if (next === group) next = undefined
        return append(group.arrivals)
      })
      underWay = group.results.catch(() => {})
    }
    const { arrivals, results } = next
    const start = arrivals.length
    arrivals.push(...batch)
    // mutant: keeps a queue in memory behind the 200
    return (await results).slice(start, start + batch.length)
  }
}
