/** The simulators' pages for people: plain HTML, every value escaped. */
import type { Reply } from './server.ts'

/** Text that is HTML already. Everything else that `html` is given is escaped. */
export interface Markup {
  readonly markup: string
}

type Value = string | number | undefined | Markup | readonly Markup[]

export function html(parts: TemplateStringsArray, ...values: Value[]): Markup {
  return { markup: parts.reduce((text, part, at) => text + written(values[at - 1]) + part) }
}

export function page(title: string, content: Markup, status = 200): Reply {
  const { markup } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; max-width: 75rem }
table { border-collapse: collapse; margin: 1.5rem 0 } caption { text-align: left; font-weight: bold }
th, td { border-bottom: 1px solid #8888; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top }
td { overflow-wrap: anywhere } td:first-child { white-space: nowrap } button, select { font: inherit; margin: .125rem 0 }
</style></head><body><main><h1>${title}</h1>
${content}
</main></body></html>
`
  return { status, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }, body: markup }
}

/** The newest rows that a page shows; the ledger itself has them all. */
const rowsMax = 200

/** A table of the last rows, the newest first. */
export function table(caption: string, headings: string[], rows: (string | number)[][]): Markup {
  const shown = rows.slice(-rowsMax).reverse()
  const count = rows.length > rowsMax ? `${rows.length}, the last ${rowsMax} shown` : `${rows.length}`
  const body = shown.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)
  return html`<table><caption>${caption} (${count})</caption>
<thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>${body}</tbody></table>
`
}

export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23)
}

function written(value: Value): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
  if (typeof value === 'number') return String(value)
  return 'markup' in value ? value.markup : value.map((one) => one.markup).join('')
}
