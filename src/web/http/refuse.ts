/** Answers that say no: a page for whoever reads pages, JSON for the rest. Nothing of the request is repeated. */
import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { page } from '../pages/layout.ts'

const refusals = {
  not_found: ['There is no such page', 'The address leads nowhere, or to something that is gone.'],
  method_not_allowed: ['This address is not used that way', 'Go back, and take a link or a button of the page.'],
  too_large: ['That is too much', 'What was sent is larger than any form here.'],
  strangers_too_many: ['This came too slowly', 'Too many were sending at that moment. Go back, and send it once more.'],
  cross_site: ['This came from another site', 'A form of this console is sent from this console only.'],
  form_stale: [
    'This page was open for too long',
    'The form belongs to a session that has ended. Go back, load the page again, and send it once more.',
  ],
  form_unusable: ['This form cannot be read', 'It lacks a field, or has one that is not known here. Nothing changed.'],
  too_many: ['That is too many at once', 'So many pages of this account are open already. Close some of them.'],
  internal: ['That did not work', 'It is our mistake, and it is in the log. Try again in a moment.'],
} as const satisfies Record<string, readonly [title: string, text: string]>

export type Refusal = keyof typeof refusals

export function refuse(c: Context, status: ContentfulStatusCode, error: Refusal): Response | Promise<Response> {
  if (!(c.req.header('accept') ?? '').includes('text/html')) return c.json({ ok: false, error }, status)
  const [title, text] = refusals[error]
  const body = html`<section class="card"><h1>${title}</h1>
    <p>${text}</p>
    <p><a class="button" href="/console">To the console</a></p></section>`
  return c.html(page({ title, body }), status)
}
