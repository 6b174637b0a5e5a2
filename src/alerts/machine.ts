/**
 * When a finding is announced. One subject goes from nothing to pending (found, not announced yet), to raised, to recovered;
 * only what was raised recovers. The same subject is raised at most once an hour, so an outage is two messages: raised and
 * recovered.
 */
import type { Finding, RuleName } from './rules.ts'

export interface AlertState {
  phase: 'pending' | 'raised' | 'recovered'
  /** When it was found first. */
  since: number
  /** When it was last raised. */
  raisedAt?: number | undefined
  /** The marks of the finding that was raised then. */
  marks?: string[] | undefined
}

export type Change = 'raised' | 'recovered'

export interface Step {
  /** Undefined: nothing needs to be remembered. */
  state?: AlertState
  /** What to announce. */
  change?: Change
}

export const quietMs = 3_600_000

export function step(state: AlertState | undefined, finding: Finding | undefined, now: number): Step {
  if (!finding) return ended(state, now)
  if (state?.phase === 'raised') return lasting(state, finding, now)
  if (finding.is === 'lasts') return ended(state, now)
  // With a clock that was set back since, it would have been found for a negative time.
  const since = Math.min(state?.phase === 'pending' ? state.since : now, now)
  // mutant: raises the same thing again within the hour
  const isDue = now - since >= (finding.afterMs ?? 0) && !isQuiet(state, now)
  if (isDue) return { state: newlyRaised(since, finding, now), change: 'raised' }
  return { state: { phase: 'pending', since, ...(state?.raisedAt === undefined ? {} : { raisedAt: state.raisedAt }) } }
}

function lasting(state: AlertState, { is, marks = [] }: Finding, now: number): Step {
  const isNew = is === 'found' && marks.some((mark) => !state.marks?.includes(mark))
  if (!isNew || isQuiet(state, now)) return { state }
  return { state: { ...state, raisedAt: now, marks: [...marks] }, change: 'raised' }
}

function ended(state: AlertState | undefined, now: number): Step {
  if (state?.phase === 'raised') return { state: { ...state, phase: 'recovered' }, change: 'recovered' }
  // What was raised lately is remembered, so that it is not raised again too soon.
  return state && isQuiet(state, now) ? { state: { ...state, phase: 'recovered' } } : {}
}

function newlyRaised(since: number, { marks }: Finding, now: number): AlertState {
  return { phase: 'raised', since, raisedAt: now, ...(marks ? { marks: [...marks] } : {}) }
}

/** It was raised less than an hour ago. A time ahead of now was written before the clock was set back. */
function isQuiet(state: AlertState | undefined, now: number): boolean {
  const raisedAt = state?.raisedAt
  return raisedAt !== undefined && raisedAt <= now && now - raisedAt < quietMs
}

/** What is remembered of each subject, by its rule and name. */
export type AlertStates = Readonly<Record<string, AlertState>>

/** A change to announce. `finding` is absent where the subject has recovered. */
export interface Announcement {
  rule: RuleName
  subject: string
  change: Change
  since: number
  finding?: Finding
}

export const keyOf = (rule: RuleName, subject: string) => `${rule}/${subject}`

/** Steps every subject at once: those that are known, and those that are found now. */
export function stepAll(
  states: AlertStates,
  findings: readonly { rule: RuleName; finding: Finding }[],
  now: number,
): { states: AlertStates; announcements: Announcement[] } {
  const found = new Map(findings.map((one) => [keyOf(one.rule, one.finding.subject), one]))
  const keys = new Set([...Object.keys(states), ...found.keys()])
  const next: Record<string, AlertState> = {}
  const announcements: Announcement[] = []
  for (const key of keys) {
    const [rule, subject] = namesOf(key)
    const finding = found.get(key)?.finding
    const { state, change } = step(states[key], finding, now)
    if (state) next[key] = state
    if (change)
      announcements.push({ rule, subject, change, since: state?.since ?? now, ...(finding ? { finding } : {}) })
  }
  return { states: next, announcements }
}

export function namesOf(key: string): [rule: RuleName, subject: string] {
  const at = key.indexOf('/')
  return [key.slice(0, at) as RuleName, key.slice(at + 1)]
}
