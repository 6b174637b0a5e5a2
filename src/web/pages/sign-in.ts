/** The pages before a session, and the one that asks for a fresh proof. */
import { html } from 'hono/html'
import { type Html, page } from './layout.ts'

interface Ways {
  /** Whether Drift's OAuth is set up; else the command is the only way. */
  hasOauth: boolean
}

export function signInPage({ hasOauth }: Ways): Html {
  const body = html`<section class="card"><h1>Sign in</h1>
    <p>Whoever is an admin of the Drift account may see and change what is sent to Segment.</p>
    ${ways({ hasOauth }, 'Continue with Drift')}</section>`
  return page({ title: 'Sign in', body })
}

export function linkPage({ org, csrf }: { org: string; csrf: string }): Html {
  const body = html`<section class="card"><h1>Sign in</h1>
    <p>This link opens the console of Drift account <strong>${org}</strong>. It works once.</p>
    <form method="post"><input type="hidden" name="csrf" value="${csrf}"><button class="primary">Open the console</button></form></section>`
  return page({ title: 'Sign in', body })
}

/** `session`: the one that this browser has all the same. */
export function goneLinkPage({ hasOauth, session }: Ways & { session: { org: string } | undefined }): Html {
  const body = html`<section class="card"><h1>This link works no more</h1>
    <p>A sign-in link is good for ten minutes, and once. This one was used, or its time is over.</p>
    ${session ? html`${signedIn(session.org)}<p><a class="button primary" href="/console">To the console</a></p>` : ways({ hasOauth }, 'Continue with Drift')}</section>`
  return page({ title: 'Link used', body })
}

/** After every session of the account was ended; `ended` says how many, in words. */
export function signedOutPage({ org, ended }: { org: string; ended: string }): Html {
  const body = html`<section class="card"><h1>Signed out everywhere</h1>
    <p>${ended} of Drift account <strong>${org}</strong> were ended, this browser’s session among them.</p>
    <p><a class="button primary" href="/console/sign-in">Sign in again</a></p></section>`
  return page({ title: 'Signed out everywhere', body })
}

/** For a form that the session alone is not enough for. */
export function staleProofPage({ session, hasOauth }: Ways & { session: { org: string; csrf: string } }): Html {
  const body = html`<section class="card"><h1>Show again that it is you</h1>
    <p>You signed in more than ten minutes ago. To change where the data goes or what is sent, to send it again, to take a
      deletion request off the list, or to disconnect, sign in once more; then come back and do it. Nothing was changed.</p>
    ${ways({ hasOauth }, 'Continue with Drift', session.org)}</section>`
  return page({ title: 'Show again that it is you', session, body })
}

/** For a page that refuses a browser that has a session all the same. */
export function signedIn(org: string): Html {
  return html`<p>This browser is signed in to Drift account <strong>${org}</strong>, and nothing has changed that.</p>`
}

function ways({ hasOauth }: Ways, label: string, org = 'N'): Html {
  const command = html`<code>npx drift-segment-source sign-in --org ${org}</code>`
  if (!hasOauth) return html`<p>The operator of this service gets a link by ${command}.</p>`
  return html`<p><a class="button primary" href="/connect?from=console">${label}</a></p>
    <p class="hint">The operator of this service can also get a link by ${command}.</p>`
}
