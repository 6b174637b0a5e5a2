// biome-ignore-all lint/style/noExcessiveLinesPerFile: every move of an entry in one place.
/** The inbox in plain maps: the shortest text of what the ports promise, and the model the other engines are held to. */
import { leftAlone } from '../../lib/backoff.ts'
import { beginsCareful, cautionAfter, isForAlone } from '../careful.ts'
import type {
  Arrival,
  Asked,
  Claimed,
  Ending,
  Holder,
  Inbox,
  Lane,
  Lease,
  Placed,
  Redriven,
  Settlement,
  Told,
  Woken,
} from '../ports.ts'
import { askedOf, longestMsOf, waitMsMax } from '../waits.ts'
import { erase, expire, take } from './retention.ts'
import { count, type Kept, type LaneState, laneState, note, type State } from './state.ts'

export function inboxOf(state: State): Inbox {
  const inbox: Inbox = {
    append: async (batch, wake) => {
      const woke: Woken[] = []
      const told = batch.map((arrival) => appendOne(state, arrival, woke))
      if (woke.length > 0) wake?.(woke)
      return told
    },
    claim: async (lane, options) => claim(state, lane, options),
    async more(lease, after, { limit, bytesMax }) {
      const lane = held(state, lease)
      return lane?.careful === 0 ? firstEntries(state, lane, { now: 0, after, limit, bytesMax }) : []
    },
    renew: async (lease, until) => {
      const lane = held(state, lease)
      if (lane) lane.leaseUntil = until
      return lane !== undefined
    },
    settle: async (lease, settlements, ending) => settle(state, lease, settlements, ending),
    nextDue: async (lane, holder) => nextDue(state, lane, holder),
    clockSetBack: async (byMs, now) => {
      const earlier = (at: number | undefined) => (at !== undefined && at > now ? Math.max(at - byMs, now) : at)
      for (const lane of state.lanes.values()) if (lane.readyAt !== undefined) lane.readyAt = earlier(lane.readyAt)!
      for (const entry of state.entries.values()) if (entry.dueAt !== undefined) entry.dueAt = earlier(entry.dueAt)!
    },
    shortenLeases: async (until) => {
      for (const lane of state.lanes.values()) if ((lane.leaseUntil ?? 0) > until) lane.leaseUntil = until
    },
    hold: async (org, lane, reason) => {
      const kept = laneState(state, org, lane)
      if (reason === undefined) delete kept.hold
      else kept.hold = reason
    },
    resume: async (org, lane, now, asks = false) => {
      const kept = laneState(state, org, lane)
      const later = asks ? leftAlone(kept, now) : undefined
      const isAsked = asks && !later
      delete kept.hold
      delete kept.trouble
      kept.failures = 0
      if (isAsked) makeAllDue(state, kept, now)
      settleLane(state, kept, later?.at ?? now)
      if (isAsked && kept.readyAt !== undefined) Object.assign(kept, { asked: true, askedAt: now })
    },
    follow: async (lanes, now) => {
      for (const { org, lane, is } of lanes) {
        if (is === 'resumed') await inbox.resume(org, lane, now)
        else await inbox.hold(org, lane, is.held)
      }
    },
    unclaimed: async (orgs) => {
      const there = new Set([...state.entries.values()].flatMap((one) => (one.state === 'unclaimed' ? [one.org] : [])))
      return orgs.filter((org) => there.has(org))
    },
    retry: async (org, lane, now) => retry(state, laneState(state, org, lane), now),
    adopt: async (org, now) => adopt(state, org, now),
    expire: async (limits) => expire(state, limits),
    erase: async (org) => erase(state, org),
    take: async (org, ids) => take(state, org, ids),
    redrive: async (moves, now) => moves.filter((move) => redrive(state, move, now)).length,
  }
  return inbox
}

function appendOne(state: State, arrival: Arrival, woke: Woken[]): Told {
  if (arrival.state === 'ignored') {
    count(state, arrival.org, arrival.type, 'received')
    count(state, arrival.org, arrival.type, 'ignored', 1, arrival.reason)
    note(state, arrival, 'ignored', arrival.receivedAt, arrival.reason)
    return 'ignored'
  }
  const { identity, rememberMs, ...rest } = arrival
  const owner = arrival.state === 'unclaimed' ? '' : arrival.org
  const name = Buffer.from(identity).toString('hex')
  const until = state.identities.get(name)
  const isBelievable = until !== undefined && until <= arrival.receivedAt + 2 * rememberMs
  // mutant: takes every webhook for a new one
  if (until !== undefined && until > arrival.receivedAt && isBelievable) {
    count(state, owner, arrival.type, 'duplicate')
    note(state, { org: owner, type: arrival.type }, 'duplicate', arrival.receivedAt)
    return 'duplicate'
  }
  state.identities.set(name, arrival.receivedAt + rememberMs)
  const id = ++state.lastPlace
  const kept: Kept = { ...rest, id, place: id, failures: 0, body: Uint8Array.from(arrival.body) }
  if (arrival.state === 'asking') kept.dueAt = arrival.dueAt ?? arrival.receivedAt
  state.entries.set(id, kept)
  count(state, owner, arrival.type, 'received')
  note(state, kept, 'received', arrival.receivedAt)
  if (arrival.state === 'quarantined') note(state, kept, 'aside', arrival.receivedAt)
  woke.push(...makeReady(state, kept, arrival.receivedAt))
  return 'stored'
}

function claim(
  state: State,
  lane: Lane,
  { now, leaseMs, limit, bytesMax, holder, farAhead = false, room }: Parameters<Inbox['claim']>[1],
): Claimed {
  const leases: Lease[] = []
  const ready = lanesOf(state, lane)
    // mutant: gives a leased account to a second worker
    .filter((kept) => kept.hold === undefined && isReady(kept, now, farAhead) && takenUntil(kept, holder) <= now)
    .sort((one, other) => one.served - other.served)
  for (const kept of ready) {
    if (leases.length === room || leases.some(isForAlone)) break
    const crashes = kept.crashes + (kept.leaseUntil === undefined || isOf(holder, kept) ? 0 : 1)
    if (leases.length > 0 && isForAlone({ crashes })) break
    const most = kept.trouble !== undefined || kept.careful > 0 ? 1 : limit
    Object.assign(kept, { crashes, token: kept.token + 1, leaseUntil: now + leaseMs, served: ++state.lastPlace })
    if (holder) kept.holder = holder.id
    else delete kept.holder
    const isFar = ({ dueAt = 0 }: Kept) => farAhead && dueAt > now + waitMsMax
    for (const entry of inLane(state, kept)) if (isFar(entry)) entry.dueAt = now
    const entries = firstEntries(state, kept, { now, after: 0, limit: most, bytesMax })
    if (beginsCareful(kept)) kept.careful = entries.splice(1).length + 1
    if (entries.length === 0) {
      // Whatever was to blame for a lease that ran out is not there any more.
      Object.assign(kept, { crashes: 0, careful: 0 })
      delete kept.leaseUntil
      delete kept.asked
      settleLane(state, kept, now)
      continue
    }
    const { org, token, failures, trouble, asked } = kept
    const said = {
      ...(asked && { asked }),
      ...(trouble === undefined ? {} : { trouble }),
      ...(holder && { holder: holder.id }),
    }
    leases.push({ org, lane, token, failures, crashes, ...said, entries })
  }
  const busy = [...(holder?.busy ?? []), ...leases.map(({ org }) => org)]
  const due = leases.length < room ? nextDue(state, lane, { id: holder?.id ?? '', busy }) : undefined
  return { leases, ...(due === undefined ? {} : { nextDue: due }) }
}

function nextDue(state: State, lane: Lane, holder: Holder | undefined): number | undefined {
  const due = lanesOf(state, lane)
    .filter(({ hold, readyAt }) => hold === undefined && readyAt !== undefined)
    .map((kept) => Math.max(kept.readyAt!, takenUntil(kept, holder)))
    .filter((at) => at < Number.POSITIVE_INFINITY)
  return due.length > 0 ? Math.min(...due) : undefined
}

function settle(state: State, lease: Lease, settlements: readonly Settlement[], ending?: Ending): boolean {
  const lane = held(state, lease)
  if (!lane) return false
  const from = lease.lane === 'send' ? 'waiting' : 'asking'
  for (const settlement of settlements) {
    const kept = state.entries.get(settlement.id)
    if (kept?.state === from && kept.org === lease.org) settleOne(state, kept, settlement, from)
  }
  if (ending) {
    delete lane.leaseUntil
    delete lane.trouble
    delete lane.retryAfterAt
    const { failures, tried, trouble, retryAfterAt } = ending
    Object.assign(lane, cautionAfter(lane, ending), { failures }, trouble ? { trouble } : {})
    if (retryAfterAt !== undefined) lane.retryAfterAt = retryAfterAt
    if (tried) {
      delete lane.setback
      delete lane.asked
      Object.assign(lane, { triedAt: tried.at }, tried.setback ? { setback: tried.setback } : {})
    }
    settleLane(state, lane, ending.readyAt)
  }
  return true
}

function settleOne(state: State, kept: Kept, settlement: Settlement, from: 'waiting' | 'asking'): void {
  const { to, at, reason, contact, conversation, known, dueAt, answer } = settlement
  if (settlement.to === 'ignored') {
    count(state, kept.org, kept.type, 'ignored', 1, settlement.reason)
    note(state, kept, 'ignored', at, settlement.reason)
    state.entries.delete(kept.id)
    return
  }
  if (to === 'delivered') count(state, kept.org, kept.type, to)
  kept.state = settlement.to
  for (const field of ['reason', 'dueAt', 'settledAt'] as const) delete kept[field]
  if (reason !== undefined) kept.reason = reason
  if (contact !== undefined) kept.contact = contact
  if (conversation !== undefined) kept.conversation = conversation
  if (known) kept.known = Uint8Array.from(known)
  if (answer) kept.answer = answer
  if (to === 'delivered') note(state, kept, 'delivered', at)
  if (to === 'dead' || to === 'quarantined') note(state, kept, 'aside', at)
  if (to === 'waiting') kept.place = ++state.lastPlace
  else if (to === 'asking') {
    kept.dueAt = dueAt ?? at
    if (from === 'asking') kept.failures++
  } else kept.settledAt = at
  if (to !== from) makeReady(state, kept, dueAt ?? at)
}

function retry(state: State, lane: LaneState, now: number): Asked {
  const asked = askedOf(lane, now)
  if (asked.is !== 'asked') return asked
  makeAllDue(state, lane, now)
  Object.assign(lane, { readyAt: Math.min(lane.readyAt!, now), askedAt: now, asked: true })
  return asked
}

/** Questions wait for a time each; what is to be sent waits for its lane alone. */
function makeAllDue(state: State, lane: LaneState, now: number): void {
  for (const entry of inLane(state, lane)) if ((entry.dueAt ?? 0) > now) entry.dueAt = now
}

function redrive(state: State, { id, org, type, mapping }: Redriven, now: number): boolean {
  const kept = state.entries.get(id)
  if (!kept || !['dead', 'quarantined', 'delivered'].includes(kept.state)) return false
  if (kept.state === 'delivered') count(state, kept.org, kept.type, 'delivered', -1)
  count(state, kept.org, kept.type, 'received', -1)
  Object.assign(kept, { state: 'waiting', place: ++state.lastPlace, org: org ?? kept.org, type: type ?? kept.type })
  if (mapping !== undefined) kept.mapping = mapping
  for (const field of ['reason', 'settledAt', 'answer'] as const) delete kept[field]
  count(state, kept.org, kept.type, 'received')
  makeReady(state, kept, now)
  return true
}

function adopt(state: State, org: string, now: number): number {
  const adopted = [...state.entries.values()].filter((kept) => kept.org === org && kept.state === 'unclaimed')
  for (const kept of adopted) {
    kept.state = 'waiting'
    delete kept.reason
    count(state, '', kept.type, 'received', -1)
    count(state, org, kept.type, 'received')
    makeReady(state, kept, now)
  }
  return adopted.length
}

function firstEntries(
  state: State,
  lane: LaneState,
  { now, after, limit, bytesMax }: { now: number; after: number; limit: number; bytesMax: number },
): Placed[] {
  let bytes = 0
  return inLane(state, lane)
    .filter(({ dueAt, place }) => (dueAt ?? 0) <= now && place > after)
    .slice(0, limit)
    .filter((kept, index) => {
      bytes += kept.body.byteLength
      return index === 0 || bytes <= bytesMax
    })
    .map((kept) => ({ ...kept }))
}

function inLane(state: State, { org, lane }: LaneState): Kept[] {
  const wanted = lane === 'send' ? 'waiting' : 'asking'
  const found = [...state.entries.values()].filter((kept) => kept.org === org && kept.state === wanted)
  // mutant: keeps no order in an account
  return found.sort((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0) || one.place - other.place)
}

export function held(state: State, lease: Lease): LaneState | undefined {
  const kept = laneState(state, lease.org, lease.lane)
  const isHeld = kept.token === lease.token && kept.holder === lease.holder && kept.leaseUntil !== undefined
  // mutant: lets a holder that lost its lease settle
  return isHeld ? kept : undefined
}

function isReady({ readyAt, trouble }: LaneState, now: number, farAhead: boolean): boolean {
  return readyAt !== undefined && (readyAt <= now || (farAhead && readyAt > now + longestMsOf(trouble)))
}

/** Until when the lane is kept from this holder: by the lease of another, or by its own work. */
function takenUntil(kept: LaneState, holder: Holder | undefined): number {
  if (holder?.busy.includes(kept.org)) return Number.POSITIVE_INFINITY
  // mutant: waits for its own lease that got lost
  return isOf(holder, kept) ? 0 : (kept.leaseUntil ?? 0)
}

function isOf(holder: Holder | undefined, kept: LaneState): boolean {
  return holder !== undefined && kept.holder === holder.id
}

function lanesOf(state: State, lane: Lane): LaneState[] {
  return [...state.lanes.values()].filter((kept) => kept.lane === lane)
}

/** Gives the lane if it has woken up. */
function makeReady(state: State, { org, state: of }: Kept, at: number): Woken[] {
  if (of !== 'waiting' && of !== 'asking') return []
  const lane = laneState(state, org, of === 'waiting' ? 'send' : 'ask')
  const backsOff = lane.failures > 0 || lane.trouble !== undefined
  // A lane that only rests until its first question is due again is ready earlier.
  const wakes = lane.readyAt === undefined || (of === 'asking' && !backsOff && lane.readyAt > at)
  if (!wakes) return []
  lane.readyAt = at
  return [{ org, lane: lane.lane }]
}

function settleLane(state: State, lane: LaneState, at: number): void {
  const first = inLane(state, lane)[0]
  if (first) lane.readyAt = Math.max(at, first.dueAt ?? 0)
  else delete lane.readyAt
}
