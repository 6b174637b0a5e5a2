/** Looking at entries: candidates come from whichever index leaves the least to look at, page by page. */
import type { Cursor, LaneShown, Query, Shown } from '../ports.ts'
import { isBelow, matches } from '../query.ts'
import { laneOf, shownOf } from '../rows.ts'
import type { Database } from './database.ts'

/** Entries that one call looks at. */
const looksMax = 10_000
/** Entries that are fetched at once. */
const stepMax = 1_000

const shown = `e.*, CASE WHEN e.state IN ('waiting', 'asking') THEN coalesce(l.hold, l.trouble, e.reason) ELSE e.reason END AS why`
const lanes = `LEFT JOIN lanes l
  ON l.org = e.org AND l.lane = CASE e.state WHEN 'waiting' THEN 'send' WHEN 'asking' THEN 'ask' END`

export async function find(
  db: Database,
  query: Query,
  { before, limit }: { before?: Cursor; limit: number },
): Promise<{ entries: Shown[]; next?: Cursor }> {
  const entries: Shown[] = []
  let cursor = before
  for (let looks = 0; looks < looksMax; ) {
    const rows = await candidates(db, query, cursor, Math.min(stepMax, looks === 0 ? limit + 1 : stepMax))
    for (const one of rows) {
      cursor = { receivedAt: one.receivedAt, id: one.id }
      looks++
      if (isBelow(one, before) && matches(one, query)) entries.push(one)
      if (entries.length === limit) return { entries, next: cursor }
    }
    if (rows.length === 0) return { entries }
  }
  return { entries, next: cursor! }
}

async function candidates(db: Database, query: Query, before: Cursor | undefined, limit: number): Promise<Shown[]> {
  const values: unknown[] = []
  const given = (value: unknown) => `$${values.push(value)}`
  const { org, message, contact, conversation, type, states, from, to } = query
  const aside = ['dead', 'quarantined', 'unclaimed']
  const conditions = [
    message !== undefined && `e.message_id = ${given(message)}`,
    org !== undefined && `e.org = ${given(org)}`,
    contact !== undefined && `e.contact = ${given(contact)}`,
    conversation !== undefined && `e.conversation = ${given(conversation)}`,
    type !== undefined && `e.type = ${given(type)}`,
    // As the index says it, so that it is used.
    states?.every((state) => aside.includes(state)) && `e.state IN ('dead', 'quarantined', 'unclaimed')`,
    states && `e.state = ANY (${given(states)})`,
    from !== undefined && `e.received_at >= ${given(from)}`,
    to !== undefined && `e.received_at < ${given(to)}`,
    before && `(e.received_at, e.id) < (${given(before.receivedAt)}, ${given(before.id)})`,
  ].filter((condition) => typeof condition === 'string')
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const sql = `SELECT ${shown} FROM entries e ${lanes} ${where}
               ORDER BY e.received_at DESC, e.id DESC LIMIT ${given(limit)}`
  return (await db.all(sql, ...values)).map(shownOf)
}

export async function read(
  db: Database,
  id: number,
): Promise<(Shown & { body: Uint8Array; known?: Uint8Array }) | undefined> {
  const row = await db.get(
    `SELECT ${shown}, b.body, b.known FROM entries e JOIN bodies b ON b.id = e.id ${lanes} WHERE e.id = $1`,
    id,
  )
  if (!row) return undefined
  const known = row.known as Uint8Array | null
  return { ...shownOf(row), body: row.body as Uint8Array, ...(known ? { known } : {}) }
}

export async function lastReceivedAt(db: Database): Promise<number | undefined> {
  return (await db.get('SELECT received_at AS at FROM entries ORDER BY id DESC LIMIT 1'))?.at as number | undefined
}

export { lanesOf as lanes }

async function lanesOf(db: Database, org: string): Promise<LaneShown[]> {
  return (await db.all('SELECT * FROM lanes WHERE org = $1 ORDER BY lane', org)).map(laneOf)
}
