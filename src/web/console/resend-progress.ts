/** A resend that runs, or ran last, and those before it. */
import { html } from 'hono/html'
import type { JobShown } from '../../operations/jobs.ts'
import { soFarOf } from '../../operations/redrive-job.ts'
import type { AuditEntry } from '../../storage/ports/accounts.ts'
import type { Session } from '../session.ts'
import { type Chosen, endpointIn } from './at-destination.ts'
import { failing } from './resend-preview.ts'
import type { Html } from './ui/layout.ts'
import { badge, button, counted, lasting, number, postForm, since } from './ui/parts.ts'
import type { Level } from './ui/vocabulary.ts'

const stateWords: Readonly<Record<JobShown['state'], readonly [word: string, level: Level]>> = {
  waiting: ['Queued', 'info'],
  running: ['Running', 'info'],
  done: ['Done', 'good'],
  cancelled: ['Cancelled', 'warn'],
  failed: ['Stopped', 'bad'],
}

/** What an admin may want to know about a resend that has ended so. */
const afterwards: Readonly<Record<JobShown['state'], string>> = {
  waiting: '',
  running: '',
  done: 'What was resent is queued, or delivered by now.',
  cancelled: 'What was resent stays resent; the rest is as it was.',
  failed: 'Start it again: it continues with what is left.',
}

export function progress(
  job: JobShown,
  { session, now, chosen }: { session: Session; now: number; chosen: Chosen },
): Html {
  const { state, createdAt, endedAt, who, cancelledBy, hasEnded, perMinute } = job
  const { found, moved, stays, left: unmoved = 0, total = found } = soFarOf(job)
  const [word, level] = stateWords[state]
  const isCancellable = !hasEnded && cancelledBy === undefined
  const all = Math.max(total, found)
  // Of one that has ended it says nothing: one event in 20 ms would be 3,000 a minute.
  const rate = hasEnded ? 0 : (perMinute.found ?? 0)
  const left = rate > 0 ? `, about ${lasting(((all - found) / rate) * 60_000)} left` : ''
  const by = cancelledBy === undefined ? '' : ` Cancelled by ${cancelledBy}.`
  return html`<section class="card" aria-label="Current resend">
    <div class="cardhead"><h2>${number(found)} of ${counted(all, 'event')} processed, ${number(moved)} resent</h2><div class="row">${badge(level, word)}${isCancellable ? postForm('/console/resend/cancel', session.csrf, button('Cancel')) : ''}</div></div>
    ${hasEnded ? '' : html`<progress aria-label="Resending" max="${all}" value="${found}"></progress>`}
    <p class="faint">Started ${since(createdAt, now)} by ${who}${endedAt === undefined ? '' : html`, ended ${since(endedAt, now)}`}. ${rate > 0 ? `${number(rate)} events a minute${left}. ` : ''}${by} ${afterwards[state]}</p>
    ${unmoved === 0 ? '' : html`<p class="small">${counted(unmoved, 'event')} ${unmoved === 1 ? 'stays as it is' : 'stay as they are'}: the destination has had the same conversation or meeting by another event, or the event was changed meanwhile.</p>`}
    ${failing(stays, endpointIn({ destination: '' }, chosen))}
  </section>`
}

export function pastResends(history: readonly AuditEntry[], now: number): Html | '' {
  if (history.length === 0) return ''
  return html`<section class="card sheet" aria-label="History"><div class="cardhead inside"><h2>History</h2></div>
    <table class="cards"><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">By</th></tr></thead><tbody>${history.map(
      ({ at, about = '', who }) => html`<tr><td data-label="When">${since(at, now)}</td>
        <td data-label="What">${whatOf(about)}</td><td data-label="By">${who}</td></tr>`,
    )}</tbody></table></section>`
}

/** As the audit has it: a messageId, or how many and how it ended. */
function whatOf(about: string): Html | string {
  if (about.startsWith('drift-')) return html`<a href="/console/events/${about}">One event</a>`
  const [, many, end] = /^(\d+) events, .*?(\w+)$/.exec(about) ?? []
  if (many === undefined) return about
  return `${counted(Number(many), 'event')}${end === 'done' ? '' : `, ${end}`}`
}
