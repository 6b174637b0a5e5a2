/** Where an account's events go: its destinations, by number. */
import type { Destination, Org } from '../ports/entry.ts'
import { tally } from './counts.ts'
import type { Database, Session } from './database.ts'
import { lock } from './locks.ts'

export async function destinations(db: Session, org: Org): Promise<Destination[]> {
  const sql = 'SELECT number FROM destinations WHERE org = $1 AND removed_at IS NULL ORDER BY number'
  return (await db.all(sql, org)).map(({ number }) => Number(number))
}

export async function allDestinations(db: Database): Promise<{ org: Org; destination: Destination }[]> {
  const rows = await db.all('SELECT org, number FROM destinations WHERE removed_at IS NULL')
  return rows.map(({ org, number }) => ({ org: org as Org, destination: Number(number) }))
}

/** Those that an entry is meant for, by when they were added. */
export async function meantFor(db: Session, org: Org, id: number): Promise<Destination[]> {
  const sql = 'SELECT number FROM destinations WHERE org = $1 AND removed_at IS NULL AND since < $2 ORDER BY number'
  return (await db.all(sql, org, id)).map(({ number }) => Number(number))
}

/** Under the account's lock alone: no append is under way, whose events it would get or not by chance. */
export async function addDestination(db: Database, org: Org, destination: Destination): Promise<void> {
  await db.transaction(async (session) => {
    await lock(session, [org])
    await session.run(
      `INSERT INTO destinations (org, number, since) VALUES ($1, $2, nextval('places') * 128) ON CONFLICT DO NOTHING`,
      org,
      destination,
    )
  })
}

export async function removeDestination(db: Database, org: Org, destination: Destination, now: number): Promise<void> {
  await db.transaction(async (session) => {
    await lock(session, [org])
    const isThere = await session.run(
      'UPDATE destinations SET removed_at = $3 WHERE org = $1 AND number = $2 AND removed_at IS NULL',
      org,
      destination,
      now,
    )
    if (isThere === 0) return
    await session.run('DELETE FROM lanes WHERE org = $1 AND destination = $2', org, destination)
    await session.run('DELETE FROM occurrences WHERE org = $1 AND destination = $2', org, destination)
    const gone = await session.all(
      `WITH q AS (
         DELETE FROM queue WHERE org = $1 AND destination = $2 RETURNING id
       ), x AS (
         DELETE FROM exceptions WHERE org = $1 AND destination = $2 RETURNING id, state
       ), e AS (
         SELECT id, 'expired' AS outcome FROM q
         UNION ALL SELECT id, CASE state WHEN 'dead' THEN 'dead' ELSE 'expired' END FROM x WHERE state <> 'waiting'
       )
       UPDATE entries SET settled_at = coalesce(settled_at, $3) FROM e WHERE entries.id = e.id RETURNING entries.type, e.outcome`,
      org,
      destination,
      now,
    )
    const counts = tally()
    for (const { type, outcome } of gone) {
      counts.add({ org, destination, type: type as string, outcome: outcome as 'expired' | 'dead' })
    }
    await counts.write(session)
  })
}
