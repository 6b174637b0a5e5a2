/** Redrive: choose, look what would happen, and let it go. */
import { html } from 'hono/html'
import type { JobShown } from '../../operations/jobs.ts'
import { explain } from '../../operations/reasons.ts'
import type { Mapping, Redrive } from '../../operations/redrive.ts'
import { soFarOf } from '../../operations/redrive-job.ts'
import type { Filter } from '../console/query.ts'
import { type Html, page } from '../console/ui/layout.ts'
import {
  ago,
  badge,
  button,
  counted,
  head,
  input,
  notice,
  number,
  postForm,
  select,
  stateBadge,
  when,
} from '../console/ui/parts.ts'
import { type Level, words as stateWords } from '../console/ui/vocabulary.ts'
import type { Session } from '../session.ts'
import { mappingChoice } from './mapping-choice.ts'

/** What a dry run found; `isCut`: there is more, which it did not look at. */
export interface DryRun {
  id: string
  found: Redrive
  isCut: boolean
}

export interface RedrivePage {
  session: Session
  now: number
  types: readonly string[]
  filter: Filter
  /** The filter that the dry run went by, with the end of its time. */
  meant?: Filter
  mapping: Mapping
  dryRun: DryRun | undefined
  task: JobShown | undefined
  wrong?: string | undefined
}

const states = [
  ['failed', `${stateWords.failed.label} and ${stateWords.notRecognized.label.toLowerCase()}`],
  ['dead', stateWords.failed.label],
  ['quarantined', stateWords.notRecognized.label],
  ['delivered', 'Delivered (sends them again)'],
] as const

export function redrivePage(given: RedrivePage): Html {
  const { session, task, wrong, dryRun } = given
  return page({
    title: 'Redrive',
    section: 'resend',
    session,
    uses: ['live.js'],
    body: html`<div data-live="/console/live">
      ${head('Redrive', 'Send again what was given up or set aside, or what was delivered. What waits goes on by itself.')}
      <div class="stack">
        <div id="task" data-part>${task ? progress(task, given) : ''}</div>
        ${wrong ? notice('warn', 'Nothing was looked for', wrong) : ''}
        ${chooser(given)}
        ${dryRun ? found(dryRun, given) : ''}
      </div>
    </div>`,
  })
}

function chooser({ filter, types, mapping }: RedrivePage): Html {
  const typeChoices = [['', 'All events'], ...types.map((type) => [type, type] as const)] as const
  return html`<form method="get" action="/console/redrive" class="card stack" aria-label="What to send again">
    <div class="filter">
      ${select('state', 'Which events', states, filter.state)}
      ${select('type', 'Of this type', typeChoices, filter.type)}
      ${input('from', 'From (UTC)', { value: filter.from, type: 'datetime-local' })}
      ${input('to', 'Before (UTC)', { value: filter.to, type: 'datetime-local' })}
      ${input('contact', 'Of this contact', { value: filter.contact })}
    </div>
    ${mappingChoice(mapping)}
    <div class="row">${html`<button class="primary" name="look" value="1">Look what would happen</button>`}<span class="hint">Changes nothing yet.</span></div>
  </form>`
}

function found(
  { id, found: { found, moved, stays, samples }, isCut }: DryRun,
  { session, filter, meant = filter, mapping }: RedrivePage,
): Html {
  const least = isCut ? 'At least ' : ''
  if (moved === 0)
    return notice(
      'info',
      found === 0 ? 'No event fits' : `${counted(found, 'event')} found, none of which can be sent`,
      staying(stays),
    )
  const hidden = Object.entries({ ...meant, mapping, id }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return html`<section class="card sheet" aria-label="What would happen">
    <div class="cardhead inside"><div><h2>${least}${counted(moved, 'event')} would be sent again</h2>
      <p class="small faint">They keep their messageIds: what Segment has seen already, it drops. ${staying(stays)}</p></div>
      ${postForm('/console/redrive', session.csrf, html`${hidden}${button(isCut ? 'Send all of them again' : `Send ${counted(moved, 'event')} again`, 'primary')}`)}
    </div>
    <table class="cards"><thead><tr><th scope="col">For example</th><th scope="col">State now</th><th scope="col">Received</th></tr></thead>
    <tbody>${samples.map(
      ({ messageId, type, state, receivedAt }) => html`<tr>
        <td><a href="/console/events/${messageId}">${type || 'unreadable'}</a></td>
        <td data-label="State now">${stateBadge({ state })}</td>
        <td data-label="Received">${when(receivedAt)}</td></tr>`,
    )}</tbody></table>
  </section>`
}

function staying(stays: Redrive['stays']): string {
  return Object.entries(stays)
    .map(([reason, count]) => `${counted(count, 'event')} would stay: ${explain(reason).means}.`)
    .join(' ')
}

const words: Readonly<Record<JobShown['state'], readonly [word: string, level: Level]>> = {
  waiting: ['Queued', 'info'],
  running: ['Running', 'info'],
  done: ['Done', 'good'],
  cancelled: ['Cancelled', 'warn'],
  failed: ['Failed', 'bad'],
}

function progress(job: JobShown, { session, now }: RedrivePage): Html {
  const { state, createdAt, endedAt, who, cancelledBy, hasEnded, perMinute } = job
  const soFar = soFarOf(job)
  const [word, level] = words[state]
  const rate = !hasEnded && perMinute.moved ? `, ${number(perMinute.moved)} a minute` : ''
  const cancel =
    !hasEnded && cancelledBy === undefined ? postForm('/console/redrive/cancel', session.csrf, button('Cancel')) : ''
  return html`<section class="card" aria-label="The last redrive">
    <div class="cardhead"><h2>${number(soFar.moved)} of ${counted(soFar.found, 'event')} sent on their way</h2><div class="row">${badge(level, word)}${cancel}</div></div>
    ${hasEnded ? '' : html`<progress aria-label="Redriving"></progress>`}
    <p class="faint">Begun ${ago(createdAt, now)} by ${who}${rate}${endedAt === undefined ? '' : `, ended ${ago(endedAt, now)}`}. ${
      cancelledBy === undefined
        ? ''
        : `Cancelled by ${cancelledBy}: what was moved stays moved, the rest is as it was. `
    }${state === 'failed' ? 'Start it again: it goes on with what is left. ' : ''}${staying(soFar.stays)}</p>
  </section>`
}
