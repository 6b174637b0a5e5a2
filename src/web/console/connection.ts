/** Connection: the account at Drift, where its events go, which of them, whether at all; sessions, and the way out. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { chooseEvents, pauseAccount } from '../../accounts/actions.ts'
import { isFixed, pauseDestination } from '../../accounts/destination-actions.ts'
import { type Destination, destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { openGrant } from '../../accounts/grant.ts'
import { afterAttempt, resumeDestinationNow, resumeNow, retryNow } from '../../accounts/retry.ts'
import { reasonOf } from '../../accounts/state.ts'
import { shownKey } from '../../accounts/write-key.ts'
import { catalogue } from '../../events/index.ts'
import { unseenProblem } from '../../lib/pasted.ts'
import { untilGone } from '../../pipeline/until-gone.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Web } from '../session.ts'
import { gather, isConfirmedKey } from './account-facts.ts'
import {
  type ConnectionPage,
  driftCard,
  eventsCard,
  goneNotice,
  leaveCard,
  sendingCard,
  sessionsCard,
} from './connection-cards.ts'
import { connectionPath as path } from './destination-address.ts'
import { destinationCard, isAlone } from './destination-card.ts'
import { addRow, type DestinationShown, destinationSummary } from './destination-summary.ts'
import { doneOf } from './done.ts'
import { eventAt, isMessageId } from './event-at.ts'
import { leftPage } from './left.ts'
import { isMendedByKey } from './remedies.ts'
import { type Html, page } from './ui/layout.ts'
import { head, notice } from './ui/parts.ts'

const doneWords: ReadonlyMap<string, readonly [title: string, says: string]> = new Map([
  ['segment', ['Saved', 'Send a test event to be sure that events arrive.']],
  ['unchanged', ['Nothing was changed', 'The write key and where it sends are those that are saved already.']],
  ['confirmed', ['Test event confirmed', 'Events of this account reach your Segment source.']],
  ['arrived', ['Test event confirmed', 'Events of this account arrive there.']],
  ['events', ['Saved', 'It holds for every event from now on.']],
  ['added', ['Destination added', 'It gets what is received from now on. What came before goes there by Resend.']],
  ['added_paused', ['Destination added, and paused as the others are', 'Resume it to send what comes in for it.']],
  ['renamed', ['Renamed', 'Its events and its number stay what they were.']],
  ['removed', ['Destination removed', 'Nothing is sent there any more. The others are not touched.']],
])

/** A browser waits no longer than this for the store's log to be emptied; the service's own maintenance does it later. */
const pagePatienceMs = 1_000

type Show = (c: Context<Web>, more?: Partial<ConnectionPage>, status?: 200 | 409 | 422) => Promise<Response>

/** Connection as it is now, with what came of a form. */
export function connectionShown(needs: ConsoleNeeds): Show {
  const { accounts, keyring, clock, config } = needs
  return async (c, more = {}, status = 200) => {
    const session = c.get('session')
    const { org } = session
    const install = accounts.get(org)
    if (!install) return refuse(c, 404, 'not_found')
    const now = clock.now()
    const [destinations, grant, { facts }] = await Promise.all([
      Promise.all(destinationsOf(install).map((one) => destinationShown(needs, install, one))),
      openGrant(keyring, install),
      gather(needs, org, { from: now, to: now }, now),
    ])
    const common = { session, install, destinations, facts, places: config.segment, scopes: grant?.scopes }
    return c.html(connectionPage({ ...common, ...more }), status)
  }
}

/** What the console may show of a destination. */
export async function destinationShown(
  { keyring, config }: Pick<ConsoleNeeds, 'keyring' | 'config'>,
  install: Install,
  destination: Destination,
): Promise<DestinationShown> {
  const key = await shownKey(keyring, install, destination)
  const singleOrg = config.single?.org
  return {
    destination,
    key,
    isConfirmed: isConfirmedKey(destination, key),
    isFixed: singleOrg !== undefined && isFixed({ singleOrg }, install, destination.number),
  }
}

export function connectionRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, keyring, keptTest, clock, disconnect, closing } = needs
  const show = connectionShown(needs)

  app.get(path, async (c) => {
    const [word, number] = [c.req.query('done'), c.req.query('destination')]
    const said = doneWords.get(word ?? '')
    if (said)
      return show(c, { done: [{ level: word === 'unchanged' ? 'info' : 'good', title: said[0], says: said[1] }] })
    const { org } = c.get('session')
    const install = accounts.get(org)
    if (word === 'tested' && install) return show(c, { tested: await keptTest.read(c, org, firstOf(install).number) })
    const lanes = number === undefined ? [] : await storage.lookup.lanes(org)
    return show(c, {
      done: number === undefined ? [] : doneOf(word, install, lanes, clock.now(), Number(number)),
    })
  })

  app.post(`${path}/events`, async (c) => {
    const { on, generation } = await formOf(c, ['generation'], ['on'])
    const { org, who } = c.get('session')
    const offTypes = [...catalogue.keys()].filter((type) => !on.includes(type))
    if (!(await chooseEvents(needs, org, { offTypes, generation, who }))) return show(c, { isStale: true }, 409)
    return c.redirect(`${path}?done=events`, 303)
  })

  /** Of the one that the form names, else of the account with all of them; `back`: to the event where the form stood, if it did. */
  async function meantBy(c: Context<Web>) {
    const { destination, event } = await formOf(c, ['destination', 'event'])
    const { org, who } = c.get('session')
    const number = destination === '' ? undefined : Number(destination)
    const back = (done = '') => {
      if (isMessageId(event)) return c.redirect(eventAt(event, destination, '', done), 303)
      if (number !== undefined) return c.redirect(`${path}?done=${done}&destination=${number}`, 303)
      return c.redirect(done === '' ? '/console' : `/console?done=${done}`, 303)
    }
    return { org, who, number, back }
  }

  app.post('/console/pause', allowOldProof, async (c) => {
    const { org, who, number, back } = await meantBy(c)
    const done =
      number === undefined ? await pauseAccount(needs, org, who) : await pauseDestination(needs, org, number, who)
    return done.is === 'done' ? back('paused') : back()
  })

  app.post('/console/resume', allowOldProof, async (c) => {
    const { org, who, number, back } = await meantBy(c)
    const resumed =
      number === undefined ? await resumeNow(needs, org, who) : await resumeDestinationNow(needs, org, number, who)
    if (resumed.is === 'not_paused' || resumed.is === 'asked') return back(resumed.is)
    if (resumed.is === 'same') return back('not_paused')
    if (resumed.is !== 'done') return back()
    await afterAttempt(needs, org, resumed.asked ?? [], { signal: closing })
    return back('resumed')
  })

  app.post('/console/retry', allowOldProof, async (c) => {
    const { org, who, number, back } = await meantBy(c)
    const retried = await retryNow(needs, org, who, number)
    if (retried.is === 'gone') return back()
    if (retried.is === 'held') return back('held')
    await afterAttempt(needs, org, retried.asked, { signal: closing })
    return back(retried.asked.length > 0 ? 'tried' : retried.later.length > 0 ? 'later' : 'nothing')
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

export function connectionPage(given: ConnectionPage): Html {
  const { session, install, done = [], isStale } = given
  const isGone = install.state === 'disconnected'
  const partners = isAlone(install) && firstOf(install).endpoint === undefined ? 'Segment' : 'its destinations'
  const cards =
    () => html`${install.unreadable ? driftCard(given) : html`${driftCard(given)}${destinationCards(given)}${eventsCard(given)}`}
      ${sendingCard(given)}${sessionsCard(given)}${leaveCard(given)}`
  return page({
    title: 'Connection',
    section: 'connection',
    session,
    uses: ['reveal.js'],
    body: html`${head('Connection', html`What connects Drift account ${install.org} with ${partners}.`)}
    <div class="stack">
      ${done.map(({ level, title, says }) => notice(level, title, says))}
      ${isStale ? staleNotice : ''}
      ${isGone ? goneNotice(given) : cards()}
    </div>`,
  })
}

export const staleNotice = notice(
  'bad',
  'The settings were changed meanwhile',
  'Nothing of yours was saved. Below is what is saved now; make your change again if it is still right.',
)

function destinationCards(given: ConnectionPage): Html {
  const { install, destinations, wrong } = given
  const [first] = destinations
  if (isAlone(install))
    return destinationCard({
      ...given,
      ...first!,
      wrong: wrong?.writeKey,
      isOnConnection: true,
      isRefused: isMendedByKey(reasonOf(install) ?? ''),
    })
  return html`${destinations.map((shown) => destinationSummary(shown, given))}${addRow(install)}`
}
