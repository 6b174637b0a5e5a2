/**
 * Which entries a query may find, for the engines that speak SQL: ids of what was kept last first, by the index that leaves the
 * least to look at, a bounded number at a time.
 */
import { ignoredReasons } from './ports/entry.ts'
import type { Query, Shown, ShownState } from './ports/lookup.ts'
import { indexTermOf } from './query.ts'

/** Ids from `first` on, and below `below`. */
export interface Range {
  first: number
  below: number
}

export const everything: Range = { first: 0, below: Number.MAX_SAFE_INTEGER }

/** Entries that one call looks at: about 30 ms. A page of the console makes two such calls. */
export const looksMax = 4_000
/** Entries that are fetched at once, after a first step of as many as a page shows. */
export const stepMax = 1_000

export interface Step {
  range: Range
  /** As many at most. */
  limit: number
  /** Keeps a value for the statement, and gives its placeholder. */
  given(value: string | number): string
  /** The number of the destination whose states are meant, in SQL. */
  destination: string
}

/**
 * SQL that gives ids, the largest first; fewer than the limit only where it has come to the end. Among them are places of the
 * queue that are not ids: what waits there again is found among the exceptions.
 */
export function candidateIds(query: Query, { range: { first, below }, limit, given, destination }: Step): string {
  const { org } = query
  const inRange = (id = 'id') => `${id} >= ${given(first)} AND ${id} < ${given(below)}`
  const newest = (id = 'id') => `ORDER BY ${id} DESC LIMIT ${given(limit)}`
  const among = (sources: readonly string[]) =>
    `SELECT id FROM (${sources.map((source) => `SELECT id FROM (${source}) s`).join(' UNION ')}) c ${newest()}`
  const states = statesInHand(query)
  const term = indexTermOf(query)
  if (term && !(states && term.kinds[0] === 'type')) {
    const ofKind = (kind: string) =>
      `SELECT id FROM search_index WHERE org = ${given(term.org)} AND kind = ${given(kind)} AND value = ${given(term.value)}
         AND ${inRange()} ${newest()}`
    return term.kinds.length === 1 ? ofKind(term.kinds[0]!) : among(term.kinds.map(ofKind))
  }
  if (org === undefined) return `SELECT id FROM entries WHERE ${inRange()} ${newest()}`
  const of = given(org)
  if (!states) return `SELECT id FROM entries WHERE org = ${of} AND ${inRange()} ${newest()}`
  const { reason, notReason } = query
  /** What holds or blocks a lane is the reason of all that waits in it. */
  const isOfLane = (lane: string) =>
    `EXISTS (SELECT 1 FROM lanes WHERE org = ${of} AND lane = '${lane}' AND coalesce(hold, blocked) = ${given(reason!)})`
  const excepted = (state: ShownState) => {
    const own =
      reason === undefined
        ? ''
        : ` AND (reason = ${given(reason)}${state in laneOf ? ` OR ${isOfLane(laneOf[state]!)}` : ''})`
    const not = notReason === undefined || state in laneOf ? '' : ` AND coalesce(reason, '') <> ${given(notReason)}`
    return `SELECT id FROM exceptions WHERE org = ${of} AND state = ${given(state)} AND destination IN (0, ${destination})
      AND ${inRange()}${own}${not} ${newest()}`
  }
  const queued = (lane: 0 | 1) =>
    `SELECT place AS id FROM queue WHERE org = ${of} AND destination = ${destination} AND lane = ${lane}
      AND ${inRange('place')}${reason === undefined ? '' : ` AND ${isOfLane('send')}`} ${newest('place')}`
  return among([...states.map(excepted), ...(states.includes('waiting') ? [queued(0), queued(1)] : [])])
}

/** Of entries `e` that are exceptions `x`: the columns that say whether the query finds them. */
export function columnsFor({ message, contact, conversation, either, type }: Query): string {
  const asked = [
    ['type', type],
    ['message_id', message],
    ['contact', contact ?? either],
    ['conversation', conversation ?? either],
  ]
  const names = asked.flatMap(([name, value]) => (value === undefined ? [] : [`e.${name}`]))
  return ['e.id', 'e.org', 'e.received_at', ...names, 'CASE WHEN x.state IS NULL THEN e.history END AS history'].join(
    ', ',
  )
}

/**
 * What a tally of an account by time alone counts in the indexes of what is not final; `all`: whether what has come to an end
 * is asked for as well.
 */
export function countedStates({ states }: Query): { inHand: ShownState[]; all: boolean } {
  const isInHand = (state: ShownState) => inHand.some((one) => one === state)
  const all = states === undefined || !states.every(isInHand)
  // What has come to an end is what is left of all.
  return { inHand: all ? [...inHand] : inHand.filter((one) => states.includes(one)), all }
}

/** Constants of ours as a list in SQL. */
export const listed = (states: readonly ShownState[]) =>
  states.length === 0 ? `''` : states.map((state) => `'${state}'`).join(', ')

/** Whether a line of a tally is one that the query asks for. */
export function isAsked({ state, reason }: Pick<Shown, 'state' | 'reason'>, query: Query): boolean {
  const { states, reason: asked, notReason } = query
  const isState = states === undefined || states.includes(state)
  return isState && (asked === undefined || reason === asked) && (notReason === undefined || reason !== notReason)
}

const laneOf: Readonly<Record<string, string>> = { waiting: 'send', asking: 'ask' }

const inHand = ['waiting', 'asking', 'unclaimed', 'quarantined', 'dead'] as const satisfies ShownState[]

/**
 * Where a query is of an account, and of states that are not final: these, which indexes of their own find. A reason that is
 * not one for ignoring is one of them.
 */
function statesInHand({ org, states, reason }: Query): readonly ShownState[] | undefined {
  if (org === undefined) return undefined
  if (states === undefined)
    return reason === undefined || ignoredReasons.some((ignored) => ignored === reason) ? undefined : inHand
  return states.every((state) => inHand.some((one) => one === state)) ? states : undefined
}
