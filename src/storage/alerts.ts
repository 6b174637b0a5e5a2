/** What is stored for alerts, for both engines. */
import { skewMsMax } from '../lib/clock.ts'
import { keepEntry } from './audit.ts'
import type { AuditEntry } from './ports/accounts.ts'
import type {
  AlertAttempt,
  AlertRecipient,
  Alerts,
  AlertWatch,
  Message,
  MessageLease,
  MessageOutcome,
  NewMessage,
} from './ports/alerts.ts'
import { all, get, own, present, type Row, run, type Statements, together } from './statements.ts'

const columns = {
  recipient: 'org, id, channel, sealed, created_at AS "createdAt", confirmed_at AS "confirmedAt"',
  message: `id, org, recipient, channel, kind, body, created_at AS "createdAt", tries, tried_at AS at, ms, status, answer,
    due_at AS "dueAt", ended AS "end", ended_at AS "endedAt"`,
}

type Named = Pick<AlertRecipient, 'org' | 'id'>

function* insert({ id, org, recipient, channel, kind, body, createdAt }: NewMessage): Statements<void> {
  const sql = `INSERT INTO alert_messages (id, org, recipient, channel, kind, body, created_at, due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING`
  yield* run(sql, id, org, recipient, channel, kind, body, createdAt)
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
  *recipients(org?: string): Statements<AlertRecipient[]> {
    const whose = org === undefined ? [] : [org]
    const sql = `SELECT ${columns.recipient} FROM alert_recipients ${whose.map(() => 'WHERE org = $1')} ORDER BY org, created_at, id COLLATE "C"`
    return (yield* all(sql, ...whose)).map(present<AlertRecipient>)
  },
  addRecipient: together(function* (
    { org, id, channel, sealed, createdAt, confirmedAt }: AlertRecipient,
    most: Parameters<Alerts['addRecipient']>[1],
    entry: AuditEntry,
  ): Statements<'added' | 'full'> {
    yield* own('lock', [`alerts ${org}`])
    const there = yield* all('SELECT channel FROM alert_recipients WHERE org = $1', org)
    const alike = there.filter((recipient) => recipient.channel === channel)
    if (there.length >= most.recipients || alike.length >= most.ofChannel) return 'full'
    const sql = `INSERT INTO alert_recipients (org, id, channel, sealed, created_at, confirmed_at)
      VALUES ($1, $2, $3, $4, $5, $6)`
    yield* run(sql, org, id, channel, sealed, createdAt, confirmedAt ?? null)
    yield* keepEntry(entry)
    return 'added'
  }),
  confirmRecipient: together(function* ({ org, id }: Named, now: number, entry: AuditEntry): Statements<boolean> {
    const sql = 'UPDATE alert_recipients SET confirmed_at = $3 WHERE org = $1 AND id = $2 AND confirmed_at IS NULL'
    const isConfirmed = (yield* run(sql, org, id, now)) === 1
    if (isConfirmed) yield* keepEntry(entry)
    return isConfirmed
  }),
  removeRecipient: together(function* (
    { org, id }: Named,
    { at, keepUntil }: Parameters<Alerts['removeRecipient']>[1],
    entry: AuditEntry,
  ): Statements<boolean> {
    if ((yield* run('DELETE FROM alert_recipients WHERE org = $1 AND id = $2', org, id)) === 0) return false
    const sql = `UPDATE alert_messages SET due_at = NULL, lease_until = NULL, ended = 'removed', ended_at = $3, keep_until = $4
      WHERE org = $1 AND recipient = $2 AND due_at IS NOT NULL`
    yield* run(sql, org, id, at, keepUntil)
    yield* own('noteErasure')
    yield* keepEntry(entry)
    return true
  }),
  *watches(): Statements<AlertWatch[]> {
    return (yield* all('SELECT org, state, generation FROM alert_watches ORDER BY org')).map(present<AlertWatch>)
  },
  move: together(function* (
    { org, state, generation }: AlertWatch,
    messages: readonly NewMessage[],
  ): Statements<boolean> {
    const sql =
      generation === 0
        ? 'INSERT INTO alert_watches (org, state, generation) VALUES ($1, $2, $3::bigint + 1) ON CONFLICT DO NOTHING'
        : 'UPDATE alert_watches SET state = $2, generation = $3::bigint + 1 WHERE org = $1 AND generation = $3'
    if ((yield* run(sql, org, state, generation)) === 0) return false
    for (const message of messages) yield* insert(message)
    return true
  }),
  create: together(function* (message: NewMessage, unlessSince?: number): Statements<'created' | 'there' | 'too_soon'> {
    const { id, org, kind } = message
    yield* own('lock', [`alerts ${org}`])
    if (yield* get('SELECT 1 FROM alert_messages WHERE id = $1', id)) return 'there'
    const lately = 'SELECT 1 FROM alert_messages WHERE org = $1 AND kind = $2 AND created_at >= $3'
    if (unlessSince !== undefined && (yield* get(lately, org, kind, unlessSince))) return 'too_soon'
    yield* insert(message)
    return 'created'
  }),
  claim: together(function* (
    now: number,
    until: number,
    { channel, since, most }: Parameters<Alerts['claim']>[2],
  ): Statements<MessageLease | undefined> {
    // One at a time, or two replicas would each give out the last mail of the day.
    yield* own('lock', ['alerts'])
    const row = yield* get(
      `UPDATE alert_messages SET token = token + 1, lease_until = $2
       WHERE id = (
         SELECT m.id FROM alert_messages m
         WHERE m.due_at <= $1 AND (m.lease_until IS NULL OR m.lease_until <= $1 OR m.lease_until > $2::bigint + $3::bigint)
           AND (m.kind <> 'alert' OR ${inOrder}) AND ${withinLimit}
         ORDER BY m.due_at, m.created_at, m.id LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING ${columns.message}, token`,
      now,
      until,
      skewMsMax,
      channel,
      since,
      most,
    )
    if (!row) return undefined
    const { token, ...message } = row
    return { message: messageOf(message), token: token as number }
  }),
  *settle({ message: { id }, token }: MessageLease, outcome: MessageOutcome): Statements<boolean> {
    const { at, ms, status, answer } = outcome.attempt
    const sql = `UPDATE alert_messages SET lease_until = NULL, tries = tries + 1, tried_at = $3, ms = $4, status = $5, answer = $6,
      due_at = $7, ended = $8, ended_at = $9, keep_until = $10 WHERE id = $1 AND token = $2 AND lease_until IS NOT NULL`
    const then = outcome.is === 'later' ? [outcome.dueAt, null, null, null] : [null, outcome.end, at, outcome.keepUntil]
    return (yield* run(sql, id, token, at, ms, status, answer ?? null, ...then)) === 1
  },
  *get(id: string): Statements<Message | undefined> {
    const row = yield* get(`SELECT ${columns.message} FROM alert_messages WHERE id = $1`, id)
    return row && messageOf(row)
  },
  *list(org: string, limit: number): Statements<Message[]> {
    const sql = `SELECT ${columns.message} FROM alert_messages WHERE org = $1 ORDER BY created_at DESC, id DESC LIMIT $2`
    return (yield* all(sql, org, limit)).map(messageOf)
  },
  sweep: (now: number): Statements<number> => run('DELETE FROM alert_messages WHERE keep_until <= $1', now),
  erase: together(function* (org: string): Statements<void> {
    let gone = 0
    for (const table of ['alert_recipients', 'alert_watches', 'alert_messages'])
      gone += yield* run(`DELETE FROM ${table} WHERE org = $1`, org)
    if (gone > 0) yield* own('noteErasure')
  }),
}

function messageOf({ at, ms, status, answer, ...row }: Row): Message {
  return {
    ...present<Message>(row),
    ...(at === null ? {} : { last: present<AlertAttempt>({ at, ms, status, answer }) }),
  }
}
