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
import type { Database } from './database.ts'
import { noteErasure } from './purge.ts'
import { keepEntry } from './records.ts'

type Named = Pick<AlertRecipient, 'org' | 'id'>

function insert(db: Database, { id, org, recipient, channel, kind, body, createdAt }: NewMessage): boolean {
  const sql = `INSERT INTO alert_messages (id, org, recipient, channel, kind, body, created_at, due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
  return db.run(sql, id, org, recipient, channel, kind, body, createdAt, createdAt) === 1
}

/** No alert that was made earlier for the same recipient is still to be sent. */
const inOrder = `NOT EXISTS (
  SELECT 1 FROM alert_messages e WHERE e.org = m.org AND e.recipient = m.recipient AND e.kind = 'alert' AND e.due_at IS NOT NULL
    AND (e.created_at, e.id) < (m.created_at, m.id))`

/** Its account had fewer others of the channel: with channel, since and most as values. */
const withinLimit = `(m.channel <> ? OR (
  SELECT count(*) FROM alert_messages s WHERE s.org = m.org AND s.channel = m.channel AND s.id <> m.id
    AND (s.lease_until IS NOT NULL OR (s.ended = 'sent' AND s.ended_at > ?))) < ?)`

export const alerts = {
  recipients(db: Database, org?: string): AlertRecipient[] {
    const whose = org === undefined ? [] : [org]
    const sql = `SELECT * FROM alert_recipients ${whose.map(() => 'WHERE org = ?')} ORDER BY org, created_at, id`
    return db.all(sql, ...whose).map(recipientOf)
  },
  addRecipient(
    db: Database,
    { org, id, channel, sealed, createdAt, confirmedAt }: AlertRecipient,
    most: Parameters<Alerts['addRecipient']>[1],
    entry: AuditEntry,
  ): 'added' | 'full' {
    const there = db.all('SELECT channel FROM alert_recipients WHERE org = ?', org)
    const alike = there.filter((recipient) => recipient.channel === channel)
    if (there.length >= most.recipients || alike.length >= most.ofChannel) return 'full'
    const sql = `INSERT INTO alert_recipients (org, id, channel, sealed, created_at, confirmed_at) VALUES (?, ?, ?, ?, ?, ?)`
    db.run(sql, org, id, channel, sealed, createdAt, confirmedAt ?? null)
    keepEntry(db, entry)
    return 'added'
  },
  confirmRecipient(db: Database, { org, id }: Named, now: number, entry: AuditEntry): boolean {
    const sql = 'UPDATE alert_recipients SET confirmed_at = ? WHERE org = ? AND id = ? AND confirmed_at IS NULL'
    const isConfirmed = db.run(sql, now, org, id) === 1
    if (isConfirmed) keepEntry(db, entry)
    return isConfirmed
  },
  removeRecipient(
    db: Database,
    { org, id }: Named,
    { at, keepUntil }: Parameters<Alerts['removeRecipient']>[1],
    entry: AuditEntry,
  ): boolean {
    if (db.run('DELETE FROM alert_recipients WHERE org = ? AND id = ?', org, id) === 0) return false
    const sql = `UPDATE alert_messages SET due_at = NULL, lease_until = NULL, ended = 'removed', ended_at = ?, keep_until = ?
      WHERE org = ? AND recipient = ? AND due_at IS NOT NULL`
    db.run(sql, at, keepUntil, org, id)
    noteErasure(db)
    keepEntry(db, entry)
    return true
  },
  watches: (db: Database): AlertWatch[] => db.all('SELECT * FROM alert_watches ORDER BY org').map(watchOf),
  move(db: Database, { org, state, generation }: AlertWatch, messages: readonly NewMessage[]): boolean {
    const sql =
      generation === 0
        ? 'INSERT INTO alert_watches (state, org, generation) VALUES (?, ?, ? + 1) ON CONFLICT DO NOTHING'
        : 'UPDATE alert_watches SET state = ?1, generation = ?3 + 1 WHERE org = ?2 AND generation = ?3'
    if (db.run(sql, state, org, generation) === 0) return false
    for (const message of messages) insert(db, message)
    return true
  },
  create(db: Database, message: NewMessage, unlessSince?: number): 'created' | 'there' | 'too_soon' {
    const { id, org, kind } = message
    if (db.get('SELECT 1 FROM alert_messages WHERE id = ?', id)) return 'there'
    const lately = 'SELECT 1 FROM alert_messages WHERE org = ? AND kind = ? AND created_at >= ?'
    if (unlessSince !== undefined && db.get(lately, org, kind, unlessSince)) return 'too_soon'
    insert(db, message)
    return 'created'
  },
  claim(
    db: Database,
    now: number,
    until: number,
    { channel, since, most }: Parameters<Alerts['claim']>[2],
  ): MessageLease | undefined {
    const row = db.get(
      `UPDATE alert_messages SET token = token + 1, lease_until = ?
       WHERE id = (
         SELECT m.id FROM alert_messages m WHERE m.due_at <= ? AND (m.lease_until IS NULL OR m.lease_until <= ? OR m.lease_until > ?)
           AND (m.kind <> 'alert' OR ${inOrder}) AND ${withinLimit} ORDER BY m.due_at, m.created_at, m.id LIMIT 1
       ) RETURNING *`,
      until,
      now,
      now,
      until + skewMsMax,
      channel,
      since,
      most,
    )
    return row && { message: messageOf(row), token: Number(row.token) }
  },
  settle(db: Database, { message: { id }, token }: MessageLease, outcome: MessageOutcome): boolean {
    const { at, ms, status, answer } = outcome.attempt
    const sql = `UPDATE alert_messages SET lease_until = NULL, tries = tries + 1, tried_at = ?, ms = ?, status = ?, answer = ?,
      due_at = ?, ended = ?, ended_at = ?, keep_until = ? WHERE id = ? AND token = ? AND lease_until IS NOT NULL`
    const then = outcome.is === 'later' ? [outcome.dueAt, null, null, null] : [null, outcome.end, at, outcome.keepUntil]
    return db.run(sql, at, ms, status, answer ?? null, ...then, id, token) === 1
  },
  get(db: Database, id: string): Message | undefined {
    const row = db.get('SELECT * FROM alert_messages WHERE id = ?', id)
    return row && messageOf(row)
  },
  list: (db: Database, org: string, limit: number): Message[] =>
    db
      .all('SELECT * FROM alert_messages WHERE org = ? ORDER BY created_at DESC, id DESC LIMIT ?', org, limit)
      .map(messageOf),
  sweep: (db: Database, now: number): number => db.run('DELETE FROM alert_messages WHERE keep_until <= ?', now),
  erase(db: Database, org: string): void {
    const tables = ['alert_recipients', 'alert_watches', 'alert_messages']
    const gone = tables.map((table) => db.run(`DELETE FROM ${table} WHERE org = ?`, org))
    if (gone.some((rows) => rows > 0)) noteErasure(db)
  },
}
