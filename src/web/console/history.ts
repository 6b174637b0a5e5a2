/** History: bring in what happened in Drift before, and find what never came. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { chooseDaily } from '../../accounts/actions.ts'
import { type Destination, destinationsOf } from '../../accounts/destinations.ts'
import { settingsOf } from '../../accounts/settings.ts'
import { partnerOf } from '../../alerts/audience.ts'
import { isBilledBySegment, spoken } from '../../operations/history/estimate.ts'
import { type HeldAt, heldAt } from '../../operations/history/held.ts'
import type { HistoryKind } from '../../operations/history/input.ts'
import { estimateOf, isDryRun, type Line, linesOf, whyFailed, whyStuck } from '../../operations/history/say.ts'
import { remainingMs, shownHistory, startHistory } from '../../operations/history/start.ts'
import { cancelJob, type JobShown, newJobId } from '../../operations/jobs.ts'
import type { JobState } from '../../storage/ports/jobs.ts'
import { formOf } from '../http/form.ts'
import type { ConsoleNeeds } from '../needs.ts'
import { allowOldProof, type Session, type Web } from '../session.ts'
import { adviceAt } from './ui/advice-at.ts'
import { type Html, page } from './ui/layout.ts'
import { badge, button, choice, counted, head, input, notice, number, postForm, since } from './ui/parts.ts'
import type { Level } from './ui/vocabulary.ts'

const dayMs = 86_400_000
const shownMax = 20

interface HistoryPage {
  session: Session
  now: number
  /** Newest first. */
  jobs: readonly JobShown[]
  isDaily: boolean
  /** Where the account's events go. */
  destinations: readonly Destination[]
  /** Where what is brought in is kept and not sent yet. */
  held: readonly HeldAt[]
  /** For each form another one: a form that is sent twice makes one job. */
  newId(): string
  wrong?: string | undefined
  /** What was filled in, where nothing was started. */
  typed?: Typed | undefined
}

interface Typed {
  kind: HistoryKind
  from: string
  to: string
}

export function historyRoutes(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, clock, random } = needs

  async function show(c: Context<Web>, wrong?: string, status: 200 | 409 | 422 = 200, typed?: Typed) {
    const session = c.get('session')
    const install = accounts.get(session.org)
    const jobs = await shownHistory(storage.jobs, session.org, shownMax)
    const isDaily = install !== undefined && settingsOf(install).dailyReconcile
    return c.html(
      historyPage({
        session,
        now: clock.now(),
        jobs,
        isDaily,
        destinations: install ? destinationsOf(install) : [],
        held: heldAt(install),
        newId: () => newJobId(random),
        wrong,
        typed,
      }),
      status,
    )
  }

  async function begin(c: Context<Web>, kind: HistoryKind) {
    const [from, to] = fields[kind]
    const form = await formOf(c, ['id', from, to, 'what'])
    const { org, who } = c.get('session')
    const span = spanOf(form[from], form[to], clock.now())
    const typed = { kind, from: form[from], to: form[to] }
    if ('wrong' in span) return show(c, span.wrong, 422, typed)
    const id = form.id.slice(0, 100)
    if (id === '') return show(c, 'This form is not one of ours.', 422)
    const wanted = { id, kind, org, who, dryRun: form.what !== 'send', ...span }
    const made = await startHistory({ ...storage, clock }, wanted)
    if (made === 'other')
      return show(c, 'Another run of this account has not ended. Wait for it, or cancel it.', 409, typed)
    needs.wake()
    return c.redirect('/console/history', 303)
  }

  app.get('/console/history', (c) => show(c))
  app.post('/console/history/backfill', (c) => begin(c, 'backfill'))
  app.post('/console/history/compare', (c) => begin(c, 'reconcile'))

  app.post('/console/history/daily', async (c) => {
    const { daily } = await formOf(c, ['daily'])
    const { org, who } = c.get('session')
    await chooseDaily(needs, org, { isOn: daily !== '', who })
    return c.redirect('/console/history#daily', 303)
  })

  app.post('/console/history/cancel', allowOldProof, async (c) => {
    await formOf(c, [])
    const { org, who } = c.get('session')
    const running = (await shownHistory(storage.jobs, org, shownMax)).find(({ hasEnded }) => !hasEnded)
    if (running) await cancelJob({ ...storage, clock }, running.id, who)
    return c.redirect('/console/history', 303)
  })
}

/** The fields of the two forms: a page has each name once. */
const fields = { backfill: ['from', 'to'], reconcile: ['since', 'until'] } as const

/** Days in UTC, both included; '' for no limit. */
function spanOf(from: string, to: string, now: number): { from: number; to: number } | { wrong: string } {
  const [first, last] = [dayIn(from), dayIn(to)]
  if (Number.isNaN(first) || Number.isNaN(last))
    return { wrong: 'Enter days as year, month and day, such as 2026-01-31.' }
  const span = { from: first ?? 0, to: last === undefined ? now : Math.min(last + dayMs, now) }
  return span.from < span.to ? span : { wrong: 'The first day must not be later than the last one, or than today.' }
}

function dayIn(text: string): number | undefined {
  if (text.trim() === '') return undefined
  return /^\d{4}-\d\d-\d\d$/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN
}

function historyPage(given: HistoryPage): Html {
  const { session, jobs, wrong } = given
  const [latest] = jobs
  return page({
    title: 'History',
    section: 'history',
    session,
    uses: ['live.js'],
    body: html`<div data-live="/console/live">
      ${head('History', 'Bring in what happened in Drift before this account was connected, and check that nothing is missing.')}
      <div class="stack">
        ${wrong ? notice('warn', 'Nothing was started', wrong) : ''}
        <div id="latest" data-part>${latest ? latestCard(latest, given) : ''}</div>
        ${backfillCard(given)}
        ${compareCard(given)}
        ${dailyCard(given)}
        <div id="runs" data-part>${jobs.length > 1 ? runsCard(given) : ''}</div>
      </div></div>`,
  })
}

function days(kind: HistoryKind, { typed }: HistoryPage): Html {
  const [from, to] = fields[kind]
  const was = typed?.kind === kind ? typed : { from: '', to: '' }
  const beginning =
    kind === 'reconcile'
      ? 'Empty: from the beginning, also before this account was connected'
      : 'Empty: from the beginning'
  return html`${input(from, 'First day (UTC)', { type: 'date', hint: beginning, value: was.from })}
    ${input(to, 'Last day (UTC)', { type: 'date', hint: 'Empty: until now', value: was.to })}`
}

function backfillCard(given: HistoryPage): Html {
  const { session, newId, destinations } = given
  const adds = isBilledBySegment(destinations) ? ' and what it adds to Segment’s tracked users' : ''
  return html`<section class="card stack"><h2>Bring in history</h2>
    <p class="faint">Sends this account’s conversations in Drift, their contacts with the attributes that they have today, and the meetings of the last 30 days to ${partnerOf(destinations, '') ?? 'Segment'}, each with its own time. What has come already is not sent again. Goals, button clicks and phone numbers of the past cannot be brought in: Drift does not list them.</p>
    ${postForm(
      '/console/history/backfill',
      session.csrf,
      html`<input type="hidden" name="id" value="${newId()}"><input type="hidden" name="what" value="look"><div class="filter">${days('backfill', given)}</div>
      <div class="row">${button('Estimate', 'primary')}<span class="hint">Sends nothing yet: it counts, and says how long it takes${adds}.</span></div>`,
      'stack',
    )}</section>`
}

function compareCard(given: HistoryPage): Html {
  const { session, newId } = given
  return html`<section class="card stack"><h2>Check for missing events</h2>
    <p class="faint">Compares the conversations and meetings that Drift lists with those that came, and says what is missing and why, if that is known.</p>
    ${postForm(
      '/console/history/compare',
      session.csrf,
      html`<input type="hidden" name="id" value="${newId()}"><input type="hidden" name="what" value="look"><div class="filter">${days('reconcile', given)}</div>
      <div class="row">${button('Compare')}<span class="hint">Sends nothing yet.</span></div>`,
      'stack',
    )}</section>`
}

function dailyCard({ session, isDaily }: HistoryPage): Html {
  return html`<section class="card stack" id="daily"><h2>Every day</h2>${postForm(
    '/console/history/daily',
    session.csrf,
    html`${choice('checkbox', 'daily', 'on', isDaily, 'Compare the last seven days every day', 'Nothing is sent by itself. If something is missing, it is said here, and to those who receive alerts.')}
    <div class="row">${button('Save')}</div>`,
    'stack',
  )}</section>`
}

const states: Readonly<Record<JobState, readonly [word: string, level: Level]>> = {
  waiting: ['Starting', 'info'],
  running: ['Running', 'info'],
  done: ['Done', 'good'],
  cancelled: ['Cancelled', 'warn'],
  failed: ['Failed', 'bad'],
}

function titleOf(job: JobShown): string {
  if (job.kind === 'reconcile') return isDryRun(job) ? 'Comparison with Drift' : 'Sending what was missing'
  return isDryRun(job) ? 'Estimate' : 'Bringing in history'
}

function latestCard(job: JobShown, given: HistoryPage): Html {
  const { session, now } = given
  const [word, level] = states[job.state]
  const cancel = job.hasEnded ? '' : postForm('/console/history/cancel', session.csrf, button('Cancel'))
  return html`<section class="card stack" aria-label="The latest run">
    <div class="cardhead"><div><h2>${titleOf(job)}</h2><p class="small faint">${windowOf(job)}, started ${since(job.createdAt, now)} by ${job.who}${job.endedAt ? html`, ended ${since(job.endedAt, now)}` : ''}</p></div>
      <div class="row">${badge(level, word)}${cancel}</div></div>
    ${job.hasEnded ? '' : progress(job)}
    ${job.state === 'failed' ? notice('bad', 'It failed', whyFailed(job)) : ''}
    ${job.state === 'cancelled' ? notice('warn', 'It was cancelled', 'What was sent stays sent. Start it again to go on: nothing is sent twice.') : ''}
    ${lines(linesOf(job))}
    ${(job.counts.sent ?? 0) > 0 ? given.held.map(waits) : ''}
    ${job.state === 'done' ? next(job, given) : ''}</section>`
}

function progress(job: JobShown): Html {
  const { looked = 0, total, read_a_minute: rate = 0 } = job.counts
  const left = remainingMs(job)
  const stuck = whyStuck(job)
  const known = total === undefined ? html`` : html` value="${Math.min(looked, total)}" max="${Math.max(total, 1)}"`
  const parts = [
    total === undefined ? `${number(looked)} records read` : `${number(looked)} of about ${number(total)} records read`,
    ...(rate > 0 ? [`${number(rate)} a minute`] : []),
    ...(left === undefined ? [] : [`about ${spoken(left)} left`]),
  ]
  return html`<progress aria-label="${titleOf(job)}"${known}></progress><p class="small">${parts.join(', ')}. Events from Drift’s webhooks go first.</p>${stuck ? notice('warn', 'Waiting for Drift', stuck) : ''}`
}

function lines(all: readonly Line[]): Html {
  return html`<ul class="plain">${all.map(
    ({ label, count, note }) =>
      html`<li>${count === undefined ? html`<strong>${label}.</strong>` : html`<strong>${number(count)}</strong> ${label}`}${note ? html` <span class="faint">${note}</span>` : ''}</li>`,
  )}</ul>`
}

function waits({ name, endpoint, reason }: HeldAt): Html {
  const { happened, todo } = adviceAt(reason, endpoint)
  return notice(
    'warn',
    `It waits${name === undefined ? '' : ` at ${name}`}, and is not sent yet`,
    `${happened} ${todo}`,
  )
}

/** What can be done after it. */
function next(job: JobShown, given: HistoryPage): Html | '' {
  const { session, newId, destinations } = given
  const isBackfill = job.kind === 'backfill'
  if (!isDryRun(job)) return html`<p><a href="/console/events">See the events</a></p>`
  const isNothing = (job.counts.missing ?? 0) + (isBackfill ? (job.counts.contacts ?? 0) : 0) === 0
  if (isNothing) return notice('good', 'Nothing is missing', 'Everything that Drift lists of this time has come.')
  const { spoken: time, people, requests } = estimateOf(job)
  const adds = html` and adds at most <strong>${counted(people, 'monthly tracked user')}</strong> in Segment, in the month in which it runs`
  const says = isBackfill
    ? html`<p>It takes about <strong>${time}</strong> (${counted(requests, 'request')} to Drift)${isBilledBySegment(destinations) ? adds : ''}.</p>`
    : ''
  const { from, to } = formDays(job)
  const [fromName, toName] = fields[isBackfill ? 'backfill' : 'reconcile']
  return html`${says}${postForm(
    isBackfill ? '/console/history/backfill' : '/console/history/compare',
    session.csrf,
    html`<input type="hidden" name="id" value="${newId()}"><input type="hidden" name="what" value="send"><input type="hidden" name="${fromName}" value="${from}"><input type="hidden" name="${toName}" value="${to}">
    <div class="row">${button(isBackfill ? 'Bring in this history' : 'Send what is missing', 'primary')}</div>`,
  )}`
}

/** `20250601` as `2025-06-01`; '' for 0. */
function dayText(day = 0): string {
  return String(day)
    .replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')
    .replace(/^0$/, '')
}

function formDays({ counts }: JobShown): { from: string; to: string } {
  return { from: dayText(counts.from_day), to: dayText(counts.to_day) }
}

function windowOf(job: JobShown): string {
  if (job.counts.to_day === undefined) return 'Starting'
  const { from, to } = formDays(job)
  return `${from === '' ? 'From the beginning' : `From ${from}`} to ${to}`
}

function runsCard({ jobs, now }: HistoryPage): Html {
  return html`<section class="card sheet" aria-labelledby="runs-title"><div class="cardhead inside"><h2 id="runs-title">Earlier runs</h2></div>
    <table class="cards"><thead><tr><th scope="col">Run</th><th scope="col">Time</th><th scope="col">Started</th><th scope="col" class="number">Events</th><th scope="col">State</th></tr></thead>
    <tbody>${jobs.slice(1).map((job) => {
      const [word, level] = states[job.state]
      const found = job.kind === 'backfill' ? 'would be sent' : 'missing'
      const many = isDryRun(job)
        ? `${number(job.counts.missing ?? 0)} ${found}`
        : `${number(job.counts.sent ?? 0)} sent`
      return html`<tr><td>${titleOf(job)}</td><td data-label="Time">${windowOf(job)}</td><td data-label="Started">${since(job.createdAt, now)} by ${job.who}</td>
        <td data-label="Events" class="number">${many}</td><td data-label="State">${badge(level, word)}</td></tr>`
    })}</tbody></table></section>`
}
