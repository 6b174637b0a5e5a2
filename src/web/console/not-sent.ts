/**
 * Not sent: what came and was not meant to be sent, why, and what can be enabled. Of disabled events only counts are kept;
 * what a destination's options leave out is kept.
 */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { chooseEvents } from '../../accounts/actions.ts'
import { storedAct } from '../../accounts/audit.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { catalogue } from '../../events/index.ts'
import { otherTypes } from '../../pipeline/receive.ts'
import type { AuditEntry, Install } from '../../storage/ports/accounts.ts'
import type { IgnoredReason } from '../../storage/ports/entry.ts'
import type { Snapshot } from '../../storage/ports/lookup.ts'
import { formOf } from '../http/form.ts'
import { refuse } from '../http/refuse.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Session, Web } from '../session.ts'
import { breakable } from './events.ts'
import { type Html, page } from './ui/layout.ts'
import { button, head, notice, number, postForm, since } from './ui/parts.ts'
import { adviceOn } from './ui/reasons.ts'

const dayMs = 24 * 3_600_000
const minuteMs = 60_000
/** Counts by the hour are kept for eight days. */
const days = 7

type Why = IgnoredReason | 'duplicate'

/** Counts of one type and reason. */
export interface NotSent {
  type: string
  why: Why
  /** Since the beginning. */
  all: number
  /** Of each of the last seven days, in UTC, the oldest first. */
  perDay: number[]
  /** When the minute or hour began in which it last happened; not known when that is more than a week ago. */
  lastAt?: number
}

/** Since when a type is disabled, and by whom, as far as the audit says. */
export type DisabledBy = ReadonlyMap<string, Pick<AuditEntry, 'at' | 'who'>>

interface NotSentPage {
  session: Session
  now: number
  rows: readonly NotSent[]
  disabled: DisabledBy
  install: Install
  enabled?: string | undefined
  isStale?: boolean
}

export function notSentRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, clock } = needs

  async function show(c: Context<Web>, more: Partial<NotSentPage> = {}, status: 200 | 409 = 200) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    if (!install) return refuse(c, 404, 'not_found')
    const now = clock.now()
    const [figures, choices] = await Promise.all([
      storage.ledger.snapshot(session.org, { from: firstDay(now), to: now + 1 }),
      storage.audit.list(session.org, 500, { what: [storedAct('choseEvents')] }),
    ])
    const { offTypes } = settingsOf(install)
    const rows = notSentIn(figures, now)
    return c.html(
      notSentPage({ session, now, install, rows, disabled: disabledBy(choices, offTypes), ...more }),
      status,
    )
  }

  app.get('/console/not-sent', (c) => {
    const enabled = c.req.query('enabled')
    return show(c, enabled !== undefined && catalogue.has(enabled) ? { enabled } : {})
  })

  app.post('/console/not-sent/enable', async (c) => {
    const { type, generation } = await formOf(c, ['type', 'generation'])
    const { org, who } = c.get('session')
    const install = accounts.get(org)
    if (!install || !catalogue.has(type)) return refuse(c, 400, 'form_unusable')
    const offTypes = settingsOf(install).offTypes.filter((one) => one !== type)
    if (!(await chooseEvents(needs, org, { offTypes, generation, who }))) return show(c, { isStale: true }, 409)
    return c.redirect(`/console/not-sent?enabled=${type}`, 303)
  })
}

function firstDay(now: number): number {
  return now - (now % dayMs) - (days - 1) * dayMs
}

/** By type and reason, most of the last days first. */
export function notSentIn({ totals, timeBuckets }: Pick<Snapshot, 'totals' | 'timeBuckets'>, now: number): NotSent[] {
  const rows = new Map<string, NotSent>()
  const rowOf = (type: string, why: Why) => {
    const key = `${why} ${type}`
    const row = rows.get(key) ?? { type, why, all: 0, perDay: new Array<number>(days).fill(0) }
    rows.set(key, row)
    return row
  }
  const whyOf = ({ outcome, reason }: { outcome: string; reason?: IgnoredReason }): Why | undefined =>
    outcome === 'ignored' ? reason : outcome === 'duplicate' ? 'duplicate' : undefined
  for (const total of totals) {
    const why = whyOf(total)
    if (why) rowOf(total.type, why).all += total.count
  }
  const from = firstDay(now)
  for (const bucket of timeBuckets) {
    const why = whyOf(bucket)
    const day = Math.floor((bucket.at - from) / dayMs)
    if (!why || day < 0 || day >= days) continue
    const row = rowOf(bucket.type, why)
    row.perDay[day]! += bucket.count
    row.lastAt = Math.max(row.lastAt ?? 0, bucket.at)
  }
  const recent = ({ perDay }: NotSent) => perDay.reduce((sum, count) => sum + count, 0)
  return [...rows.values()].sort((one, other) => recent(other) - recent(one) || other.all - one.all)
}

/** `choices`: newest first. A type is disabled since the oldest of the last choices that all left it out. */
export function disabledBy(choices: readonly AuditEntry[], offTypes: readonly string[]): DisabledBy {
  const since = new Map<string, Pick<AuditEntry, 'at' | 'who'>>()
  for (const type of offTypes) {
    for (const { about = '', at, who } of choices) {
      const off = about.replace(/^not sent: /, '').split(', ')
      if (!off.includes(type)) break
      since.set(type, { at, who })
    }
  }
  return since
}

export function notSentPage(given: NotSentPage): Html {
  const { session, rows, install, enabled, isStale } = given
  const { offTypes } = settingsOf(install)
  const off = offTypes.filter((type) => catalogue.has(type))
  const isOn = enabled !== undefined && !offTypes.includes(enabled)
  const others = rows.filter(({ why, type }) => why !== 'switched_off' || !off.includes(type))
  const disabledRows = off.map(
    (type) =>
      rows.find((row) => row.why === 'switched_off' && row.type === type) ?? {
        type,
        why: 'switched_off' as const,
        all: 0,
        perDay: new Array<number>(days).fill(0),
      },
  )
  return page({
    title: 'Not sent',
    section: 'notSent',
    session,
    body: html`${head('Not sent', 'Events that are not sent, and why. Of disabled ones only counts are kept; what a destination’s options leave out is kept, and can be resent. An event counts once for each destination that leaves it out.')}
    <div class="stack">
      ${isOn ? notice('good', `${enabled} is enabled`, 'It is sent from now on. Events that came before were not stored.') : ''}
      ${isStale ? notice('bad', 'The settings were changed meanwhile', 'Nothing was saved. Below is what is saved now.') : ''}
      ${disabledRows.length === 0 ? '' : html`<section class="card sheet" aria-labelledby="disabled"><div class="cardhead inside"><div><h2 id="disabled">Disabled events</h2><p class="small faint">Disabled events are not sent and not stored.</p></div></div>${table(disabledRows, given, true)}</section>`}
      <section class="card sheet" aria-labelledby="others"><div class="cardhead inside"><h2 id="others">${disabledRows.length === 0 ? 'By type and reason' : 'Other reasons'}</h2></div>
        ${others.length === 0 ? nothingElse(disabledRows.length > 0) : table(others, given, false)}</section>
    </div>`,
  })
}

function nothingElse(hasDisabled: boolean): Html {
  const [title, which] = hasDisabled
    ? ['Nothing else was left out', 'Every other event']
    : ['Nothing was left out', 'Every event']
  return html`<p class="empty"><strong>${title}</strong>${which} that Drift sent is under <a href="/console/events">Events</a>.</p>`
}

function table(rows: readonly NotSent[], given: NotSentPage, isDisabled: boolean): Html {
  return html`<table class="cards notsent"><thead><tr><th scope="col">Event</th><th scope="col">Reason</th>
      <th scope="col" class="number">Last ${days} days</th><th scope="col">Per day</th><th scope="col" class="number">Total</th><th scope="col">Last seen</th>${isDisabled ? html`<th scope="col"><span class="hidden">Action</span></th>` : ''}</tr></thead>
    <tbody>${rows.map((row) => line(row, given, isDisabled))}</tbody></table>`
}

function line(row: NotSent, { now, session, install, disabled }: NotSentPage, isDisabled: boolean): Html {
  const { type, why, all, perDay, lastAt } = row
  const recent = perDay.reduce((sum, count) => sum + count, 0)
  const isEnabled = catalogue.has(type) && !settingsOf(install).offTypes.includes(type)
  const enable = html`<input type="hidden" name="type" value="${type}"><input type="hidden" name="generation" value="${install.generation}">${button('Enable')}`
  return html`<tr><th scope="row">${type === otherTypes ? 'Other types' : breakable(type)}</th>
    <td class="reason">${reasonOf(why, isEnabled)}${isDisabled ? sinceWhen(disabled.get(type), now) : ''}</td>
    <td data-label="Last ${days} days" class="number">${number(recent)}</td>
    <td data-label="Per day">${bars(perDay, now)}</td>
    <td data-label="Total" class="number">${number(all)}</td>
    <td data-label="Last seen">${lastAt === undefined ? (all === 0 ? 'never' : 'over a week ago') : seen(lastAt, now)}</td>
    ${isDisabled ? html`<td>${postForm('/console/not-sent/enable', session.csrf, enable)}</td>` : ''}</tr>`
}

/** It is known by the minute in which it came, whose beginning this is. */
function seen(at: number, now: number): Html | string {
  return now - at < minuteMs ? 'less than a minute ago' : since(at, now)
}

function reasonOf(why: Why, isEnabled: boolean): Html {
  const [short, happened] =
    why === 'duplicate'
      ? ['Duplicate', 'Drift sent the same event again. The first one is under Events.']
      : why === 'switched_off' && isEnabled
        ? [
            'Was disabled',
            'This type of event was disabled when it came, so it was not sent and not stored. It is enabled now.',
          ]
        : [adviceOn(why).short, adviceOn(why).happened]
  return html`${short}<span class="under">${happened}</span>`
}

function sinceWhen(by: Pick<AuditEntry, 'at' | 'who'> | undefined, now: number): Html {
  return html`<span class="under">${by ? html`Disabled ${since(by.at, now)} by ${by.who}` : 'Disabled before the audit began'}</span>`
}

/** Seven bars for the eye; the numbers for everyone else. */
function bars(perDay: readonly number[], now: number): Html {
  const most = Math.max(...perDay, 1)
  const dayOf = (at: number) => new Date(firstDay(now) + at * dayMs).toISOString().slice(0, 10)
  const said = perDay.map((count, at) => `${dayOf(at)}: ${number(count)}`).join(', ')
  return html`<svg class="bars" viewBox="0 0 70 24" width="70" height="24" role="img" aria-label="${said}">${perDay.map(
    (count, at) => {
      const high = count === 0 ? 1 : Math.max(Math.round((count / most) * 22), 3)
      return html`<rect x="${at * 10 + 1}" y="${24 - high}" width="8" height="${high}" rx="1"><title>${dayOf(at)}: ${number(count)}</title></rect>`
    },
  )}</svg>`
}
