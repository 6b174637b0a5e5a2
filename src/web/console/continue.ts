/** After a fresh proof, or a sign-in when the session had ended: the form that was not taken before it, to be sent by one more click. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { driftAdmin } from '../../accounts/connect-finish.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { continuePath, isOurs, type KeptForm } from '../return-path.ts'
import type { Session, Web } from '../session.ts'
import { type Html, page } from './ui/layout.ts'
import { button, postForm } from './ui/parts.ts'

/** What each form does, as its own button says it. `send`: of a form that counts at first and sends once that was seen. */
const verbs: readonly (readonly [path: RegExp, label: string, send?: string])[] = [
  [/^\/connect\/write-key$/, 'Save'],
  [/^\/console\/connection\/segment$/, 'Save'],
  [/^\/console\/mapping\/save$/, 'Save options'],
  [/^\/console\/history\/backfill$/, 'Estimate', 'Bring in this history'],
  [/^\/console\/history\/compare$/, 'Compare', 'Send what is missing'],
  [/^\/console\/history\/daily$/, 'Save daily comparison'],
  [/^\/console\/alerts\/add$/, 'Add recipient'],
  [/^\/console\/connection\/events$/, 'Save events'],
  [/^\/console\/connection\/add$/, 'Add destination'],
  [/^\/console\/connection\/rename$/, 'Rename'],
  [/^\/console\/connection\/remove$/, 'Remove destination'],
  [/^\/console\/alerts\/rules$/, 'Save alerts'],
  [/^\/console\/alerts\/remove$/, 'Remove recipient'],
  [/^\/console\/disconnect$/, 'Disconnect and erase'],
  [/\/resend$/, 'Resend'],
  [/\/enable$/, 'Enable'],
  [/\/erase$/, 'Erase this person'],
  [/\/handled$/, 'Close the deletion request'],
  [/\/reveal$/, 'Show personal data'],
  [/\/export$/, 'Export'],
  [/\/(resend|history)\/cancel$/, 'Cancel'],
  [/^\/(connect\/write-key|console\/connection(\/add)?)\/test$/, 'Send test event'],
  [/^\/console\/connection\/confirm$/, 'Confirm the test event'],
  [/^\/console\/alerts\/test$/, 'Send test alert'],
  [/^\/console\/mapping\/preview$/, 'Preview'],
  [/^\/console\/website$/, 'Create script'],
  [/^\/console\/pause$/, 'Pause'],
  [/^\/console\/resume$/, 'Resume'],
  [/^\/console\/retry$/, 'Retry now'],
  [/^\/console\/sign-out-everywhere$/, 'Sign out everywhere'],
]

export function continueRoute(
  app: Hono<Web>,
  { returnPath, accounts }: Pick<ConsoleNeeds, 'returnPath' | 'accounts'>,
): void {
  app.get(continuePath, async (c) => {
    const session = c.get('session')
    const form = await returnPath.form(c, session.org)
    const from = c.req.query('from')
    if (!form) return from !== undefined && isOurs(from) ? c.html(lostPage(session, from)) : c.redirect('/console', 303)
    return c.html(continuePage(session, { ...form, fields: asOf(form, session, accounts.get(session.org)) }))
  })
}

/**
 * A sign-in through Drift brings the account a new grant, which counts as a change of it: without this the form would be
 * refused as one that shows what was there before. Any further change since is another person's, and stays one.
 */
function asOf({ fields }: KeptForm, { who }: Session, install: Install | undefined): KeptForm['fields'] {
  const now = install?.generation ?? 0
  const isOurs = (name: string, value: string) =>
    name === 'generation' && Number(value) === now - 1 && who.startsWith(driftAdmin)
  return fields.map(([name, value]) => [name, isOurs(name, value) ? String(now) : value])
}

/** Undefined for a form that is not sent again: one that needs no session, or ends one. */
export function verbOf({ path, fields }: Pick<KeptForm, 'path' | 'fields'>): string | undefined {
  const [, label, send] = verbs.find(([which]) => which.test(path)) ?? []
  const isSent = fields.some(([name, value]) => name === 'what' && value === 'send')
  return isSent ? (send ?? label) : label
}

function continuePage(session: Session, { path, fields, from }: KeptForm): Html {
  const label = verbOf({ path, fields }) ?? 'Continue'
  const again = postForm(
    path,
    session.csrf,
    html`${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${button(label, /erase|^Remove destination/i.test(label) ? 'danger' : 'primary')}`,
  )
  return page({
    title: 'Continue',
    session,
    body: html`<section class="card narrow"><h1>Your identity is confirmed</h1>
      <p>What you asked for has not been done yet.</p>
      <div class="row">${again}<a class="button" href="${from}">Back without doing it</a></div></section>`,
  })
}

function lostPage(session: Session, from: string): Html {
  return page({
    title: 'Nothing was changed',
    session,
    body: html`<section class="card narrow"><h1>Nothing was changed</h1>
      <p>Your session had ended when you sent the form. What you entered was not done, and is not kept: enter it again.</p>
      <div class="row"><a class="button primary" href="${from}">Back to the form</a></div></section>`,
  })
}
