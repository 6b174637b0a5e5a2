/** What the inline starter (starter.js) has kept until this file came, and what the page wrote into the window before. */
import { each, fieldOf, isOfScript, type Page } from './page.ts'

/** An event that the starter took down: what it was called with, when, and on which page. */
type Kept = readonly [
  called: readonly [name: unknown, data: unknown, from: unknown],
  at: number,
  url: string,
  title: string,
]

interface Starter {
  /** The options. */
  o: unknown
  /** What was in the window before: options that the page wrote, or another starter. */
  g: unknown
  q: Kept[]
  /** The widget that it listens to. */
  w: unknown
  /** What the visitor chose. */
  c: unknown
  h(name: unknown, data: unknown, from: unknown): void
}

export interface Before {
  options: unknown[]
  /** What the page itself wrote. */
  written: unknown
  choice: unknown
  events: readonly Kept[]
  /** The widget that is listened to. */
  widget: unknown
  /** From now on they call `told` with what they hear: of a widget that comes later, they and the listener hear the same. */
  handOver(told: Starter['h']): void
}

export function before(page: Page): Before {
  let there = fieldOf(page, 'driftSegmentBridge')
  // Of several starters, each of which hears the same, one is asked: the one that heard most.
  let best: Starter | undefined
  const all: Starter[] = []
  const options: unknown[] = []
  let choice: unknown
  while (typeof fieldOf(there, 'h') === 'function' && Array.isArray(fieldOf(there, 'q'))) {
    const starter = there as Starter
    all[all.length] = starter
    options[options.length] = starter.o
    choice = choice || starter.c
    if (!best || starter.q.length > best.q.length) best = starter
    there = starter.g
  }
  return {
    options,
    written: isOfScript(there) ? there : undefined,
    choice,
    events: best ? best.q : [],
    widget: best ? best.w : undefined,
    handOver(told) {
      each(all, (one) => {
        one.h = one === best ? told : () => {}
      })
    },
  }
}
