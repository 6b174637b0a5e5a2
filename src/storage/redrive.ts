/** Entries that wait again, for both engines: of an account that is installed now, and those that a person sends again. */
import { ensureDestination, meantFor } from './destinations.ts'
import { noteOf } from './history.ts'
import { jobs } from './jobs.ts'
import { claimOnce } from './occurrences.ts'
import { bodyOf, perBody } from './place.ts'
import type { Destination, LaneKey } from './ports/entry.ts'
import type { Redriven } from './ports/inbox.ts'
import type { JobHeld, JobStep } from './ports/jobs.ts'
import { countGiven, countResent, exceptedOf, goesTo, hasClaimed, isFailed, type Resendable } from './redriving.ts'
import { withMoved } from './rows.ts'
import { all, get, own, run, type Statements, together } from './statements.ts'
import { type Collected, collected } from './tally.ts'

export const redriving = {
  *waitingForInstall(orgs: readonly string[]): Statements<string[]> {
    const sql = `SELECT DISTINCT org FROM exceptions WHERE state = 'unclaimed' AND org = ANY ($1)`
    return (yield* all(sql, orgs)).map(({ org }) => org as string)
  },

  claimOnInstall: together(function* (org: string, now: number): Statements<number> {
    yield* own('lock', [org])
    const found = yield* all(
      `SELECT x.id, x.once, e.type FROM exceptions x JOIN entries e ON e.id = x.id
       WHERE x.org = $1 AND x.state = 'unclaimed' ORDER BY x.id`,
      org,
    )
    if (found.length === 0) return 0
    const destinations = yield* ensureDestination(org)
    const counts = collected()
    const given = new Map<Destination, number[]>(destinations.map((destination) => [destination, []]))
    const [claimed, known]: [number[], number[]] = [[], []]
    for (const { id, type, once } of found as { id: number; type: string; once: Uint8Array | null }[]) {
      const free = yield* claimOnce({ org, once }, destinations)
      counts.add({ org: '', type, outcome: 'received' }, -1)
      counts.add({ org, type, outcome: free.length > 0 ? 'received' : 'duplicate' })
      if (free.length > 0) counts.add({ org, type, outcome: 'taken' })
      for (const destination of free) {
        given.get(destination)!.push(id)
        counts.add({ org, destination, type, outcome: 'taken' })
      }
      const list = free.length > 0 ? claimed : known
      list.push(id)
    }
    yield* run('DELETE FROM exceptions WHERE destination = 0 AND id = ANY ($1)', [...claimed, ...known])
    yield* run('UPDATE bodies SET org = $1 WHERE id = ANY ($2)', org, claimed.map(bodyOf))
    // When a destination was added does not matter: the entries join the account now.
    for (const [destination, ids] of given) {
      const sql = `INSERT INTO queue (org, destination, lane, place, id)
        SELECT $1, $2::integer, 0, id, id FROM entries WHERE id = ANY ($3)`
      yield* run(sql, org, destination, ids)
    }
    yield* own(
      'wake',
      destinations.map((destination) => ({ org, destination, lane: 'send' as const, at: now })),
    )
    if (known.length > 0) yield* own('remove', known)
    yield* own('keepCounts', counts)
    return claimed.length
  }),

  redrive: together(function* (moves: readonly Redriven[], now: number, who: string): Statements<number> {
    return (yield* moveAll(moves, { now, who })).moved
  }),

  redriveStep: together(function* (moves: readonly Redriven[], now: number, step: JobStep) {
    return yield* moveAll(moves, { now, who: step.lease.job.who, step })
  }),
}

interface Resending {
  now: number
  counts: Collected
  /** That they were sent again, for each account: the row's id, and entries that name it. */
  resent: Map<string, { id: number; remain: number }>
  /** What has something to be sent now, by name. */
  due: Map<string, LaneKey & { at: number }>
}

/** Under the locks of the accounts that the entries are of, and of those that they are given to. */
function* moveAll(
  moves: readonly Redriven[],
  { now, who, step }: { now: number; who: string; step?: JobStep },
): Statements<{ moved: number; job: JobHeld }> {
  const sql = 'SELECT DISTINCT org FROM entries WHERE id = ANY ($1)'
  const owners = (yield* all(
    sql,
    moves.map(({ id }) => id),
  )).map(({ org }) => org as string)
  const orgs = [...new Set([...owners, ...moves.flatMap(({ org }) => org ?? [])])]
  yield* own('lock', orgs)
  // The job's row is locked from here on.
  // mutant: moves what a job sends again though the job is lost
  if (step && (yield* jobs.renew(step.lease, step.until)) === 'lost') return { moved: 0, job: 'lost' }
  const resending: Resending = { now, counts: collected(), resent: new Map(), due: new Map() }
  let moved = 0
  for (const move of moves) if (yield* sendAgain(resending, orgs, move)) moved++
  for (const [org, { id, remain }] of resending.resent) {
    const sql = `INSERT INTO attempts (id, org, destination, at, ms, status, many, tries, remain, who)
      VALUES ($1, $2, 0, $3, 0, 0, $4, 0, $4, $5)`
    yield* run(sql, id, org, now, remain, who)
  }
  const progress = step && { ...step, counts: withMoved(step.counts, moved) }
  const job = progress ? yield* jobs.advance(progress.lease, progress, progress.until) : 'held'
  yield* own('wake', [...resending.due.values()])
  yield* own('keepCounts', resending.counts)
  return { moved, job }
}

function* sendAgain(resending: Resending, orgs: readonly string[], move: Redriven): Statements<boolean> {
  const { id } = move
  const columns = 'id, org, type, received_at, mapping, contact, conversation, history, resent, settled_at'
  const row = yield* get(`SELECT ${columns} FROM entries WHERE id = $1 AND org = ANY ($2)`, id, orgs)
  if (!row) return false
  const entry = row as unknown as Entry
  const excepted = exceptedOf(yield* all('SELECT destination, state FROM exceptions WHERE id = $1', id))
  if (excepted.has(0)) return isFailed(excepted.get(0)) && (yield* giveOver(resending, entry, move))
  const { org } = entry
  const its = yield* all(
    `SELECT number, (
       SELECT count(*) FROM queue q WHERE q.org = d.org AND q.destination = d.number AND q.lane IN (0, 1) AND q.place = $2
     ) AS queued FROM destinations d WHERE org = $1 AND removed_at IS NULL ORDER BY number`,
    org,
    id,
  )
  const open: Destination[] = []
  for (const { number: destination, queued } of its as { number: Destination; queued: number }[]) {
    const isQueued = queued > 0
    const goes = goesTo(destination, move, entry, { excepted, isQueued })
    // mutant: resends to a destination what another event has given it
    if (goes === 'if_new' && (yield* claimOnce({ ...move, org }, [destination])).length === 0) continue
    if (goes !== 'stays') open.push(destination)
  }
  if (open.length === 0) return false
  const resent = countResent(resending.counts, entry, move, { destinations: open, excepted })
  for (const table of ['exceptions', ...(move.mapping === undefined ? [] : ['learnt'])])
    yield* run(`DELETE FROM ${table} WHERE id = $1 AND destination = ANY ($2)`, id, open)
  if (resent !== entry.resent) yield* run('UPDATE entries SET resent = $1 WHERE id = $2', resent, id)
  yield* again(resending, entry, open)
  return true
}

interface Entry extends Resendable {
  id: number
  received_at: number
  settled_at: number | null
  contact: string | null
  conversation: string | null
}

/**
 * What stood before any destination goes to each of the account that it belongs to after all, or to the one that is named;
 * not where another event with its natural key has gone.
 */
function* giveOver(resending: Resending, entry: Entry, move: Redriven): Statements<boolean> {
  const { id, org } = entry
  const to = move.org ?? org
  const meant = (yield* ensureDestination(to)).filter((one) => (move.destination ?? one) === one)
  // mutant: gives an event that was quarantined to a destination that has had its natural key by another
  const free = yield* claimOnce({ ...move, org: to }, meant)
  const claimedByIt = to === org && hasClaimed(entry) ? yield* meantFor(org, id) : []
  const destinations = meant.filter((one) => free.includes(one) || claimedByIt.includes(one))
  if (destinations.length === 0) return false
  const its = countGiven(resending.counts, entry, move, destinations)
  yield* run('DELETE FROM exceptions WHERE id = $1 AND destination = 0', id)
  if (its.org !== org || its.type !== entry.type) yield* moveTo(entry, its)
  if (move.mapping !== undefined) yield* run('UPDATE entries SET mapping = $1 WHERE id = $2', move.mapping, id)
  yield* again(resending, { ...entry, org: its.org }, destinations)
  return true
}

/** Its account and type are others from now on, and it is found by them. */
function* moveTo({ id, org, type, contact, conversation }: Entry, to: { org: string; type: string }): Statements<void> {
  yield* run('UPDATE entries SET org = $1, type = $2 WHERE id = $3', to.org, to.type, id)
  yield* run('UPDATE bodies SET org = $1 WHERE id = $2', to.org, bodyOf(id))
  const terms = [
    ['type', type, to.type],
    ['contact', contact, contact],
    ['conversation', conversation, conversation],
  ] as const
  for (const [kind, was, is] of terms) {
    if (was === null || is === null) continue
    yield* run('DELETE FROM search_index WHERE org = $1 AND kind = $2 AND value = $3 AND id = $4', org, kind, was, id)
    const sql = 'INSERT INTO search_index (org, kind, value, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING'
    yield* run(sql, to.org, kind, is, id)
  }
}

/** It waits again, last in the queues of these destinations. */
function* again(
  { now, resent, due }: Resending,
  { id, org, received_at }: Pick<Entry, 'id' | 'org' | 'received_at'>,
  destinations: readonly Destination[],
): Statements<void> {
  const [first, ...places] = yield* own('takePlaces', destinations.length + 1)
  const row = resent.get(org) ?? { id: first!, remain: 0 }
  row.remain++
  resent.set(org, row)
  for (const [nth, destination] of destinations.entries()) {
    const place = places[nth]! * perBody
    yield* run(
      'INSERT INTO queue (org, destination, lane, place, id) VALUES ($1, $2, 0, $3, $4)',
      org,
      destination,
      place,
      id,
    )
    const sql = `INSERT INTO exceptions (id, destination, org, state, received_at, place) VALUES ($1, $2, $3, 'waiting', $4, $5)`
    yield* run(sql, id, destination, org, received_at, place)
    due.set(`${destination} ${org}`, { org, destination, lane: 'send', at: now })
  }
  const notes = destinations.map((destination) => noteOf({ destination, outcome: 'resent', attempt: row.id }))
  yield* own('noteHistory', id, Buffer.concat(notes), null)
}
