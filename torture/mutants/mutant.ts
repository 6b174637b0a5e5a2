/** A service that breaks the promise on purpose, and what is to notice it. */
export interface Mutant {
  /** What the service then does wrong; the same words as in the source. */
  name: string
  /** What stands there instead of the marked statement; empty where the statement is left out. */
  becomes: string
  /** What is tried until something fails, the quickest first. */
  catchers: readonly Catcher[]
}

/** `only`: the tests of that file with this in their title. */
export type Catcher = { test: string; only?: string } | { simulate: number } | { torture: string }
