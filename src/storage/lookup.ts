/** Looking at entries, for both engines: candidates come from the index that leaves the least to look at, page by page. */
import {
  columnsAt,
  countedStates,
  eachCandidate,
  everything,
  firstDestinationOf,
  firstOfItsOwn,
  isAsked,
  joinedAt,
  listed,
  looksMax,
} from './candidates.ts'
import { historyTold, lastAt } from './history.ts'
import { bodyOf, positionOf, type Range } from './place.ts'
import type { Destination, Org } from './ports/entry.ts'
import {
  type Beside,
  type Cursor,
  type EntryHistory,
  type LaneShown,
  type Query,
  type ReadEntry,
  type Shown,
  type Tallied,
  type Tally,
  tallyMax,
} from './ports/lookup.ts'
import { indexTermOf, isBelow, matches, orderMs, tallied, talliedAt } from './query.ts'
import { answeredBy, type Found, foundIn, historyShown, laneOf, learntAt } from './rows.ts'
import { all, get, ofOneMoment, own, type Statements } from './statements.ts'

export const lookup = {
  *find(
    query: Query,
    { before, limit }: { before?: Cursor; limit: number },
  ): Statements<{ entries: Shown[]; next?: Cursor }> {
    const ids: number[] = []
    let looks = 0
    let next: Cursor | undefined
    yield* eachCandidate(query, yield* within(query, before), limit + 1, ({ id, found }) => {
      if (found && isBelow(found, before) && matches(found, query)) ids.push(id)
      if (ids.length < limit && ++looks < looksMax) return 'on'
      next = { id }
      return 'enough'
    })
    const sql = `SELECT ${columnsAt(shownAt)}, ($1::integer IS NOT NULL)::integer AS is_named
      FROM entries e ${joinedAt(shownAt)} WHERE e.id = ANY ($2) ORDER BY e.id DESC`
    const rows = ids.length > 0 ? yield* all(sql, query.destination ?? null, ids) : []
    // They may have gone on since.
    const found = rows.map(foundIn).filter((one) => matches(one, query))
    return { entries: yield* withAnswers(found), ...(next && { next }) }
  },

  tally: ofOneMoment(function* (query: Query & { org: Org }): Statements<Tally> {
    const { org, from, to } = query
    const isAll = countedStates(query).all
    const hasReason = query.reason !== undefined || query.notReason !== undefined
    const isByTimeAlone = indexTermOf(query) === undefined && !(isAll && (hasReason || (yield* keepsIgnored(org))))
    const first = from === undefined ? 0 : (yield* own('idsAt', org, from + orderMs)).below
    const below = to === undefined ? everything.below : (yield* own('idsAt', org, to - orderMs)).first
    const whole = yield* within(query)
    if (!isByTimeAlone || first >= below) return yield* looked(query, [whole])
    // What lies near the ends is looked at one by one, and what came before a destination that is named.
    const given = isAll ? Math.min(Math.max(first, yield* givenFrom(query)), below) : first
    const near = yield* looked(query, [
      ...(from === undefined ? [] : [{ first: whole.first, below: first }]),
      ...(to === undefined ? [] : [{ first: below, below: whole.below }]),
      ...(given > first ? [{ first, below: given }] : []),
    ])
    const between = yield* countedBetween(query, { first: given, below })
    const rows = tallied([...near.rows, ...between.rows]).filter((row) => isAsked(row, query))
    return { rows, isCut: near.isCut || between.isCut }
  }),

  *beside(id: number): Statements<Beside> {
    const near = (how: string) =>
      `(SELECT n.message_id FROM search_index s JOIN entries n ON n.id = s.id
        WHERE s.org = e.org AND s.kind = 'contact' AND s.value = e.contact AND s.id ${how} LIMIT 1)`
    const sql = `SELECT ${near('< e.id ORDER BY s.id DESC')} AS previous, ${near('> e.id ORDER BY s.id')} AS next
      FROM entries e WHERE e.id = $1 AND e.contact IS NOT NULL`
    const { previous, next } = (yield* get(sql, id)) ?? {}
    return { ...(previous ? { previous: previous as string } : {}), ...(next ? { next: next as string } : {}) }
  },

  *read(id: number, at?: Destination): Statements<ReadEntry | undefined> {
    const row = yield* get(
      `SELECT ${columnsAt(shownAt)}, ($1::integer IS NOT NULL)::integer AS is_named, b.version, b.sealed, ${learntAt(shownAt)} AS known
       FROM entries e LEFT JOIN bodies b ON b.id = e.id - e.id % 128 ${joinedAt(shownAt)} WHERE e.id = $2`,
      at ?? null,
      id,
    )
    if (!row) return undefined
    const [found] = yield* withAnswers([foundIn(row)])
    const known = row.known as Uint8Array | null
    const sealed = row.sealed as Uint8Array | null
    const body = sealed === null ? undefined : { id: bodyOf(id), version: Number(row.version), sealed }
    return { ...found!, body, position: positionOf(id), ...(known ? { known } : {}) }
  },

  *history(id: number): Statements<EntryHistory> {
    const row = yield* get('SELECT history FROM entries WHERE id = $1', id)
    const kept = historyTold(row?.history as Uint8Array | null | undefined)
    const ids = kept.noted.map(({ attempt }) => attempt)
    return historyShown(kept, yield* all('SELECT * FROM attempts WHERE id = ANY ($1)', ids))
  },

  lanes: lanesOf,

  *lastReceivedAt(): Statements<number | undefined> {
    return (yield* get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1'))?.at as number | undefined
  },
}

/** The destination that is named as the first value or, where it is null, the first one of the entry's account. */
const shownAt = `coalesce($1::integer, ${firstOfItsOwn})`

function* lanesOf(org: Org): Statements<LaneShown[]> {
  return (yield* all('SELECT * FROM lanes WHERE org = $1 ORDER BY lane DESC, destination', org)).map(laneOf)
}

function* withAnswers(found: readonly Found[]): Statements<Shown[]> {
  const last = found.map(({ history, destination: at }) => lastAt(history, at)?.attempt)
  const ids = last.filter((id) => id !== undefined)
  const rows = ids.length > 0 ? yield* all('SELECT * FROM attempts WHERE id = ANY ($1)', ids) : []
  const attempts = new Map(rows.map((row) => [Number(row.id), row]))
  return found.map(({ history: _, ...one }, at) =>
    answeredBy(one, last[at] === undefined ? undefined : attempts.get(last[at])),
  )
}

/** Ids between which everything of this time is, and below the place where a list goes on. */
function* within({ org, from, to }: Query, before?: Cursor): Statements<Range> {
  const end = before?.id ?? everything.below
  return {
    first: from === undefined ? 0 : (yield* own('idsAt', org, from - orderMs)).first,
    below: to === undefined ? end : Math.min(end, (yield* own('idsAt', org, to + orderMs)).below),
  }
}

/** From where on all that came was meant for the destination that a query names. */
function* givenFrom({ org, destination: at }: Query & { org: Org }): Statements<number> {
  if (at === undefined) return 0
  const row = yield* get('SELECT since FROM destinations WHERE org = $1 AND number = $2', org, at)
  return Number(row?.since ?? -1) + 1
}

/** What options have left out is kept, and no index tells it from what was delivered. */
function* keepsIgnored(org: Org): Statements<boolean> {
  const kept = "outcome = 'ignored' AND reason IN ('filtered', 'no_consent') AND count > 0"
  return (yield* get(`SELECT 1 FROM counts WHERE org = $1 AND ${kept} LIMIT 1`, org)) !== undefined
}

/** Entry by entry, at most as many as one call of `find` looks at. */
function* looked(query: Query, ranges: readonly Range[]): Statements<Tally> {
  const rows: Tallied[] = []
  let many = 0
  for (const range of ranges) {
    yield* eachCandidate(query, range, undefined, ({ found }) => {
      if (found && matches(found, query)) {
        const { state, reason } = found
        rows.push({ state, ...(reason === undefined ? {} : { reason }), count: 1 })
      }
      return ++many === looksMax ? 'enough' : 'on'
    })
    if (many === looksMax) return { rows: tallied(rows), isCut: true }
  }
  return { rows: tallied(rows), isCut: false }
}

/** By the indexes alone: what is in the queue, what is an exception, and all; what is neither was delivered. */
function* countedBetween(query: Query & { org: Org }, { first, below }: Range): Statements<Tally> {
  const { org } = query
  const { inHand, all: isAll } = countedStates(query)
  const of = [org, first, below] as const
  const at = query.destination ?? (yield* firstDestinationOf(org))
  function* many(sql: string, ...values: (string | number)[]): Statements<number> {
    return Number((yield* get(`SELECT count(*) AS many FROM (${sql} LIMIT ${tallyMax + 1}) s`, ...values))!.many)
  }
  const every = isAll ? yield* many('SELECT 1 FROM entries WHERE org = $1 AND id >= $2 AND id < $3', ...of) : undefined
  const queued =
    'SELECT 1 FROM queue WHERE org = $1 AND destination = $4 AND lane IN (0, 1) AND place >= $2 AND place < $3 AND place = id'
  const waiting = inHand.includes('waiting') ? yield* many(queued, ...of, at) : 0
  const excepted = yield* all(
    `SELECT state, reason, count(*) AS count FROM (
       SELECT state, reason FROM exceptions
       WHERE org = $1 AND state IN (${listed(inHand)}) AND destination IN (0, $4) AND id >= $2 AND id < $3
       LIMIT ${tallyMax + 1}
     ) s GROUP BY 1, 2`,
    ...of,
    at,
  )
  return talliedAt(at, { all: every, waiting, excepted, lanes: yield* lanesOf(org) })
}
