/**
 * Which entries a query may find: what was kept last first, by the index that leaves the least to look at, a bounded number at
 * a time.
 */
import type { Range } from './place.ts'
import { type Destination, ignoredReasons, type Org } from './ports/entry.ts'
import type { Query, Shown, ShownState } from './ports/lookup.ts'
import { indexTermOf } from './query.ts'
import { type Look, lookOf } from './rows.ts'
import { all, get, type Statements } from './statements.ts'

export const everything: Range = { first: 0, below: Number.MAX_SAFE_INTEGER }

/** Entries that one call looks at: about 30 ms. A page of the console makes two such calls. */
export const looksMax = 4_000
/** Entries that are fetched at once, after a first step of as many as a page shows. */
const stepMax = 1_000

interface Step {
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
function candidateIds(query: Query, { range: { first, below }, limit, given, destination }: Step): string {
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

/**
 * SQL for the id of the entry to read of a candidate `i`; null where it cannot be in one of the states that a query of an account
 * wants. Each entry of a contact lies on another page, and its exceptions lie together. What is not an exception waits, or
 * has come to an end.
 */
function entryIdFor({ org, states }: Query, destination: string): string {
  if (org === undefined || states === undefined) return 'i.id'
  const isOther = states.some((state) => state === 'waiting' || !inHand.some((one) => one === state))
  const excepted = `SELECT state FROM exceptions WHERE id = i.id AND destination IN (0, ${destination}) LIMIT 1`
  return `CASE WHEN coalesce((${excepted}), '') IN (${listed(states)}${isOther ? `, ''` : ''}) THEN i.id END`
}

/** Of entries `e` that are exceptions `x`: the columns that say whether the query finds them. */
function columnsFor({ message, contact, conversation, either, type }: Query): string {
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

/** Of entries `e`: where they stand at this destination, and why. */
const standingAt = (destination: string) => `${destination} AS destination, x.destination AS excepted, x.state,
  (x.state IS NULL AND EXISTS (
    SELECT 1 FROM queue WHERE org = e.org AND destination = ${destination} AND lane IN (0, 1) AND place = e.id
  ))::integer AS queued,
  CASE WHEN x.state IS NULL OR x.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.blocked, x.reason) ELSE x.reason END AS why`

// An entry is an exception at all (0), or at this destination: never both.
export const joinedAt = (
  destination: string,
) => `LEFT JOIN exceptions x ON x.id = e.id AND x.destination IN (0, ${destination})
  LEFT JOIN lanes l ON l.org = e.org AND l.lane = CASE x.state WHEN 'asking' THEN 'ask' ELSE 'send' END
    AND l.destination = CASE x.state WHEN 'asking' THEN 0 ELSE ${destination} END`

/** All that is shown of them. */
export const columnsAt = (destination: string) =>
  `e.*, x.due_at, coalesce(x.failures, 0) AS failures, ${standingAt(destination)}`

/** The first destination of the entry's account. */
export const firstOfItsOwn =
  'coalesce((SELECT min(number) FROM destinations WHERE org = e.org AND removed_at IS NULL), 0)'

/** Whose state is shown where none is named. */
export function* firstDestinationOf(org: Org): Statements<Destination> {
  const sql = 'SELECT min(number) AS number FROM destinations WHERE org = $1 AND removed_at IS NULL'
  return Number((yield* get(sql, org))?.number ?? 0)
}

/** Entries that a query may find, as they stand at one destination, what was kept last first. `page`: so many are fetched at first. */
export function* eachCandidate(
  query: Query,
  { first, below }: Range,
  page: number = stepMax,
  visit: (look: Look) => 'on' | 'enough',
): Statements<void> {
  if (query.states?.length === 0) return
  const { org, destination: named } = query
  const at = named ?? (org === undefined ? undefined : yield* firstDestinationOf(org))
  let end = below
  for (let limit = Math.min(page, stepMax); ; limit = stepMax) {
    const values: (string | number)[] = []
    const given = (value: string | number) => `$${values.push(value)}`
    const destination = at === undefined ? firstOfItsOwn : `${given(at)}::integer`
    const ids = candidateIds(query, { range: { first, below: end }, limit, given, destination })
    const rows = yield* all(
      `SELECT i.id AS looked, ${columnsFor(query)}, ${standingAt(destination)}, ${named === undefined ? 0 : 1} AS is_named
       FROM (${ids}) i LEFT JOIN entries e ON e.id = ${entryIdFor(query, destination)} ${joinedAt(destination)}`,
      ...values,
    )
    const looks = rows.toSorted((one, other) => Number(other.looked) - Number(one.looked)).map(lookOf)
    for (const look of looks) if (visit(look) === 'enough') return
    if (rows.length < limit) return
    end = looks.at(-1)!.id
  }
}
