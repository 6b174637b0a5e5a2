/** JSON as people read it; what is covered is a bar, not a text. */
import { html } from 'hono/html'
import { isExactNumber, type Json } from '../../../lib/json.ts'
import { withUnseenShown } from '../../../lib/unseen.ts'
import { Covered, type Masked } from '../mask.ts'
import type { Html } from './layout.ts'

/** `id`: by which a button copies it. */
export function data(value: Json | Masked, id: string): Html {
  return html`<pre tabindex="0" id="${id}">${typeof value === 'string' ? withUnseenShown(value) : written(value, '')}</pre>`
}

/** One value on one line. */
export function inline(value: Json | Masked): Html | string {
  if (!Array.isArray(value)) return written(value, '')
  return html`[${value.map((one, at) => html`${at === 0 ? '' : ', '}${inline(one as Json | Masked)}`)}]`
}

function written(value: Json | Masked, indent: string): Html | string {
  if (value instanceof Covered)
    return html`<mark><span class="hidden">covered</span><span aria-hidden="true">${'•'.repeat(Math.min(Math.max(value.length, 3), 12))}</span></mark>`
  if (isExactNumber(value)) return value.rawJSON
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return list(
      '[',
      value.map((one) => written(one as Json | Masked, `${indent}  `)),
      ']',
      indent,
    )
  }
  if (typeof value !== 'object' || value === null) return withUnseenShown(JSON.stringify(value))
  const fields = Object.entries(value as Record<string, Json | Masked>)
  if (fields.length === 0) return '{}'
  return list(
    '{',
    fields.map(([name, one]) => html`${withUnseenShown(JSON.stringify(name))}: ${written(one, `${indent}  `)}`),
    '}',
    indent,
  )
}

function list(open: string, items: readonly (Html | string)[], close: string, indent: string): Html {
  return html`${open}
${items.map(
  (item, at) => html`${indent}  ${item}${at < items.length - 1 ? ',' : ''}
`,
)}${indent}${close}`
}
