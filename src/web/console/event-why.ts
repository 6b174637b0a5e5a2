/** What stands first on an event's page: why it is where it is, what to do about that, and what came of resending it. */
import { html } from 'hono/html'
import type { Story } from '../../operations/inspect.ts'
import type { Done } from './done.ts'
import type { ResendAt } from './event-resend.ts'
import type { Payload } from './payload.ts'
import { type Rights, todoOf } from './remedies.ts'
import { type Action, actionsRow } from './ui/actions.ts'
import { adviceAt } from './ui/advice-at.ts'
import type { Html } from './ui/layout.ts'
import { notice } from './ui/parts.ts'
import { isOfAccount, none } from './ui/reasons.ts'

export interface EventWhy extends Pick<Payload, 'session' | 'shown' | 'opened' | 'past'> {
  story: Story
  /** At all destinations, the one that is shown first. */
  resends: readonly ResendAt[]
  /** What mends why it is not delivered. */
  remedies: readonly Action[]
  rights: Rights
  /** What came of the form that led here. */
  done: string | undefined
  /** What it brought where it wanted an attempt. */
  came: readonly Done[]
}

export function cameNotices({ came }: EventWhy): Html[] {
  return came.map(({ level, title, says }) => notice(level, title, says))
}

/** What has become of it since is said, however often the page is loaded. */
export function resentNotice({ done, resends, shown, past }: EventWhy): Html | '' {
  if (done === 'stays')
    return notice(
      'warn',
      'Nothing was resent',
      'It is queued already, would fail again, or the destination has the same conversation or meeting by another event.',
    )
  if (done !== 'resent') return ''
  const states = resends.map((one) => one.shown.state)
  if (states.some((state) => state === 'waiting' || state === 'asking'))
    return notice('info', 'Resent: the event is queued again')
  const endpoint = past.destinations.find(({ number }) => number === shown.destination)?.endpoint
  const given = states.filter((state) => state !== 'not_given')
  if (given.length > 0 && given.every((state) => state === 'delivered'))
    return notice(
      'good',
      given.length === 1 ? `Resent: ${endpoint ?? 'Segment'} accepted it` : 'Resent: every destination has it',
    )
  return ''
}

/** The reason, and what to do about it; of an event that goes on by itself, or has arrived, there is nothing to say. */
export function why({ story: { why }, shown, past, remedies, rights, session, resends, opened }: EventWhy): Html | '' {
  if (!why || why.reason === 'queued') return ''
  const endpoint = past.destinations.find(({ number }) => number === shown.destination)?.endpoint
  const { short, happened } = adviceAt(why.reason, endpoint)
  // What goes on by itself is not a warning.
  const isCalm = (shown.state === 'waiting' || shown.state === 'asking') && !isOfAccount(why.reason)
  const level = isCalm ? 'info' : shown.state === 'dead' ? 'bad' : 'warn'
  const [here] = resends
  const again =
    here?.reason === undefined
      ? ''
      : html` Resending now would fail again${here.reason === why.reason ? '' : html`: ${adviceAt(here.reason, endpoint).short}`}.`
  const todo = todoOf(why.reason, rights, endpoint)
  const isSentAgain = shown.state === 'waiting' && todo === none
  const odd = why.reason === 'shape_unknown' ? (opened?.oddFields ?? []) : []
  const fields = odd.map((name, at) => html`${at === 0 ? '' : ', '}<code>${name}</code>`)
  return notice(
    level,
    short,
    html`<p>${happened}${odd.length === 0 ? '' : html` It differs in ${fields}.`}${again}</p><p><strong class="inline">What to do:</strong> ${isSentAgain ? 'No action needed: it is sent again by itself.' : todo}</p>
      <details class="code"><summary>Details</summary><code>${why.reason}</code></details>`,
    actionsRow(remedies, session.csrf),
  )
}
