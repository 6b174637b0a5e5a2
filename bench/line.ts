/** What a line of the bench is: one question, measured against its references in the same run. */
import { ratios, rotated, spreadOf } from './arithmetic.ts'
import type { Engine } from './product.ts'
import type { Figure, Row, Unit } from './table.ts'

export interface Bench {
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
  /** The question it answers, as a person would ask it. */
  question: string
  /** Whether it needs the packages of bench/package.json. */
  peers: boolean
  run(bench: Bench): Promise<Row[]>
}

/** Each contender once a round, in rotated order; gives what each measured, by name, round by round. */
export async function roundsOf<Contenders extends Record<string, () => Promise<unknown>>>(
  { rounds, say }: Pick<Bench, 'rounds' | 'say'>,
  contenders: Contenders,
): Promise<{ [Name in keyof Contenders]: Awaited<ReturnType<Contenders[Name]>>[] }> {
  const names = Object.keys(contenders)
  const results: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(names, round)) {
      say(`round ${round + 1} of ${rounds}: ${name}`)
      results[name]!.push(await contenders[name]!())
    }
  }
  return results as Awaited<ReturnType<typeof roundsOf<Contenders>>>
}

export function figure(figures: readonly number[], unit: Unit): Figure {
  return { ...spreadOf(figures), unit }
}

/** Ours and a reference's figures, round by round, with their ratio; `aim` judges the ratio's median. */
export function compared(
  what: string,
  unit: Unit,
  ours: readonly number[],
  reference: { name: string; figures: readonly number[] },
  aim?: { words: string; holds(ratio: number): boolean },
): Row {
  const ratio = figure(ratios(ours, reference.figures), 'x')
  return {
    what,
    ours: figure(ours, unit),
    reference: { name: reference.name, figure: figure(reference.figures, unit) },
    ratio,
    ...(aim ? { aim: { words: aim.words, held: aim.holds(ratio.median) } } : {}),
  }
}

/** Our figures alone, against an aim. */
export function alone(
  what: string,
  unit: Unit,
  figures: readonly number[],
  aim?: { words: string; holds(median: number): boolean },
): Row {
  const ours = figure(figures, unit)
  return { what, ours, ...(aim ? { aim: { words: aim.words, held: aim.holds(ours.median) } } : {}) }
}
