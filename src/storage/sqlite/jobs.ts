import { skewMsMax } from '../../lib/clock.ts'
import type { AuditEntry } from '../ports/accounts.ts'
import type { Job, JobEnd, JobHeld, JobLease, Jobs, NewJob, Progress } from '../ports/jobs.ts'
import { jobHeldOf, jobOf } from '../rows.ts'
import type { Database } from './database.ts'
import { noteErasure } from './purge.ts'
import { keepEntry } from './records.ts'

/** Whose lease it is: with its id and token as values. */
const held = 'id = ? AND token = ? AND lease_until IS NOT NULL'

export const jobs = {
  create(db: Database, { id, kind, org, who, only, input, createdAt }: NewJob): Awaited<ReturnType<Jobs['create']>> {
    if (db.get('SELECT 1 FROM jobs WHERE id = ?', id)) return 'there'
    const sql = `INSERT INTO jobs (id, kind, org, who, only_one, input, state, counts, created_at, changed_at)
      VALUES (?, ?, ?, ?, ?, ?, 'waiting', '{}', ?, ?) ON CONFLICT DO NOTHING`
    return db.run(sql, id, kind, org, who, only ?? null, input, createdAt, createdAt) === 1 ? 'created' : 'other'
  },
  claim(db: Database, kinds: readonly string[], now: number, until: number, id?: string): JobLease | undefined {
    const row = db.get(
      `UPDATE jobs SET state = 'running', token = token + 1, lease_until = ?, started_at = coalesce(started_at, ?),
         changed_at = ?
       WHERE id = (
         SELECT id FROM jobs WHERE ended_at IS NULL AND kind IN (SELECT value FROM json_each(?))
           AND (lease_until IS NULL OR lease_until <= ? OR lease_until > ?) AND id = coalesce(?, id) ORDER BY created_at, id LIMIT 1
       ) RETURNING *`,
      until,
      now,
      now,
      JSON.stringify(kinds),
      now,
      until + skewMsMax,
      id ?? null,
    )
    return row && { job: jobOf(row), token: Number(row.token) }
  },
  advance(db: Database, { job, token }: JobLease, { cursor, counts, at }: Progress, until: number): JobHeld {
    const sql = `UPDATE jobs SET cursor = ?, counts = ?, changed_at = ?, lease_until = ? WHERE ${held}
      RETURNING cancelled_by`
    return jobHeldOf(db.get(sql, cursor, counts, at, until, job.id, token))
  },
  renew(db: Database, { job, token }: JobLease, until: number): JobHeld {
    const sql = `UPDATE jobs SET lease_until = ? WHERE ${held} RETURNING cancelled_by`
    return jobHeldOf(db.get(sql, until, job.id, token))
  },
  giveBack(db: Database, { job, token }: JobLease, now: number): boolean {
    const sql = `UPDATE jobs SET state = 'waiting', lease_until = NULL, changed_at = ? WHERE ${held}`
    return db.run(sql, now, job.id, token) === 1
  },
  end(
    db: Database,
    { job, token }: JobLease,
    { state, counts, reason, at, keepUntil }: JobEnd,
    entry?: AuditEntry,
  ): boolean {
    const sql = `UPDATE jobs SET state = ?, counts = ?, reason = ?, changed_at = ?, ended_at = ?, keep_until = ?,
      lease_until = NULL, cursor = NULL, input = '' WHERE ${held}`
    const given = [state, counts, reason ?? null, at, at, keepUntil, job.id, token]
    const isEnded = db.run(sql, ...given) === 1
    if (isEnded && entry) keepEntry(db, entry)
    return isEnded
  },
  abandon(db: Database, id: string, { state, counts, reason, at, keepUntil }: JobEnd): boolean {
    noteErasure(db)
    const sql = `UPDATE jobs SET state = ?, counts = ?, reason = ?, changed_at = ?, ended_at = ?, keep_until = ?,
      token = token + 1, lease_until = NULL, cursor = NULL, input = '' WHERE id = ? AND ended_at IS NULL`
    return db.run(sql, state, counts, reason ?? null, at, at, keepUntil, id) === 1
  },
  cancel: (db: Database, id: string, by: string, now: number): boolean =>
    db.run(
      `UPDATE jobs SET cancelled_by = ?, changed_at = ? WHERE id = ? AND ended_at IS NULL AND cancelled_by IS NULL`,
      by,
      now,
      id,
    ) === 1,
  get(db: Database, id: string): Job | undefined {
    const row = db.get('SELECT * FROM jobs WHERE id = ?', id)
    return row && jobOf(row)
  },
  list(db: Database, limit: number, org?: string): Job[] {
    const whose = org === undefined ? [] : [org]
    const sql = `SELECT * FROM jobs ${whose.map(() => 'WHERE org = ?')} ORDER BY created_at DESC, id DESC LIMIT ?`
    return db.all(sql, ...whose, limit).map(jobOf)
  },
  sweep: (db: Database, now: number): number => db.run('DELETE FROM jobs WHERE keep_until <= ?', now),
}
