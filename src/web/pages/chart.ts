/** What happened when, by event type: a table that everybody can read, drawn as bars where scripts run. */
import { html } from 'hono/html'
import { type Chart, type Outcome, outcomes, type Span, spans } from '../console/chart.ts'
import type { Html } from './layout.ts'
import { number } from './parts.ts'

export interface Shows {
  span: Span
  outcome: Outcome
}

const outcomeWords: Readonly<Record<Outcome, string>> = {
  received: 'Received',
  delivered: 'Delivered',
  aside: 'Set aside or given up',
}
const spanWords: Readonly<Record<Span, string>> = { hour: 'Hour', day: 'Day', week: 'Week' }

export function chartCard(chart: Chart, shows: Shows): Html {
  const { span, outcome } = shows
  return html`<section class="card" id="chart" data-part aria-labelledby="chart-title">
    <div class="cardhead">
      <h2 id="chart-title">${outcomeWords[outcome]}: ${number(chart.total[outcome])} in the last ${spanWords[span].toLowerCase()}</h2>
      <div class="row">
        ${tabs('Which', outcomes, outcomeWords, outcome, (one) => `/console?span=${span}&show=${one}#chart`)}
        ${tabs('How long', spans, spanWords, span, (one) => `/console?span=${one}&show=${outcome}#chart`)}
      </div>
    </div>
    <div class="chart" data-chart data-from="${chart.from}" data-step="${chart.stepMs}" data-steps="${chart.steps}" aria-hidden="true"></div>
    ${legend(chart)}
    <details><summary>The same as a table</summary><div class="scroll">${numbers(chart, outcome)}</div></details>
  </section>`
}

function tabs<Name extends string>(
  label: string,
  names: readonly Name[],
  words: Readonly<Record<Name, string>>,
  current: Name,
  to: (name: Name) => string,
): Html {
  return html`<nav class="tabs" aria-label="${label}">${names.map(
    (name) => html`<a href="${to(name)}"${name === current ? html` aria-current="true"` : ''}>${words[name]}</a>`,
  )}</nav>`
}

function legend({ series }: Chart): Html {
  if (series.length === 0)
    return html`<p class="empty"><strong>Nothing yet in this time</strong>Events appear here as Drift sends them.</p>`
  return html`<table class="flat"><thead><tr><th scope="col">Event</th><th scope="col" class="number">Received</th><th scope="col" class="number">Delivered</th><th scope="col" class="number">Set aside</th></tr></thead>
    <tbody>${series.map(
      ({ type, sums }, at) => html`<tr>
        <th scope="row"><a href="/console/events?type=${encodeURIComponent(type)}"><span class="swatch c${at % 10}"></span>${type}</a></th>
        <td class="number" data-label="Received">${number(sums.received)}</td>
        <td class="number" data-label="Delivered">${number(sums.delivered)}</td>
        <td class="number" data-label="Set aside">${number(sums.aside)}</td>
      </tr>`,
    )}</tbody></table>`
}

/** The bars as numbers: the script draws from these and nothing else. */
function numbers({ series, from, stepMs, steps }: Chart, outcome: Outcome): Html {
  const times = Array.from({ length: steps }, (_, at) => at).filter((at) =>
    series.some(({ counts }) => counts[outcome][at]! > 0),
  )
  return html`<table data-numbers><thead><tr><th scope="col">From (UTC)</th>${series.map(
    ({ type }) => html`<th scope="col" class="number">${type}</th>`,
  )}</tr></thead>
    <tbody>${times.map(
      (at) =>
        html`<tr data-at="${at}"><th scope="row">${hour(from + at * stepMs)}</th>${series.map(
          ({ counts }) => html`<td class="number">${number(counts[outcome][at]!)}</td>`,
        )}</tr>`,
    )}</tbody></table>`
}

function hour(at: number): string {
  return new Date(at).toISOString().slice(5, 16).replace('T', ' ')
}
