/** What people search by stands in `search_index`, which follows the entries after they are answered. */
import type { Database, Row } from './database.ts'

/** Entries that one step of indexing covers: about 3 ms, in which webhooks wait for their answer. */
const stepMax = 250

export function isBehind(db: Database): boolean {
  return db.get('SELECT 1 FROM entries WHERE id > (SELECT last FROM indexed) LIMIT 1') !== undefined
}

/** Indexes what has been appended since; true when there may be more. One statement for all: one for each row costs twice as much. */
export function indexStep(db: Database): boolean {
  const last = Number(db.get('SELECT last FROM indexed')!.last)
  const step = 'SELECT id FROM entries WHERE id > ? ORDER BY id LIMIT ?'
  const { end, many } = db.get(`SELECT max(id) AS end, count(*) AS many FROM (${step})`, last, stepMax)!
  if (many === 0) return false
  db.run(indexBetween, last, end!)
  db.run('UPDATE indexed SET last = ?', end!)
  return many === stepMax
}

/** As `termsOf` has it. */
const indexBetween = `WITH e AS (
    SELECT id, org, type, message_id, contact, conversation FROM entries WHERE id > ?1 AND id <= ?2
  )
  INSERT OR IGNORE INTO search_index (org, kind, value, id)
  SELECT '', 'message', message_id, id FROM e
  UNION ALL SELECT org, 'type', type, id FROM e
  UNION ALL SELECT org, 'contact', contact, id FROM e WHERE contact IS NOT NULL
  UNION ALL SELECT org, 'conversation', conversation, id FROM e WHERE conversation IS NOT NULL`

export function addToIndex(db: Database, row: Row): void {
  for (const [org, kind, value] of termsOf(row)) {
    db.run('INSERT OR IGNORE INTO search_index VALUES (?, ?, ?, ?)', org, kind, value, row.id!)
  }
}

export function removeFromIndex(db: Database, row: Row): void {
  for (const [org, kind, value] of termsOf(row)) {
    const sql = 'DELETE FROM search_index WHERE org = ? AND kind = ? AND value = ? AND id = ?'
    db.run(sql, org, kind, value, row.id!)
  }
}

/** A message is found without its account too. */
function termsOf({ org, type, message_id, contact, conversation }: Row): [org: string, kind: string, value: string][] {
  const ofAccount = (kind: string, value: unknown): [string, string, string][] =>
    value === null ? [] : [[org as string, kind, value as string]]
  return [
    ['', 'message', message_id as string],
    ...ofAccount('type', type),
    ...ofAccount('contact', contact),
    ...ofAccount('conversation', conversation),
  ]
}
