/** The results as a Markdown table, and its place in a document. */
import type { Spread } from './arithmetic.ts'

export type Unit = '/s' | 'ms' | 's' | 'MB' | 'bytes' | 'µs' | 'x' | 'events' | 'an event' | '%'

export interface Figure extends Spread {
  unit: Unit
}

/** One line of the table. */
export interface Row {
  what: string
  ours: Figure
  /** What it is held against, measured in the same run; absent where a figure is held against its aim alone. */
  reference?: { name: string; figure: Figure }
  /** Ours by the reference's. */
  ratio?: Figure
  /** What was aimed at, in words, and whether the median holds it. */
  aim?: { words: string; held: boolean }
}

const head = ['what', 'this', 'reference', 'ratio', 'aim']

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ what, ours, reference, ratio, aim }) => [
    what,
    shown(ours),
    reference ? `${shown(reference.figure)} ${reference.name}` : '',
    ratio ? shown(ratio) : '',
    aim ? `${aim.words}: ${aim.held ? 'held' : '**missed**'}` : '',
  ])
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** `12,345/s (11,900–12,800)`: the median, and the smallest and largest of the rounds where they differ. */
export function shown({ median, min, max, rounds, unit }: Figure): string {
  const digits = digitsFor(median, unit)
  const say = (figure: number) =>
    figure.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const unitShown = unit === '/s' || unit === '%' ? unit : unit === 'x' ? '×' : unit === 'an event' ? '' : ` ${unit}`
  const spread = rounds > 1 && say(min) !== say(max) ? ` (${say(min)}–${say(max)})` : ''
  return `${say(median)}${unitShown}${spread}`
}

function digitsFor(figure: number, unit: Unit): number {
  if (unit === 'x' || unit === 'an event') return 2
  return Math.abs(figure) < 10 && unit !== 'events' && unit !== 'bytes' ? 1 : 0
}

/** Puts the text between `<!-- mark -->` and `<!-- /mark -->`; throws where a document has no such place. */
export function placed(document: string, mark: string, text: string): string {
  const place = new RegExp(`(<!-- ${mark}\\b[^\n]*-->\n)([\\s\\S]*?)(<!-- /${mark} -->)`)
  if (!place.test(document)) throw new Error(`the document has no place marked ${mark}`)
  return document.replace(place, (_, start: string, __, end: string) => `${start}${text}\n${end}`)
}
