/**
 * What each audience is alerted about: the admins of an account about their own, each rule with its switch; the operator about
 * all accounts, an outage of many as one subject.
 */
import type { Destination, Org } from '../storage/ports/entry.ts'
import { type AlertState, type AlertStates, keyOf } from './machine.ts'
import { destinationIn, type Facts, type Finding, type RuleName, ruleNames, rules } from './rules.ts'

export interface Found {
  rule: RuleName
  finding: Finding & {
    accounts?: readonly AccountFound[]
    /** For the operator: as `partnerOf` says it, of all accounts together. */
    partner?: string
  }
}

/** One of the accounts that a finding for the operator is about. */
export interface AccountFound {
  org: Org
  reason?: string
}

interface Options {
  delayMs: number
  off: readonly string[]
}

export function foundFor(facts: Facts, states: AlertStates, { delayMs, off }: Options): Found[] {
  return ruleNames
    .filter((rule) => !off.includes(rule))
    .flatMap((rule) => {
      const raisedSince = (subject: string) => raisedSinceOf(states, rule, subject)
      return rules[rule](facts, { delayMs, raisedSince }).map((finding) => ({ rule, finding }))
    })
}

/** A subject that is found at any account is found; one that lasts at any and is found at none, lasts. */
export function foundForOperator(all: readonly Facts[], states: AlertStates, delayMs: number): Found[] {
  const merged = new Map<string, Found>()
  for (const facts of all) {
    for (const rule of ruleNames) {
      const was = raisedOf(states, rule, facts.org)
      const raisedSince = () => was?.since
      for (const finding of rules[rule](facts, { delayMs, raisedSince })) {
        // What was not raised of this account does not keep it raised: another may have been paused for months.
        if (finding.is === 'lasts' && !was) continue
        const one = ofOne(finding, facts)
        const key = keyOf(rule, one.subject)
        const before = merged.get(key)?.finding
        merged.set(key, { rule, finding: before ? joined(before, one) : one })
      }
    }
  }
  return [...merged.values()]
}

/** Whichever destination it is. The reason of one account goes with the account, since another may have another. */
function ofOne(
  { reason, marks = [''], subject, at, ...finding }: Finding,
  { org, destinations }: Facts,
): Found['finding'] {
  const partner = partnerOf(destinations, subject, at)
  const merged = { ...finding, subject: destinationIn(subject) === undefined ? subject : '' }
  if (finding.is === 'lasts') return merged
  return {
    ...merged,
    marks: marks.map((mark) => `${org} ${mark}`),
    accounts: [{ org, ...(reason === undefined ? {} : { reason }) }],
    ...(partner === undefined ? {} : { partner }),
  }
}

function joined(one: Found['finding'], other: Found['finding']): Found['finding'] {
  if (other.is === 'lasts') return one
  if (one.is === 'lasts') return other
  const count = (one.count ?? 0) + (other.count ?? 0)
  const partner = one.partner === other.partner ? one.partner : 'a destination'
  return {
    ...one,
    ...(partner === undefined ? {} : { partner }),
    marks: [...(one.marks ?? []), ...(other.marks ?? [])],
    accounts: [
      ...new Map([...(other.accounts ?? []), ...(one.accounts ?? [])].map((each) => [each.org, each])).values(),
    ],
    ...(count > 0 ? { count } : {}),
  }
}

/**
 * Who is sent to, in words for a sentence, where that is not Segment: an endpoint by its name, or several destinations that
 * are not all one place. `at`: the destinations that it is about, where the subject names none and not all are meant.
 */
export function partnerOf(
  destinations: readonly { number: Destination; endpoint?: string | undefined }[],
  subject: string,
  at?: readonly Destination[],
): string | undefined {
  const number = destinationIn(subject)
  const meant = number === undefined ? at : [number]
  const names = new Set(
    destinations.filter((one) => meant?.includes(one.number) ?? true).map(({ endpoint }) => endpoint),
  )
  if (names.size <= 1) return [...names][0]
  return meant ? 'a destination' : 'its destinations'
}

/** The rule's state, if it is raised and this account was among those it was raised of. */
function raisedOf(states: AlertStates, rule: RuleName, org: Org): AlertState | undefined {
  const state = states[keyOf(rule, '')]
  return state?.phase === 'raised' && state.marks?.some((mark) => mark.startsWith(`${org} `)) ? state : undefined
}

function raisedSinceOf(states: AlertStates, rule: RuleName, subject: string): number | undefined {
  const state = states[keyOf(rule, subject)]
  return state?.phase === 'raised' ? state.since : undefined
}
