import { skewMsMax } from '../../lib/clock.ts'
import type { Ticket } from '../ports/sessions.ts'
import type { Database, Row } from './database.ts'
import { lock } from './locks.ts'

type Named = Pick<Ticket, 'kind' | 'id'>

const named = 'kind = $1 AND id = $2 AND until > $3 AND at <= $4'

export const tickets = {
  issue: (
    db: Database,
    { kind, id, org, who, at, until }: Ticket,
    max?: number,
  ): Promise<'issued' | 'there' | 'full'> =>
    db.transaction(async (session) => {
      await lock(session, [`tickets ${kind}`])
      if (await session.get('SELECT 1 FROM tickets WHERE kind = $1 AND id = $2', kind, id)) return 'there'
      if (max !== undefined) {
        const there = await session.get(
          'SELECT count(*) AS count FROM tickets WHERE kind = $1 AND until > $2',
          kind,
          at,
        )
        if (Number(there?.count) >= max) return 'full'
      }
      await session.run('INSERT INTO tickets VALUES ($1, $2, $3, $4, $5, $6)', kind, id, org, who, at, until)
      return 'issued'
    }),
  async get(db: Database, { kind, id }: Named, now: number): Promise<Ticket | undefined> {
    return ticketOf(await db.get(`SELECT * FROM tickets WHERE ${named}`, kind, id, now, now + skewMsMax))
  },
  async redeem(db: Database, { kind, id }: Named, now: number, successor?: Ticket): Promise<Ticket | undefined> {
    const taken = `DELETE FROM tickets WHERE ${named} RETURNING *`
    const given = [kind, id, now, now + skewMsMax]
    if (!successor) return ticketOf(await db.get(taken, ...given))
    const next = [successor.kind, successor.id, successor.org, successor.who, successor.at, successor.until]
    const sql = `WITH taken AS (${taken}), kept AS (
      INSERT INTO tickets SELECT $5, $6, $7, $8, $9::bigint, $10::bigint FROM taken
    ) SELECT * FROM taken`
    return ticketOf(await db.get(sql, ...given, ...next))
  },
  extend: async (db: Database, { kind, id }: Named, until: number): Promise<boolean> =>
    (await db.run('UPDATE tickets SET until = $1 WHERE kind = $2 AND id = $3', until, kind, id)) === 1,
  async revoke(db: Database, kind: Ticket['kind'], org?: string): Promise<Ticket[]> {
    const whose = org === undefined ? [] : [org]
    const sql = `DELETE FROM tickets WHERE kind = $1 ${whose.map(() => 'AND org = $2')} RETURNING *`
    return (await db.all(sql, kind, ...whose)) as unknown as Ticket[]
  },
  sweep: (db: Database, now: number): Promise<number> => db.run('DELETE FROM tickets WHERE until <= $1', now),
}

function ticketOf(row: Row | undefined): Ticket | undefined {
  return row as unknown as Ticket | undefined
}
