/** Where an account's events go: its destinations, by number. For both engines. */
import { perBody } from './place.ts'
import type { Destination, Org } from './ports/entry.ts'
import { all, get, own, run, type Statements, together } from './statements.ts'
import { collected } from './tally.ts'

function* numbers(which: string, ...values: (string | number)[]): Statements<Destination[]> {
  const sql = `SELECT number FROM destinations WHERE org = $1 AND removed_at IS NULL ${which} ORDER BY number`
  return (yield* all(sql, ...values)).map(({ number }) => number as number)
}

export const destinationsOf = (org: Org) => numbers('', org)

/** Those that an entry is meant for, by when they were added. */
export const meantFor = (org: Org, id: number) => numbers('AND since < $2', org, id)

/** An account has somewhere to send to: what comes for it must not find nothing. Gives its destinations. */
export function* ensureDestination(org: Org): Statements<Destination[]> {
  const found = yield* destinationsOf(org)
  if (found.length > 0) return found
  const row = yield* get('SELECT coalesce(max(number), 0) + 1 AS next FROM destinations WHERE org = $1', org)
  const next = row!.next as number
  yield* insert(org, next)
  return [next]
}

function* insert(org: Org, destination: Destination): Statements<void> {
  const [place] = yield* own('takePlaces', 1)
  const sql = 'INSERT INTO destinations (org, number, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING'
  yield* run(sql, org, destination, place! * perBody)
}

/** What is left of it there, and what that is counted as; what waits again is counted with the queue. */
const left = `SELECT id, 'expired' AS outcome FROM queue WHERE org = $1 AND destination = $2
  UNION ALL SELECT id, CASE state WHEN 'dead' THEN 'dead' ELSE 'expired' END FROM exceptions
  WHERE org = $1 AND destination = $2 AND state <> 'waiting'`

export const destinations = {
  destinations: destinationsOf,
  *allDestinations(): Statements<{ org: Org; destination: Destination }[]> {
    const rows = yield* all('SELECT org, number AS destination FROM destinations WHERE removed_at IS NULL')
    return rows.map((row) => ({ ...row }) as { org: Org; destination: Destination })
  },
  /** Under the account's lock alone: no append is under way, whose events it would get or not by chance. */
  addDestination: together(function* (org: Org, destination: Destination): Statements<void> {
    yield* own('lock', [org])
    yield* insert(org, destination)
  }),
  removeDestination: together(function* (org: Org, destination: Destination, now: number): Statements<void> {
    const its = [org, destination] as const
    yield* own('lock', [org])
    const sql = 'UPDATE destinations SET removed_at = $3 WHERE org = $1 AND number = $2 AND removed_at IS NULL'
    if ((yield* run(sql, ...its, now)) === 0) return
    // First of all: what settles has the lane's row, and nothing settles there any more.
    yield* run('DELETE FROM lanes WHERE org = $1 AND destination = $2', ...its)
    const gone = yield* all(
      `SELECT e.type, l.outcome, count(*) AS many FROM (${left}) l JOIN entries e ON e.id = l.id GROUP BY 1, 2`,
      ...its,
    )
    yield* run(
      `UPDATE entries SET settled_at = coalesce(settled_at, $3) WHERE id IN (SELECT id FROM (${left}) l)`,
      ...its,
      now,
    )
    for (const table of ['queue', 'exceptions', 'occurrences'])
      yield* run(`DELETE FROM ${table} WHERE org = $1 AND destination = $2`, ...its)
    const counts = collected()
    for (const { type, outcome, many } of gone as { type: string; outcome: 'expired' | 'dead'; many: number }[])
      counts.add({ org, destination, type, outcome }, many)
    yield* own('keepCounts', counts)
  }),
}
