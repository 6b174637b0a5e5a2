/** Jobs, for both engines. */
import { skewMsMax } from '../lib/clock.ts'
import { keepEntry } from './audit.ts'
import type { AuditEntry } from './ports/accounts.ts'
import type { Job, JobEnd, JobHeld, JobLease, NewJob, Progress } from './ports/jobs.ts'
import { all, get, own, present, type Row, run, type Statements, together } from './statements.ts'

const columns = `id, kind, org, who, only_one AS "only", input, state, cursor, counts, reason, cancelled_by AS "cancelledBy",
  created_at AS "createdAt", started_at AS "startedAt", changed_at AS "changedAt", ended_at AS "endedAt"`

/** Whose lease it is: with its id and token as the first values. */
const held = 'id = $1 AND token = $2 AND lease_until IS NOT NULL'

export const jobs = {
  *create({ id, kind, org, who, only, input, createdAt }: NewJob): Statements<'created' | 'there' | 'other'> {
    const sql = `INSERT INTO jobs (id, kind, org, who, only_one, input, state, counts, created_at, changed_at)
      VALUES ($1, $2, $3, $4, $5, $6, 'waiting', '{}', $7, $7) ON CONFLICT DO NOTHING`
    if ((yield* run(sql, id, kind, org, who, only ?? null, input, createdAt)) === 1) return 'created'
    return (yield* get('SELECT 1 FROM jobs WHERE id = $1', id)) ? 'there' : 'other'
  },
  *claim(kinds: readonly string[], now: number, until: number, id?: string): Statements<JobLease | undefined> {
    const row = yield* get(
      `UPDATE jobs SET state = 'running', token = token + 1, lease_until = $3, started_at = coalesce(started_at, $2),
         changed_at = $2
       WHERE id = (
         SELECT id FROM jobs WHERE ended_at IS NULL AND kind = ANY ($1)
           AND (lease_until IS NULL OR lease_until <= $2 OR lease_until > $3 + ${skewMsMax}::bigint)
           AND id = coalesce($4, id)
         ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING ${columns}, token`,
      kinds,
      now,
      until,
      id ?? null,
    )
    if (!row) return undefined
    const { token, ...job } = present<Job & { token: number }>(row)
    return { job, token }
  },
  *advance({ job, token }: JobLease, { cursor, counts, at }: Progress, until: number): Statements<JobHeld> {
    const sql = `UPDATE jobs SET cursor = $3, counts = $4, changed_at = $5, lease_until = $6 WHERE ${held}
      RETURNING cancelled_by`
    return heldOf(yield* get(sql, job.id, token, cursor, counts, at, until))
  },
  *renew({ job, token }: JobLease, until: number): Statements<JobHeld> {
    const sql = `UPDATE jobs SET lease_until = $3 WHERE ${held} RETURNING cancelled_by`
    return heldOf(yield* get(sql, job.id, token, until))
  },
  *giveBack({ job, token }: JobLease, now: number): Statements<boolean> {
    const sql = `UPDATE jobs SET state = 'waiting', lease_until = NULL, changed_at = $3 WHERE ${held}`
    return (yield* run(sql, job.id, token, now)) === 1
  },
  end: together(function* ({ job, token }: JobLease, end: JobEnd, entry?: AuditEntry): Statements<boolean> {
    const { state, counts, reason, at, keepUntil } = end
    const sql = `UPDATE jobs SET state = $3, counts = $4, reason = $5, changed_at = $6, ended_at = $6, keep_until = $7,
      lease_until = NULL, cursor = NULL, input = '' WHERE ${held}`
    const isEnded = (yield* run(sql, job.id, token, state, counts, reason ?? null, at, keepUntil)) === 1
    if (isEnded && entry) yield* keepEntry(entry)
    return isEnded
  }),
  *abandon(id: string, { state, counts, reason, at, keepUntil }: JobEnd): Statements<boolean> {
    yield* own('noteErasure')
    const sql = `UPDATE jobs SET state = $2, counts = $3, reason = $4, changed_at = $5, ended_at = $5, keep_until = $6,
      token = token + 1, lease_until = NULL, cursor = NULL, input = '' WHERE id = $1 AND ended_at IS NULL`
    return (yield* run(sql, id, state, counts, reason ?? null, at, keepUntil)) === 1
  },
  *cancel(id: string, by: string, now: number): Statements<boolean> {
    const sql =
      'UPDATE jobs SET cancelled_by = $2, changed_at = $3 WHERE id = $1 AND ended_at IS NULL AND cancelled_by IS NULL'
    return (yield* run(sql, id, by, now)) === 1
  },
  *get(id: string): Statements<Job | undefined> {
    const row = yield* get(`SELECT ${columns} FROM jobs WHERE id = $1`, id)
    return row && present(row)
  },
  *list(limit: number, org?: string): Statements<Job[]> {
    const whose = org === undefined ? [] : [org]
    const sql = `SELECT ${columns} FROM jobs ${whose.map(() => 'WHERE org = $2')}
      ORDER BY created_at DESC, id COLLATE "C" DESC LIMIT $1`
    return (yield* all(sql, limit, ...whose)).map(present<Job>)
  },
  sweep: (now: number): Statements<number> => run('DELETE FROM jobs WHERE keep_until <= $1', now),
}

/** Of a row that is its holder's. */
function heldOf(row: Row | undefined): JobHeld {
  if (!row) return 'lost'
  return row.cancelled_by === null ? 'held' : 'cancelled'
}
