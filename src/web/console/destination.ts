/** One destination: its key and place, its name, and the way to remove it. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import {
  type DestinationDone,
  nameProblem,
  removeDestination,
  renameDestination,
} from '../../accounts/destination-actions.ts'
import { type Destination, destinationOf } from '../../accounts/destinations.ts'
import { destinationsMax } from '../../accounts/settings.ts'
import { isThere } from '../../accounts/state.ts'
import { unseenProblem } from '../../lib/pasted.ts'
import { waitingFor } from '../../operations/totals.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Web } from '../session.ts'
import { gather } from './account-facts.ts'
import { destinationShown, staleNotice } from './connection.ts'
import { anchorOf, connectionPath as path } from './destination-address.ts'
import { type DestinationCard, destinationCard, isAlone } from './destination-card.ts'
import { flowOf, haltSaid } from './destination-flow.ts'
import type { DestinationShown } from './destination-summary.ts'
import { hidden } from './key-test.ts'
import { isMendedByKey, remediesOf } from './remedies.ts'
import type { Facts } from './status-facts.ts'
import { type Action, actionsRow, enterKey, replaceKey } from './ui/actions.ts'
import { type Html, page } from './ui/layout.ts'
import { button, counted, head, input, notice, postForm } from './ui/parts.ts'

interface DestinationPage extends Omit<DestinationCard, 'wrong'> {
  /** Why nothing is sent to it, or late, and what ends that. */
  halt?: { short: string; says: string; remedies: readonly Action[] } | undefined
  /** Events that would expire if it were removed. */
  waits: number
  wrong?: { writeKey?: string; name?: string; confirm?: string; removal?: string }
  isStale?: boolean
}

type Came = Partial<Pick<DestinationPage, 'tested' | 'question' | 'wrong' | 'isStale'>>
type Show = (c: Context<Web>, number: number, more?: Came, status?: 200 | 409 | 422) => Promise<Response>

/** The page of a destination, with what came of a form; 404 where it is not there. */
export function destinationPageShown(needs: ConsoleNeeds): Show {
  const { accounts, clock, config } = needs
  return async (c, number, more = {}, status = 200) => {
    const session = c.get('session')
    const install = accounts.get(session.org)
    const one = install && isThere(install) && !install.unreadable ? destinationOf(install, number) : undefined
    if (!install || !one) return refuse(c, 404, 'not_found')
    const shown = await destinationShown(needs, install, one)
    const now = clock.now()
    const { facts, snapshot } = await gather(needs, session.org, { from: now, to: now }, now)
    const waits = waitingFor(snapshot.backlog, session.org, number)
    const halt = haltAt(facts, install, shown)
    const common = { session, install, facts, places: config.segment }
    return c.html(destinationPage({ ...common, ...shown, halt, waits, ...more }), status)
  }
}

function haltAt(
  facts: Facts,
  install: Install,
  { destination, isFixed: isSet }: DestinationShown,
): DestinationPage['halt'] {
  const { lanes, now, connects } = facts
  const flow = flowOf(facts, destination)
  const said = haltSaid(flow, { connects, isFixed: isSet }, destination.endpoint)
  if (!said) return undefined
  const all = remediesOf(flow.reason ?? '', install, lanes, now, connects, isSet, destination.number)
  // The form that enters or replaces the write key stands on this page.
  const remedies = all.filter(({ label }) => label !== replaceKey.label && label !== enterKey.label)
  return { ...said, remedies }
}

export function destinationRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { accounts, config } = needs
  const show = destinationPageShown(needs)
  const actions = config.single ? { ...needs, singleOrg: config.single.org } : needs

  app.get(`${path}/destination`, async (c) => {
    const number = Number(c.req.query('number'))
    const isTested = c.req.query('done') === 'tested'
    return show(c, number, isTested ? { tested: await needs.keptTest.read(c, c.get('session').org, number) } : {})
  })

  app.post(`${path}/rename`, async (c) => {
    const { destination, name } = await formOf(c, ['destination', 'name'])
    const { org, who } = c.get('session')
    const [number, problem] = [Number(destination), nameProblem(name)]
    if (problem) return show(c, number, { wrong: { name: nameRefused(problem, 'saved') } }, 422)
    const done = await renameDestination(actions, org, number, { name, who })
    if (done.is === 'name_taken') return show(c, number, { wrong: { name: nameTaken } }, 422)
    if (done.is !== 'done' && done.is !== 'same') return refuse(c, 404, 'not_found')
    return c.redirect(`${path}?done=renamed`, 303)
  })

  app.post(`${path}/remove`, async (c) => {
    const { destination, confirm } = await formOf(c, ['destination', 'confirm'])
    const { org, who } = c.get('session')
    const number = Number(destination)
    const one = named(accounts.get(org), number)
    if (!one) return refuse(c, 404, 'not_found')
    const typed = confirm.trim()
    const unseen = unseenProblem(typed)
    const wrong = unseen ? `what stood here ${unseen}` : typed === one.name ? undefined : `this is not ${one.name}`
    if (wrong) return show(c, number, { wrong: { confirm: `Not removed: ${wrong}.` } }, 422)
    const done = await removeDestination(actions, org, number, who)
    if (done.is === 'done') return c.redirect(`${path}?done=removed`, 303)
    return show(c, number, { wrong: { removal: whyKept(done.is) } }, 422)
  })
}

function named(install: Install | undefined, number: number): Destination | undefined {
  return install && destinationOf(install, number)
}

/** `problem`: the end of a sentence, as `nameProblem` has it. */
export function nameRefused(problem: string, notDone: string): string {
  return `Not ${notDone}: the name ${problem}.`
}

export const nameTaken = 'Not saved: another destination of this account has this name.'

/** Why an action on destinations was not done, where the form itself was in order. */
export function whyKept(is: Exclude<DestinationDone['is'], 'done'>): string {
  const why: Partial<Record<typeof is, string>> = {
    last: 'It is the only destination, and one must stay. Add another one first.',
    fixed: 'The operator of this service has set where it sends.',
    full: `The account has ${destinationsMax} destinations, and cannot have more. Remove one first.`,
    gone: 'It is not there any more.',
  }
  return why[is] ?? 'The destinations were changed at the same moment. Do it again.'
}

function destinationPage(given: DestinationPage): Html {
  const { session, install, destination, wrong, isStale } = given
  const { name } = destination
  return page({
    title: name,
    section: 'connection',
    session,
    uses: ['reveal.js'],
    body: html`${head(name, html`A destination of Drift account ${install.org}, number ${destination.number}. <a href="${path}#${anchorOf(install, destination)}">Back to Connection</a>`)}
    <div class="stack">
      ${isStale ? staleNotice : ''}
      ${whyHalted(given)}
      ${wrong?.removal ? notice('bad', 'Not removed', wrong.removal) : ''}
      ${destinationCard({ ...given, wrong: wrong?.writeKey, isRefused: isMendedByKey(destination.reason ?? '') })}
      ${rename(given)}
      ${remove(given)}
    </div>`,
  })
}

function whyHalted({ session, halt }: DestinationPage): Html | '' {
  return halt ? notice('warn', halt.short, halt.says, actionsRow(halt.remedies, session.csrf)) : ''
}

function rename({ session, destination, wrong }: DestinationPage): Html {
  return html`<section class="card" id="rename"><h2>Name</h2>
    ${postForm(
      `${path}/rename`,
      session.csrf,
      html`${hidden({ destination: String(destination.number) })}
      ${nameField(destination.name, wrong?.name)}
      <div class="row">${button('Rename')}</div>`,
      'stack narrow',
    )}</section>`
}

export function nameField(value: string, error = ''): Html {
  const hint = 'Up to 40 characters, and not a number. The console and the audit call it so.'
  return input('name', 'Name', { value, hint, error, lengthMax: 100 })
}

function lost(waits: number): string {
  if (waits === 0) return 'No events wait for it now.'
  const rest = waits === 1 ? 'waits for it now: it is' : 'wait for it now: they are'
  return `${counted(waits, 'event')} ${rest} not sent there, and counted as expired.`
}

function remove({ session, install, destination, waits, wrong, isFixed: isSet }: DestinationPage): Html | '' {
  const { name, number } = destination
  if (isSet || isAlone(install))
    return html`<section class="card"><h2>Remove</h2><p class="faint">${whyKept(isSet ? 'fixed' : 'last')}</p></section>`
  return html`<section class="card danger" id="remove"><h2>Remove</h2>
    <p class="faint">Nothing is sent to ${name} any more. ${lost(waits)} Its write key is erased. What it has received stays there, and the other destinations are not touched. This cannot be undone: if you add it again, it gets by itself only what is received from then on.</p>
    <details${wrong?.confirm ? html` open` : ''}><summary>Remove this destination…</summary>
    ${postForm(
      `${path}/remove`,
      session.csrf,
      html`${hidden({ destination: String(number) })}
      ${input('confirm', `To confirm, type its name: ${name}`, { error: wrong?.confirm ?? '' })}
      <div class="row">${button('Remove destination', 'danger')}</div>`,
      'stack narrow',
    )}</details>
  </section>`
}
