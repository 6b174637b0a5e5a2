/** Privacy: erasing a person, Drift's requests for it, and what became of everything that was received. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { erasePerson } from '../../accounts/actions.ts'
import { storedAct } from '../../accounts/audit.ts'
import { deletionType } from '../../drift/envelope.ts'
import { type Erased, erasePerson as eraseEvents, wouldErase } from '../../operations/erase.ts'
import { addsUp, outcomesOf } from '../../operations/totals.ts'
import { untilGone } from '../../pipeline/until-gone.ts'
import type { AuditEntry } from '../../storage/ports/accounts.ts'
import type { Shown, Snapshot, Tallied } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Session, Web } from '../session.ts'
import { privacyTabs } from './privacy-tabs.ts'
import { addressOf } from './query.ts'
import { searchTermIn } from './search.ts'
import { type Html, page } from './ui/layout.ts'
import { button, counted, head, input, notice, number, postForm, since } from './ui/parts.ts'
import { type Word, wordOf, words } from './ui/vocabulary.ts'

/** A browser waits no longer than this for the store's files to be emptied; the service goes on with it by itself. */
const pagePatienceMs = 1_000
/** So long after an erasing a page says what it took away. */
const freshMs = 10 * 60_000
const requestsMax = 200

/** What would go. */
interface Preview extends Erased {
  contact: string
  rows: readonly Tallied[]
}

interface PrivacyPage {
  session: Session
  now: number
  typed: string
  preview: Preview | undefined
  requests: readonly Shown[]
  figures: Snapshot
  /** The erasing that led back here. */
  erased?: AuditEntry | undefined
  isHandled?: boolean
  isPending?: boolean
  wrong?: { contact?: string; confirm?: string }
}

export function privacyRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, keyring, clock } = needs
  const { lookup, ledger, audit } = storage

  async function previewOf(org: string, contact: string): Promise<Preview> {
    return { contact, ...(await wouldErase(storage, org, contact)) }
  }

  async function show(c: Context<Web>, more: Partial<PrivacyPage> = {}, status: 200 | 422 = 200) {
    const session = c.get('session')
    const { org } = session
    const now = clock.now()
    const asked = c.req.query('contact')
    const typed = (asked ?? '').trim()
    const contact = asked === undefined ? undefined : contactIn(typed)
    const [figures, requests, preview] = await Promise.all([
      ledger.snapshot(org, { from: now, to: now + 1 }),
      lookup.find({ org, states: ['quarantined'], reason: deletionType }, { limit: requestsMax }),
      typeof contact === 'string' ? previewOf(org, contact) : undefined,
    ])
    const wrong = typeof contact === 'object' ? { contact: contact.wrong } : {}
    const common = { session, now, typed, preview, requests: requests.entries, figures, wrong }
    return c.html(privacyPage({ ...common, ...more }), status)
  }

  app.get('/console/privacy', async (c) => {
    const done = c.req.query('done')
    if (done === 'handled') return show(c, { isHandled: true })
    if (done !== 'erased' && done !== 'pending') return show(c)
    const [erased] = await audit.list(c.get('session').org, 1, {
      what: [storedAct('erasedPerson')],
      from: clock.now() - freshMs,
    })
    return show(c, { erased, isPending: done === 'pending' })
  })

  app.post('/console/privacy/erase', async (c) => {
    const { contact, confirm } = await formOf(c, ['contact', 'confirm'])
    const { org, who } = c.get('session')
    const named = contactIn(contact)
    if (typeof named !== 'string') return show(c, { wrong: { contact: named.wrong } }, 422)
    if (confirm.trim() !== named) {
      const wrong = { confirm: `Nothing was erased: this is not ${named}.` }
      return show(c, { typed: named, preview: await previewOf(org, named), wrong }, 422)
    }
    await erasePerson(needs, () => eraseEvents({ ...storage, keyring, clock }, org, named, false), {
      org,
      contact: named,
      who,
    })
    const purged = await untilGone({ storage, keyring, clock }, pagePatienceMs)
    return c.redirect(`/console/privacy?done=${purged === 'done' ? 'erased' : 'pending'}`, 303)
  })
}

const whose = 'Enter a contact id, or the address of the contact’s page in Drift.'

/** The contact's id in digits, or what to enter. */
function contactIn(typed: string): string | { wrong: string } {
  const term = searchTermIn(typed, whose)
  if ('wrong' in term) return term
  const contact = term.contact ?? term.either
  return contact !== undefined && /^[1-9]\d{0,18}$/.test(contact) ? contact : { wrong: whose }
}

function privacyPage(given: PrivacyPage): Html {
  const { session, figures, isHandled } = given
  return page({
    title: 'Privacy',
    section: 'privacy',
    session,
    body: html`${head('Privacy', 'Erase what is stored of a person, answer Drift’s deletion requests, and see what became of every event.')}
    ${privacyTabs('privacy')}
    <div class="stack">
      ${erasedNotice(given)}
      ${isHandled ? notice('good', 'The deletion request is closed', 'That is noted in the audit.') : ''}
      ${erase(given)}
      ${requestList(given)}
      ${accounting(figures)}
    </div>`,
  })
}

function erasedNotice({ erased, isPending, now }: PrivacyPage): Html | '' {
  if (!erased) return ''
  const said = /: (\d+) events?, (\d+) conversations?$/.exec(erased.about ?? '')
  const what = said
    ? `${counted(Number(said[1]), 'event')} and ${counted(Number(said[2]), 'conversation')} of theirs are gone from this service.`
    : ''
  const rest = isPending
    ? ' Unused parts of the store may hold encrypted copies for a while. The service removes them; if you must be sure, contact the operator, mention erase_pending.'
    : ''
  return notice(
    'good',
    'The person is erased',
    html`${what} Erased ${since(erased.at, now)}. Segment has its own copy: delete the person there too.${rest}`,
  )
}

function erase({ session, typed, preview, wrong = {} }: PrivacyPage): Html {
  return html`<section class="card" id="erase"><h2>Erase a person</h2>
    <p class="faint">Takes away every stored event of one contact. What Segment has already received must be deleted in Segment.</p>
    <form method="get" action="/console/privacy#erase" class="find">
      ${input('contact', 'Contact', { value: typed, hint: 'A contact id, or the address of the contact’s page in Drift', error: wrong.contact ?? '', wide: true })}
      ${button('Show what would go')}</form>
    ${preview ? whatGoes(preview, session, wrong.confirm) : ''}</section>`
}

function whatGoes({ contact, entries, conversations, rows }: Preview, session: Session, wrong = ''): Html {
  if (entries === 0 && conversations === 0)
    return notice(
      'info',
      `Nothing of contact ${contact} is stored`,
      'No event names this contact, and no conversation is known to be theirs. If events of theirs wait for Drift to name the contact, look again later.',
    )
  const byWord = new Map<Word, number>()
  for (const row of rows) byWord.set(wordOf(row), (byWord.get(wordOf(row)) ?? 0) + row.count)
  const parts = [...byWord].map(([word, count]) => `${number(count)} ${words[word].label.toLowerCase()}`).join(', ')
  const unsent = (['queued', 'blocked', 'lookingUp'] as const).reduce((sum, word) => sum + (byWord.get(word) ?? 0), 0)
  return html`<div class="stack whatgoes">
    <div><h3>What would go</h3><ul class="plain">
      <li><a href="${addressOf('/console/events', { q: contact })}">${counted(entries, 'event')}</a>${parts ? ` (${parts})` : ''}, with their payloads</li>
      <li>${counted(conversations, 'conversation')} that ${conversations === 1 ? 'is' : 'are'} known to be theirs</li></ul>
      ${unsent > 0 ? html`<p class="small">${counted(unsent, 'event')} of these ${unsent === 1 ? 'has' : 'have'} not been sent, and will not be.</p>` : ''}
      <p class="small faint">Counts stay, without saying whose events they were. This cannot be undone.</p></div>
    ${postForm(
      '/console/privacy/erase',
      session.csrf,
      html`<input type="hidden" name="contact" value="${contact}">
      ${input('confirm', `To confirm, type the contact id: ${contact}`, { error: wrong })}
      <div class="row">${button('Erase this person', 'danger')}</div>`,
      'stack narrow',
    )}</div>`
}

function requestList({ session, requests, now }: PrivacyPage): Html {
  const close = ({ messageId }: Shown) =>
    postForm(`/console/events/${messageId}/handled`, session.csrf, button('Close', 'quiet'))
  return html`<section class="card sheet" id="requests" aria-labelledby="requests-title"><div class="cardhead inside"><div><h2 id="requests-title">Deletion requests</h2>
    <p class="small faint">Drift says that these people want their data deleted. A request stays until you erase the person or close it.</p></div></div>
    ${
      requests.length === 0
        ? html`<p class="empty"><strong>No open requests</strong>One appears here as soon as Drift sends it.</p>`
        : html`<table class="cards"><thead><tr><th scope="col">Received</th><th scope="col">Contact</th><th scope="col">Actions</th></tr></thead><tbody>${requests.map(
            (request) => html`<tr>
      <td data-label="Received"><a href="/console/events/${request.messageId}">${since(request.receivedAt, now)}</a></td>
      <td data-label="Contact">${request.contact ?? html`<a href="/console/events/${request.messageId}">not named, see the request</a>`}</td>
      <td><div class="row">${request.contact ? html`<a class="button" href="/console/privacy?contact=${request.contact}#erase">Erase</a>` : ''}${close(request)}</div></td></tr>`,
          )}</tbody></table>`
    }</section>`
}

/** All of it as of one moment: what was received is what it has become. */
function accounting({ totals, backlog }: Snapshot): Html {
  const outcomes = outcomesOf(totals, backlog)
  const backlogRow = new Map<Word, number>()
  for (const { state, reason, count } of backlog) {
    const word = wordOf({ state, ...(reason === undefined ? {} : { reason }) })
    backlogRow.set(word, (backlogRow.get(word) ?? 0) + count)
  }
  const now = (word: Word) => backlogRow.get(word) ?? 0
  const rows: [word: Word, count: number][] = [
    ['delivered', outcomes.delivered],
    ['queued', now('queued')],
    ['lookingUp', now('lookingUp')],
    ['blocked', now('blocked')],
    ['notRecognized', now('notRecognized')],
    ['deletion', now('deletion')],
    ['failed', outcomes.dead],
    ['ignored', outcomes.ignored],
    ['expired', outcomes.expired],
  ]
  const all = rows.reduce((sum, [, count]) => sum + count, 0)
  const came = outcomes.received + outcomes.backfilled
  const isRight = addsUp(outcomes) && all === came
  const isOfSeveral = new Set(totals.map(({ destination }) => destination)).size > 2
  return html`<section class="card sheet" id="accounting" aria-labelledby="accounting-title"><div class="cardhead inside"><div><h2 id="accounting-title">Accounting</h2>
    <p class="small faint">What became of every event since the account was connected, as of one moment.${isOfSeveral ? ' An event counts once for each destination that it was given to.' : ''}</p></div></div>
    <table class="cards outcomes"><thead><tr><th scope="col">State</th><th scope="col" class="number">Events</th><th scope="col">Meaning</th></tr></thead>
    <tbody>${rows.map(
      ([word, count]) =>
        html`<tr><th scope="row">${words[word].label}</th><td class="number">${number(count)}</td><td class="faint">${words[word].means}</td></tr>`,
    )}</tbody>
    <tfoot><tr><th scope="row">${outcomes.backfilled > 0 ? 'Received or brought in' : 'Received'}</th><td class="number"><strong>${number(came)}</strong></td><td>${isRight ? 'The states add up to it.' : html`<strong>The states add up to ${number(all)}.</strong> Contact the operator of this service.`}</td></tr>
    ${outcomes.backfilled > 0 ? html`<tr><th scope="row">Brought in</th><td class="number">${number(outcomes.backfilled)}</td><td class="faint">part of these: read from Drift’s history, without a webhook${isOfSeveral ? ', each counted once' : ''}</td></tr>` : ''}
    <tr><th scope="row">Duplicates</th><td class="number">${number(outcomes.duplicates)}</td><td class="faint">came again and were not sent twice; not part of the sum</td></tr></tfoot></table></section>`
}
