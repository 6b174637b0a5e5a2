/** Tables of documents that repeat the code, in Markdown. */
import { optionNames, options } from '../src/mapping/options.ts'

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function reasonTable(reasons: Readonly<Record<string, readonly string[]>>): string {
  return tableOf(
    ['reason', 'what it means', 'what to do'],
    Object.entries(reasons).map(([reason, words]) => [`\`${reason}\``, ...words]),
  )
}

/** The options of what is sent, in their order. */
export function optionTable(): string {
  return tableOf(
    ['option', 'does'],
    optionNames.map((name) => [`\`${name}\``, options[name].does]),
  )
}
