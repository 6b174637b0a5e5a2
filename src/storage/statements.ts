/**
 * Calls of ports that both engines carry out alike. Each is a generator: it yields one statement after the other, is given the
 * answer, and returns what the call resolves to. SQLite answers at once, PostgreSQL when its server has. The SQL is
 * PostgreSQL's; what SQLite reads otherwise is in sqlite/statements.ts.
 */
import type { Range } from './place.ts'
import type { Org } from './ports/entry.ts'

export type Row = Readonly<Record<string, unknown>>
type Value = string | number | Uint8Array | null | readonly (string | number)[]

export type Asked =
  | { is: 'rows' | 'count'; sql: string; values: readonly Value[] }
  | { is: 'lock'; name: string }
  | { is: 'erased' }
  | { is: 'ids_at'; org: Org | undefined; time: number }

export type Statements<Result> = Generator<Asked, Result, unknown>

export function* all(sql: string, ...values: Value[]): Statements<readonly Row[]> {
  return (yield { is: 'rows', sql, values }) as readonly Row[]
}

export function* get(sql: string, ...values: Value[]): Statements<Row | undefined> {
  return (yield* all(sql, ...values))[0]
}

/** How many rows were touched. */
export function* run(sql: string, ...values: Value[]): Statements<number> {
  return (yield { is: 'count', sql, values }) as number
}

/** Waits until what this name stands for is this call's alone, until its end. SQLite has one call at a time. */
export function* lock(name: string): Statements<void> {
  yield { is: 'lock', name }
}

/** Something was erased that must not be found in the file either: SQLite's to note, see sqlite/purge.ts. */
export function* noteErasure(): Statements<void> {
  yield { is: 'erased' }
}

/** Entries below `first` were received before this time, and those from `below` on at it or later. */
export function* idsAt(org: Org | undefined, time: number): Statements<Range> {
  return (yield { is: 'ids_at', org, time }) as Range
}

type Call<Args extends unknown[], Result> = (...args: Args) => Statements<Result>

/** All that it writes is kept, or nothing. Without it, each statement is by itself. */
export function together<Args extends unknown[], Result>(call: Call<Args, Result>) {
  return Object.assign(call, { as: 'together' as const })
}

/** All that it reads is of one moment. */
export function ofOneMoment<Args extends unknown[], Result>(call: Call<Args, Result>) {
  return Object.assign(call, { as: 'of_one_moment' as const })
}

/** A port's calls by their names. */
export type Calls = Readonly<
  Record<string, ((...args: never[]) => Statements<unknown>) & { as?: 'together' | 'of_one_moment' }>
>
