/**
 * What is worth an alert: each rule is a pure function from the facts of an account to its findings. When a finding is
 * announced, and when again, is decided in machine.ts; in which words, in words.ts.
 */
import { accountReasons, isAccountReason } from '../accounts/needs-attention.ts'
import type { Destination, Org } from '../storage/ports/entry.ts'

/** What an account waits for: Segment to take its events, or Drift to answer its lookups. */
export interface LaneFacts {
  /** Something waits in it. */
  waits: boolean
  /** When the first event of the queue was received. */
  oldestAt?: number
  /** The last attempt, and the code of why it failed, if it did. */
  triedAt?: number
  lastError?: string
}

/** How one destination of an account stands. */
export interface DestinationFacts {
  number: Destination
  /** What stands in Segment's place there, by its name. */
  endpoint?: string
  /** Why nothing is sent there, as a code of docs/errors.md. */
  hold?: string
  /** Why it refuses what is sent, as such a code. */
  refusal?: string
  send: LaneFacts
}

export interface Facts {
  org: Org
  now: number
  /** Why nothing of the account is sent anywhere, as a code of docs/errors.md. */
  hold?: string
  /** Why Drift refuses it, as such a code. */
  refusal?: string
  destinations: readonly DestinationFacts[]
  ask: LaneFacts
  /** No webhook came for much longer than its usual gap. */
  isSilent: boolean
  /** Dead events by reason; and at which destinations they are. */
  failed: ReadonlyMap<string, number>
  failedAt?: ReadonlyMap<string, readonly Destination[]>
  /** Quarantined webhooks by reason, but for requests for deletion. */
  unrecognized: ReadonlyMap<string, number>
  /** Requests for deletion that are open, and how many there ever were. */
  deletions: { open: number; ever: number }
  /** What the last daily comparison with Drift found missing for an unknown reason: by its job. Unknown: none is made. */
  missing?: { job: string; count: number } | 'unknown'
}

export interface Finding {
  /** What tells it apart from other findings of its rule; '' where the rule has only one. */
  subject: string
  /** `lasts`: one that was raised has not recovered yet; one that was not raised is not raised now. */
  is: 'found' | 'lasts'
  /** It must have been found for so long before it is raised. */
  afterMs?: number
  reason?: string
  /** Which destinations it is about, where the subject does not say so. */
  at?: readonly Destination[]
  count?: number
  /** A raised finding is raised again when it has a mark that was not there before. */
  marks?: readonly string[]
}

export interface RuleOptions {
  delayMs: number
  /** Since when this subject of the rule has been raised, if it is. */
  raisedSince(subject: string): number | undefined
}

export const ruleNames = [
  'stopped',
  'delayed',
  'silence',
  'failed',
  'unrecognized',
  'deletion_request',
  'missing',
] as const
export type RuleName = (typeof ruleNames)[number]

/** One failed attempt is not worth an alert: attempts must fail for so long. */
const failingMs = 60_000

/** The subject of what concerns one destination, and the number in it. */
const subjectOf = (number: Destination) => `destination ${number}`
export function destinationIn(subject: string): Destination | undefined {
  const [, number] = /^destination (\d+)$/.exec(subject) ?? []
  return number === undefined ? undefined : Number(number)
}

export const rules: Readonly<Record<RuleName, (facts: Facts, options: RuleOptions) => Finding[]>> = {
  /** Nothing is sent, and not because the admin wants it so. It ends when something was accepted. */
  stopped(facts, { raisedSince }) {
    const { hold, refusal, destinations, ask, now } = facts
    const since = (subject: string) => raisedSince(subject) ?? now
    const account = stoppedBy('', hold ?? refusal, () => {
      const open = destinations.filter((one) => one.hold === undefined && one.refusal === undefined)
      return [ask, ...open.map(({ send }) => send)].every((lane) => isProven(lane, since('')))
    })
    const each = destinations.map(({ number, send, ...one }) => {
      const subject = subjectOf(number)
      const reason = one.refusal ?? (one.hold !== undefined && !isAdmins(one.hold) ? one.hold : undefined)
      const isOpen = hold === undefined && one.hold === undefined
      return stoppedBy(subject, reason, () => isOpen && isProven(send, since(subject)))
    })
    return [account, ...each].filter((finding) => finding !== undefined)
  },
  /** What waits has waited too long and is not getting on. It ends when the first event of the queue is young again. */
  delayed({ now, hold, refusal, destinations, ask }, { delayMs }) {
    const each = destinations.map(({ number, send, ...one }): Finding | undefined => {
      const subject = subjectOf(number)
      // What is stopped has an alert of its own.
      if (hold !== undefined || one.hold !== undefined || one.refusal !== undefined) return { subject, is: 'lasts' }
      const isLate = send.waits && now - (send.oldestAt ?? now) > delayMs
      const isStuck = send.lastError !== undefined || now - (send.triedAt ?? 0) > delayMs
      if (isLate && isStuck) return { subject, is: 'found', afterMs: failingMs, ...reasonOf(send) }
      return isLate ? { subject, is: 'lasts' } : undefined
    })
    return [...each, delayedLookups(ask, hold ?? refusal, delayMs)].filter((finding) => finding !== undefined)
  },
  /** Each comparison that finds something is raised; it ends when one finds nothing, or what was missing was sent. */
  missing({ missing }) {
    if (missing === undefined) return []
    if (missing === 'unknown') return [{ subject: '', is: 'lasts' }]
    return [{ subject: '', is: 'found', count: missing.count, marks: [missing.job] }]
  },
  silence: ({ isSilent }) => (isSilent ? [{ subject: '', is: 'found' }] : []),
  /** The first dead event of each reason. */
  failed: ({ failed, failedAt }) =>
    [...failed].map(([reason, count]): Finding => {
      const at = failedAt?.get(reason)
      return { subject: reason, is: 'found', reason, count, ...(at ? { at } : {}) }
    }),
  unrecognized({ unrecognized }) {
    const count = [...unrecognized.values()].reduce((sum, each) => sum + each, 0)
    return count === 0 ? [] : [{ subject: '', is: 'found', count, marks: [...unrecognized.keys()].sort() }]
  },
  /** Each request is a person who waits, so it is raised again for every new one. */
  deletion_request: ({ deletions: { open, ever } }) =>
    open === 0 ? [] : [{ subject: '', is: 'found', count: open, marks: [String(ever)] }],
}

/** `isOver`: something was accepted since. */
function stoppedBy(subject: string, reason: string | undefined, isOver: () => boolean): Finding | undefined {
  if (reason !== undefined) return { subject, is: 'found', reason, marks: [reason] }
  // mutant: announces as recovered an account that a person has only paused or resumed
  if (isOver()) return undefined
  return { subject, is: 'lasts' }
}

/** A conversation that Drift does not know yet waits for days: what is late is a lookup that Drift does not answer at all. */
function delayedLookups(ask: LaneFacts, stopped: string | undefined, delayMs: number): Finding | undefined {
  if (stopped !== undefined) return { subject: '', is: 'lasts' }
  const isFailing = ask.waits && ask.lastError !== undefined
  return isFailing ? { subject: '', is: 'found', afterMs: delayMs, ...reasonOf(ask) } : undefined
}

function reasonOf({ lastError }: LaneFacts): { reason?: string } {
  return lastError === undefined ? {} : { reason: lastError }
}

/** The admin knows of a pause or a missing key: they did it, or have still to do it. */
function isAdmins(hold: string): boolean {
  return isAccountReason(hold) && accountReasons[hold].owner === 'admin'
}

/** Nothing waits there, or an attempt succeeded since. */
function isProven({ waits, triedAt, lastError }: LaneFacts, since: number): boolean {
  return !waits || (lastError === undefined && triedAt !== undefined && triedAt >= since)
}
