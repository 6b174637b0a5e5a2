/** Looking at entries. What people search by stands in `sought`, which follows the entries after they are answered. */
import type { Cursor, LaneShown, Query, Shown } from '../ports.ts'
import { byNewest, isBelow, matches } from '../query.ts'
import { laneOf, shownOf } from '../rows.ts'
import type { Database, Row } from './database.ts'

/** Entries that one call looks at: about 30 ms, in which webhooks wait for their answer. */
const looksMax = 10_000
/** Entries that one step of indexing covers: about 3 ms, in which webhooks wait for their answer. */
const stepMax = 250

const columns = `e.*, CASE WHEN e.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.trouble, e.reason) ELSE e.reason END AS why`
const lanes = `LEFT JOIN lanes l
  ON l.org = e.org AND l.lane = CASE e.state WHEN 'waiting' THEN 'send' WHEN 'asking' THEN 'ask' END`
const newest = 'ORDER BY e.received_at DESC, e.id DESC'

export function isBehind(db: Database): boolean {
  return db.get('SELECT 1 FROM entries WHERE id > (SELECT last FROM indexed) LIMIT 1') !== undefined
}

/** Indexes what has been appended since; true when there may be more. */
export function indexStep(db: Database): boolean {
  const last = Number(db.get('SELECT last FROM indexed')!.last)
  const rows = db.all(
    'SELECT id, org, message_id, contact, conversation FROM entries WHERE id > ? ORDER BY id LIMIT ?',
    last,
    stepMax,
  )
  if (rows.length === 0) return false
  for (const row of rows) noteSought(db, row.id as number, row)
  db.run('UPDATE indexed SET last = ?', rows.at(-1)!.id!)
  return rows.length === stepMax
}

export function noteSought(db: Database, id: number, row: Row): void {
  for (const [kind, value] of soughtOf(row)) db.run('INSERT OR IGNORE INTO sought VALUES (?, ?, ?)', kind, value, id)
}

export function forgetSought(db: Database, id: number, row: Row): void {
  for (const [kind, value] of soughtOf(row))
    db.run('DELETE FROM sought WHERE kind = ? AND value = ? AND id = ?', kind, value, id)
}

function soughtOf({ org, message_id, contact, conversation }: Row): [kind: string, value: string][] {
  return [
    ['message', message_id as string],
    ...(contact === null ? [] : [['contact', `${org} ${contact}`] as [string, string]]),
    ...(conversation === null ? [] : [['conversation', `${org} ${conversation}`] as [string, string]]),
  ]
}

export function find(
  db: Database,
  query: Query,
  { before, limit }: { before?: Cursor; limit: number },
): { entries: Shown[]; next?: Cursor } {
  const entries: Shown[] = []
  let looks = 0
  for (const shown of candidates(db, query, before)) {
    if (isBelow(shown, before) && matches(shown, query)) entries.push(shown)
    if (entries.length === limit || ++looks === looksMax)
      return { entries, next: { receivedAt: shown.receivedAt, id: shown.id } }
  }
  return { entries }
}

/** Everything that may match, newest first, by whichever index leaves the least to look at. */
function candidates(db: Database, query: Query, before: Cursor | undefined): Iterable<Shown> {
  const sought = soughtBy(query)
  if (sought)
    return rows(db, `JOIN sought s ON s.id = e.id ${lanes} WHERE s.kind = ? AND s.value = ? ${newest}`, ...sought)
  const { org, type, states, from = 0, to } = query
  const until = Math.min(before ? before.receivedAt + 1 : Number.MAX_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER)
  if (org === undefined) return rows(db, `${lanes} ORDER BY e.id DESC`)
  const during = 'e.org = ? AND e.received_at >= ? AND e.received_at < ?'
  const aside = ['dead', 'quarantined', 'unclaimed']
  if (states?.every((state) => aside.includes(state))) {
    const condition = `e.state IN ('dead', 'quarantined', 'unclaimed')`
    return rows(db, `INDEXED BY entries_aside ${lanes} WHERE ${during} AND ${condition} ${newest}`, org, from, until)
  }
  const inLine = states?.every((state) => state === 'waiting' || state === 'asking')
  if (inLine && isShort(db, org))
    return rows(db, `${lanes} WHERE ${during} AND e.id IN (${line}) ${newest}`, org, from, until, org, org)
  const types = type === undefined ? typesOf(db, org) : [type]
  return merge(
    types.map((one) =>
      rows(db, `INDEXED BY entries_listed ${lanes} WHERE ${during} AND e.type = ? ${newest}`, org, from, until, one),
    ),
  )
}

/** What is in line, by its own small indexes; what is delivered may be a million. */
const line = `SELECT id FROM entries WHERE org = ? AND state = 'waiting'
  UNION ALL SELECT id FROM entries WHERE org = ? AND state = 'asking'`

/** Few enough to be put in order at once; of a long line the newest are among the newest of all. */
function isShort(db: Database, org: string): boolean {
  return db.get(`SELECT 1 FROM (${line}) LIMIT 1 OFFSET ?`, org, org, looksMax) === undefined
}

function soughtBy({ org, message, contact, conversation }: Query): [kind: string, value: string] | undefined {
  if (message !== undefined) return ['message', message]
  if (org === undefined) return undefined
  if (contact !== undefined) return ['contact', `${org} ${contact}`]
  return conversation === undefined ? undefined : ['conversation', `${org} ${conversation}`]
}

/** The types there are, found by leaping from one to the next in the index. */
function typesOf(db: Database, org: string): string[] {
  return db
    .all(
      `WITH RECURSIVE t (type) AS (
         SELECT min(type) FROM entries WHERE org = ?1
         UNION ALL SELECT (SELECT min(type) FROM entries WHERE org = ?1 AND type > t.type) FROM t WHERE t.type IS NOT NULL
       ) SELECT type FROM t WHERE type IS NOT NULL`,
      org,
    )
    .map(({ type }) => type as string)
}

function* rows(db: Database, how: string, ...values: (string | number)[]): Generator<Shown, undefined> {
  for (const row of db.each(`SELECT ${columns} FROM entries e ${how}`, ...values)) yield shownOf(row)
}

function* merge(sources: Generator<Shown, undefined>[]): Generator<Shown> {
  try {
    const heads = sources.map((source) => source.next().value)
    for (;;) {
      let first = -1
      heads.forEach((head, at) => {
        if (head && (first < 0 || byNewest(head, heads[first]!) < 0)) first = at
      })
      if (first < 0) return
      yield heads[first]!
      heads[first] = sources[first]!.next().value
    }
  } finally {
    // A statement that is left half read would keep this moment before the reader's eyes for good.
    for (const source of sources) source.return(undefined)
  }
}

export function read(db: Database, id: number): (Shown & { body: Uint8Array; known?: Uint8Array }) | undefined {
  const row = db.get(
    `SELECT ${columns}, b.body, b.known FROM entries e JOIN bodies b ON b.id = e.id ${lanes} WHERE e.id = ?`,
    id,
  )
  if (!row) return undefined
  const known = row.known as Uint8Array | null
  return { ...shownOf(row), body: row.body as Uint8Array, ...(known ? { known } : {}) }
}

export function lastReceivedAt(db: Database): number | undefined {
  return db.get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1')?.at as number | undefined
}

export { lanesOf as lanes }

function lanesOf(db: Database, org: string): LaneShown[] {
  return db.all('SELECT * FROM lanes WHERE org = ? ORDER BY lane', org).map(laneOf)
}
