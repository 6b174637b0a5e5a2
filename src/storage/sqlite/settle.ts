/** What became of a lease's entries, in SQLite: one part of the transaction that the worker has opened around it. */

import { meantFor } from '../destinations.ts'
import { isKept, noteOf } from '../history.ts'
import { cautionAfter } from '../isolating.ts'
import { type Attempt, type Destination, isKeptReason } from '../ports/entry.ts'
import type { Ending, Lease, Settlement } from '../ports/inbox.ts'
import type { HistoryOutcome } from '../ports/lookup.ts'
import { cautionOf } from '../rows.ts'
import { type Collected, collected } from '../tally.ts'
import { keepAttempt, noteHistory } from './attempts.ts'
import { keepCounts } from './counts.ts'
import type { Database, Row } from './database.ts'
import { heldLane, keyOf, makeReady, settleLane, takePlaces, thisLane } from './lanes.ts'
import { comeBack, dequeue, except, isFinal } from './queue.ts'
import { removeEntries } from './remove.ts'
import { addToIndex } from './search-index.ts'
import { carriedOut } from './statements.ts'

interface Settling {
  db: Database
  lease: Lease
  counts: Collected
  /** Their ids, and how many entries of each are still there. */
  attempts: Map<Attempt, { id: number; remain: number }>
}

export function settle(db: Database, lease: Lease, settlements: readonly Settlement[], ending?: Ending): boolean {
  const held = heldLane(db, lease)
  if (!held) return false
  const settling: Settling = { db, lease, counts: collected(), attempts: new Map() }
  if (lease.lane === 'ask') for (const settlement of settlements) answer(settling, settlement)
  else for (const settlement of deliverAlike(settling, settlements)) leave(settling, settlement)
  keepCounts(db, settling.counts)
  keepAttempts(settling)
  if (ending) end(db, lease, ending, cautionAfter(cautionOf(held), ending))
  return true
}

function keepAttempts({ db, lease: { org, destination }, attempts }: Settling): void {
  for (const [attempt, { id, remain }] of attempts) keepAttempt(db, { id, org, destination, remain, ...attempt })
}

/**
 * Most of a batch is delivered at once, and nothing new was learnt of it: that takes two statements for all of them.
 * Gives the settlements that are left.
 */
function deliverAlike(settling: Settling, settlements: readonly Settlement[]): Settlement[] {
  const { db, lease, counts } = settling
  const isPlain = ({ to, contact, conversation, known, earlier }: Settlement) =>
    to === 'delivered' && (contact ?? conversation ?? known ?? earlier) === undefined
  const done = new Set<number>()
  for (const [attempt, group] of Map.groupBy(settlements.filter(isPlain), ({ attempt }) => attempt)) {
    const at = Math.max(...group.map((one) => one.at))
    const gone = db.all(
      `DELETE FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1)
         AND place IN (SELECT value FROM json_each(?)) AND id = place RETURNING id`,
      lease.org,
      lease.destination,
      JSON.stringify(group.map(({ id }) => id)),
    )
    if (gone.length === 0) continue
    const ids = gone.map(({ id }) => id as number)
    for (const id of ids) done.add(id)
    const note = noteFor(settling, 'delivered', attempt, ids.length)
    const delivered = db.all(
      `UPDATE entries SET settled_at = ?1, history = CASE WHEN history IS NULL THEN ?2 ELSE CAST(history || ?2 AS BLOB) END
       WHERE id IN (SELECT value FROM json_each(?3)) RETURNING type`,
      at,
      note,
      JSON.stringify(ids),
    )
    for (const { type } of delivered) countDelivered(counts, lease, type as string, at)
  }
  return settlements.filter((settlement) => !done.has(settlement.id) || !isPlain(settlement))
}

function countDelivered(counts: Collected, { org, destination }: Lease, type: string, at: number): void {
  counts.add({ org, destination, type, outcome: 'delivered' })
  counts.note({ org, destination, type, outcome: 'delivered' }, at)
}

/** An entry leaves the queue, or an attempt with it has failed; nothing happens to one that is not in the queue any more. */
function leave(settling: Settling, settlement: Settlement): void {
  const { db, lease, counts } = settling
  const { org, destination } = lease
  const { id, to, at } = settlement
  if (to === 'same' || to === 'waiting') {
    stay(settling, settlement)
    return
  }
  // mutant: settles what is not in the queue any more
  if (!dequeue(db, lease, id)) return
  const row = learn(settling, settlement)
  const { type, received_at: receivedAt } = row as { type: string; received_at: number }
  const reason = 'reason' in settlement ? settlement.reason : undefined
  switch (to) {
    case 'delivered':
      conclude(settling, settlement, 'delivered')
      countDelivered(counts, lease, type, at)
      return
    case 'ignored':
      counts.add({ org, destination, type, outcome: 'ignored', reason: reason! })
      counts.note({ org, destination, type, outcome: 'ignored', reason: reason! }, at)
      if (isKeptReason(reason)) conclude(settling, settlement, reason)
      else if (isLeftAlone(db, org, id)) removeEntries(db, [row], counts)
      else conclude(settling, settlement, 'ignored')
      return
    case 'dead':
    case 'quarantined':
      except(db, id, destination, { org, state: to, reason, receivedAt })
      conclude(settling, settlement, to)
      counts.note({ org, destination, type, outcome: 'failed' }, at)
      return
    case 'asking': {
      const dueAt = settlement.dueAt ?? at
      except(db, id, destination, { org, state: 'asking', reason, receivedAt, dueAt })
      makeReady(db, { org, destination: 0, lane: 'ask' }, dueAt)
    }
  }
}

/** Drift has answered, or not: for each destination that asked or, for the account, all that the entry is meant for. */
function answer(settling: Settling, settlement: Settlement): void {
  const { db, lease, counts } = settling
  const { org } = lease
  const { id, to, at } = settlement
  if (to === 'same') stay(settling, settlement)
  if (to === 'same' || to === 'delivered') return
  const rows = db.all(
    `SELECT destination, received_at FROM exceptions WHERE id = ? AND org = ? AND state = 'asking'`,
    id,
    org,
  )
  if (rows.length === 0) return
  const row = learn(settling, settlement)
  const { type } = row as { type: string }
  const reason = ('reason' in settlement ? settlement.reason : undefined) ?? null
  for (const { destination: found, received_at } of rows) {
    const destination = found as Destination
    const receivedAt = Number(received_at)
    if (to === 'asking') {
      const sql =
        'UPDATE exceptions SET due_at = ?, failures = failures + 1, reason = ? WHERE id = ? AND destination = ?'
      db.run(sql, settlement.dueAt ?? at, reason, id, destination)
      continue
    }
    db.run('DELETE FROM exceptions WHERE id = ? AND destination = ?', id, destination)
    if (to === 'waiting') {
      // mutant: gives an answer to destinations that were added after the event
      const meant = destination === 0 ? carriedOut(db, meantFor(org, id)) : [destination]
      for (const each of meant) comeBack(db, { org, destination: each, id, receivedAt, at })
      if (destination > 0) continue
      // Every destination that it was meant for has been removed.
      if (meant.length === 0) {
        counts.add({ org, type, outcome: 'expired' })
        removeEntries(db, [row], counts)
        continue
      }
      counts.add({ org, type, outcome: 'taken' })
      for (const each of meant) counts.add({ org, destination: each, type, outcome: 'taken' })
    } else if (to === 'ignored') {
      counts.add({ org, destination, type, outcome: 'ignored', reason: reason! })
      counts.note({ org, destination, type, outcome: 'ignored', reason: reason! }, at)
    } else {
      except(db, id, destination, { org, state: to, reason: reason ?? undefined, receivedAt })
      counts.note({ org, destination, type, outcome: 'failed' }, at)
      db.run('UPDATE entries SET settled_at = ? WHERE id = ?', at, id)
    }
  }
  if (to === 'ignored' && isLeftAlone(db, org, id)) removeEntries(db, [row], counts)
  else if (settlement.attempt)
    stay(settling, settlement, to === 'waiting' ? 'answered' : to === 'asking' ? 'later' : to)
}

/** What was learnt of it and the attempts that had it are kept; nothing else of the entry changes. */
function stay(settling: Settling, settlement: Settlement, outcome: HistoryOutcome = 'later'): void {
  const { db, lease } = settling
  const { id, attempt, known } = settlement
  if (known) {
    const sql = 'INSERT OR REPLACE INTO learnt (id, destination, sealed) SELECT id, ?, ? FROM entries WHERE id = ?'
    db.run(sql, lease.destination, known, id)
  }
  if (attempt === undefined || !db.get('SELECT 1 FROM entries WHERE id = ? AND org = ?', id, lease.org)) return
  noteHistory(db, id, notesFor(settling, settlement, outcome))
}

function conclude(settling: Settling, settlement: Settlement, outcome: HistoryOutcome): void {
  const { id, at } = settlement
  noteHistory(settling.db, id, notesFor(settling, settlement, outcome), at)
}

function notesFor(settling: Settling, { earlier = [], attempt }: Settlement, outcome: HistoryOutcome): Buffer {
  return Buffer.concat([
    ...earlier.map((one) => noteFor(settling, 'later', one, 1)),
    noteFor(settling, outcome, attempt, 1),
  ])
}

function noteFor(settling: Settling, outcome: HistoryOutcome, attempt: Attempt | undefined, many: number): Buffer {
  const { destination } = settling.lease
  if (!attempt) return noteOf({ destination, outcome, attempt: 0 })
  const one = settling.attempts.get(attempt) ?? { id: takePlaces(settling.db, 1) + 1, remain: 0 }
  one.remain += many
  settling.attempts.set(attempt, one)
  return noteOf({ destination, outcome, attempt: one.id })
}

/** Writes down what was learnt of an entry; gives its row. */
function learn({ db, lease }: Settling, { id, contact, conversation, known }: Settlement): Row {
  const columns = 'id, org, type, message_id, received_at, contact, conversation, history'
  if (known) db.run('INSERT OR REPLACE INTO learnt VALUES (?, ?, ?)', id, lease.destination, known)
  if (contact === undefined && conversation === undefined) {
    return db.get(`SELECT ${columns} FROM entries WHERE id = ?`, id)!
  }
  const row = db.get(
    `UPDATE entries SET contact = coalesce(?, contact), conversation = coalesce(?, conversation)
     WHERE id = ? RETURNING ${columns}`,
    contact ?? null,
    conversation ?? null,
    id,
  )!
  addToIndex(db, row)
  return row
}

/** No destination has anything to do with it any more, nor ever had it delivered, nor keeps it. */
function isLeftAlone(db: Database, org: string, id: number): boolean {
  const row = db.get('SELECT history FROM entries WHERE id = ?', id)
  return isFinal(db, org, id) && !isKept(row?.history as Uint8Array | null)
}

function end(
  db: Database,
  lease: Lease,
  ending: Ending,
  { crashes, isolating }: ReturnType<typeof cautionAfter>,
): void {
  db.run(
    `UPDATE lanes SET lease_until = NULL, crashes = ?, isolating = ?, failures = ?, blocked = ?, retry_after_at = ?
     WHERE ${thisLane}`,
    crashes,
    isolating,
    ending.failures,
    ending.blocked ?? null,
    ending.retryAfterAt ?? null,
    ...keyOf(lease),
  )
  const { tried } = ending
  if (tried) {
    const sql = `UPDATE lanes SET tried_at = ?, last_error = ?, asked = 0 WHERE ${thisLane}`
    db.run(sql, tried.at, tried.lastError ?? null, ...keyOf(lease))
  }
  settleLane(db, lease, ending.readyAt)
}
