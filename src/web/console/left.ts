/** What an admin sees once the account has disconnected. */
import { html } from 'hono/html'
import type { Left } from '../../accounts/disconnect.ts'
import { type Html, page } from './ui/layout.ts'

/** After it left, in the place of the console. */
export function leftPage(left: Left['is'], isGone: boolean): Html {
  const atDrift = {
    revoked: 'Drift has ended the authorization.',
    no_grant:
      'No authorization was stored, so none was ended at Drift: if the app is still installed there, remove it in Drift’s settings.',
    unrevoked: 'Drift did not confirm that the authorization has ended: remove the app in Drift’s settings too.',
  }
  const rest = isGone
    ? ''
    : html`<p>Unused parts of the store may hold encrypted copies for a while. The service removes them; if you must be sure,
        contact the operator, mention <span class="mono">erase_pending</span>.</p>`
  return page({
    title: 'Disconnected',
    body: html`<section class="card"><h1>Disconnected</h1>
      <p>The account’s secrets and all its stored events are erased. ${atDrift[left]}</p>
      ${rest}
      <p><a class="button" href="/console/sign-in">Sign in again</a></p></section>`,
  })
}
