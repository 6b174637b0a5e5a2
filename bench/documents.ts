/** Where the results stand: a section for each line in docs/performance.md, and a few rows in README. */
import { placed, type Row, tableOf } from './table.ts'

export interface Measured {
  /** The line's question: its section's heading. */
  question: string
  /** When, on what, and how often. */
  about: string
  rows: readonly Row[]
}

const mark = 'bench'

/**
 * The document with these sections in the place of those of the same questions; the others stay as they were measured, in the order of
 * `questions`. A section whose question is not asked any more goes.
 */
export function withSections(document: string, measured: readonly Measured[], questions: readonly string[]): string {
  const sections = new Map<string, string>()
  for (const section of between(document).split(/^### /m).slice(1)) {
    const [question = '', ...lines] = section.split('\n')
    sections.set(question, lines.join('\n').trim())
  }
  for (const { question, about, rows } of measured) sections.set(question, `${about}\n\n${tableOf(rows)}`)
  const text = questions.flatMap((question) => {
    const found = sections.get(question)
    return found === undefined ? [] : [`### ${question}\n\n${found}\n`]
  })
  return placed(document, mark, text.join('\n'))
}

/** What README shows: of each, the first row that says so. */
const headlines = [
  'acknowledgements at 64 connections',
  'events a second, webhook to Segment, sustained',
  'webhook to Segment when idle, p50',
  'answered 200 and lost to one kill -9 at 200/s',
  'events a second from a backlog of 60,000',
]

/** README with the rows of these that it shows; those that were not measured stay. */
export function withHeadlines(document: string, measured: readonly Measured[]): string {
  const shown = new Map<string, string>()
  for (const row of between(document).split('\n')) {
    const what = row.split(' | ')[0]!.replace(/^\| /, '')
    if (headlines.includes(what)) shown.set(what, row)
  }
  const rows = measured.flatMap((one) => one.rows)
  for (const what of headlines) {
    const row = rows.find((one) => one.what === what)
    if (row) shown.set(what, tableOf([row]).split('\n')[2]!)
  }
  const head = tableOf([]).split('\n')
  return placed(document, mark, [...head, ...headlines.flatMap((what) => shown.get(what) ?? []), ''].join('\n'))
}

function between(document: string): string {
  return document.split(`<!-- /${mark} -->`)[0]!.split(`<!-- ${mark} -->\n`)[1] ?? ''
}
