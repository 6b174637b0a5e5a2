/** Tickets, for both engines. */
import { skewMsMax } from '../lib/clock.ts'
import type { Ticket } from './ports/sessions.ts'
import { all, get, own, type Row, run, type Statements, together } from './statements.ts'

type Named = Pick<Ticket, 'kind' | 'id'>

/** One that is good: with its kind and id, now, and the latest time that a clock which is right may have written. */
const good = 'kind = $1 AND id = $2 AND until > $3 AND at <= $4'

function* keep({ kind, id, org, who, at, until }: Ticket): Statements<void> {
  const sql = 'INSERT INTO tickets (kind, id, org, who, at, until) VALUES ($1, $2, $3, $4, $5, $6)'
  yield* run(sql, kind, id, org, who, at, until)
}

export const tickets = {
  issue: together(function* (ticket: Ticket, max?: number): Statements<'issued' | 'there' | 'full'> {
    const { kind, id, at } = ticket
    yield* own('lock', [`tickets ${kind}`])
    if (yield* get('SELECT 1 FROM tickets WHERE kind = $1 AND id = $2', kind, id)) return 'there'
    const count = 'SELECT count(*) AS count FROM tickets WHERE kind = $1 AND until > $2'
    if (max !== undefined && Number((yield* get(count, kind, at))!.count) >= max) return 'full'
    yield* keep(ticket)
    return 'issued'
  }),
  *get({ kind, id }: Named, now: number): Statements<Ticket | undefined> {
    return ticketOf(yield* get(`SELECT * FROM tickets WHERE ${good}`, kind, id, now, now + skewMsMax))
  },
  redeem: together(function* ({ kind, id }: Named, now: number, successor?: Ticket): Statements<Ticket | undefined> {
    const taken = yield* get(`DELETE FROM tickets WHERE ${good} RETURNING *`, kind, id, now, now + skewMsMax)
    if (taken && successor) yield* keep(successor)
    return ticketOf(taken)
  }),
  *extend({ kind, id }: Named, until: number): Statements<boolean> {
    return (yield* run('UPDATE tickets SET until = $1 WHERE kind = $2 AND id = $3', until, kind, id)) === 1
  },
  *revoke(kind: Ticket['kind'], org?: string): Statements<Ticket[]> {
    const whose = org === undefined ? [] : [org]
    const sql = `DELETE FROM tickets WHERE kind = $1 ${whose.map(() => 'AND org = $2')} RETURNING *`
    return (yield* all(sql, kind, ...whose)).map((row) => ticketOf(row)!)
  },
  sweep: (now: number): Statements<number> => run('DELETE FROM tickets WHERE until <= $1', now),
}

function ticketOf(row: Row | undefined): Ticket | undefined {
  return row && ({ ...row } as unknown as Ticket)
}
