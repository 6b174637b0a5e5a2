/** What a line of the bench is: one question, measured against its references in the same run. */
import { ratios, rotated, spreadOf } from './arithmetic.ts'
import type { Engine } from './product.ts'
import type { Figure, Row, Unit } from './table.ts'

export interface Bench {
  /** The checkout whose service is measured. */
  root: string
  /** Whether what it is held against is measured, too. */
  peers: boolean
  rounds: number
  /** Seconds of load in one measurement. */
  seconds: number
  /** Seconds of load before a process is measured: a service runs for days, and is compiled for its work in seconds. */
  warmSeconds: number
  /** True: a look whether it runs at all, with the tenth of everything. */
  quick: boolean
  engine: Engine
  /** A folder of its own for one measurement; all of them are removed at the end. */
  folder(): Promise<string>
  /** A sealed backlog of so many entries, made once: resolves to a folder with a copy, which is there until the next. */
  backlog(entries: number, accounts?: number): Promise<string>
  say(text: string): void
}

export interface Line {
  name: string
  /** The question that it answers, as a reader of the table would ask it. */
  question: string
  /** Whether it needs the packages of bench/package.json. */
  peers: boolean
  /** Whether it is one of the few that `--quick` runs where no line is named. */
  quick?: true
  /** Works inside the service's own code, so that it cannot measure another checkout's. */
  hereOnly?: true
  run(bench: Bench): Promise<Row[]>
}

type Contenders = Record<string, () => Promise<unknown>>
type Results<Of extends Contenders> = { [Name in keyof Of]: Awaited<ReturnType<Of[Name]>>[] }

/**
 * Each contender once a round, in rotated order; gives what each measured, by name, round by round. Of `theirs`, where peers
 * are left out, no rounds.
 */
export async function roundsOf<Ours extends Contenders, Theirs extends Contenders = Record<never, never>>(
  { rounds, peers, say }: Pick<Bench, 'rounds' | 'peers' | 'say'>,
  ours: Ours,
  theirs?: Theirs,
): Promise<Results<Ours & Theirs>> {
  const contenders: Contenders = { ...ours, ...(peers ? theirs : {}) }
  const names = Object.keys(contenders)
  const results: Record<string, unknown[]> = {}
  for (const name of Object.keys({ ...ours, ...theirs })) results[name] = []
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(names, round)) {
      say(`round ${round + 1} of ${rounds}: ${name}`)
      results[name]!.push(await contenders[name]!())
    }
  }
  return results as Results<Ours & Theirs>
}

export function figure(figures: readonly number[], unit: Unit): Figure {
  return { ...spreadOf(figures), unit }
}

/** What the median of a figure or of a ratio should be. */
export interface Aim {
  words: string
  holds(median: number): boolean
}

/** As many times the reference, or more. */
export function atLeast(times: number): Aim {
  return { words: `≥ ${times}×`, holds: (ratio) => ratio >= times }
}

export function atMost(times: number): Aim {
  return { words: `≤ ${times}×`, holds: (ratio) => ratio <= times }
}

/** Ours and a reference's figures, round by round, with their ratio; `aim` judges its median. Ours alone where it has none. */
export function compared(
  what: string,
  unit: Unit,
  ours: readonly number[],
  reference: { name: string; figures: readonly number[] },
  aim?: Aim,
): Row {
  if (reference.figures.length === 0) return alone(what, unit, ours)
  const ratio = figure(ratios(ours, reference.figures), 'x')
  return {
    what,
    ours: figure(ours, unit),
    reference: { name: reference.name, figure: figure(reference.figures, unit) },
    // Where the reference is nothing, there is none.
    ...(Number.isFinite(ratio.max) ? { ratio } : {}),
    ...(aim ? { aim: { words: aim.words, held: aim.holds(ratio.median) } } : {}),
  }
}

/** Our figures alone, against an aim. */
export function alone(what: string, unit: Unit, figures: readonly number[], aim?: Aim): Row {
  const ours = figure(figures, unit)
  return { what, ours, ...(aim ? { aim: { words: aim.words, held: aim.holds(ours.median) } } : {}) }
}

/** A line on two checkouts, in rounds by turns: what each of its figures is here and there, and the ratio within a round. */
export async function abreast(line: Line, rounds: number, here: Bench, there: Bench, name: string): Promise<Row[]> {
  const results = await roundsOf(
    { rounds, peers: false, say: here.say },
    { here: () => line.run({ ...here, rounds: 1 }), there: () => line.run({ ...there, rounds: 1 }) },
  )
  const rowsOf = (side: keyof typeof results, what: string) =>
    results[side].map((rows) => rows.find((row) => row.what === what)?.ours.median ?? Number.NaN)
  return results.here[0]!.map(({ what, ours }) =>
    compared(what, ours.unit, rowsOf('here', what), { name, figures: rowsOf('there', what) }),
  )
}
