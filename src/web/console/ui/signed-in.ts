/** How a browser gets a session, and that it has one: sentences that several pages say. */
import { html } from 'hono/html'
import type { Html } from './layout.ts'

export interface Ways {
  /** Whether Drift's OAuth is set up; else the command is the only way. */
  hasOauth: boolean
}

/** For a page that refuses a browser that has a session all the same. */
export function signedIn(org: string): Html {
  return html`<p>This browser is signed in to Drift account <strong>${org}</strong>, and nothing has changed that.</p>`
}

export function ways({ hasOauth }: Ways, label: string, org = 'N'): Html {
  const forOperators = html`<details><summary>For operators</summary>
    <p class="small">This command prints a sign-in link: <code>npx drift-segment-source sign-in --org ${org}</code></p></details>`
  if (!hasOauth) return html`<p>Ask the operator of this service for a sign-in link.</p>${forOperators}`
  return html`<p><a class="button primary" href="/connect?from=console">${label}</a></p>
    <p class="hint">The operator of this service can also give you a sign-in link.</p>${forOperators}`
}
