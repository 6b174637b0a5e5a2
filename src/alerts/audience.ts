/**
 * What each audience is alerted about: the admins of an account about their own, each rule with its switch; the operator about
 * all accounts, an outage of many as one subject.
 */
import type { Org } from '../storage/ports/entry.ts'
import { type AlertStates, keyOf } from './machine.ts'
import { type Facts, type Finding, type RuleName, ruleNames, rules } from './rules.ts'

export interface Found {
  rule: RuleName
  finding: Finding & { accounts?: readonly AccountFound[] }
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
    .flatMap((rule) => rules[rule](facts, optionsOf(rule, states, delayMs)).map((finding) => ({ rule, finding })))
}

/** A subject that is found at any account is found; one that lasts at any and is found at none, lasts. */
export function foundForOperator(all: readonly Facts[], states: AlertStates, delayMs: number): Found[] {
  const merged = new Map<string, Found>()
  for (const facts of all) {
    for (const rule of ruleNames) {
      for (const finding of rules[rule](facts, optionsOf(rule, states, delayMs))) {
        const key = keyOf(rule, finding.subject)
        const before = merged.get(key)?.finding
        merged.set(key, {
          rule,
          finding: before ? joined(before, ofOne(finding, facts.org)) : ofOne(finding, facts.org),
        })
      }
    }
  }
  return [...merged.values()]
}

/** The reason of one account goes with the account, since another may have another. */
function ofOne({ reason, marks = [''], ...finding }: Finding, org: Org): Found['finding'] {
  if (finding.is === 'lasts') return finding
  return {
    ...finding,
    marks: marks.map((mark) => `${org} ${mark}`),
    accounts: [{ org, ...(reason === undefined ? {} : { reason }) }],
  }
}

function joined(one: Found['finding'], other: Found['finding']): Found['finding'] {
  if (other.is === 'lasts') return one
  if (one.is === 'lasts') return other
  const count = (one.count ?? 0) + (other.count ?? 0)
  return {
    ...one,
    marks: [...(one.marks ?? []), ...(other.marks ?? [])],
    accounts: [...(one.accounts ?? []), ...(other.accounts ?? [])],
    ...(count > 0 ? { count } : {}),
  }
}

function optionsOf(rule: RuleName, states: AlertStates, delayMs: number) {
  const state = states[keyOf(rule, '')]
  return { delayMs, ...(state?.phase === 'raised' ? { raisedSince: state.since } : {}) }
}
