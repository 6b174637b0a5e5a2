/** What keeps a lane from being claimed and what ends that, for both engines. */
import { leftAlone } from '../lib/backoff.ts'
import type { LaneKey } from './ports/entry.ts'
import type { Asked } from './ports/inbox.ts'
import { laneOf } from './rows.ts'
import { get, own, type Row, run, type Statements, together } from './statements.ts'
import { askedOf } from './waits.ts'

/** The rows of one lane: its values are `keyOf`. */
const thisLane = 'org = $1 AND destination = $2 AND lane = $3'

function keyOf({ org, destination, lane }: LaneKey) {
  return [org, destination, lane] as const
}

export const lanes = {
  clockSetBack: together(function* (byMs: number, now: number): Statements<void> {
    const ready = 'UPDATE lanes SET ready_at = greatest(ready_at - $1::bigint, $2::bigint) WHERE ready_at > $2'
    yield* run(ready, byMs, now)
    const pending = `UPDATE exceptions SET due_at = greatest(due_at - $1::bigint, $2::bigint)
      WHERE state = 'asking' AND due_at > $2`
    yield* run(pending, byMs, now)
  }),
  *shortenLeases(until: number): Statements<void> {
    yield* run('UPDATE lanes SET lease_until = $1 WHERE lease_until > $1', until)
  },
  *hold(key: LaneKey, reason: string | undefined): Statements<void> {
    const sql = `INSERT INTO lanes (org, destination, lane, hold) VALUES ($1, $2, $3, $4)
      ON CONFLICT (org, destination, lane) DO UPDATE SET hold = excluded.hold`
    yield* run(sql, ...keyOf(key), reason ?? null)
  },
  resume: together(function* (key: LaneKey, now: number, asks = false): Statements<void> {
    yield* own('lock', [key.org])
    const was = yield* laneRow(key)
    if (!was) return
    const later = asks ? leftAlone(laneOf(was), now) : undefined
    const isAsked = asks && !later
    yield* run(`UPDATE lanes SET hold = NULL, blocked = NULL, failures = 0 WHERE ${thisLane}`, ...keyOf(key))
    if (isAsked) yield* makeAllDue(key, now)
    yield* makeDue(key, later?.at ?? now)
    if (isAsked) yield* noteAsked(key, now)
  }),
  retry: together(function* (key: LaneKey, now: number): Statements<Asked> {
    yield* own('lock', [key.org])
    const row = yield* laneRow(key)
    const asked = askedOf(row && laneOf(row), now)
    if (asked.is !== 'asked') return asked
    yield* makeAllDue(key, now)
    yield* run(`UPDATE lanes SET ready_at = least(ready_at, $4) WHERE ${thisLane}`, ...keyOf(key), now)
    yield* noteAsked(key, now)
    return asked
  }),
}

function laneRow(key: LaneKey): Statements<Row | undefined> {
  return get(`SELECT * FROM lanes WHERE ${thisLane} FOR UPDATE`, ...keyOf(key))
}

/** The lane may be claimed from `at` on if something waits in it, or when its first entry is due. */
function* makeDue(key: LaneKey, at: number): Statements<void> {
  const first =
    key.lane === 'send'
      ? 'SELECT $4::bigint FROM queue WHERE org = $1 AND destination = $2 LIMIT 1'
      : `SELECT greatest($4::bigint, due_at) FROM exceptions WHERE org = $1 AND state = 'asking' ORDER BY due_at LIMIT 1`
  yield* run(`UPDATE lanes SET ready_at = (${first}) WHERE ${thisLane}`, ...keyOf(key), at)
}

/** Each lookup waits for a time of its own; what is to be sent waits for its lane alone. */
function* makeAllDue({ org, lane }: LaneKey, now: number): Statements<void> {
  if (lane === 'send') return
  yield* run(`UPDATE exceptions SET due_at = $2 WHERE org = $1 AND state = 'asking' AND due_at > $2`, org, now)
}

function* noteAsked(key: LaneKey, now: number): Statements<void> {
  const sql = `UPDATE lanes SET asked = 1, asked_at = $4 WHERE ${thisLane} AND ready_at IS NOT NULL`
  yield* run(sql, ...keyOf(key), now)
}
