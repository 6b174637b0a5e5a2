import { skewMsMax } from '../../lib/clock.ts'
import { messageOf, recipientOf, watchOf } from '../alert-rows.ts'
import type { AuditEntry } from '../ports/accounts.ts'
import type {
  AlertRecipient,
  Alerts,
  AlertWatch,
  Message,
  MessageLease,
  MessageOutcome,
  NewMessage,
} from '../ports/alerts.ts'
import type { Database, Session } from './database.ts'
import { lock } from './locks.ts'
import { keepEntry } from './records.ts'

type Named = Pick<AlertRecipient, 'org' | 'id'>

async function insert(
  session: Session,
  { id, org, recipient, channel, kind, body, createdAt }: NewMessage,
): Promise<void> {
  const sql = `INSERT INTO alert_messages (id, org, recipient, channel, kind, body, created_at, due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING`
  await session.run(sql, id, org, recipient, channel, kind, body, createdAt)
}

/** No alert that was made earlier for the same recipient is still to be sent. */
const inOrder = `NOT EXISTS (
  SELECT 1 FROM alert_messages e WHERE e.org = m.org AND e.recipient = m.recipient AND e.kind = 'alert' AND e.due_at IS NOT NULL
    AND (e.created_at, e.id) < (m.created_at, m.id))`

/** Its account had fewer others of the channel: with channel, since and most as $4 to $6. */
const withinLimit = `(m.channel <> $4 OR (
  SELECT count(*) FROM alert_messages s WHERE s.org = m.org AND s.channel = m.channel AND s.id <> m.id
    AND (s.lease_until IS NOT NULL OR (s.ended = 'sent' AND s.ended_at > $5))) < $6)`

export const alerts = {
  async recipients(db: Database, org?: string): Promise<AlertRecipient[]> {
    const whose = org === undefined ? [] : [org]
    const sql = `SELECT * FROM alert_recipients ${whose.map(() => 'WHERE org = $1')} ORDER BY org, created_at, id COLLATE "C"`
    return (await db.all(sql, ...whose)).map(recipientOf)
  },
  addRecipient: (
    db: Database,
    { org, id, channel, sealed, createdAt, confirmedAt }: AlertRecipient,
    most: Parameters<Alerts['addRecipient']>[1],
    entry: AuditEntry,
  ): Promise<'added' | 'full'> =>
    db.transaction(async (session) => {
      await lock(session, [`alerts ${org}`])
      const there = await session.all('SELECT channel FROM alert_recipients WHERE org = $1', org)
      const alike = there.filter((recipient) => recipient.channel === channel)
      if (there.length >= most.recipients || alike.length >= most.ofChannel) return 'full'
      const sql = 'INSERT INTO alert_recipients VALUES ($1, $2, $3, $4, $5, $6)'
      await session.run(sql, org, id, channel, sealed, createdAt, confirmedAt ?? null)
      await keepEntry(session, entry)
      return 'added'
    }),
  confirmRecipient: (db: Database, { org, id }: Named, now: number, entry: AuditEntry): Promise<boolean> =>
    db.transaction(async (session) => {
      const sql = 'UPDATE alert_recipients SET confirmed_at = $3 WHERE org = $1 AND id = $2 AND confirmed_at IS NULL'
      const isConfirmed = (await session.run(sql, org, id, now)) === 1
      if (isConfirmed) await keepEntry(session, entry)
      return isConfirmed
    }),
  removeRecipient: (
    db: Database,
    { org, id }: Named,
    { at, keepUntil }: Parameters<Alerts['removeRecipient']>[1],
    entry: AuditEntry,
  ): Promise<boolean> =>
    db.transaction(async (session) => {
      if ((await session.run('DELETE FROM alert_recipients WHERE org = $1 AND id = $2', org, id)) === 0) return false
      await session.run(
        `UPDATE alert_messages SET due_at = NULL, lease_until = NULL, ended = 'removed', ended_at = $3, keep_until = $4
         WHERE org = $1 AND recipient = $2 AND due_at IS NOT NULL`,
        org,
        id,
        at,
        keepUntil,
      )
      await keepEntry(session, entry)
      return true
    }),
  watches: async (db: Database): Promise<AlertWatch[]> =>
    (await db.all('SELECT * FROM alert_watches ORDER BY org')).map(watchOf),
  move: (db: Database, { org, state, generation }: AlertWatch, messages: readonly NewMessage[]): Promise<boolean> =>
    db.transaction(async (session) => {
      const sql =
        generation === 0
          ? 'INSERT INTO alert_watches (org, state, generation) VALUES ($1, $2, $3::bigint + 1) ON CONFLICT DO NOTHING'
          : 'UPDATE alert_watches SET state = $2, generation = $3::bigint + 1 WHERE org = $1 AND generation = $3'
      if ((await session.run(sql, org, state, generation)) === 0) return false
      for (const message of messages) await insert(session, message)
      return true
    }),
  create: (db: Database, message: NewMessage, unlessSince?: number): Promise<'created' | 'there' | 'too_soon'> =>
    db.transaction(async (session) => {
      const { id, org, kind } = message
      await lock(session, [`alerts ${org}`])
      if (await session.get('SELECT 1 FROM alert_messages WHERE id = $1', id)) return 'there'
      const lately = 'SELECT 1 FROM alert_messages WHERE org = $1 AND kind = $2 AND created_at >= $3'
      if (unlessSince !== undefined && (await session.get(lately, org, kind, unlessSince))) return 'too_soon'
      await insert(session, message)
      return 'created'
    }),
  claim: (
    db: Database,
    now: number,
    until: number,
    { channel, since, most }: Parameters<Alerts['claim']>[2],
  ): Promise<MessageLease | undefined> =>
    db.transaction(async (session) => {
      // One at a time, or two replicas would each give out the last mail of the day.
      await lock(session, ['alerts'])
      const row = await session.get(
        `UPDATE alert_messages SET token = token + 1, lease_until = $2
       WHERE id = (
         SELECT m.id FROM alert_messages m
         WHERE m.due_at <= $1 AND (m.lease_until IS NULL OR m.lease_until <= $1 OR m.lease_until > $2::bigint + $3::bigint)
           AND (m.kind <> 'alert' OR ${inOrder}) AND ${withinLimit}
         ORDER BY m.due_at, m.created_at, m.id LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING *`,
        now,
        until,
        skewMsMax,
        channel,
        since,
        most,
      )
      return row && { message: messageOf(row), token: Number(row.token) }
    }),
  async settle(db: Database, { message: { id }, token }: MessageLease, outcome: MessageOutcome): Promise<boolean> {
    const { at, ms, status, answer } = outcome.attempt
    const then = outcome.is === 'later' ? [outcome.dueAt, null, null, null] : [null, outcome.end, at, outcome.keepUntil]
    const settled = await db.run(
      `UPDATE alert_messages SET lease_until = NULL, tries = tries + 1, tried_at = $3, ms = $4, status = $5, answer = $6,
         due_at = $7, ended = $8, ended_at = $9, keep_until = $10 WHERE id = $1 AND token = $2 AND lease_until IS NOT NULL`,
      id,
      token,
      at,
      ms,
      status,
      answer ?? null,
      ...then,
    )
    return settled === 1
  },
  async get(db: Database, id: string): Promise<Message | undefined> {
    const row = await db.get('SELECT * FROM alert_messages WHERE id = $1', id)
    return row && messageOf(row)
  },
  async list(db: Database, org: string, limit: number): Promise<Message[]> {
    const sql = 'SELECT * FROM alert_messages WHERE org = $1 ORDER BY created_at DESC, id DESC LIMIT $2'
    return (await db.all(sql, org, limit)).map(messageOf)
  },
  sweep: (db: Database, now: number): Promise<number> =>
    db.run('DELETE FROM alert_messages WHERE keep_until <= $1', now),
  erase: (db: Database, org: string): Promise<void> =>
    db.transaction(async (session) => {
      for (const table of ['alert_recipients', 'alert_watches', 'alert_messages'])
        await session.run(`DELETE FROM ${table} WHERE org = $1`, org)
    }),
}
