/** Answers that say no: a page for browsers, JSON for the rest. Nothing of the request is repeated. */
import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { page } from '../console/ui/layout.ts'

const refusals = {
  not_found: ['Page not found', 'The address is wrong, or what it led to has been deleted.'],
  method_not_allowed: ['This address cannot be opened like this', 'Go back, and use a link or a button of the page.'],
  too_large: ['Too large', 'What was sent is larger than any form of this console.'],
  strangers_too_many: ['This came too slowly', 'Too many requests came at that moment. Go back and try again.'],
  cross_site: [
    'This came from another site',
    'Forms of this console can be sent from its own pages only. Open the console and try again.',
  ],
  form_stale: [
    'Your page was out of date',
    'It belongs to a session that has ended. Go back, reload the page, and try again. Nothing was changed.',
  ],
  form_unusable: ['This form cannot be read', 'Go back, reload the page, and try again. Nothing was changed.'],
  too_many: ['Too many pages are open', 'Close some pages of this account, then reload this one.'],
  internal: ['Something went wrong', 'It is a fault of this service, and its log has it. Try again in a moment.'],
} as const satisfies Record<string, readonly [title: string, text: string]>

export type Refusal = keyof typeof refusals

export function refuse(c: Context, status: ContentfulStatusCode, error: Refusal): Response | Promise<Response> {
  if (!(c.req.header('accept') ?? '').includes('text/html')) return c.json({ ok: false, error }, status)
  const [title, text] = refusals[error]
  const body = html`<section class="card"><h1>${title}</h1>
    <p>${text}</p>
    <p><a class="button" href="/console">Open the console</a></p></section>`
  return c.html(page({ title, body }), status)
}
