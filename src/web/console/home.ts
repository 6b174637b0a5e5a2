/** Home: whether events get from Drift to Segment, where those are that came, and what needs attention. */
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { destinationsOf, firstOf } from '../../accounts/destinations.ts'
import { addsUp, outcomesByDestination } from '../../operations/totals.ts'
import type { Snapshot } from '../../storage/ports/lookup.ts'
import type { ConsoleNeeds } from '../needs.ts'
import type { Session, Web } from '../session.ts'
import { gather } from './account-facts.ts'
import { type Chosen, chosenIn, destinationTabs, isOfSeveral, numberIn } from './at-destination.ts'
import { chartCard, rangeAsked, rangeNav, type Shows, showsOf } from './chart.ts'
import { type Done, doneOf } from './done.ts'
import {
  type Backlog,
  backlogOf,
  deliveryTime,
  type Pipeline,
  type ProblemGroup,
  pipelineOf,
  problemsOf,
  type Received,
  receivedOf,
  requestsIn,
  successRate,
} from './figures.ts'
import { lastDeliveredAt } from './last-times.ts'
import { pipelineCard } from './pipeline-bar.ts'
import { problemsCard } from './problems.ts'
import { addressOf } from './query.ts'
import { statusOf } from './status.ts'
import type { Facts, Status } from './status-facts.ts'
import { type Action, actionOf, enterKey, reconnect, testKey } from './ui/actions.ts'
import { type Html, page } from './ui/layout.ts'
import { badge, head, lasting, notice, number, since, when } from './ui/parts.ts'

export function homeRoute(app: Hono<Web>, needs: ConsoleNeeds): void {
  const { storage, accounts, clock } = needs
  app.get('/console', async (c) => {
    const session = c.get('session')
    const now = clock.now()
    const { range, from, to, done, destination } = c.req.query()
    const chosen = chosenIn(accounts.get(session.org), session.org, destination)
    const main = chosen.shown.number
    const shows = showsOf({ ...(range ? { range } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}) }, now)
    const { facts, snapshot, counted, outcomes } = await gather(needs, session.org, shows, now)
    return c.html(
      homePage({
        session,
        now,
        shows,
        status: statusOf(facts),
        steps: stepsOf(facts),
        chosen,
        pipeline: pipelineOf(snapshot, facts.lanes, shows.to >= now, { main, from: shows.from }),
        backlog: backlogOf(snapshot, main),
        received: receivedOf(snapshot.timeBuckets, shows, shows.stepMs),
        times: [deliveryTime(snapshot, 0.5, main), deliveryTime(snapshot, 0.95, main)],
        last: { received: facts.lastReceivedAt, delivered: lastDeliveredAt(snapshot, counted, main) },
        problems: problemsOf(snapshot, main),
        hasAny: outcomes.received + outcomes.backfilled > 0,
        requests: requestsIn(snapshot),
        addsUp: [outcomes, ...outcomesByDestination(snapshot.totals, snapshot.backlog)].every(addsUp),
        done: doneOf(done, accounts.get(session.org), await storage.lookup.lanes(session.org), now),
      }),
    )
  })
}

export interface Step {
  title: string
  isDone: boolean
  action?: Action | undefined
}

/** What an account goes through once; the list is shown until all of it is done. */
export function stepsOf(facts: Facts): Step[] {
  const { install, connects, everReceived, others } = facts
  const all = [facts, ...(others?.values() ?? [])]
  const hasKey = install !== undefined && destinationsOf(install).some(({ key }) => key !== undefined)
  const partner = (install && firstOf(install).endpoint) ?? 'Segment'
  const isThere = install !== undefined && install.state !== 'disconnected'
  return [
    { title: 'Connect to Drift', isDone: isThere, action: connects ? reconnect : undefined },
    {
      title: partner === 'Segment' ? 'Save the write key of your Segment source' : `Save the write key of ${partner}`,
      isDone: hasKey,
      action: enterKey,
    },
    {
      title: `Confirm that a test event arrives ${partner === 'Segment' ? 'in' : 'at'} ${partner}`,
      isDone: all.some(({ isConfirmed }) => isConfirmed),
      action: hasKey ? testKey : undefined,
    },
    { title: 'Receive the first event from Drift', isDone: everReceived },
    { title: `Deliver the first event to ${partner}`, isDone: all.some(({ everDelivered }) => everDelivered) },
  ]
}

export interface HomePage {
  session: Session
  now: number
  shows: Shows
  status: Status
  steps: readonly Step[]
  /** The destination whose numbers are shown, of which. */
  chosen: Chosen
  pipeline: Pipeline
  backlog: Backlog
  received: Received
  /** How long half of the latest deliveries took at most, and how long 95 of 100. */
  times: readonly [half: number | undefined, most: number | undefined]
  last: { received: Snapshot['lastReceivedAt']; delivered: number | undefined }
  problems: readonly ProblemGroup[]
  /** Open requests for deletion. */
  requests: number
  addsUp: boolean
  /** Something was received or brought in: before that there is nothing to show but the set-up. */
  hasAny: boolean
  /** What came of the form that led here. */
  done: readonly Done[]
}

export function homePage(given: HomePage): Html {
  const { session, status, steps, problems, requests, received, shows, done, addsUp, hasAny, chosen } = given
  const destination = numberIn(chosen)
  return page({
    title: 'Home',
    section: 'home',
    session,
    uses: ['uplot.css', 'live.js', 'uplot.js', 'chart.js'],
    body: html`<div data-live="/console/live" data-soon>
      ${head('Home', html`Drift account ${session.org}`)}
      <div class="stack">
        <div class="stack" id="status" data-part>
          ${done.map(({ level, title, says }) => notice(level, title, says))}
          ${banner(status, session.csrf)}
          ${steps.every(({ isDone }) => isDone) ? '' : checklist(steps, status, session.csrf)}
          ${requests > 0 ? requestNotice(requests) : ''}
          ${addsUp ? '' : notice('bad', 'The totals of this account do not add up', 'Contact the operator of this service, mention totals.')}
        </div>
        <div class="stack" id="received" data-part>${
          hasAny
            ? html`<div class="row foot">${rangeNav(shows, destination)}${destinationTabs(chosen, (number) => addressOf('/console', {}, { ...rangeAsked(shows), destination: number }))}</div>${pipelineCard(given.pipeline, shows, chosen)}${figures(given)}${chartCard(received, shows, destination)}${problemsCard(problems, given.now, chosen)}`
            : ''
        }</div>
      </div>
    </div>`,
  })
}

function banner({ word, level, title, says, since: at, effect, nextAt, action, code }: Status, csrf: string): Html {
  const time =
    effect?.at === undefined ? '' : html`${effect.says.startsWith('Last') ? ' ' : ' since '}${when(effect.at)}`
  return html`<section class="banner ${level}" aria-labelledby="status-title">
    <div>
      <p class="word">${badge(level, word, 'big')}${at === undefined ? '' : html`<span class="small faint">since ${when(at)}</span>`}</p>
      <h2 id="status-title">${title}</h2>
      <p>${says}</p>
      ${effect ? html`<p><strong>${effect.says}</strong>${time}${nextAt === undefined ? '' : html`; next attempt ${when(nextAt)}`}</p>` : ''}
      ${code === undefined ? '' : html`<details class="small"><summary>Details</summary>Code for the operator: <span class="mono">${code}</span></details>`}
    </div>
    ${action ? actionOf(action, csrf, 'primary') : ''}
  </section>`
}

function requestNotice(many: number): Html {
  return notice(
    'warn',
    `Drift asks to delete ${many === 1 ? 'a person' : `${number(many)} people`}`,
    'Delete them in Segment, then erase them here.',
    html`<a class="button" href="/console/privacy#requests">View deletion requests</a>`,
  )
}

function checklist(steps: readonly Step[], { action: main }: Status, csrf: string): Html {
  const next = steps.find(({ isDone }) => !isDone)
  const many = steps.filter(({ isDone }) => isDone).length
  return html`<section class="card" aria-labelledby="setup-title">
    <h2 id="setup-title">Setup: ${many} of ${steps.length} steps done</h2>
    <ol class="steps">${steps.map(
      ({
        title,
        isDone,
        action,
      }) => html`<li class="${isDone ? 'done' : ''}"${!isDone && title === next?.title ? html` aria-current="step"` : ''}>
        <span>${title}<span class="hidden">${isDone ? ': done' : ': not done yet'}</span></span>
        ${!isDone && action && action.label !== main?.label ? actionOf(action, csrf) : ''}</li>`,
    )}</ol>
  </section>`
}

function figures({ now, pipeline, times, last, backlog, chosen, hasAny }: HomePage): Html {
  const there = isOfSeveral(chosen) ? ' there' : ''
  const [half, most] = times
  const rate = successRate(pipeline)
  const oldest = Math.min(
    backlog.oldestAt ?? Number.POSITIVE_INFINITY,
    backlog.oldestLookupAt ?? Number.POSITIVE_INFINITY,
  )
  const none = pipeline.delivered > 0 ? 'no delivered event is stored' : 'no delivery in this time'
  const at = (time: number | undefined) =>
    time === undefined
      ? html`<dd>${hasAny ? 'None stored' : 'None yet'}</dd>`
      : html`<dd>${since(time, now)}</dd><dd>${when(time)}</dd>`
  return html`<dl class="figures">
    <div><dt>Success rate</dt><dd>${rate === undefined ? '–' : percent(rate)}</dd><dd>delivered, of those that ended</dd></div>
    <div><dt>Time to delivery${there}</dt><dd>${half === undefined ? '–' : took(half)}</dd><dd>${most === undefined ? none : `median; 95 of 100 within ${took(most)}`}</dd></div>
    <div><dt>Oldest queued</dt><dd>${Number.isFinite(oldest) ? lasting(Math.max(now - oldest, 0)) : 'None'}</dd><dd>${Number.isFinite(oldest) ? when(oldest) : 'no event waits'}</dd></div>
    <div><dt>Last received</dt>${at(last.received)}</div>
    <div><dt>Last delivered${there}</dt>${at(last.delivered)}</div>
  </dl>`
}

/** Never rounded up to all of them. */
function percent(share: number): string {
  return share === 1 ? '100 %' : `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`
}

function took(ms: number): string {
  if (ms < 1_000) return `${number(Math.round(ms))} ms`
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : lasting(ms)
}
