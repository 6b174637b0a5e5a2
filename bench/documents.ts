/** Where the results stand: a section for each line in docs/performance.md, and a few rows in README. */
import type { Line } from './line.ts'
import { placed, type Row, tableOf } from './table.ts'

export interface Measured {
  /** The line's question: its section's heading. */
  question: string
  /** When, on what, and how often. */
  about: string
  rows: readonly Row[]
}

type Named = Pick<Line, 'name' | 'question'>

const mark = 'bench'

/**
 * The document with these sections in the place of those of the same questions; the others stay as they were measured, in the order of
 * `lines`, and what has no figures is named before them. A section whose question is not asked any more goes.
 */
export function withSections(document: string, measured: readonly Measured[], lines: readonly Named[]): string {
  const sections = sectionsOf(document)
  for (const { question, about, rows } of measured) sections.set(question, `${about}\n\n${tableOf(rows)}`)
  const missing = lines.filter(({ question }) => !sections.has(question))
  const listed = missing.map(({ name, question }) => `- \`${name}\`: ${question}\n`).join('')
  const text = lines.flatMap(({ question }) => {
    const found = sections.get(question)
    return found === undefined ? [] : [`### ${question}\n\n${found}\n`]
  })
  const without = 'No figures of these lines stand here; `npm run bench -- --only NAME` measures one:'
  return placed(document, mark, [...(listed ? [`${without}\n\n${listed}`] : []), ...text].join('\n'))
}

/** What README shows: of each, the first row that begins so. */
const headlines = [
  'acknowledgements at 64 connections',
  'events a second, webhook to Segment, sustained',
  'webhook to Segment when idle, p50',
  'answered 200 and lost to one kill -9 at 200/s',
  'events a second from a backlog of 60,000',
]

/** README with these rows of docs/performance.md, and when, on what and how often they were measured. */
export function withHeadlines(readme: string, performance: string): string {
  const sections = [...sectionsOf(performance).values()].map((text) => text.split('\n'))
  const abouts = new Set<string>()
  const rows = headlines.flatMap((what) => {
    const isOf = (line: string) => line.startsWith(`| ${what} | `)
    const section = sections.find((lines) => lines.some(isOf))
    if (!section) return []
    // Which command it was and how long it took stand there.
    abouts.add(section[0]!.replace(/ by `[^`]*` in \d+ min \d+ s/, ''))
    return [section.find(isOf)!]
  })
  return placed(readme, mark, [...abouts, '', ...tableOf([]).split('\n'), ...rows, ''].join('\n'))
}

/** What stands under each question. */
function sectionsOf(document: string): Map<string, string> {
  const sections = between(document).split(/^### /m).slice(1)
  return new Map(
    sections.map((section) => {
      const [question = '', ...lines] = section.split('\n')
      return [question, lines.join('\n').trim()]
    }),
  )
}

function between(document: string): string {
  return document.split(`<!-- /${mark} -->`)[0]!.split(`<!-- ${mark} -->\n`)[1] ?? ''
}
