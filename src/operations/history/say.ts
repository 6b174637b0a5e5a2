/** What a backfill or a comparison has found and done, line by line, in words for console and command line alike. */
import type { JobShown } from '../jobs.ts'
import { explain } from '../reasons.ts'
import { amountOf, estimatedMs, requestsFor, spoken } from './estimate.ts'
import { stuck } from './tally.ts'

export interface Line {
  /** Its name among the job's counts, for scripts; of a sentence without a number: why it stands there. */
  name: string
  label: string
  count?: number
  /** What it means, or what to do about it. */
  note?: string
}

/** Of a job whose input may have gone: `dryRun` and the days are among its counts, see job.ts. */
export function isDryRun({ counts }: Pick<JobShown, 'counts'>): boolean {
  return counts.dry_run === 1
}

type Row = readonly [name: string, label: string, note?: string]

const again = 'It answered other lookups meanwhile. Start again to look them up again.'

const found: readonly Row[] = [
  ['looked', 'records read from Drift’s lists'],
  ['in_time', 'of the time that was asked for'],
  ['known', 'came before, by a webhook or a backfill'],
  ['erased', 'of erased people', 'They are passed over.'],
  ['young', 'younger than an hour', 'Their webhooks may still come.'],
  ['switched_off', 'of a type that the account has disabled', 'They are not sent.'],
  ['no_contact', 'without a contact', 'Drift names no contact for them, so they cannot be sent.'],
  ['unanswered', 'without an answer of Drift', again],
  ['unreadable', 'records that could not be read', 'Drift’s list has something else in their place.'],
]

const missing: Readonly<Record<JobShown['kind'], Row>> = {
  reconcile: ['missing', 'missing'],
  backfill: ['missing', 'would be sent as events'],
}

const wouldBe: readonly Row[] = [
  ['missing_new_conversation', 'of these, conversations'],
  ['missing_new_meeting', 'of these, meetings'],
  ['contacts', 'contacts would be sent with their attributes'],
]

const why: readonly Row[] = [
  ['why_not_installed', 'happened before the account was connected'],
  ['why_ignored', 'came when their type was disabled, or the account had disconnected'],
  ['why_unknown', 'never came, and the reason is not known'],
]

const was: readonly Row[] = [
  ['sent', 'sent'],
  ['sent_new_conversation', 'of these, conversations'],
  ['sent_new_meeting', 'of these, meetings'],
  ['sent_contact_updated', 'of these, contacts with their attributes'],
  ['contacts_gone', 'contacts are not at Drift any more', 'Their conversations were sent without attributes.'],
  ['contacts_unanswered', 'contacts without an answer of Drift', again],
  ['contacts_empty', 'contacts have no attribute that could be sent'],
]

/** Reconnecting gives what the Drift app asks for, and no more. */
const other = '; if that changes nothing, the operator has to give the Drift app the permission first.'

const leftOut: readonly Row[] = [
  [
    'unread_meetings',
    'Not all meetings were read',
    'Drift did not accept the request for them, or its list did not come to an end.',
  ],
  [
    'barred_meetings',
    'Meetings were left out',
    `Drift does not let this app list them. Reconnect to allow meetings${other}`,
  ],
  [
    'barred_contacts',
    'Contacts were left out',
    `Drift does not let this app read them. Reconnect to allow contacts${other}`,
  ],
  [
    'barred_conversations',
    'Some conversations were left out',
    `Drift does not let this app look one up. Reconnect to allow conversations${other}`,
  ],
]

/** Numbers first, in the order in which they are made; then what was left out. Zeros are left out. */
export function linesOf(job: Pick<JobShown, 'kind' | 'counts'>): Line[] {
  const { counts, kind } = job
  const rows = [...found, ...(isDryRun(job) ? [missing[kind]!, ...wouldBe] : was), ...(kind === 'reconcile' ? why : [])]
  const always = isDryRun(job) ? 'missing' : 'sent'
  const numbers = rows.flatMap(([name, label, note]): Line[] => {
    const count = counts[name] ?? 0
    return count > 0 || name === always ? [{ name, label, count, ...(note ? { note } : {}) }] : []
  })
  return [
    ...numbers,
    ...leftOut.flatMap(([name, label, note]) => ((counts[name] ?? 0) > 0 ? [{ name, label, note: note! }] : [])),
  ]
}

/** Of a dry run of a backfill that has ended: how long it takes, and what it adds to Segment's bill. */
export function estimateOf({ counts }: Pick<JobShown, 'counts'>): {
  requests: number
  ms: number
  spoken: string
  people: number
} {
  const amount = amountOf(counts)
  const ms = estimatedMs(amount)
  return { requests: requestsFor(amount), ms, spoken: spoken(ms), people: (counts.people ?? 0) + (counts.unnamed ?? 0) }
}

/** Why Drift answers nothing, while the work goes on asking; undefined while it answers. */
export function whyStuck({ counts, hasEnded }: Pick<JobShown, 'counts' | 'hasEnded'>): string | undefined {
  const name = Object.keys(counts).find((one) => one.startsWith(stuck))
  if (name === undefined || hasEnded) return undefined
  const { means } = explain(name.slice(stuck.length))
  return `Drift does not answer: ${means}. It is asked again, at most fifteen minutes apart, until it answers or this is cancelled.`
}

const failures: Readonly<Record<string, string>> = {
  grant_dead: 'The authorization at Drift has ended. Reconnect to Drift, and start again: what was sent is known.',
  drift_token_refused: 'Drift refuses the authorization. Reconnect to Drift, and start again: what was sent is known.',
  drift_request_invalid: 'The authorization at Drift cannot be sent. Reconnect to Drift, and start again.',
  drift_forbidden: 'Drift does not let this app list conversations. Reconnect to Drift to allow it.',
  drift_refused: 'Drift does not accept the request for the next page. Start again: what was sent is known.',
  drift_endless:
    'Drift’s list does not come to an end: it has page after page with nothing in it. Start again later: what was sent is known.',
  disconnected: 'The account has disconnected.',
  not_installed: 'The account is not connected.',
}

/** Why it failed, and what to do. */
export function whyFailed({ reason = 'unknown' }: Pick<JobShown, 'reason'>): string {
  return failures[reason] ?? `The work failed (${reason}). Start again: what was sent is known.`
}
