/** Entries that wait again in SQLite: of an account that is installed now, and those that a person sends again. */
import { noteOf } from '../history.ts'
import { jobs } from '../jobs.ts'
import { bodyOf } from '../place.ts'
import type { Destination } from '../ports/entry.ts'
import type { Redriven } from '../ports/inbox.ts'
import type { JobHeld, JobStep } from '../ports/jobs.ts'
import { countGiven, countResent, exceptedOf, goesTo, hasClaimed, isFailed, type Resendable } from '../redriving.ts'
import { withMoved } from '../rows.ts'
import { keepAttempt, noteHistory } from './attempts.ts'
import { type Tally, tally } from './counts.ts'
import type { Database, Row } from './database.ts'
import { destinationsOf, ensureDestination, meantFor } from './destinations.ts'
import { makeReady, takePlaces } from './lanes.ts'
import { claimOnce } from './occurrences.ts'
import { comeBack, enqueue, isQueued } from './queue.ts'
import { removeEntries } from './retention.ts'
import { addToIndex, removeFromIndex } from './search-index.ts'
import { carriedOut } from './statements.ts'

export function waitingForInstall(db: Database, orgs: readonly string[]): string[] {
  const sql = `SELECT DISTINCT org FROM exceptions WHERE state = 'unclaimed' AND org IN (SELECT value FROM json_each(?))`
  return db.all(sql, JSON.stringify(orgs)).map(({ org }) => org as string)
}

export function claimOnInstall(db: Database, org: string, now: number): number {
  const found = db.all(
    `SELECT x.id, x.once, e.type FROM exceptions x JOIN entries e ON e.id = x.id
     WHERE x.org = ? AND x.state = 'unclaimed' ORDER BY x.id`,
    org,
  )
  if (found.length === 0) return 0
  const destinations = ensureDestination(db, org)
  const counts = tally()
  let claimed = 0
  for (const row of found) {
    const { id, type, once } = row as { id: number; type: string; once: Uint8Array | null }
    db.run('DELETE FROM exceptions WHERE id = ? AND destination = 0', id)
    counts.add({ org: '', type, outcome: 'received' }, -1)
    const free = claimOnce(db, { org, once }, destinations)
    if (free.length === 0) {
      counts.add({ org, type, outcome: 'duplicate' })
      removeEntries(db, db.all('SELECT * FROM entries WHERE id = ?', id), counts)
      continue
    }
    db.run('UPDATE bodies SET org = ? WHERE id = ?', org, bodyOf(id))
    // When a destination was added does not matter: the entry joins the account now.
    for (const destination of free) {
      enqueue(db, { org, destination }, id, id)
      counts.add({ org, destination, type, outcome: 'taken' })
    }
    counts.add({ org, type, outcome: 'received' })
    counts.add({ org, type, outcome: 'taken' })
    claimed++
  }
  for (const destination of destinations) makeReady(db, { org, destination, lane: 'send' }, now)
  counts.write(db)
  return claimed
}

interface Resending {
  db: Database
  now: number
  counts: Tally
  /** That they were sent again, for each account: the row's id, and entries that name it. */
  resent: Map<string, { id: number; remain: number }>
}

export function redrive(db: Database, moves: readonly Redriven[], now: number, who: string): number {
  const resending: Resending = { db, now, counts: tally(), resent: new Map() }
  const moved = moves.filter((move) => sendAgain(resending, move)).length
  resending.counts.write(db)
  for (const [org, { id, remain }] of resending.resent) {
    keepAttempt(db, { id, org, destination: 0, at: now, ms: 0, status: 0, many: remain, tries: 0, remain, who })
  }
  return moved
}

export function redriveStep(
  db: Database,
  moves: readonly Redriven[],
  now: number,
  { lease, until, ...progress }: JobStep,
): { moved: number; job: JobHeld } {
  // mutant: moves what a job sends again though the job is lost
  if (carriedOut(db, jobs.renew(lease, until)) === 'lost') return { moved: 0, job: 'lost' }
  const moved = redrive(db, moves, now, lease.job.who)
  const advanced = { ...progress, counts: withMoved(progress.counts, moved) }
  return { moved, job: carriedOut(db, jobs.advance(lease, advanced, until)) }
}

function sendAgain(resending: Resending, move: Redriven): boolean {
  const { db, counts } = resending
  const { id } = move
  const columns = 'id, org, type, message_id, received_at, mapping, contact, conversation, history, resent, settled_at'
  const row = db.get(`SELECT ${columns} FROM entries WHERE id = ?`, id)
  if (!row) return false
  const entry = row as unknown as Resendable
  const excepted = exceptedOf(db.all('SELECT destination, state FROM exceptions WHERE id = ?', id))
  if (excepted.has(0)) return isFailed(excepted.get(0)) && giveOver(resending, row, move)
  const { org } = entry
  const open = destinationsOf(db, org).filter((destination) => {
    const isThere = !excepted.has(destination) && isQueued(db, { org, destination }, id)
    const goes = goesTo(destination, move, entry, { excepted, isQueued: isThere })
    if (goes !== 'if_new') return goes === 'goes'
    // mutant: resends to a destination what another event has given it
    return claimOnce(db, { ...move, org }, [destination]).length > 0
  })
  if (open.length === 0) return false
  const resent = countResent(counts, entry, move, { destinations: open, excepted })
  for (const destination of open) {
    if (move.mapping !== undefined) db.run('DELETE FROM learnt WHERE id = ? AND destination = ?', id, destination)
    db.run('DELETE FROM exceptions WHERE id = ? AND destination = ?', id, destination)
  }
  if (resent !== entry.resent) db.run('UPDATE entries SET resent = ? WHERE id = ?', resent, id)
  again(resending, row, open)
  return true
}

/**
 * What stood before any destination goes to each of the account that it belongs to after all, or to the one that is named;
 * not where another event with its natural key has gone.
 */
function giveOver(resending: Resending, row: Row, move: Redriven): boolean {
  const { db, counts } = resending
  const [id, org, type] = [row.id as number, row.org as string, row.type as string]
  const to = move.org ?? org
  const meant = ensureDestination(db, to).filter((one) => (move.destination ?? one) === one)
  // mutant: gives an event that was quarantined to a destination that has had its natural key by another
  const free = claimOnce(db, { ...move, org: to }, meant)
  const claimedByIt = to === org && hasClaimed(row) ? meantFor(db, org, id) : []
  const destinations = meant.filter((one) => free.includes(one) || claimedByIt.includes(one))
  if (destinations.length === 0) return false
  const own = countGiven(counts, { org, type }, move, destinations)
  db.run('DELETE FROM exceptions WHERE id = ? AND destination = 0', id)
  if (own.org !== org || own.type !== type) {
    removeFromIndex(db, row)
    db.run('UPDATE entries SET org = ?, type = ? WHERE id = ?', own.org, own.type, id)
    addToIndex(db, { ...row, ...own })
    db.run('UPDATE bodies SET org = ? WHERE id = ?', own.org, bodyOf(id))
  }
  if (move.mapping !== undefined) db.run('UPDATE entries SET mapping = ? WHERE id = ?', move.mapping, id)
  again(resending, { ...row, org: own.org }, destinations)
  return true
}

function again({ db, now, resent }: Resending, entry: Row, destinations: readonly Destination[]): void {
  const [id, org, receivedAt] = [entry.id as number, entry.org as string, Number(entry.received_at)]
  const row = resent.get(org) ?? { id: takePlaces(db, 1) + 1, remain: 0 }
  row.remain++
  resent.set(org, row)
  for (const destination of destinations) comeBack(db, { org, destination, id, receivedAt, at: now })
  const notes = destinations.map((destination) => noteOf({ destination, outcome: 'resent', attempt: row.id }))
  noteHistory(db, id, Buffer.concat(notes), null)
}
