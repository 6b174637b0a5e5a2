/** Work that is cheaper for many than for each: what comes while a group is worked on is the next group. */
import { type Clock, pause } from './clock.ts'

/** One group at a time. */
export interface Groups<Item, Result> {
  /** Resolves to what became of the item, and rejects when its group failed. */
  add(item: Item): Promise<Result>
}

interface Needs<Item, Result> {
  /** Resolves to one result an item, in their order. */
  work(group: Item[]): Promise<Result[]>
  /** Whether one more fits into a group that has some already. */
  fits(group: readonly Item[], item: Item): boolean
  clock: Clock
}

/**
 * A group begins no sooner than after twice the time that the last one took, counted from its beginning, and no later than
 * this for its sake. Without that rest the groups of a full machine shrink to one item each, which then costs two to three
 * times as much; an item that comes alone does not wait, because the last group is long over.
 */
export const restMsMax = 20

export function inGroups<Item, Result>({ work, fits, clock }: Needs<Item, Result>): Groups<Item, Result> {
  let next: { items: Item[]; results: Promise<Result[]> } | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  const rest = resting(clock)

  function begin(): { items: Item[]; results: Promise<Result[]> } {
    const group = { items: [] as Item[], results: Promise.resolve<Result[]>([]) }
    group.results = underWay.then(async () => {
      await rest.over()
      // Of those that come in one turn of the event loop, each has been added by then.
      await new Promise(setImmediate)
      if (next === group) next = undefined
      return rest.after(() => work(group.items))
    })
    underWay = group.results.catch(() => {})
    return group
  }

  return {
    async add(item) {
      if (!next || !fits(next.items, item)) next = begin()
      const { items, results } = next
      const at = items.push(item) - 1
      return (await results)[at]!
    },
  }
}

/** A rest after work, as long as the work took. */
export function resting(clock: Clock) {
  let until = Number.NEGATIVE_INFINITY
  return {
    /** Resolves when the rest has ended; at once when it ended before, or nothing was done yet. */
    async over(signal?: AbortSignal): Promise<void> {
      const ms = until - clock.monotonic()
      // mutant: begins the next group at once
      if (ms > 0) await pause(clock, ms, signal)
    },
    /** Does the work; its rest begins with its end. */
    async after<Result>(work: () => Promise<Result>): Promise<Result> {
      const beganAt = clock.monotonic()
      try {
        return await work()
      } finally {
        const tookMs = clock.monotonic() - beganAt
        until = beganAt + Math.max(tookMs, Math.min(2 * tookMs, restMsMax))
      }
    },
  }
}
