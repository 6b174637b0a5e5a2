/** Events: what came and what became of it, found by any id, by type, state, reason and time. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { settingsOf } from '../../accounts/settings.ts'
import { isOfHistory } from '../../operations/history/keys.ts'
import type { Cursor, Query, Shown, Tally } from '../../storage/ports/lookup.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Session, Web } from '../session.ts'
import { type Chosen, chosenIn, isOfSeveral, partnerOf } from './at-destination.ts'
import { exportForm } from './export.ts'
import {
  addressOf,
  atNow,
  type Filter,
  filterNames,
  filterOf,
  isFiltered,
  labelOf,
  queryOf,
  ranges,
  readCursor,
  type StateName,
  stateNames,
  timeChoices,
  typeChoices,
  writeCursor,
} from './query.ts'
import { canResend, resendLink } from './resend-matching.ts'
import { adviceAt } from './ui/advice-at.ts'
import { type Html, page } from './ui/layout.ts'
import { button, head, inUtc, lasting, notice, number, select, since, stateBadge } from './ui/parts.ts'
import { type Word, wordOf, words } from './ui/vocabulary.ts'

const pageSize = 50
/** Longer ids than Drift's today may break there. */
const idMax = 11
const path = '/console/events'

interface EventsPage {
  session: Session
  now: number
  filter: Filter
  tally: Tally
  /** Something of it can be resent, here or at another destination. */
  isResendable: boolean
  entries: readonly Shown[]
  /** Where the list goes on. */
  next: string | undefined
  /** It is a later page of the list: what is new does not belong here. */
  isFurther: boolean
  /** Why nothing was looked for. */
  wrong?: string | undefined
  /** The destination whose states are shown. */
  chosen: Chosen
  /** Only events of a type that is disabled are looked for. */
  isDisabled: boolean
}

export function eventsRoute(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, keyring, accounts } = needs
  const { lookup } = storage

  app.get(path, async (c) => {
    const session = c.get('session')
    const { org } = session
    const filter = filterOf((name) => c.req.query(name))
    if (hasEmpty(c)) return c.redirect(addressOf(path, filter), 303)
    const at = await atNow(needs, org)
    const { now } = at
    const place = c.req.query('before')
    const before = place === undefined ? undefined : readCursor(keyring, org, place)
    const query = queryOf(org, filter, at)
    const install = accounts.get(org)
    const chosen = chosenIn(install, org, filter.destination)
    const isDisabled = install !== undefined && settingsOf(install).offTypes.includes(filter.type)
    const common = { session, now, filter, isFurther: before !== undefined, chosen, isDisabled }
    const nothing = { entries: [], next: undefined, tally: { rows: [], isCut: false }, isResendable: false }
    if ('wrong' in query) return c.html(eventsPage({ ...common, ...nothing, wrong: query.wrong }), 400)
    if (place !== undefined && !before)
      return c.html(eventsPage({ ...common, ...nothing, wrong: 'This address is not one that the list gave.' }), 400)
    const [tally, found] = await Promise.all([lookup.tally(inEveryState(query)), list(query, before)])
    // What is resent of a list that names no destination is resent to each.
    const numbers = at.destinations.map(({ number }) => number)
    const asked = query.destination === undefined ? numbers : [query.destination]
    const isResendable = await canResend(lookup, filter, query, [...tally.rows, ...found.entries], asked)
    const next = found.next && writeCursor(keyring, org, found.next)
    return c.html(eventsPage({ ...common, entries: found.entries, next, tally, isResendable }))
  })

  async function list(query: Query, before: Cursor | undefined) {
    return lookup.find(query, { limit: pageSize, ...(before ? { before } : {}) })
  }
}

/** A form without scripts sends each of its fields; the address that people copy has those that say something. */
function hasEmpty(c: Context): boolean {
  return filterNames.some((name) => c.req.query(name) === '')
}

/** The tabs and the reasons offered are those of the same search in any state. */
function inEveryState({ states: _, reason: _r, notReason: _n, ...query }: Query & { org: string }) {
  return query
}

function eventsPage(given: EventsPage): Html {
  const { session, filter, isFurther, wrong, tally, isResendable, entries, next, chosen } = given
  const isLive = !isFurther && !wrong
  const exports = wrong || tally.rows.length === 0 ? '' : exportForm(session.csrf, filter)
  return page({
    title: 'Events',
    section: 'events',
    session,
    uses: isLive ? ['live.js'] : [],
    body: html`<div${isLive ? html` data-live="/console/live" data-soon` : ''}>
      ${head('Events', html`Every stored event of Drift, and what became of it${isOfSeveral(chosen) ? ` at ${chosen.shown.name}` : ''}. Others, such as disabled ones, are counted under <a href="/console/not-sent">Not sent</a>.`, isLive ? html`<span class="live" role="status"></span>` : '')}
      <div class="stack">
        ${searchForm(given)}
        ${
          wrong
            ? notice('warn', 'Nothing was searched', wrong)
            : html`${chips(given)}${tabs(given)}
        <section class="card sheet" id="list" data-part aria-label="Events found">
          ${isLive ? html`<a class="newer" id="newer" href="${addressOf(path, filter)}" hidden></a>` : ''}
          ${entries.length === 0 ? nothingFound(given) : table(given)}
        </section>
        ${pager(filter, next, isFurther)}
        <div class="row foot">${isResendable ? resendLink(filter) : ''}${exports}</div>`
        }
      </div>
    </div>`,
  })
}

function searchForm({ filter, tally, chosen }: EventsPage): Html {
  const isCustom = filter.from !== '' || filter.to !== ''
  return html`<form method="get" action="${path}" class="card search" role="search" aria-label="Search events">
    <div class="find">
      <div class="field grow"><label for="q">Search</label>
        <input id="q" name="q" type="search" value="${filter.q}" maxlength="600" autocomplete="off" spellcheck="false" placeholder="Id, or an address in Drift"></div>
      ${select('type', 'Type', typeChoices, filter.type)}
      ${select('reason', 'Reason', reasonChoices(tally, filter.reason, chosen), filter.reason)}
      ${select('range', 'Time', timeChoices, filter.range)}
      ${isOfSeveral(chosen) ? select('destination', 'Destination', destinationChoices(chosen), String(chosen.shown.number)) : ''}
      ${filter.state === '' ? '' : html`<input type="hidden" name="state" value="${filter.state}">`}
      ${button('Search', 'primary')}
    </div>
    <details class="dates"${isCustom ? html` open` : ''}><summary>From and to</summary><div class="find">
      ${dateField('from', 'From (UTC)', filter)}${dateField('to', 'Before (UTC)', filter)}</div></details>
  </form>`
}

function dateField(name: 'from' | 'to', label: string, filter: Filter): Html {
  const text = filter[name]
  const value = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text
  return html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" type="datetime-local" step="1" value="${value}"></div>`
}

/** Its first one is what a list shows that names none. */
function destinationChoices({ all }: Chosen): [value: string, label: string][] {
  return all.map(({ number, name }) => [String(number), name])
}

/** The reasons that there are, with how many events have each. */
function reasonChoices({ rows }: Tally, chosen: string, { shown }: Chosen): [value: string, label: string][] {
  const outcomes = new Map<string, number>()
  for (const { reason, count } of rows)
    if (reason !== undefined) outcomes.set(reason, (outcomes.get(reason) ?? 0) + count)
  if (chosen !== '' && !outcomes.has(chosen)) outcomes.set(chosen, 0)
  const choices = [...outcomes].sort(([, one], [, other]) => other - one)
  return [
    ['', 'Any reason'],
    ...choices.map(([reason, count]): [string, string] => [
      reason,
      `${adviceAt(reason, shown.endpoint).short} (${number(count)})`,
    ]),
  ]
}

/** Each filter that is set, with a way to take it off. The state is a tab. */
function chips({ filter, chosen }: EventsPage): Html | '' {
  const said: [name: keyof Filter, text: string][] = [
    ['q', filter.q && `Search: ${filter.q}`],
    ['type', filter.type && `Type: ${filter.type}`],
    ['reason', filter.reason && `Reason: ${adviceAt(filter.reason, chosen.shown.endpoint).short}`],
    ['range', filter.range && ranges[filter.range]!.label],
    ['from', filter.from && `From ${timeSaid(filter.from)}`],
    ['to', filter.to && `Before ${timeSaid(filter.to)}`],
    ['destination', filter.destination && isOfSeveral(chosen) ? `Destination: ${chosen.shown.name}` : ''],
  ]
  const set = said.filter(([, text]) => text !== '')
  if (set.length === 0) return ''
  return html`<ul class="chips" aria-label="Filters">${set.map(
    ([name, text]) =>
      html`<li><a class="chip" href="${addressOf(path, { ...filter, [name]: '' })}"><span>${text}</span><span class="hidden">, remove this filter</span><span aria-hidden="true">×</span></a></li>`,
  )}${set.length > 1 ? html`<li><a class="small" href="${addressOf(path, { state: filter.state, destination: filter.destination })}">Clear all</a></li>` : ''}</ul>`
}

function timeSaid(text: string): string {
  return inUtc(Date.parse(text.includes('T') ? `${text}Z` : text))
}

const tabsShown = ['delivered', 'queued', 'blocked', 'failed', 'not-recognized'] as const
/** Tabs for what most accounts never have. */
const tabsIfAny = ['deletion', 'ignored'] as const

/** How many are in each state, as of one moment: together they are all. */
function tabs({ filter, tally }: EventsPage): Html {
  const counts = countsOf(tally, filter.reason)
  const many = (state: StateName) =>
    (counts.get(stateNames[state]) ?? 0) + (state === 'queued' ? (counts.get('lookingUp') ?? 0) : 0)
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const shown = [...tabsShown, ...tabsIfAny.filter((state) => many(state) > 0 || filter.state === state)]
  const tab = (state: StateName | '', label: string, count: number) =>
    html`<li><a href="${addressOf(path, { ...filter, state })}"${state === filter.state || (state === 'queued' && filter.state === 'looking-up') ? html` aria-current="page"` : ''}>${label} <span class="count">${number(count)}${tally.isCut ? '+' : ''}</span></a></li>`
  return html`<nav aria-label="States" id="tabs" data-part><ul class="states">
    ${tab('', 'All', all)}${shown.map((state) => tab(state, labelOf(state), many(state)))}
  </ul></nav>`
}

function countsOf({ rows }: Tally, reason: string): ReadonlyMap<Word, number> {
  const counts = new Map<Word, number>()
  for (const row of rows) {
    if (reason !== '' && row.reason !== reason) continue
    const word = wordOf(row)
    counts.set(word, (counts.get(word) ?? 0) + row.count)
  }
  return counts
}

/** `isCut`: there are older ones, on another page. */
function table(given: EventsPage): Html {
  const isCut = given.next !== undefined
  return html`<table class="events"><thead><tr>
      <th scope="col">Time</th><th scope="col">Event</th><th scope="col">State and reason</th><th scope="col">Contact</th><th scope="col">Conversation</th>
    </tr></thead><tbody data-rows="${isCut ? 'cut' : 'all'}">${given.entries.map((entry) => row(entry, given))}</tbody></table>`
}

function row(entry: Shown, { now, filter, chosen }: EventsPage): Html {
  const { id, type, messageId, contact, conversation, receivedAt } = entry
  const search = (value: string | undefined) =>
    value === undefined
      ? html`<span class="faint" aria-hidden="true">–</span>`
      : html`<a href="${addressOf(path, { q: value, destination: filter.destination })}">${value.slice(0, idMax)}${value.length > idMax ? html`<wbr>${value.slice(idMax)}` : ''}</a>`
  return html`<tr id="e${id}">
    <td class="when">${since(receivedAt, now)}</td>
    <td class="what"><a href="${addressOf(`${path}/${messageId}`, { destination: filter.destination })}">${breakable(type || 'unreadable')}</a>${isOfHistory(entry) ? html`<span class="under">brought in from history</span>` : ''}</td>
    <td class="state">${stateBadge(entry)}<span class="under">${because(entry, chosen)}</span></td>
    <td class="whose">${search(contact)}</td>
    <td class="where">${search(conversation)}</td>
  </tr>`
}

/** A long name may break behind its underscores. */
export function breakable(name: string): Html {
  return html`${name.split('_').map((part, at) => (at === 0 ? part : html`_<wbr>${part}`))}`
}

/** In each state there is one line, so that rows keep their height when it changes. */
function because(entry: Shown, chosen: Chosen): string {
  const { state, reason, receivedAt, settledAt } = entry
  if (state === 'delivered')
    return settledAt === undefined ? `accepted by ${partnerOf(chosen)}` : within(settledAt - receivedAt)
  if (state === 'not_given') return 'never given to this destination'
  return reason === undefined ? words[wordOf(entry)].means : adviceAt(reason, chosen.shown.endpoint).short
}

function within(ms: number): string {
  return ms < 1_000 ? 'within a second' : `after ${lasting(ms)}`
}

function nothingFound({ next, filter, isDisabled }: EventsPage): Html {
  if (next !== undefined)
    return html`<p class="empty"><strong>Nothing among the newest of them</strong>Go on to older ones, or choose a range of time.</p>`
  if (filter.q !== '')
    return html`<p class="empty"><strong>No event has this id</strong>Delivered events are kept for some days only. It may also never have been sent: <a href="/console/not-sent">Not sent</a> shows what is left out, and why.</p>`
  if (isDisabled)
    return html`<p class="empty"><strong>${filter.type} is disabled</strong>Disabled events are not sent and not stored. <a href="/console/not-sent">Not sent</a> says since when, and how many came; enable them there.</p>`
  if (isFiltered(filter))
    return html`<p class="empty"><strong>No event matches</strong><a href="${path}">Show all events</a>, or look at what is <a href="/console/not-sent">not sent</a>.</p>`
  return html`<p class="empty"><strong>No events yet</strong>As soon as something happens in Drift, it appears here by itself.</p>`
}

function pager(filter: Filter, next: string | undefined, isFurther: boolean): Html | '' {
  if (!isFurther && !next) return html`<nav class="pager" id="pager" data-part aria-label="Pages" hidden></nav>`
  return html`<nav class="pager" id="pager" data-part aria-label="Pages">
    ${isFurther ? html`<a class="button" href="${addressOf(path, filter)}">Newest</a>` : html`<span></span>`}
    ${next ? html`<a class="button" rel="next" href="${addressOf(path, filter, { before: next })}">Older</a>` : ''}
  </nav>`
}
