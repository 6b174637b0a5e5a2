/** Taking entries away, with everything that names them. */
import { historyOf } from '../history.ts'
import { bodyOf } from '../place.ts'
import type { Destination } from '../ports/entry.ts'
import type { Collected } from '../tally.ts'
import { letGoOfAttempt } from './attempts.ts'
import type { Database, Row } from './database.ts'
import { destinationsOf } from './queue.ts'
import { removeFromIndex } from './search-index.ts'

/** What was not final is counted as expired. */
export function removeEntries(db: Database, rows: readonly Row[], counts: Collected): void {
  const bodies = new Map<number, number>()
  for (const row of rows) {
    const { id, org, type } = row as { id: number; org: string; type: string }
    removeFromIndex(db, row)
    const excepted = db.all('DELETE FROM exceptions WHERE id = ? RETURNING destination, state, place', id)
    const places = new Map(excepted.flatMap(({ destination, place }) => (place === null ? [] : [[destination, place]])))
    for (const { destination, state } of excepted) {
      // Its row in the queue is counted below.
      if (state === 'waiting') continue
      const owner = state === 'unclaimed' ? '' : org
      const outcome = state === 'dead' ? 'dead' : 'expired'
      counts.add({ org: owner, destination: destination as Destination, type, outcome })
    }
    for (const destination of destinationsOf(db, org)) {
      const sql = 'DELETE FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1) AND place = ? AND id = ?'
      const gone = db.run(sql, org, destination, (places.get(destination) as number | undefined) ?? id, id)
      if (gone > 0) counts.add({ org, destination, type, outcome: 'expired' })
    }
    db.run('DELETE FROM learnt WHERE id = ?', id)
    db.run('DELETE FROM entries WHERE id = ?', id)
    for (const attempt of attemptsOf(row.history as Uint8Array | null)) letGoOfAttempt(db, attempt)
    bodies.set(bodyOf(id), (bodies.get(bodyOf(id)) ?? 0) + 1)
  }
  for (const [body, many] of bodies) {
    db.run('UPDATE bodies SET n = n - ?, trim = trim + 1 WHERE id = ?', many, body)
    db.run('DELETE FROM bodies WHERE id = ? AND n <= 0', body)
  }
}

function attemptsOf(history: Uint8Array | null): Set<number> {
  return new Set(historyOf(history).noted.flatMap(({ attempt }) => (attempt > 0 ? [attempt] : [])))
}
