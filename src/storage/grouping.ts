/** Group commit: concurrent appends share one write, for every engine alike; no timer is involved. */
import type { Arrival, Inbox, Told, Woken } from './ports.ts'

/** What became of a group, and which lanes have woken up by it. */
export interface Appended {
  told: Told[]
  woke: Woken[]
}

/**
 * One append under way at a time: what arrives meanwhile is the next, so a group is as large as the load makes it, up
 * to `most` arrivals and those that came with the last of them.
 */
export function groupAppends(
  append: (group: readonly Arrival[]) => Promise<Appended>,
  most = Number.POSITIVE_INFINITY,
): Inbox['append'] {
  let next: { arrivals: Arrival[]; appended: Promise<Appended> } | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  return async (batch, wake) => {
    if (!next || next.arrivals.length >= most) {
      const group = { arrivals: [] as Arrival[], appended: Promise.resolve<Appended>({ told: [], woke: [] }) }
      next = group
      group.appended = underWay.then(async () => {
        await new Promise(setImmediate)
        if (next === group) next = undefined
        return append(group.arrivals)
      })
      underWay = group.appended.catch(() => {})
    }
    const { arrivals, appended } = next
    const start = arrivals.length
    arrivals.push(...batch)
    // mutant: keeps a queue in memory behind the 200
    const { told, woke } = await appended
    const woken = woke.filter((lane) => batch.some(({ org }) => org === lane.org))
    if (woken.length > 0) wake?.(woken)
    return told.slice(start, start + batch.length)
  }
}
