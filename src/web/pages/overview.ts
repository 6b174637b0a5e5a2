/** Overview: is it working, what happened, and what needs somebody. */
import { html } from 'hono/html'
import type { IgnoredReason } from '../../storage/ports/entry.ts'
import type { Chart } from '../console/chart.ts'
import type { Done } from '../console/done.ts'
import type { Attention, Overview } from '../console/health.ts'
import type { Session } from '../session.ts'
import { actionsRow, retry } from './actions.ts'
import { chartCard, type Shows } from './chart.ts'
import { type Html, page } from './layout.ts'
import { ago, badge, counted, head, lasting, notice, number, when } from './parts.ts'

export interface OverviewPage {
  session: Session
  now: number
  overview: Overview
  chart: Chart
  shows: Shows
  /** What came of the form that led here. */
  done: readonly Done[]
}

export function overviewPage({ session, now, overview, chart, shows, done }: OverviewPage): Html {
  const { health, attention } = overview
  return page({
    title: 'Overview',
    section: 'overview',
    session,
    uses: ['uplot.css', 'live.js', 'uplot.js', 'chart.js'],
    body: html`<div data-live="/console/live">
      ${head('Overview', health.says, badge(health.level, health.word, 'big'))}
      <div class="stack" id="status" data-part>
        ${done.map(({ level, title, says }) => notice(level, title, says))}
        ${attention.map((one) => needs(one, session.csrf))}
        ${facts(overview, now, session.csrf)}
      </div>
      <div class="stack after">
        ${chartCard(chart, shows)}
        ${sums(overview)}
      </div>
    </div>`,
  })
}

function needs({ level, title, says, todo, actions }: Attention, csrf: string): Html {
  return notice(level, title, html`${says}${todo ? html`<br>${todo}` : ''}`, actionsRow(actions, csrf))
}

function facts(overview: Overview, now: number, csrf: string): Html {
  const { lastWebhook, lastDelivery, oldestWaiting, waiting, canRetry } = overview
  const at = (time: number | undefined, never: string) =>
    time === undefined ? html`<dd>${never}</dd>` : html`<dd>${ago(time, now)}</dd><dd>${when(time)}</dd>`
  return html`<dl class="grid">
    <div class="card fact"><dt>Last webhook from Drift</dt>${at(lastWebhook, 'none yet')}</div>
    <div class="card fact"><dt>Last delivery to Segment</dt>${at(lastDelivery, 'none yet')}</div>
    <div class="card fact"><dt>On their way</dt><dd>${counted(waiting, 'event')}</dd>${
      oldestWaiting === undefined
        ? html`<dd>nothing waits</dd>`
        : html`<dd>the oldest for ${lasting(Math.max(now - oldestWaiting, 0))}</dd>`
    }${canRetry ? html`<dd>${actionsRow([retry], csrf)}</dd>` : ''}</div>
  </dl>`
}

const ignoredWords: Readonly<Record<IgnoredReason, string>> = {
  switched_off: 'switched off',
  empty: 'nothing to say',
  unknown_type: 'outside the catalogue',
  disconnected: 'while disconnected',
  not_allowed: 'while not allowed',
}

function sums({ sums: s, ignored }: Overview): Html {
  const ignoredAs = [...ignored].map(([reason, count]) => `${ignoredWords[reason]}: ${number(count)}`).join(', ')
  const rows: readonly [name: string, count: number, means: string][] = [
    ['Received', s.received, 'answered 200 and counted once, repeats apart'],
    ['History', s.backfilled, 'read at Drift, as no webhook brought them'],
    ['Delivered', s.delivered, 'Segment took them'],
    ['Waiting', s.waiting, 'on their way'],
    ['Held', s.held, 'kept with the reason, until something is mended or they are sent again'],
    ['Given up', s.dead, 'refused for a reason of their own; kept 30 days'],
    ['Ignored', s.ignored, ignoredAs || 'switched off, outside the catalogue, or nothing to say'],
    ['Expired', s.expired, 'taken away before they could be delivered'],
  ]
  return html`<section class="card sheet" id="sums" data-part>
    <div class="cardhead inside"><div><h2>Since the beginning</h2><p class="small faint">${s.backfilled > 0 ? 'Received and history are' : 'Received is'} the sum of all that follows: ${s.addsUp ? 'it adds up.' : 'it does not add up: please report it.'}</p></div></div>
    <table class="cards brief"><thead><tr><th scope="col">What became of them</th><th scope="col" class="number">Events</th><th scope="col">Which are</th></tr></thead>
    <tbody>${rows
      .filter(([name, count]) => name !== 'History' || count > 0)
      .map(
        ([name, count, means]) =>
          html`<tr><th scope="row">${name}</th><td class="number" data-label="Events">${number(count)}</td><td class="faint" data-label="Which are">${means}</td></tr>`,
      )}</tbody></table>
  </section>`
}
