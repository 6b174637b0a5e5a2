/** For a form that the session alone is not enough for. */
import { html } from 'hono/html'
import { type Html, page } from './ui/layout.ts'
import { type Ways, ways } from './ui/signed-in.ts'

export function staleProofPage({ session, hasOauth }: Ways & { session: { org: string; csrf: string } }): Html {
  const body = html`<section class="card"><h1>Confirm your identity</h1>
    <p>You signed in more than ten minutes ago. To change where the data goes, what is sent or who is alerted, to resend events, to bring in
      history or compare with Drift, to erase a person, to close a deletion request, or to disconnect, sign in once more. You come back to where you are now. Nothing was changed yet.</p>
    ${ways({ hasOauth }, 'Continue with Drift', session.org)}</section>`
  return page({ title: 'Confirm your identity', session, body })
}
