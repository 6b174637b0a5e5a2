import { skewMsMax } from '../../lib/clock.ts'
import type { AuditEntry } from '../ports/accounts.ts'
import type { Job, JobEnd, JobHeld, JobLease, Jobs, NewJob, Progress } from '../ports/jobs.ts'
import { jobHeldOf, jobOf } from '../rows.ts'
import type { Database, Session } from './database.ts'

/** Whose lease it is: with its id and token as the first values. */
const held = 'id = $1 AND token = $2 AND lease_until IS NOT NULL'

export const jobs = {
  async create(
    db: Database,
    { id, kind, org, who, only, input, createdAt }: NewJob,
  ): Promise<Awaited<ReturnType<Jobs['create']>>> {
    const sql = `INSERT INTO jobs (id, kind, org, who, only_one, input, state, counts, created_at, changed_at)
      VALUES ($1, $2, $3, $4, $5, $6, 'waiting', '{}', $7, $7) ON CONFLICT DO NOTHING`
    if ((await db.run(sql, id, kind, org, who, only ?? null, input, createdAt)) === 1) return 'created'
    return (await db.get('SELECT 1 FROM jobs WHERE id = $1', id)) ? 'there' : 'other'
  },
  async claim(
    db: Database,
    kinds: readonly string[],
    now: number,
    until: number,
    id?: string,
  ): Promise<JobLease | undefined> {
    const row = await db.get(
      `UPDATE jobs SET state = 'running', token = token + 1, lease_until = $3, started_at = coalesce(started_at, $2),
         changed_at = $2
       WHERE id = (
         SELECT id FROM jobs WHERE ended_at IS NULL AND kind = ANY ($1)
           AND (lease_until IS NULL OR lease_until <= $2 OR lease_until > $3 + ${skewMsMax}::bigint)
           AND id = coalesce($4, id)
         ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING *`,
      kinds,
      now,
      until,
      id ?? null,
    )
    return row && { job: jobOf(row), token: Number(row.token) }
  },
  async advance(
    db: Session,
    { job, token }: JobLease,
    { cursor, counts, at }: Progress,
    until: number,
  ): Promise<JobHeld> {
    const sql = `UPDATE jobs SET cursor = $3, counts = $4, changed_at = $5, lease_until = $6 WHERE ${held}
      RETURNING cancelled_by`
    return jobHeldOf(await db.get(sql, job.id, token, cursor, counts, at, until))
  },
  async renew(db: Session, { job, token }: JobLease, until: number): Promise<JobHeld> {
    const sql = `UPDATE jobs SET lease_until = $3 WHERE ${held} RETURNING cancelled_by`
    return jobHeldOf(await db.get(sql, job.id, token, until))
  },
  async giveBack(db: Database, { job, token }: JobLease, now: number): Promise<boolean> {
    const sql = `UPDATE jobs SET state = 'waiting', lease_until = NULL, changed_at = $3 WHERE ${held}`
    return (await db.run(sql, job.id, token, now)) === 1
  },
  /** One statement, so both or neither. */
  async end(
    db: Database,
    { job, token }: JobLease,
    { state, counts, reason, at, keepUntil }: JobEnd,
    entry?: AuditEntry,
  ): Promise<boolean> {
    const ended = await db.all(
      `WITH ended AS (
         UPDATE jobs SET state = $3, counts = $4, reason = $5, changed_at = $6, ended_at = $6, keep_until = $7,
           lease_until = NULL, cursor = NULL, input = '' WHERE ${held} RETURNING id
       ), noted AS (
         INSERT INTO audit (at, org, who, what, about)
         SELECT $8::bigint, $9, $10, $11, $12 FROM ended WHERE $8::bigint IS NOT NULL
       ) SELECT id FROM ended`,
      job.id,
      token,
      state,
      counts,
      reason ?? null,
      at,
      keepUntil,
      ...[entry?.at, entry?.org, entry?.who, entry?.what, entry?.about].map((value) => value ?? null),
    )
    return ended.length === 1
  },
  abandon: async (db: Database, id: string, { state, counts, reason, at, keepUntil }: JobEnd): Promise<boolean> =>
    (await db.run(
      `UPDATE jobs SET state = $2, counts = $3, reason = $4, changed_at = $5, ended_at = $5, keep_until = $6,
         token = token + 1, lease_until = NULL, cursor = NULL, input = '' WHERE id = $1 AND ended_at IS NULL`,
      id,
      state,
      counts,
      reason ?? null,
      at,
      keepUntil,
    )) === 1,
  cancel: async (db: Database, id: string, by: string, now: number): Promise<boolean> =>
    (await db.run(
      'UPDATE jobs SET cancelled_by = $2, changed_at = $3 WHERE id = $1 AND ended_at IS NULL AND cancelled_by IS NULL',
      id,
      by,
      now,
    )) === 1,
  async get(db: Database, id: string): Promise<Job | undefined> {
    const row = await db.get('SELECT * FROM jobs WHERE id = $1', id)
    return row && jobOf(row)
  },
  async list(db: Database, limit: number, org?: string): Promise<Job[]> {
    const whose = org === undefined ? [] : [org]
    const sql = `SELECT * FROM jobs ${whose.map(() => 'WHERE org = $2')}
      ORDER BY created_at DESC, id COLLATE "C" DESC LIMIT $1`
    return (await db.all(sql, limit, ...whose)).map(jobOf)
  },
  sweep: (db: Database, now: number): Promise<number> => db.run('DELETE FROM jobs WHERE keep_until <= $1', now),
}
