/**
 * What is worth an alert: each rule is a pure function from the facts of an account to its findings. When a finding is
 * announced, and when again, is decided in machine.ts; in which words, in words.ts.
 */
import { accountReasons, isAccountReason } from '../accounts/needs-attention.ts'
import type { Org } from '../storage/ports/entry.ts'

/** What an account waits for: Segment to take its events, or Drift to answer its lookups. */
export interface LaneFacts {
  /** Something waits in it. */
  waits: boolean
  /** When the first in line was received. */
  oldestAt?: number
  /** The last attempt, and the code of why it failed, if it did. */
  triedAt?: number
  setback?: string
}

export interface Facts {
  org: Org
  now: number
  /** Why nothing of the account is sent, as a code of docs/errors.md. */
  hold?: string
  /** Why Segment or Drift refuses it, as such a code. */
  refusal?: string
  send: LaneFacts
  ask: LaneFacts
  /** No webhook came for much longer than its usual gap. */
  isSilent: boolean
  /** Dead events by reason. */
  failed: ReadonlyMap<string, number>
  /** Quarantined webhooks by reason, but for requests for deletion. */
  unrecognized: ReadonlyMap<string, number>
  /** Requests for deletion that are open, and how many there ever were. */
  deletions: { open: number; ever: number }
}

export interface Finding {
  /** What tells it apart from other findings of its rule; '' where the rule has only one. */
  subject: string
  /** `lasts`: one that was raised has not recovered yet; one that was not raised is not raised now. */
  is: 'found' | 'lasts'
  /** It must have been found for so long before it is raised. */
  afterMs?: number
  reason?: string
  count?: number
  /** A raised finding is raised again when it has a mark that was not there before. */
  marks?: readonly string[]
}

export interface RuleOptions {
  delayMs: number
  /** Since when the rule's one subject has been raised, if it is. */
  raisedSince?: number
}

export const ruleNames = ['stopped', 'delayed', 'silence', 'failed', 'unrecognized', 'deletion_request'] as const
export type RuleName = (typeof ruleNames)[number]

/** One failed attempt is not worth an alert: attempts must fail for so long. */
const failingMs = 60_000

export const rules: Readonly<Record<RuleName, (facts: Facts, options: RuleOptions) => Finding[]>> = {
  /** Nothing of the account is sent, and not because its admin wants it so. It ends when something was accepted. */
  stopped(facts, { raisedSince }) {
    const { hold, refusal, send, ask } = facts
    const reason = hold === undefined ? refusal : isAdmins(hold) ? undefined : hold
    if (reason !== undefined) return [{ subject: '', is: 'found', reason, marks: [reason] }]
    // mutant: announces as recovered an account that a person has only paused or resumed
    const isOver = hold === undefined && [send, ask].every((lane) => isProven(lane, raisedSince ?? facts.now))
    return isOver ? [] : [{ subject: '', is: 'lasts' }]
  },
  /** What waits has waited too long and is not getting on. It ends when what is first in line is young again. */
  delayed({ now, hold, refusal, send, ask }, { delayMs }) {
    // What is stopped has an alert of its own.
    if (hold !== undefined || refusal !== undefined) return [{ subject: '', is: 'lasts' }]
    const isLate = send.waits && now - (send.oldestAt ?? now) > delayMs
    const isStuck = send.setback !== undefined || now - (send.triedAt ?? 0) > delayMs
    if (isLate && isStuck) return [{ subject: '', is: 'found', afterMs: failingMs, ...reasonOf(send) }]
    // A conversation that Drift does not know yet waits for days: late is what Drift does not answer at all.
    if (ask.waits && ask.setback !== undefined)
      return [{ subject: '', is: 'found', afterMs: delayMs, ...reasonOf(ask) }]
    return isLate ? [{ subject: '', is: 'lasts' }] : []
  },
  silence: ({ isSilent }) => (isSilent ? [{ subject: '', is: 'found' }] : []),
  /** The first dead event of each reason. */
  failed: ({ failed }) =>
    [...failed].map(([reason, count]): Finding => ({ subject: reason, is: 'found', reason, count })),
  unrecognized({ unrecognized }) {
    const count = [...unrecognized.values()].reduce((sum, each) => sum + each, 0)
    return count === 0 ? [] : [{ subject: '', is: 'found', count, marks: [...unrecognized.keys()].sort() }]
  },
  /** Each request is a person who waits, so it is raised again for every new one. */
  deletion_request: ({ deletions: { open, ever } }) =>
    open === 0 ? [] : [{ subject: '', is: 'found', count: open, marks: [String(ever)] }],
}

function reasonOf({ setback }: LaneFacts): { reason?: string } {
  return setback === undefined ? {} : { reason: setback }
}

/** The admin knows of a pause or a missing key: they did it, or have still to do it. */
function isAdmins(hold: string): boolean {
  return isAccountReason(hold) && accountReasons[hold].owner === 'admin'
}

/** Nothing waits there, or an attempt succeeded since. */
function isProven({ waits, triedAt, setback }: LaneFacts, since: number): boolean {
  return !waits || (setback === undefined && triedAt !== undefined && triedAt >= since)
}
