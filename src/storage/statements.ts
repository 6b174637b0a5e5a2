/**
 * Calls of ports that both engines carry out alike. Each is a generator: it yields one statement after the other, is given the
 * answer, and returns what the call resolves to. SQLite answers at once, PostgreSQL when its server has. The SQL is
 * PostgreSQL's; what SQLite reads otherwise is in sqlite/statements.ts. What an engine does in a way of its own is `Own`.
 */
import type { Range } from './place.ts'
import type { LaneKey, Org } from './ports/entry.ts'
import type { Limits } from './ports/inbox.ts'
import type { Collected } from './tally.ts'

export type Row = Readonly<Record<string, unknown>>
type Value = string | number | Uint8Array | null | readonly (string | number)[]

/** In the transaction of the call that asks. */
export interface Own {
  /** Waits until what these names stand for is this call's alone, until its end. SQLite has one call at a time. */
  lock(names: readonly string[]): void
  /** Whether what this name stands for is this call's alone until its end; false, at once, where another has it. */
  tryLock(name: string): boolean
  /** Something was erased that must not be found in the file either: SQLite's to note, see sqlite/purge.ts. */
  noteErasure(): void
  /** Entries below `first` were received before this time, and those from `below` on at it or later. */
  idsAt(org: Org | undefined, time: number): Range
  /** The next of `places`: see place.ts. */
  takePlaces(many: number): number[]
  /** Something is due in these lanes from then on; what backs off stays as it is. */
  wake(lanes: readonly (LaneKey & { at: number })[]): void
  /** The last thing of a call: its rows are those that most others wait for. */
  keepCounts(counts: Collected): void
  /** Adds to an entry's history, and settles it then or, with null, not any more. */
  noteHistory(id: number, notes: Uint8Array, settledAt: number | null): void
  /** Takes entries away with everything that names them; what was not final is counted as expired. Gives how many were there. */
  remove(ids: readonly number[]): number
  /** Those of which nothing waits or is an exception at any destination, but for what is of no account that is installed. */
  stillFinal(ids: readonly number[]): number[]
  /** Minutes become hours, hours go: a chart of a week needs no minutes. */
  ageTimeBuckets(limits: Limits): void
}

type OwnAsked = { [Name in keyof Own]: { is: 'own'; name: Name; args: Parameters<Own[Name]> } }[keyof Own]
export type Asked = { is: 'rows' | 'count'; sql: string; values: readonly Value[] } | OwnAsked

export type Statements<Result> = Generator<Asked, Result, unknown>

/** A row, or what else may be NULL, under a port's names: what is NULL is absent there. */
export function present<Shape>(row: Row): Shape {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Shape
}

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

export function* own<Name extends keyof Own>(
  name: Name,
  ...args: Parameters<Own[Name]>
): Statements<ReturnType<Own[Name]>> {
  return (yield { is: 'own', name, args } as OwnAsked) as ReturnType<Own[Name]>
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
