/** What came in, by event type and step of time: a table that everybody can read, drawn as bars where scripts run. */
import { html } from 'hono/html'
import { deletionType } from '../../drift/envelope.ts'
import { catalogue } from '../../events/index.ts'
import type { Period } from '../../storage/ports/lookup.ts'
import type { Received } from './figures.ts'
import { addressOf } from './query.ts'
import type { Html } from './ui/layout.ts'
import { button, input, number } from './ui/parts.ts'

export const ranges = { '1h': 'hour', '24h': '24 hours', '7d': '7 days' } as const
export type Range = keyof typeof ranges | 'custom'

/** A time and the steps it is drawn in. */
export interface Shows extends Period {
  range: Range
  stepMs: number
  /** Two times that were asked for and cannot be shown, as they were typed, and why. */
  wrong?: { from: string; to: string; says: string }
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** As long as the store counts by the minute, with room, and as long as it counts at all. */
const [minutesKeptMs, keptMs] = [2 * hourMs, 8 * dayMs]

const sizes: Readonly<Record<keyof typeof ranges, { stepMs: number; steps: number }>> = {
  '1h': { stepMs: minuteMs, steps: 60 },
  '24h': { stepMs: hourMs, steps: 24 },
  '7d': { stepMs: 4 * hourMs, steps: 42 },
}

/** What an address asks for: one of the ranges that end now, or two times in UTC; the last 24 hours where it is neither. */
export function showsOf(asked: { range?: string; from?: string; to?: string }, now: number): Shows {
  const { range = '', from = '', to = '' } = asked
  if (range === 'custom' || from !== '' || to !== '') {
    const custom = customOf(from, to, now)
    return typeof custom === 'string' ? { ...endingNow('24h', now), wrong: { from, to, says: custom } } : custom
  }
  return endingNow(Object.hasOwn(ranges, range) ? (range as keyof typeof ranges) : '24h', now)
}

function endingNow(range: keyof typeof ranges, now: number): Shows {
  const { stepMs, steps } = sizes[range]
  const to = Math.floor(now / stepMs) * stepMs + stepMs
  return { range, stepMs, from: to - steps * stepMs, to }
}

/** Of one that is empty or reads as no time, a default; or why the two cannot be shown. */
function customOf(from: string, to: string, now: number): Shows | string {
  const [start, end] = [timeOf(from) ?? now - dayMs, timeOf(to) ?? Number.POSITIVE_INFINITY]
  if (start >= end) return 'The first time must be earlier than the last one. The last 24 hours are shown.'
  if (start >= now) return 'The first time is still to come. The last 24 hours are shown.'
  if (end <= now - keptMs)
    return 'Home counts the last eight days. Older events are under Events. The last 24 hours are shown.'
  return customShown(Math.max(start, now - keptMs), Math.min(end, now), now)
}

function customShown(first: number, end: number, now: number): Shows {
  const span = end - first
  const stepMs = now - first <= minutesKeptMs ? minuteMs : span <= 2 * dayMs ? hourMs : 4 * hourMs
  return {
    range: 'custom',
    stepMs,
    from: Math.floor(first / stepMs) * stepMs,
    to: Math.ceil((end + 1) / stepMs) * stepMs,
  }
}

function timeOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return undefined
  const at = Date.parse(`${text}Z`)
  return Number.isNaN(at) ? undefined : at
}

/** As fields and addresses have it. */
export function minuteText(at: number): string {
  return new Date(at).toISOString().slice(0, 16)
}

/** A type keeps its colour, whatever else is drawn; those that are neither Drift's ten nor ask to delete a person have one together. */
export function colourOf(type: string): string {
  if (type === deletionType) return 'cd'
  const at = [...catalogue.keys()].sort().indexOf(type)
  return at < 0 ? 'cx' : `c${at % 10}`
}

/** As Home's address asks for it. */
export function rangeAsked({ range, from, to }: Shows): Record<string, string> {
  return range === 'custom' ? { range, from: minuteText(from), to: minuteText(to) } : { range }
}

/** `until`: whether the time ends before now. */
export function rangeFilter({ range, from, to }: Shows): Record<string, string> {
  return { from: minuteText(from), ...(range === 'custom' ? { to: minuteText(to) } : {}) }
}

/** `destination`: the number of the one whose numbers are shown, '' where there is one alone. */
export function homeOf(range: string, destination: string): string {
  return addressOf('/console', {}, { range, destination })
}

export function rangeNav(shows: Shows, destination: string): Html {
  const { range, wrong } = shows
  const typed = wrong ?? { from: minuteText(shows.from), to: minuteText(shows.to), says: '' }
  return html`<div class="row ranges">
    <nav class="tabs" aria-label="Time">${Object.keys(ranges).map(
      (one) =>
        html`<a href="${homeOf(one, destination)}"${one === range ? html` aria-current="true"` : ''}>${one.replace('h', ' h').replace('d', ' d')}</a>`,
    )}</nav>
    <details class="drop"${range === 'custom' || wrong ? html` open` : ''}><summary>Custom</summary>
      <form method="get" action="/console" class="filter">
        <input type="hidden" name="range" value="custom">
        ${destination === '' ? '' : html`<input type="hidden" name="destination" value="${destination}">`}
        ${input('from', 'From (UTC)', { value: typed.from, type: 'datetime-local', error: typed.says })}
        ${input('to', 'To (UTC)', { value: typed.to, type: 'datetime-local' })}
        ${button('Show')}
      </form>
    </details>
  </div>`
}

export function rangeText({ range }: Shows): string {
  return range === 'custom' ? 'in this time' : `in the last ${ranges[range]}`
}

export function chartCard(received: Received, shows: Shows, destination: string): Html {
  const { from, stepMs, steps, series, total } = received
  return html`<section class="card" id="chart" aria-labelledby="chart-title">
    <h2 id="chart-title">${number(total)} received ${rangeText(shows)}, by event</h2>
    ${
      series.length === 0
        ? html`<p class="empty"><strong>Nothing in this time</strong>Events appear here as Drift sends them.</p>`
        : html`<div class="chart" data-chart data-from="${from}" data-step="${stepMs}" data-steps="${steps}"${destination === '' ? '' : html` data-destination="${destination}"`} hidden></div>
    ${legend(received, shows, destination)}
    <details><summary>Show as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Events received by time">${table(received)}</div></details>`
    }
  </section>`
}

function legend({ series }: Received, shows: Shows, destination: string): Html {
  return html`<ul class="legend">${series.map(
    ({ type, sum }) =>
      html`<li><a href="${addressOf('/console/events', {}, { type, ...rangeFilter(shows), destination })}"><span class="swatch ${colourOf(type)}"></span>${type || 'unreadable'}</a> <strong>${number(sum)}</strong></li>`,
  )}</ul>`
}

/** The bars as numbers: the script draws from these and nothing else. */
function table({ series, from, stepMs, steps }: Received): Html {
  const filled = Array.from({ length: steps }, (_, at) => at).filter((at) =>
    series.some(({ counts }) => counts[at]! > 0),
  )
  return html`<table data-numbers><thead><tr><th scope="col">From (UTC)</th>${series.map(
    ({ type }) => html`<th scope="col" class="number" data-colour="${colourOf(type)}">${type || 'unreadable'}</th>`,
  )}</tr></thead>
    <tbody>${filled.map(
      (at) =>
        html`<tr data-at="${at}"><th scope="row">${minuteText(from + at * stepMs)
          .slice(5)
          .replace('T', ' ')}</th>${series.map(
          ({ counts }) => html`<td class="number">${number(counts[at]!)}</td>`,
        )}</tr>`,
    )}</tbody></table>`
}
