/** What the inline starter (starter.js) has kept until this file came, and what the page wrote into the window before. */
import { each, fieldOf, isOfScript, ownField, type Page } from './page.ts'

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
  /** What starters and the page itself say. */
  options: unknown[]
  choice: unknown
  /** Of several starters, each of which hears the same, the one that heard most. */
  starter: Starter | undefined
  /** From now on they call `told` with what they hear: of a widget that comes later, they and the listener hear the same. */
  handOver(told: Starter['h']): void
}

/** `own`: the starter that brought this file, as its tag says: the page may have written into its place since. */
export function before(page: Page, own: unknown): Before {
  let best: Starter | undefined
  const all: Starter[] = []
  const options: unknown[] = []
  let choice: unknown
  each([fieldOf(page, 'driftSegmentBridge'), own], (there) => {
    while (isStarter(there)) {
      const starter = there
      if (each(all, (one) => one === starter)) return
      all[all.length] = starter
      options[options.length] = starter.o
      choice = choice || starter.c
      if (!best || starter.q.length > best.q.length) best = starter
      there = starter.g
    }
    if (!isOfScript(there)) return
    // What a page wrote there before the script has come is what the visitor chose.
    options[options.length] = there
    choice = choice || ownField(there, 'consent')
  })
  return {
    options,
    choice,
    starter: best,
    handOver(told) {
      each(all, (one) => {
        one.h = one === best ? told : () => {}
      })
    },
  }
}

function isStarter(there: unknown): there is Starter {
  return typeof fieldOf(there, 'h') === 'function' && Array.isArray(fieldOf(there, 'q'))
}
