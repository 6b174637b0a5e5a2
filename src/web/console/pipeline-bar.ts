/** Home's pipeline: where the events of a time are now, as numbers that lead to their lists, and as a bar of the same parts. */
import { html } from 'hono/html'
import { type Chosen, isOfSeveral, numberIn } from './at-destination.ts'
import { rangeFilter, rangeText, type Shows } from './chart.ts'
import type { Pipeline } from './figures.ts'
import { addressOf } from './query.ts'
import type { Html } from './ui/layout.ts'
import { number } from './ui/parts.ts'
import { sections } from './ui/sections.ts'
import { words } from './ui/vocabulary.ts'

/** In the order of the way. Every one but the first two is a part of the bar; some are shown only where they are any. */
const parts = [
  'received',
  'broughtIn',
  'ignored',
  'queued',
  'blocked',
  'failed',
  'delivered',
  'notRecognized',
  'deletion',
  'expired',
  'notGiven',
] as const
const seldom: readonly string[] = ['broughtIn', 'notRecognized', 'deletion', 'expired', 'notGiven']
type Part = (typeof parts)[number]

/** `chosen`: where these events are at this destination. */
export function pipelineCard(pipeline: Pipeline, shows: Shows, chosen: Chosen): Html {
  const shown = parts.filter((name) => pipeline[name] > 0 || !seldom.includes(name))
  const all = pipeline.received + pipeline.broughtIn
  let x = 0
  const bars = shown.filter(isPart).map((name) => {
    const width = all === 0 ? 0 : (pipeline[name] / all) * 1_000
    x += width
    return html`<rect class="${levelOf(name)}" x="${(x - width).toFixed(2)}" width="${width.toFixed(2)}" height="10"/>`
  })
  const cell = (name: Part) => {
    const to = listOf(name, shows, numberIn(chosen))
    const inside = html`<strong data-count="${name}">${number(pipeline[name])}</strong>${labelOf(name, shows)}`
    return html`<li class="${levelOf(name)}">${to ? html`<a href="${to}">${inside}</a>` : html`<span>${inside}</span>`}</li>`
  }
  return html`<section class="card" aria-labelledby="pipeline-title">
    <h2 id="pipeline-title">Received${pipeline.broughtIn > 0 ? ', or brought in from history,' : ''} ${rangeText(shows)}, and where these events are now${isOfSeveral(chosen) ? ` at ${chosen.shown.name}` : ''}</h2>
    <ol class="pipeline">${shown.map(cell)}</ol>
    <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>
  </section>`
}

/** What stands before them is where they came from. */
function isPart(name: Part): name is Exclude<Part, 'received' | 'broughtIn'> {
  return name !== 'received' && name !== 'broughtIn'
}

function labelOf(name: Part, { range }: Shows): string {
  if (!isPart(name)) return name === 'received' ? 'Received' : 'Brought in'
  if (name !== 'notGiven') return words[name].label
  return range === 'custom' ? 'Not given, expired, or delivered later' : 'Not given or expired'
}

function levelOf(name: Part): string {
  if (!isPart(name)) return ''
  return name === 'notGiven' ? 'idle' : words[name].level
}

/** Where these events are listed, if they are. */
function listOf(name: Part, shows: Shows, destination: string): string | undefined {
  if (name === 'broughtIn' || name === 'expired' || name === 'notGiven') return undefined
  if (name === 'ignored') return sections.notSent.path
  const state = { received: '', notRecognized: 'not-recognized' }[name as string] ?? name
  return addressOf('/console/events', {}, { state, ...rangeFilter(shows), destination })
}
