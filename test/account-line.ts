/** How a line of test/account-table.ts is read: which states it names, and what must come of them. */
import assert from 'node:assert/strict'
import { eachMeaning, type Line, lookupSays, segmentSays } from './account-answers.ts'
import type { Partners } from './account-stage.ts'

const refusedBySegment = [
  'write_key_unreadable',
  'write_key_refused',
  'segment_401',
  'segment_403',
  'segment_404',
  'segment_redirect',
  'segment_success_false',
  'not_segment',
  'segment_refuses_all',
  'segment_request_invalid',
  // Written by another version of the service.
  'segment_unheard_of',
]
const refusedByDrift = ['drift_request_invalid', 'grant_dead', 'drift_token_refused', 'drift_forbidden']
export const groups: Readonly<Record<string, readonly string[]>> = {
  'refused by Segment': refusedBySegment,
  'refused by Drift': refusedByDrift,
  refused: [...refusedBySegment, ...refusedByDrift],
}
const beneath = ['live', 'needs_attention', 'paused', 'waiting_for_key', 'paused without a key']
export const leaving = ['disconnecting', 'disconnect_unproven']
const listed = [
  'absent',
  'waiting_for_key',
  'live',
  'paused',
  'paused without a key',
  ...groups.refused!,
  'settings_unreadable (live)',
  'endpoint_not_allowed',
  ...leaving.flatMap((reason) => beneath.map((state) => `${reason} (${state})`)),
  'disconnected',
]
export const states = [...listed, ...listed.map((state) => `not listed (${state})`)]

/** A table as it is written, one line for several states; the first line names its columns. */
export type Table = string

/** What a line says of one state. */
interface Row {
  told: string
  state: string
  audit: string[]
  tries: 'both' | 'sends' | 'lookups' | 'nothing'
}

/** The columns of the line that speaks of this state, with what it leaves open filled in. */
export function columnsOf(table: Table, state: string): string[] {
  for (const line of table.trim().split('\n').slice(1)) {
    const [patterns, ...columns] = line.split('|').map((column) => column.trim())
    for (const pattern of patterns!.split(';').flatMap((one) => spread(one.trim()))) {
      if (!fits(pattern, state)) continue
      const [, reason = '', within = ''] = /^(\S+)(?: listed)? \((.*)\)$/.exec(state) ?? []
      const filled = (column: string) =>
        column
          .replace(/(?<=^|\+ )same$/, state)
          .replace(/^leaving/, reason)
          .replace('(any)', `(${state})`)
          .replace('*', within)
      return columns.map(filled)
    }
  }
  assert.ok(isUnlisted(state), `no line speaks of an account that is ${state}`)
  return []
}

export const isUnlisted = (state: string) => state.startsWith('not listed (')
export const innerOf = (state: string) => state.slice('not listed ('.length, -1)

/** One pattern as the states, or the patterns with a star, that it stands for. */
function spread(pattern: string): string[] {
  const group = Object.keys(groups).find((one) => pattern === one || pattern === `not listed (${one})`)
  if (group) return groups[group]!.map((state) => pattern.replace(group, state))
  return pattern.startsWith('leaving (') ? leaving.map((reason) => pattern.replace('leaving', reason)) : [pattern]
}

function fits(pattern: string, state: string): boolean {
  if (pattern.startsWith('any')) return !isUnlisted(state)
  return pattern.endsWith('(*)') ? state.startsWith(pattern.slice(0, -2)) : state === pattern
}

/** How the audit says it. */
const said = 'Drift: said that the account disconnected'
export const words: Readonly<Record<string, string>> = {
  asked: `${said}: nothing is sent until it is known whether that is so`,
  denied: `${said}, but its grant lives: sending goes on`,
  silent: `${said}, and gave no clear answer for a day: sending is paused until a person decides`,
  unsaid: `${said}, and cannot be asked whether it did: sending is paused until a person decides`,
  confirmed: 'Drift: disconnected the account',
}

const attemptsOf: Readonly<Record<string, Row['tries']>> = { tried: 'both', sent: 'sends', 'looked up': 'lookups' }

export function rowOf(table: Table, state: string): Row {
  const [told, then, audit, waits] = columnsOf(table, state)
  if (told === undefined) {
    const row = rowOf(table, innerOf(state))
    const isLookedUp = row.tries === 'both' || row.tries === 'lookups'
    return { ...row, state: `not listed (${row.state})`, tries: isLookedUp ? 'lookups' : 'nothing' }
  }
  const acts = audit!.split(' + ').filter(Boolean)
  return { told, state: then!, audit: acts.map((act) => words[act] ?? act), tries: attemptsOf[waits!] ?? 'nothing' }
}

/** What must come of it. */
export interface Wanted {
  told: string
  state: string
  audit: string[]
  /** Whether Segment is sent anything. */
  isSent: boolean
  /** What a person is told of the attempt they asked for: at Segment, at Drift. */
  attempt: string[]
}

export interface Case {
  /** What the partners answer meanwhile, in words. */
  where: string
  says: Partial<Partners>
  wanted: Wanted
}

/**
 * The state after Segment or Drift has answered an attempt: what Drift refuses is the account's, what Segment refuses is its
 * destination's, and an account may have both, written with a plus between them.
 */
export function afterAnswer(state: string, means: string): string {
  if (isUnlisted(state)) return `not listed (${afterAnswer(innerOf(state), means)})`
  const parts = state.split(' + ')
  const [own] = parts.filter((one) => refusedByDrift.includes(one))
  const [destination] = parts.filter((one) => refusedBySegment.includes(one))
  if (own === undefined && destination === undefined && state !== 'live') return state
  const ended: Record<string, readonly string[]> = {
    accepted: refusedBySegment,
    answered: refusedByDrift,
    renewed: ['grant_dead'],
    later: [],
  }
  const after = (reason: string | undefined, refusals: readonly string[]) =>
    refusals.includes(means) ? means : reason !== undefined && ended[means]?.includes(reason) ? undefined : reason
  const left = [after(own, refusedByDrift), after(destination, refusedBySegment)].filter(Boolean)
  return left.join(' + ') || 'live'
}

const unreadable: Line = ['', {}, 'write_key_unreadable', 'the stored write key does not open: its bytes were changed']

export interface Options {
  /** What the partners say of all else. */
  says?: Partial<Partners>
  /** The key is another one than before. */
  isNewKey?: boolean
  /** It is told what the attempt brought. */
  asks?: boolean
  /** Segment's answers to what is sent, and Drift's to what is looked up: each of them while the other says its first. */
  sends?: readonly Line[]
  lookups?: readonly Line[]
}

/** What comes of this line, with each answer that Segment and Drift can give to what is tried then. */
export function tried({ tries, ...wanted }: Row, state: string, options: Options = {}): Case[] {
  const { says = {}, isNewKey = false, asks = false, sends = segmentSays, lookups = lookupSays } = options
  const isBroken = state.includes('write_key_unreadable') && !isNewKey
  const attempts: Record<Row['tries'], [segment?: Line | undefined, drift?: Line][]> = {
    nothing: [[]],
    sends: sends.map((line) => [line]),
    lookups: of(state, lookups).map((line) => [undefined, line]),
    both: [
      ...sends.map((line): [Line, Line] => [line, lookups[0]!]),
      ...lookups.slice(1).map((line): [Line, Line] => [sends[0]!, line]),
    ],
  }
  return attempts[tries].map(([segment, drift]) => {
    const brought = [segment && isBroken ? unreadable : segment, drift].filter((line) => line !== undefined)
    const where = [segment && `Segment answers ${segment[0]}`, drift && `Drift answers ${drift[0]}`]
    return {
      where: where.filter(Boolean).join(', and ') || 'the partners answer whatever they like',
      says: { ...says, ...segment?.[1], ...drift?.[1] },
      wanted: {
        ...wanted,
        state: brought.reduce((then, [, , means]) => afterAnswer(then, means), wanted.state),
        isSent: segment !== undefined && !isBroken,
        attempt: asks ? brought.map(([, , , told]) => told) : [],
      },
    }
  })
}

/** Of an account that is not listed: one answer of each meaning. */
export function of<Answer extends readonly [answer: string, says: unknown, means: string, ...unknown[]]>(
  state: string,
  answers: readonly Answer[],
): readonly Answer[] {
  return isUnlisted(state) ? eachMeaning(answers) : answers
}

export const by = (table: Table, options?: Options) => (state: string) => tried(rowOf(table, state), state, options)
