// biome-ignore-all lint/style/noExcessiveLinesPerFile: every move of an entry in one place, for one transaction.
/** The inbox in SQLite: every function is one part of the transaction that the worker has opened around it. */
import { leftAlone } from '../../lib/backoff.ts'
import { beginsCareful, type Caution, cautionAfter, isForAlone } from '../careful.ts'
import type { Appended } from '../grouping.ts'
import type {
  Asked,
  Ending,
  Following,
  Holder,
  Inbox,
  Lane,
  Lease,
  Placed,
  Redriven,
  Settlement,
  State,
  Told,
} from '../ports.ts'
import { cautionOf, entryOf, laneOf as laneShown } from '../rows.ts'
import { askedOf, probeWaitMsMax, waitMsMax } from '../waits.ts'
import { count, tally } from './counts.ts'
import type { Database } from './database.ts'
import { noteSought } from './lookup.ts'
import {
  type PackedArrivals,
  type PackedClaim,
  type PackedEntries,
  type PackedLease,
  packEntries,
  packLease,
  unpackArrivals,
} from './packing.ts'

export function append(db: Database, packed: PackedArrivals): Appended {
  const batch = unpackArrivals(packed)
  const counts = tally()
  const ready = new Map<string, { org: string; lane: Lane; at: number }>()
  let place = takePlaces(db, batch.length)
  const told = batch.map((arrival): Told => {
    if (arrival.state === 'ignored') {
      counts.add(arrival.org, arrival.type, 'received')
      counts.add(arrival.org, arrival.type, 'ignored', 1, arrival.reason)
      counts.note(arrival.org, arrival.type, 'ignored', arrival.receivedAt, arrival.reason)
      return 'ignored'
    }
    const { org, type, state, receivedAt } = arrival
    // Not installed accounts are counted together: their number is not ours to bound.
    const owner = state === 'unclaimed' ? '' : org
    // mutant: has no unique index for identities in SQLite
    if (!isNew(db, arrival.identity, receivedAt, arrival.rememberMs)) {
      counts.add(owner, type, 'duplicate')
      counts.note(owner, type, 'duplicate', receivedAt)
      return 'duplicate'
    }
    place++
    const due = state === 'asking' ? (arrival.dueAt ?? receivedAt) : null
    db.run(
      `INSERT INTO entries
         (id, place, org, type, state, message_id, received_at, bytes, reason, due_at, mapping, contact, conversation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      place,
      place,
      org,
      type,
      state,
      arrival.messageId,
      receivedAt,
      arrival.body.byteLength,
      arrival.reason ?? null,
      due,
      arrival.mapping,
      arrival.contact ?? null,
      arrival.conversation ?? null,
    )
    db.run('INSERT INTO bodies (id, body) VALUES (?, ?)', place, arrival.body)
    counts.add(owner, type, 'received')
    counts.note(org, type, 'received', receivedAt)
    if (state === 'quarantined') counts.note(org, type, 'aside', receivedAt)
    const lane = laneOf(state)
    if (lane && !ready.has(`${lane} ${org}`)) ready.set(`${lane} ${org}`, { org, lane, at: receivedAt })
    return 'stored'
  })
  const woke = [...ready.values()].filter(({ org, lane, at }) => makeReady(db, org, lane, at))
  counts.write(db)
  return { told, woke }
}

export function claim(db: Database, lane: Lane, options: Parameters<Inbox['claim']>[1]): PackedClaim {
  const { now, holder, room } = options
  const leases: PackedLease[] = []
  const busy = () => [...(holder?.busy ?? []), ...leases.map(({ org }) => org)]
  while (leases.length < room) {
    const found = firstReady(db, lane, options, busy())
    if (!found) break
    if (leases.length > 0 && isForAlone(found)) return { leases, nextDue: now }
    const lease = leased(db, lane, found, options)
    if (lease) leases.push(packLease(lease))
    if (lease && isForAlone(found)) break
  }
  if (leases.length === room) return { leases }
  const due = nextDue(db, lane, { id: holder?.id ?? null, busy: busy() })
  return { leases, ...(due === undefined ? {} : { nextDue: due }) }
}

type Ready = Caution & { org: string; token: number; failures: number; trouble: string | null; asked: boolean }

/** The lane that has waited longest for its turn among those with something due. */
function firstReady(
  db: Database,
  lane: Lane,
  { now, holder, farAhead }: Parameters<Inbox['claim']>[1],
  busy: readonly string[],
): Ready | undefined {
  // That it is not null is said for the planner's sake: only then it takes the index of those that have something to do.
  const found = db.get(
    `SELECT org, token, failures, crashes, careful, trouble, lease_until, asked, holder = ? AS own FROM lanes
     WHERE lane = ? AND hold IS NULL AND ready_at IS NOT NULL
       AND (ready_at <= ? OR ? AND ready_at > ? + ${longestMs}) AND ${takenUntil} <= ?
     ORDER BY served LIMIT 1`,
    holder?.id ?? null,
    lane,
    now,
    farAhead ? 1 : 0,
    now,
    ...ownOf({ id: holder?.id ?? null, busy }),
    now,
  )
  if (!found) return undefined
  // mutant: does not count a crash before it works
  const crashes = Number(found.crashes) + (found.lease_until === null || found.own === 1 ? 0 : 1)
  return {
    org: found.org as string,
    token: Number(found.token),
    failures: Number(found.failures),
    crashes,
    careful: cautionOf(found).careful,
    trouble: found.trouble as string | null,
    asked: found.asked === 1,
  }
}

/** Its lease, or nothing where nothing was in line after all. */
function leased(
  db: Database,
  lane: Lane,
  { org, crashes, careful, trouble, ...found }: Ready,
  options: Parameters<Inbox['claim']>[1],
): Lease | undefined {
  const { now, leaseMs, holder, farAhead } = options
  const single = trouble !== null || careful > 0
  const token = found.token + 1
  db.run(
    'UPDATE lanes SET token = ?, lease_until = ?, holder = ?, crashes = ?, served = ? WHERE org = ? AND lane = ?',
    token,
    now + leaseMs,
    holder?.id ?? null,
    crashes,
    takePlaces(db, 1),
    org,
    lane,
  )
  if (lane === 'ask' && farAhead) {
    const sql = `UPDATE entries SET due_at = ? WHERE org = ? AND state = 'asking' AND due_at > ?`
    db.run(sql, now, org, now + waitMsMax)
  }
  const entries = firstEntries(db, org, lane, { ...options, after: 0, limit: single ? 1 : options.limit })
  if (beginsCareful({ crashes, careful })) {
    db.run('UPDATE lanes SET careful = ? WHERE org = ? AND lane = ?', entries.splice(1).length + 1, org, lane)
  }
  if (entries.length === 0) {
    // Whatever was to blame for a lease that ran out is not there any more.
    const sql = 'UPDATE lanes SET lease_until = NULL, crashes = 0, careful = 0, asked = 0 WHERE org = ? AND lane = ?'
    db.run(sql, org, lane)
    settleLane(db, org, lane, now)
    return undefined
  }
  const said = {
    ...(trouble === null ? {} : { trouble }),
    ...(found.asked && { asked: true as const }),
    ...(holder && { holder: holder.id }),
  }
  return { org, lane, token, failures: found.failures, crashes, ...said, entries }
}

export function more(
  db: Database,
  lease: Lease,
  after: number,
  limits: { limit: number; bytesMax: number },
): PackedEntries {
  const { org, lane } = lease
  const goesOn = heldLane(db, lease)?.careful === 0
  return packEntries(goesOn ? firstEntries(db, org, lane, { now: 0, after, ...limits }) : [])
}

export function renew(db: Database, lease: Lease, until: number): boolean {
  // mutant: judges a lease by the wall clock alone
  return db.run(`UPDATE lanes SET lease_until = ? WHERE ${heldLease}`, until, ...heldBy(lease)) === 1
}

export function settle(db: Database, lease: Lease, settlements: readonly Settlement[], ending?: Ending): boolean {
  const { org, lane } = lease
  const held = heldLane(db, lease)
  if (!held) return false
  const counts = tally()
  const from: State = lane === 'send' ? 'waiting' : 'asking'
  for (const settlement of settleAlike(db, org, settlements, from, counts)) {
    const type = settlement.to === 'ignored' ? drop(db, org, settlement.id, from) : move(db, org, settlement, from)
    if (type === undefined) continue
    const { to, at, reason } = settlement
    if (to === 'ignored' || to === 'delivered') {
      const why = to === 'ignored' ? reason : ''
      counts.add(org, type, to, 1, why)
      counts.note(org, type, to, at, why)
    }
    if (to === 'dead' || to === 'quarantined') counts.note(org, type, 'aside', at)
    const next = laneOf(settlement.to)
    if (next && next !== lane) makeReady(db, org, next, settlement.dueAt ?? settlement.at)
  }
  counts.write(db)
  if (ending) {
    const { crashes, careful } = cautionAfter(cautionOf(held), ending)
    db.run(
      `UPDATE lanes SET lease_until = NULL, crashes = ?, careful = ?, failures = ?, trouble = ?, retry_after_at = ?
       WHERE org = ? AND lane = ?`,
      crashes,
      careful,
      ending.failures,
      ending.trouble ?? null,
      ending.retryAfterAt ?? null,
      org,
      lane,
    )
    const { tried } = ending
    if (tried) {
      const setback = tried.setback ?? null
      const sql = 'UPDATE lanes SET tried_at = ?, setback = ?, asked = 0 WHERE org = ? AND lane = ?'
      db.run(sql, tried.at, setback, org, lane)
    }
    settleLane(db, org, lane, ending.readyAt)
  }
  return true
}

export function nextDue(db: Database, lane: Lane, holder?: Claiming): number | undefined {
  const due = db.get(
    `SELECT min(max(ready_at, ${takenUntil})) AS at FROM lanes
     WHERE lane = ? AND ready_at IS NOT NULL AND hold IS NULL`,
    ...ownOf(holder),
    lane,
  )?.at
  return typeof due === 'number' ? due : undefined
}

export function clockSetBack(db: Database, byMs: number, now: number): void {
  db.run('UPDATE lanes SET ready_at = max(ready_at - ?, ?) WHERE ready_at > ?', byMs, now, now)
  db.run(`UPDATE entries SET due_at = max(due_at - ?, ?) WHERE state = 'asking' AND due_at > ?`, byMs, now, now)
}

export function shortenLeases(db: Database, until: number): void {
  db.run('UPDATE lanes SET lease_until = ? WHERE lease_until > ?', until, until)
}

export function hold(db: Database, org: string, lane: Lane, reason: string | undefined): void {
  db.run(
    `INSERT INTO lanes (org, lane, hold) VALUES (?, ?, ?) ON CONFLICT (org, lane) DO UPDATE SET hold = excluded.hold`,
    org,
    lane,
    reason ?? null,
  )
}

export function resume(db: Database, org: string, lane: Lane, now: number, asks = false): void {
  const was = asks ? laneRow(db, org, lane) : undefined
  const later = was && leftAlone(laneShown(was), now)
  const isAsked = was !== undefined && !later
  db.run('UPDATE lanes SET hold = NULL, trouble = NULL, failures = 0 WHERE org = ? AND lane = ?', org, lane)
  if (isAsked) makeAllDue(db, org, lane, now)
  settleLane(db, org, lane, later?.at ?? now)
  if (isAsked) noteAsked(db, org, lane, now)
}

export function follow(db: Database, lanes: readonly Following[], now: number): void {
  const rows = db.all('SELECT org, lane, hold, trouble, failures, ready_at FROM lanes')
  const there = new Map(rows.map((row) => [`${row.lane} ${row.org}`, row]))
  for (const { org, lane, is } of lanes) {
    const row = there.get(`${lane} ${org}`)
    if (is === 'resumed') {
      if (row && !isGoing(row, now)) resume(db, org, lane, now)
    } else if ((row?.hold ?? null) !== (is.held ?? null)) hold(db, org, lane, is.held)
  }
}

/** Nothing keeps it, and something is due: when it is claimed, it is seen whether anything is there. */
function isGoing({ hold, trouble, failures, ready_at }: Record<string, unknown>, now: number): boolean {
  return hold === null && trouble === null && failures === 0 && ready_at !== null && Number(ready_at) <= now
}

export function unclaimed(db: Database, orgs: readonly string[]): string[] {
  const sql = `SELECT DISTINCT org FROM entries WHERE state = 'unclaimed' AND org IN (SELECT value FROM json_each(?))`
  return db.all(sql, JSON.stringify(orgs)).map(({ org }) => org as string)
}

export function retry(db: Database, org: string, lane: Lane, now: number): Asked {
  const row = laneRow(db, org, lane)
  const asked = askedOf(row && laneShown(row), now)
  if (asked.is !== 'asked') return asked
  makeAllDue(db, org, lane, now)
  db.run('UPDATE lanes SET ready_at = min(ready_at, ?) WHERE org = ? AND lane = ?', now, org, lane)
  noteAsked(db, org, lane, now)
  return asked
}

function laneRow(db: Database, org: string, lane: Lane) {
  return db.get('SELECT * FROM lanes WHERE org = ? AND lane = ?', org, lane)
}

/** Questions wait for a time each; what is to be sent waits for its lane alone. */
function makeAllDue(db: Database, org: string, lane: Lane, now: number): void {
  if (lane === 'send') return
  db.run(`UPDATE entries SET due_at = ? WHERE org = ? AND state = 'asking' AND due_at > ?`, now, org, now)
}

function noteAsked(db: Database, org: string, lane: Lane, now: number): void {
  const sql = 'UPDATE lanes SET asked = 1, asked_at = ? WHERE org = ? AND lane = ? AND ready_at IS NOT NULL'
  db.run(sql, now, org, lane)
}

export function adopt(db: Database, org: string, now: number): number {
  const types = db.all(
    `SELECT type, count(*) AS count FROM entries WHERE state = 'unclaimed' AND org = ? GROUP BY type`,
    org,
  )
  for (const { type, count: by } of types) {
    count(db, '', type as string, 'received', -Number(by))
    count(db, org, type as string, 'received', Number(by))
  }
  const adopted = db.run(
    `UPDATE entries SET state = 'waiting', reason = NULL WHERE state = 'unclaimed' AND org = ?`,
    org,
  )
  if (adopted > 0) makeReady(db, org, 'send', now)
  return adopted
}

export function redrive(db: Database, moves: readonly Redriven[], now: number): number {
  const counts = tally()
  let moved = 0
  for (const { id, org, type, mapping } of moves) {
    const was = db.get(
      `SELECT org, type, state FROM entries WHERE id = ? AND state IN ('dead', 'quarantined', 'delivered')`,
      id,
    )
    if (!was) continue
    const from = { org: was.org as string, type: was.type as string }
    const to = { org: org ?? from.org, type: type ?? from.type }
    if (was.state === 'delivered') counts.add(from.org, from.type, 'delivered', -1)
    counts.add(from.org, from.type, 'received', -1)
    counts.add(to.org, to.type, 'received')
    db.run(
      `UPDATE entries SET state = 'waiting', place = ?, org = ?, type = ?, mapping = coalesce(?, mapping),
         reason = NULL, settled_at = NULL, status = NULL, batch = NULL, tries = NULL WHERE id = ?`,
      takePlaces(db, 1) + 1,
      to.org,
      to.type,
      mapping ?? null,
      id,
    )
    makeReady(db, to.org, 'send', now)
    moved++
  }
  counts.write(db)
  return moved
}

/**
 * Most of a batch is delivered at once, and nothing new was learnt of it: that takes one statement for all of them.
 * Gives the settlements that are left. The plus keeps the ids the way to them: by the account it would be its whole line.
 */
function settleAlike(
  db: Database,
  org: string,
  settlements: readonly Settlement[],
  from: State,
  counts: ReturnType<typeof tally>,
): Settlement[] {
  const isPlain = ({ to, contact, conversation, known, reason }: Settlement) =>
    from === 'waiting' && to === 'delivered' && (contact ?? conversation ?? known ?? reason) === undefined
  const alike = Map.groupBy(settlements.filter(isPlain), ({ at, answer }) => JSON.stringify([at, answer]))
  for (const group of alike.values()) {
    const { at, answer } = group[0]!
    const moved = db.all(
      `UPDATE entries SET state = 'delivered', settled_at = ?, due_at = NULL, status = ?, batch = ?, tries = ?, reason = NULL
       WHERE id IN (SELECT value FROM json_each(?)) AND +org = ? AND state = 'waiting' RETURNING type`,
      at,
      answer?.status ?? null,
      answer?.batch ?? null,
      answer?.tries ?? null,
      JSON.stringify(group.map(({ id }) => id)),
      org,
    )
    for (const { type } of moved) {
      counts.add(org, type as string, 'delivered')
      counts.note(org, type as string, 'delivered', at)
    }
  }
  return settlements.filter((settlement) => !isPlain(settlement))
}

/** Moves an entry that is still in the state it was leased in; gives its type, or nothing when it is there no more. */
function move(db: Database, org: string, settlement: Settlement, from: State): string | undefined {
  const { id, to, at } = settlement
  const asking = to === 'asking'
  const moved = db.get(
    `UPDATE entries SET state = ?, reason = ?, settled_at = ?, due_at = ?, failures = failures + ?,
       contact = coalesce(?, contact), conversation = coalesce(?, conversation), place = coalesce(?, place),
       status = ?, batch = ?, tries = ?
     WHERE id = ? AND org = ? AND state = ? RETURNING org, type, message_id, contact, conversation`,
    to,
    settlement.reason ?? null,
    to === 'waiting' || asking ? null : at,
    asking ? (settlement.dueAt ?? at) : null,
    asking && from === 'asking' ? 1 : 0,
    settlement.contact ?? null,
    settlement.conversation ?? null,
    to === 'waiting' ? takePlaces(db, 1) + 1 : null,
    settlement.answer?.status ?? null,
    settlement.answer?.batch ?? null,
    settlement.answer?.tries ?? null,
    id,
    org,
    from,
  )
  const learnt = settlement.contact !== undefined || settlement.conversation !== undefined
  if (moved && learnt) noteSought(db, id, moved)
  if (moved && settlement.known) db.run('UPDATE bodies SET known = ? WHERE id = ?', settlement.known, id)
  return moved?.type as string | undefined
}

/** Takes an entry away with its body; gives its type. */
function drop(db: Database, org: string, id: number, from: State): string | undefined {
  const taken = db.get('DELETE FROM entries WHERE id = ? AND org = ? AND state = ? RETURNING type', id, org, from)
  if (taken) db.run('DELETE FROM bodies WHERE id = ?', id)
  return taken?.type as string | undefined
}

/** The lane, while the lease is its holder's. */
export function heldLane(db: Database, lease: Lease) {
  return db.get(`SELECT crashes, careful FROM lanes WHERE ${heldLease}`, ...heldBy(lease))
}

// mutant: lets a holder that lost its lease settle, in SQLite
const heldLease = 'org = ? AND lane = ? AND token = ? AND holder IS ? AND lease_until IS NOT NULL'

function heldBy({ org, lane, token, holder }: Lease) {
  return [org, lane, token, holder ?? null]
}

const longestMs = `CASE WHEN trouble IS NULL THEN ${waitMsMax} ELSE ${probeWaitMsMax} END`

/** Until when a lane is kept from a holder: by the lease of another or, without end (null), by its own work. */
// mutant: waits for its own lease that got lost, in SQLite
const takenUntil = `CASE WHEN org IN (SELECT value FROM json_each(?)) THEN NULL
  WHEN holder = ? THEN 0 ELSE coalesce(lease_until, 0) END`

interface Claiming {
  id: Holder['id'] | null
  busy: Holder['busy']
}

function ownOf(holder: Claiming | undefined) {
  return [JSON.stringify(holder?.busy ?? []), holder?.id ?? null]
}

function firstEntries(
  db: Database,
  org: string,
  lane: Lane,
  { now, after, limit, bytesMax }: { now: number; after: number; limit: number; bytesMax: number },
): Placed[] {
  const columns = 'SELECT e.*, b.body, b.known FROM entries e JOIN bodies b ON b.id = e.id'
  const rows =
    lane === 'send'
      ? db.iterate(
          // mutant: keeps no order in an account, in SQLite
          `${columns} WHERE e.org = ? AND e.state = 'waiting' AND e.place > ? ORDER BY e.place LIMIT ?`,
          org,
          after,
          limit,
        )
      : db.iterate(
          `${columns} WHERE e.org = ? AND e.state = 'asking' AND e.due_at <= ? ORDER BY e.due_at, e.place LIMIT ?`,
          org,
          now,
          limit,
        )
  const entries: Placed[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += Number(row.bytes)
    if (entries.length > 0 && bytes > bytesMax) break
    entries.push(entryOf(row))
  }
  return entries
}

/** True the first time, and again once the memory of the first has run out. */
function isNew(db: Database, identity: Uint8Array, now: number, rememberMs: number): boolean {
  return (
    db.run(
      `INSERT INTO identities VALUES (?, ?)
       ON CONFLICT (identity) DO UPDATE SET until = excluded.until WHERE until NOT BETWEEN ? AND ?`,
      identity,
      now + rememberMs,
      now + 1,
      now + 2 * rememberMs,
    ) === 1
  )
}

/** Reserves places at the end of the line; the first of them is one more than what this gives. */
function takePlaces(db: Database, many: number): number {
  return Number(db.get('UPDATE places SET last = last + ? RETURNING last', many)?.last) - many
}

export function laneOf(state: State | 'ignored'): Lane | undefined {
  return state === 'waiting' ? 'send' : state === 'asking' ? 'ask' : undefined
}

/**
 * Something is due in this lane from then on. One that is already ready, or backs off, stays as it is; one that only rests
 * until its first question is due again is ready earlier. True where it has woken up.
 */
function makeReady(db: Database, org: string, lane: Lane, at: number): boolean {
  const touched = db.run(
    `INSERT INTO lanes (org, lane, ready_at) VALUES (?, ?, ?)
     ON CONFLICT (org, lane) DO UPDATE SET ready_at = excluded.ready_at
     WHERE ready_at IS NULL OR (lane = 'ask' AND failures = 0 AND trouble IS NULL AND ready_at > excluded.ready_at)`,
    org,
    lane,
    at,
  )
  return touched === 1
}

/** The lane may be claimed from `at` on if something waits in it, or when its first entry is due. */
function settleLane(db: Database, org: string, lane: Lane, at: number): void {
  const first =
    lane === 'send'
      ? db.get(`SELECT 0 AS at FROM entries WHERE org = ? AND state = 'waiting' LIMIT 1`, org)
      : db.get(`SELECT due_at AS at FROM entries WHERE org = ? AND state = 'asking' ORDER BY due_at LIMIT 1`, org)
  db.run(
    'UPDATE lanes SET ready_at = ? WHERE org = ? AND lane = ?',
    first ? Math.max(at, Number(first.at)) : null,
    org,
    lane,
  )
}
