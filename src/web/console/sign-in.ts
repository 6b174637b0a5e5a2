/** The ways into the console: through Drift, or by a one-time link that the operator's command prints; and out of it. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { record } from '../../accounts/audit.ts'
import { signOutEverywhere } from '../../accounts/sign-out.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import { digestOf, isSame, secretFrom } from '../../lib/secret.ts'
import type { Audit } from '../../storage/ports/accounts.ts'
import type { Tickets } from '../../storage/ports/sessions.ts'
import { csrfField, fieldsOf, formOf } from '../http/form.ts'
import { comesFrom } from '../http/gate.ts'
import { type Site, secretAddress } from '../http/headers.ts'
import { refuse } from '../http/refuse.ts'
import type { ReturnPath } from '../return-path.ts'
import { allowOldProof, csrfOf, type Sessions, secretOf, type Web } from '../session.ts'
import { cookieOf } from '../session-cookie.ts'
import { type Html, page } from './ui/layout.ts'
import { notice } from './ui/parts.ts'
import { signedIn, type Ways, ways } from './ui/signed-in.ts'

/** As long as a link is good. */
const linkSeconds = 600

interface Needs {
  sessions: Sessions
  tickets: Tickets
  audit: Audit
  clock: Clock
  hasOauth: boolean
  returnPath: ReturnPath
}

/** To be mounted before everything that asks for a session. */
export function signInRoutes(app: Hono<Web>, needs: Needs & { site: Site; random: Random }): void {
  const { sessions, tickets, audit, clock, site, random, hasOauth, returnPath } = needs
  const opening = cookieOf(site, 'link')

  /** Another site's page must not sign a browser in: to another account's console, where its admin might paste a key. */
  async function isFromLinkPage(c: Context): Promise<boolean> {
    const secret = opening.read(c)
    return secret !== undefined && isSame((await fieldsOf(c)).get(csrfField) ?? '', csrfOf(secret))
  }

  app.use('/console/sign-in/:token', secretAddress)
  app.get('/console/sign-in', async (c) =>
    (await sessions.find(c))
      ? c.redirect(returnPath.take(c), 303)
      : c.html(signInPage({ hasOauth, form: c.req.query('form') })),
  )

  // Looking at a link, as mail scanners and previews do, does not use it up.
  app.get('/console/sign-in/:token', async (c) => {
    const link = await tickets.get({ kind: 'link', id: digestOf(c.req.param('token')) }, clock.now())
    if (!link) return c.html(goneLinkPage({ hasOauth, session: await sessions.find(c) }), 410)
    return c.html(linkPage({ org: link.org, csrf: csrfOf(secretOf(c, opening, random, linkSeconds)) }))
  })

  app.post('/console/sign-in/:token', async (c) => {
    if (comesFrom(c, site.publicUrl()) === 'hidden' && !(await isFromLinkPage(c))) return refuse(c, 403, 'cross_site')
    const token = c.req.param('token')
    const browser = opening.read(c)
    const secret = browser && secretFrom(token, browser)
    const begun = await sessions.beginByLink(c, token, secret)
    // In the browser that used it, the link leads to the same session once more; anywhere else it is used up.
    if (!begun && secret && (await sessions.giveAgain(c, secret))) return c.redirect(returnPath.take(c), 303)
    if (!begun) return c.html(goneLinkPage({ hasOauth, session: await sessions.find(c) }), 410)
    const { org, who } = begun
    await record({ audit, clock }, { org, who, act: 'signedInByLink' })
    return c.redirect(returnPath.take(c), 303)
  })
}

/** After the session was asked for. */
export function signOutRoutes(
  app: Hono<Web>,
  { sessions, tickets, audit, clock }: Omit<Needs, 'hasOauth' | 'returnPath'>,
) {
  app.post('/console/sign-out', allowOldProof, async (c) => {
    const { org, who } = c.get('session')
    await sessions.end(c)
    await record({ audit, clock }, { org, who, act: 'signedOut' })
    return c.redirect('/console/sign-in', 303)
  })

  app.post('/console/sign-out-everywhere', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const ended = await signOutEverywhere({ tickets, audit, clock }, org, who)
    await sessions.end(c)
    return c.html(signedOutPage({ org, ended }))
  })
}

/** `form`: what became of one that came when its session had ended. */
function signInPage({ hasOauth, form }: Ways & { form: string | undefined }): Html {
  const next = {
    kept: 'Sign in, and it is one click away.',
    lost: 'What you entered is not kept: sign in, and enter it again.',
  }[form ?? '']
  const said =
    next && notice('warn', 'Your session has ended: nothing was changed', `What you asked for was not done. ${next}`)
  const body = html`<section class="card"><h1>Sign in</h1>
    ${said ?? ''}
    <p>Admins of a Drift account sign in to see and change what is sent to Segment.${hasOauth ? ' An account is connected for the first time in the same way.' : ''}</p>
    ${ways({ hasOauth }, 'Continue with Drift')}</section>`
  return page({ title: 'Sign in', body })
}

function linkPage({ org, csrf }: { org: string; csrf: string }): Html {
  const body = html`<section class="card"><h1>Sign in</h1>
    <p>This link opens the console of Drift account <strong>${org}</strong>. It works once.</p>
    <form method="post"><input type="hidden" name="csrf" value="${csrf}"><button class="primary">Open the console</button></form></section>`
  return page({ title: 'Sign in', body })
}

/** `session`: the one that this browser has all the same. */
function goneLinkPage({ hasOauth, session }: Ways & { session: { org: string } | undefined }): Html {
  const body = html`<section class="card"><h1>This sign-in link has expired or was already used</h1>
    <p>A sign-in link works once, for ten minutes.</p>
    ${session ? html`${signedIn(session.org)}<p><a class="button primary" href="/console">Open the console</a></p>` : ways({ hasOauth }, 'Continue with Drift')}</section>`
  return page({ title: 'Link expired', body })
}

/** After every session of the account was ended; `ended` says how many, in words. */
function signedOutPage({ org, ended }: { org: string; ended: string }): Html {
  const body = html`<section class="card"><h1>Signed out everywhere</h1>
    <p>${ended} of Drift account <strong>${org}</strong> were ended, this browser’s session among them.</p>
    <p><a class="button primary" href="/console/sign-in">Sign in again</a></p></section>`
  return page({ title: 'Signed out everywhere', body })
}
