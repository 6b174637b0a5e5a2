/** What a page offers to mend something: each a link or a button that does it. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'
import { button, postForm } from './parts.ts'

export interface Action {
  by: 'link' | 'post'
  to: string
  label: string
}

export const resume: Action = { by: 'post', to: '/console/resume', label: 'Resume' }
export const retry: Action = { by: 'post', to: '/console/retry', label: 'Retry now' }
export const toKey: Action = { by: 'link', to: '/console/settings#segment', label: 'Write key and region' }
export const reconnect: Action = { by: 'link', to: '/connect?from=console', label: 'Connect to Drift again' }
export const disconnect: Action = { by: 'link', to: '/console/settings#disconnect', label: 'Disconnect' }

/** In a row, in the order in which they are given. */
export function actionsRow(actions: readonly Action[], csrf: string): Html | '' {
  if (actions.length === 0) return ''
  const shown = ({ by, to, label }: Action) =>
    by === 'link' ? html`<a class="button" href="${to}">${label}</a>` : postForm(to, csrf, button(label, 'primary'))
  return html`<div class="row">${actions.map(shown)}</div>`
}
