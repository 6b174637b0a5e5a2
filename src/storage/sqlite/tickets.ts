import { skewMsMax } from '../../lib/clock.ts'
import type { Ticket } from '../ports/sessions.ts'
import type { Database, Row } from './database.ts'

type Named = Pick<Ticket, 'kind' | 'id'>

export const tickets = {
  issue(db: Database, { kind, id, org, who, at, until }: Ticket, max?: number): 'issued' | 'there' | 'full' {
    if (db.get('SELECT 1 FROM tickets WHERE kind = ? AND id = ?', kind, id)) return 'there'
    if (max !== undefined) {
      const there = db.get('SELECT count(*) AS count FROM tickets WHERE kind = ? AND until > ?', kind, at)
      if (Number(there?.count) >= max) return 'full'
    }
    keep(db, { kind, id, org, who, at, until })
    return 'issued'
  },
  get(db: Database, { kind, id }: Named, now: number): Ticket | undefined {
    const sql = 'SELECT * FROM tickets WHERE kind = ? AND id = ? AND until > ? AND at <= ?'
    const row = db.get(sql, kind, id, now, now + skewMsMax)
    return row && ticketOf(row)
  },
  redeem(db: Database, named: Named, now: number, successor?: Ticket): Ticket | undefined {
    const found = tickets.get(db, named, now)
    if (found) db.run('DELETE FROM tickets WHERE kind = ? AND id = ?', found.kind, found.id)
    if (found && successor) keep(db, successor)
    return found
  },
  extend: (db: Database, { kind, id }: Named, until: number): boolean =>
    db.run('UPDATE tickets SET until = ? WHERE kind = ? AND id = ?', until, kind, id) === 1,
  revoke(db: Database, kind: Ticket['kind'], org?: string): Ticket[] {
    const whose = org === undefined ? [] : [org]
    const sql = `DELETE FROM tickets WHERE kind = ? ${whose.map(() => 'AND org = ?')} RETURNING *`
    return db.all(sql, kind, ...whose).map(ticketOf)
  },
  sweep: (db: Database, now: number): number => db.run('DELETE FROM tickets WHERE until <= ?', now),
}

function keep(db: Database, { kind, id, org, who, at, until }: Ticket): void {
  db.run('INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?)', kind, id, org, who, at, until)
}

function ticketOf(row: Row): Ticket {
  return { ...row } as unknown as Ticket
}
