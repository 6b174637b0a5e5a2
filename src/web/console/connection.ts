/** Connection: the account at Drift, where its events go, which of them, whether at all; sessions, and the way out. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { chooseEvents, confirmKey, pauseAccount } from '../../accounts/actions.ts'
import { record } from '../../accounts/audit.ts'
import { changeWriteKey, testWriteKey } from '../../accounts/change-key.ts'
import { firstOf } from '../../accounts/destinations.ts'
import type { Left } from '../../accounts/disconnect.ts'
import { openGrant } from '../../accounts/grant.ts'
import { afterAttempt, canResume, canRetry, resumeNow, retryNow } from '../../accounts/retry.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { holdOf, leaving, stateShown } from '../../accounts/state.ts'
import { fingerprintOf, type KeyShown, savedWriteKey, shownKey } from '../../accounts/write-key.ts'
import { judgeScopes, scopesNeeded } from '../../drift/scopes.ts'
import { catalogue } from '../../events/index.ts'
import { trimmed, unseenProblem } from '../../lib/pasted.ts'
import { untilGone } from '../../pipeline/until-gone.ts'
import { judgeWriteKey } from '../../segment/key.ts'
import { regionIn } from '../../segment/region.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { heldKey, holdKey, keyGiven } from '../connect/key-form.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { allowOldProof, type Web } from '../session.ts'
import { type DestinationCard, destinationCard } from './destination-card.ts'
import { todoOf } from './remedies.ts'
import { actionOf, actionsRow, reconnect, resume, retry } from './ui/actions.ts'
import { type Html, page } from './ui/layout.ts'
import { button, choice, head, input, notice, postForm, when } from './ui/parts.ts'
import { adviceOn } from './ui/reasons.ts'

const path = '/console/connection'

const doneWords: ReadonlyMap<string, readonly [title: string, says: string]> = new Map([
  ['segment', ['Saved', 'Queued events are being sent. Send a test event to be sure that they arrive.']],
  ['confirmed', ['Test event confirmed', 'Events of this account reach your Segment source.']],
  ['events', ['Saved', 'It holds for every event from now on.']],
])

/** A browser waits no longer than this for the store's log to be emptied; the service's own maintenance does it later. */
const pagePatienceMs = 1_000

export interface ConnectionPage extends Omit<DestinationCard, 'wrong'> {
  now: number
  lanes: readonly LaneShown[]
  /** Of the authorization at Drift; undefined where Drift did not say. */
  scopes: readonly string[] | undefined
  /** Whether an admin can connect it in the browser. */
  connects: boolean
  done?: readonly [title: string, says: string] | undefined
  wrong?: { writeKey?: string; confirm?: string } | undefined
  /** Somebody else was quicker: what is shown is what is there now. */
  isStale?: boolean
}

export function connectionRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, keyring, clock, config, disconnect, closing } = needs

  async function show(c: Context<Web>, more: Partial<ConnectionPage> = {}, status: 200 | 409 | 422 = 200) {
    const session = c.get('session')
    const { org } = session
    const install = accounts.get(org)
    if (!install) return refuse(c, 404, 'not_found')
    const [key, grant, lanes] = await Promise.all([
      shownKey(keyring, install),
      openGrant(keyring, install),
      storage.lookup.lanes(org),
    ])
    const isFixed = config.single?.org === org
    const isConfirmed = isConfirmedKey(install, key)
    const common = { session, install, key, isConfirmed, isFixed, lanes, now: clock.now(), scopes: grant?.scopes }
    return c.html(connectionPage({ ...common, connects: connectsHere(config, org), ...more }), status)
  }

  app.get(path, (c) => {
    const done = doneWords.get(c.req.query('done') ?? '')
    return show(c, done === undefined ? {} : { done })
  })

  app.post(`${path}/segment`, async (c) => {
    const fields = await formOf(c, ['writeKey', 'chosen', 'region', 'generation', 'seen'])
    const { generation } = fields
    const region = regionIn(fields.region)
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    if (!install || config.single?.org === org) return refuse(c, 404, 'not_found')
    if (!region) return refuse(c, 400, 'form_unusable')
    const saved = await savedWriteKey(keyring, org, firstOf(install))
    const known = saved === undefined ? undefined : { word: 'saved' as const, key: saved }
    const given = await keyGiven(keyring, org, { pasted: fields.writeKey, chosen: fields.chosen, known })
    if (given.is === 'wrong') return show(c, { wrong: { writeKey: `Not saved: ${given.problem}.` } }, 422)
    if (String(install.generation) !== generation) return show(c, { isStale: true }, 409)
    if (given.is === 'unsure') return show(c, { question: { ...given.question, region } }, 422)
    const isKept = given.writeKey === saved
    const change = { region, by: who, ...(isKept ? {} : { writeKey: given.writeKey }) } as const
    const changed = await changeWriteKey(needs, org, change)
    if (changed.is !== 'saved') return show(c, { isStale: true }, 409)
    if (fields.seen === 'yes') await confirmKey(needs, org, { fingerprint: changed.fingerprint, who })
    return c.redirect(`${path}?done=${fields.seen === 'yes' ? 'confirmed' : 'segment'}#segment`, 303)
  })

  app.post(`${path}/test`, allowOldProof, async (c) => {
    const fields = await formOf(c, ['writeKey', 'region', 'generation'])
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    if (!install || install.state === 'disconnected' || install.unreadable) return c.redirect(path, 303)
    const first = firstOf(install)
    const saved = await savedWriteKey(keyring, org, first)
    const region = regionIn(fields.region) ?? first.region
    const judged = judgeWriteKey(trimmed(fields.writeKey) || (saved ?? ''))
    if (judged.is === 'refused') return show(c, { wrong: { writeKey: `Not sent: ${judged.why}.` } }, 422)
    const result = await testWriteKey({ ...needs, segment: config.segment }, judged.key, { region })
    const key = await holdKey(keyring, org, judged.key)
    await record({ ...storage, clock }, { org, who, act: 'testedKey', about: `fingerprint ${key.fingerprint}` })
    const isSaved = judged.key === saved && region === first.region
    return show(c, { tested: { ...result, key, region, isSaved } })
  })

  app.post(`${path}/confirm`, allowOldProof, async (c) => {
    const { key } = await formOf(c, ['key'])
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    const tested = await heldKey(keyring, org, key)
    const shown = await shownKey(keyring, install)
    if (tested === undefined || fingerprintOf(tested) !== shown?.fingerprint) return show(c, { isStale: true }, 409)
    await confirmKey(needs, org, { fingerprint: shown.fingerprint, who })
    return c.redirect(`${path}?done=confirmed#segment`, 303)
  })

  app.post(`${path}/events`, async (c) => {
    const { on, generation } = await formOf(c, ['generation'], ['on'])
    const { org, who } = c.get('session')
    const offTypes = [...catalogue.keys()].filter((type) => !on.includes(type))
    if (!(await chooseEvents(needs, org, { offTypes, generation, who }))) return show(c, { isStale: true }, 409)
    return c.redirect(`${path}?done=events#events`, 303)
  })

  app.post('/console/pause', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const { is } = await pauseAccount(needs, org, who)
    return c.redirect(is === 'done' ? '/console?done=paused' : '/console', 303)
  })

  app.post('/console/resume', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const resumed = await resumeNow(needs, org, who)
    if (resumed.is === 'gone' || resumed.is === 'not_allowed') return c.redirect('/console', 303)
    if (resumed.is !== 'done') return c.redirect(`/console?done=${resumed.is}`, 303)
    await afterAttempt(needs, org, resumed.asked, { signal: closing })
    return c.redirect('/console?done=resumed', 303)
  })

  app.post('/console/retry', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const retried = await retryNow(needs, org, who)
    if (retried.is === 'gone') return c.redirect('/console', 303)
    if (retried.is === 'held') return c.redirect('/console?done=held', 303)
    await afterAttempt(needs, org, retried.asked, { signal: closing })
    const done = retried.asked.length > 0 ? 'tried' : retried.later.length > 0 ? 'later' : 'nothing'
    return c.redirect(`/console?done=${done}`, 303)
  })

  app.post('/console/disconnect', async (c) => {
    const { confirm } = await formOf(c, ['confirm'])
    const { org, who } = c.get('session')
    const problem = unseenProblem(confirm.trim())
    const wrong = problem ? `what stood here ${problem}` : confirm.trim() === org ? undefined : `this is not ${org}`
    if (wrong) return show(c, { wrong: { confirm: `Not disconnected: ${wrong}.` } }, 422)
    const left = await disconnect.leave(org, who)
    const purged = await untilGone({ storage, keyring, clock }, pagePatienceMs)
    // The session ended with the account, and so did this page's way back.
    return c.html(leftPage(left.is, purged === 'done'))
  })
}

/** Whether an admin has seen the test event of the key that is saved now. */
export function isConfirmedKey(install: Install | undefined, key: KeyShown | undefined): boolean {
  return install !== undefined && key !== undefined && settingsOf(install).confirmedKey === key.fingerprint
}

export function connectionPage(given: ConnectionPage): Html {
  const { session, install, done, isStale, wrong } = given
  const isGone = install.state === 'disconnected'
  const cards = () => html`${drift(given)}
      ${install.unreadable ? '' : html`${destinationCard({ ...given, wrong: wrong?.writeKey })}${events(given)}`}
      ${sending(given)}${sessions(given)}${leave(given)}`
  return page({
    title: 'Connection',
    section: 'connection',
    session,
    uses: ['reveal.js'],
    body: html`${head('Connection', html`What connects Drift account ${install.org} with Segment.`)}
    <div class="stack">
      ${done ? notice('good', done[0], done[1]) : ''}
      ${isStale ? notice('bad', 'The settings were changed meanwhile', 'Nothing of yours was saved. Below is what is saved now; make your change again if it is still right.') : ''}
      ${isGone ? gone(given) : cards()}
    </div>`,
  })
}

function gone({ connects }: ConnectionPage): Html {
  const goOn = connects
    ? 'Reconnect to Drift to start again.'
    : 'Only the operator of this service can connect it again.'
  return notice(
    'warn',
    'This account is disconnected',
    `Its secrets and its stored events are erased. ${goOn}`,
    connects ? actionOf(reconnect, '', 'primary') : '',
  )
}

function drift({ install, scopes, connects }: ConnectionPage): Html {
  const { missing, needless } = judgeScopes(scopes ?? Object.keys(scopesNeeded))
  const lacks = notice(
    'warn',
    `The Drift app lacks a permission: ${missing.join(', ')}`,
    `Without it, ${missing.map((scope) => scopesNeeded[scope]).join('; ')}. The operator adds it to the app in Drift; then reconnect to Drift.`,
  )
  return html`<section class="card" id="drift">
    <div class="cardhead"><h2>Drift</h2>${connects ? actionOf(reconnect, '') : ''}</div>
    <dl class="pairs">
      <dt>Account</dt><dd>${install.org}</dd>
      <dt>Connected</dt><dd>${install.createdAt === 0 ? 'by the operator of this service' : html`since ${when(install.createdAt)}`}</dd>
      <dt>Permissions</dt><dd>${scopes === undefined ? 'Drift did not name them' : scopes.join(', ')}</dd>
    </dl>
    ${missing.length > 0 ? lacks : ''}
    ${needless.length > 0 ? html`<p class="small faint">The app does not need: ${needless.join(', ')}. The operator can take this away in Drift.</p>` : ''}
  </section>`
}

function events({ session, install }: ConnectionPage): Html {
  const { offTypes } = settingsOf(install)
  const types = [...catalogue.values()]
  return html`<section class="card" id="events"><h2>Events to send</h2>
    <p class="faint">Disabled events are not sent and not stored.</p>
    ${postForm(
      '/console/connection/events',
      session.csrf,
      html`<input type="hidden" name="generation" value="${install.generation}">
      <fieldset class="columns"><legend class="hidden">Events to send</legend>
        ${types.map(({ type, when }) => choice('checkbox', 'on', type, !offTypes.includes(type), type, when))}
      </fieldset>
      <div class="row">${button('Save events', 'primary')}</div>`,
      'stack',
    )}
  </section>`
}

/** Each button only where it does something. */
function sending(given: ConnectionPage): Html {
  const { session, install, lanes, now } = given
  const hold = holdOf(install)
  const isHeldByOthers = hold === 'not_allowed' || hold === 'settings_unreadable' || hold === leaving
  const shown = stateShown(install)
  const pause =
    shown === 'paused' || shown === 'waiting_for_key' || isHeldByOthers
      ? ''
      : postForm('/console/pause', session.csrf, button('Pause'))
  const others = [...(canResume(install) ? [resume] : []), ...(canRetry(install, lanes, now) ? [retry] : [])]
  const reason = hold ?? (install.state === 'needs_attention' ? install.reason : undefined)
  const { happened, todo } =
    reason === undefined
      ? {
          happened: 'Events are sent as they come.',
          todo: 'While paused, events are received and kept; nothing is lost.',
        }
      : { happened: adviceOn(reason).happened, todo: todoOf(reason, given) }
  return html`<section class="card" id="sending"><div class="cardhead"><div><h2>${shown === 'paused' ? 'Sending is paused' : 'Sending'}</h2>
    <p class="faint">${happened} ${todo}</p></div><div class="row">${pause}${actionsRow(others, session.csrf)}</div></div></section>`
}

function sessions({ session }: ConnectionPage): Html {
  return html`<section class="card" id="sessions"><div class="cardhead"><div><h2>Sessions</h2>
    <p class="faint">Ends every session of this account, this one too, and every sign-in link that was not used. Nothing else changes.</p></div>${postForm('/console/sign-out-everywhere', session.csrf, button('Sign out everywhere'))}</div></section>`
}

function leave({ session, install, isFixed, wrong }: ConnectionPage): Html {
  return html`<section class="card danger" id="disconnect"><h2>Disconnect</h2>
    <p class="faint">Ends the authorization at Drift. The write key and every stored event are erased at once, also those that were not sent yet. The counts stay. This cannot be undone.</p>
    ${isFixed ? html`<p class="faint">The operator’s settings install the account again at the next start: ask the operator to take it out of them first.</p>` : ''}
    <details${wrong?.confirm ? html` open` : ''}><summary>Disconnect this account…</summary>
    ${postForm(
      '/console/disconnect',
      session.csrf,
      html`${input('confirm', `To confirm, type the account number: ${install.org}`, { error: wrong?.confirm ?? '' })}
      <div class="row">${button('Disconnect and erase', 'danger')}</div>`,
      'stack narrow',
    )}</details>
  </section>`
}

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
