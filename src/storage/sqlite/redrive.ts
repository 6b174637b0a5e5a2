/** Entries that wait again in SQLite: of an account that is installed now, and those that a person sends again. */
import { countedOutcome, finalAt, noteOf } from '../history.ts'
import { bodyOf } from '../place.ts'
import type { Destination } from '../ports/entry.ts'
import type { Redriven } from '../ports/inbox.ts'
import type { JobHeld, JobStep } from '../ports/jobs.ts'
import { chosen } from '../resent.ts'
import { withMoved } from '../rows.ts'
import { keepAttempt, noteHistory } from './attempts.ts'
import { type Tally, tally } from './counts.ts'
import type { Database, Row } from './database.ts'
import { destinationsOf, ensureDestination } from './destinations.ts'
import { jobs } from './jobs.ts'
import { makeReady, takePlaces } from './lanes.ts'
import { addToIndex, removeFromIndex } from './lookup.ts'
import { claimOnce } from './occurrences.ts'
import { comeBack, enqueue } from './queue.ts'
import { removeEntries } from './retention.ts'

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
  if (jobs.renew(db, lease, until) === 'lost') return { moved: 0, job: 'lost' }
  const moved = redrive(db, moves, now, lease.job.who)
  return { moved, job: jobs.advance(db, lease, { ...progress, counts: withMoved(progress.counts, moved) }, until) }
}

function sendAgain(resending: Resending, move: Redriven): boolean {
  const { db, counts } = resending
  const { id } = move
  const entry = db.get(
    `SELECT id, org, type, message_id, received_at, mapping, contact, conversation, history, resent FROM entries
     WHERE id = ?`,
    id,
  )
  if (!entry) return false
  const excepted = db.all('SELECT destination, state FROM exceptions WHERE id = ?', id)
  const atAll = excepted.find(({ destination }) => destination === 0)
  if (atAll) {
    if (atAll.state !== 'dead' && atAll.state !== 'quarantined') return false
    const owner = move.org ?? (entry.org as string)
    const destinations = ensureDestination(db, owner).filter((one) => (move.destination ?? one) === one)
    if (destinations.length === 0) return false
    db.run('DELETE FROM exceptions WHERE id = ? AND destination = 0', id)
    const { org, type } = moveTo(db, entry, move, counts)
    claimOnce(db, { ...move, org }, destinations)
    for (const destination of destinations) counts.add({ org, destination, type, outcome: 'taken' })
    if (move.mapping !== undefined) db.run('UPDATE entries SET mapping = ? WHERE id = ?', move.mapping, id)
    counts.add({ org, type, outcome: 'taken' })
    again(resending, { ...entry, org }, destinations)
    return true
  }
  const org = entry.org as string
  const there = new Map(excepted.map(({ destination, state }) => [destination, state]))
  const type = entry.type as string
  const history = entry.history as Uint8Array | null
  const open = destinationsOf(db, org).filter((destination) => {
    if ((move.destination ?? destination) !== destination) return false
    const state = there.get(destination)
    if (state !== undefined) return state === 'dead' || state === 'quarantined'
    if (finalAt(history, destination) !== undefined) return !isQueued(db, org, destination, id)
    if (move.destination !== destination || isQueued(db, org, destination, id)) return false
    // mutant: resends to a destination what another event has given it
    return claimOnce(db, { ...move, org }, [destination]).length > 0
  })
  let resent = entry.resent as string | null
  for (const destination of open) {
    const final = there.has(destination) ? undefined : finalAt(history, destination)
    if (final) counts.add({ org, destination, type, ...countedOutcome(final) }, -1)
    else if (!there.has(destination)) counts.add({ org, destination, type, outcome: 'taken' })
    const { mapping } = entry as { mapping: number }
    const { asNew, ...by } = move
    const isNew = asNew && final?.outcome === 'delivered' ? { asNew } : {}
    resent = chosen({ mapping, resent }, destination, { ...by, ...isNew })
    if (move.mapping !== undefined) db.run('DELETE FROM learnt WHERE id = ? AND destination = ?', id, destination)
    db.run('DELETE FROM exceptions WHERE id = ? AND destination = ?', id, destination)
  }
  if (resent !== entry.resent) db.run('UPDATE entries SET resent = ? WHERE id = ?', resent, id)
  if (open.length > 0) again(resending, entry, open)
  return open.length > 0
}

function isQueued(db: Database, org: string, destination: Destination, id: number): boolean {
  const sql = 'SELECT 1 FROM queue WHERE org = ? AND destination = ? AND lane IN (0, 1) AND place = ?'
  return db.get(sql, org, destination, id) !== undefined
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

/** The account and type that the entry belongs to after all, with what is counted of it. */
function moveTo(db: Database, entry: Row, move: Redriven, counts: Tally): { org: string; type: string } {
  const from = { org: entry.org as string, type: entry.type as string }
  const to = { org: move.org ?? from.org, type: move.type ?? from.type }
  const id = entry.id as number
  if (to.org === from.org && to.type === from.type) return to
  counts.add({ ...from, outcome: 'received' }, -1)
  counts.add({ ...to, outcome: 'received' })
  removeFromIndex(db, entry)
  db.run('UPDATE entries SET org = ?, type = ? WHERE id = ?', to.org, to.type, id)
  addToIndex(db, { ...entry, ...to })
  if (to.org !== from.org) db.run('UPDATE bodies SET org = ? WHERE id = ?', to.org, bodyOf(id))
  return to
}
