/**
 * What every engine must prove, promise by promise: the sentences of ports/, each as a check that throws when it is
 * broken. `open` gives an empty store; the caller closes it.
 */
import assert from 'node:assert/strict'
import {
  type Arrival,
  askLane,
  type Entry,
  type Given,
  type Lane,
  type LaneKey,
  type NewBody,
  type NewEvent,
  type Org,
  sendLane,
} from './ports/entry.ts'
import type { ClaimOptions, Inbox, Lease, Limits, Settlement } from './ports/inbox.ts'
import type { Storage } from './ports/storage.ts'

export interface Promised {
  promise: string
  check(storage: Storage): Promise<void>
}

/** An event with a body of its own. */
export type Alone = Omit<NewEvent, 'body' | 'position' | 'bytes'> & { sealed: Uint8Array }

export const hourMs = 3_600_000
export const one = '5000883'
export const other = '6000993'
let made = 0

/** A different arrival each time, but for what is said. */
export function arrival(said: Partial<Alone> = {}): Alone {
  const n = ++made
  return {
    state: 'waiting',
    org: one,
    type: 'an_event',
    messageId: `message-${n}`,
    receivedAt: 1_000,
    identity: Buffer.from(`identity-${n}`.padEnd(16, '.')),
    rememberMs: hourMs,
    mapping: 1,
    sealed: Buffer.from(`body-${n}`),
    ...said,
  }
}

/** Appends as a service does: what is known already is left out, and is a duplicate. */
export async function append(storage: Pick<Storage, 'inbox'>, arrivals: readonly (Alone | Ignored)[]) {
  return (await appendAll(storage, arrivals)).outcomes
}

/** The same, with the lanes that had nothing due before. */
export async function appendAll({ inbox }: Pick<Storage, 'inbox'>, arrivals: readonly (Alone | Ignored)[]) {
  const repeats = new Set<number>()
  for (;;) {
    const bodies: NewBody[] = []
    const appended = await inbox.append(
      bodies,
      arrivals.map((arrival, at): Arrival => {
        if (arrival.state === 'ignored') return arrival
        const { sealed, ...event } = arrival
        const owner = event.state === 'unclaimed' ? '' : event.org
        const { type, receivedAt } = event
        if (repeats.has(at)) return { state: 'duplicate', org: owner, type, receivedAt }
        const body = bodies.push({ org: owner, sealed }) - 1
        return { ...event, body, position: 0, bytes: sealed.byteLength }
      }),
    )
    if (appended.is === 'kept') return appended
    for (const at of appended.known) repeats.add(at)
  }
}

/** What is sealed of an entry that was given out. */
export function sealedOf({ bodies }: Given, { body: { id } }: Entry): Buffer {
  return Buffer.from(bodies.find((body) => body.id === id)!.sealed)
}

export function laneOf(org: Org, lane: Lane = 'send'): LaneKey {
  return lane === 'send' ? sendLane(org) : askLane(org)
}

/** Of an event whose own time this is. */
export function identityAt(time: number): Buffer {
  const identity = Buffer.from(`....identity-${++made}`.padEnd(16, '.'))
  identity.writeUInt32BE(Math.floor(time / 1_000))
  return identity
}

export type Ignored = Extract<Arrival, { state: 'ignored' }>

export function ignored(said: Partial<Ignored> = {}): Ignored {
  return { state: 'ignored', org: one, type: 'other', reason: 'switched_off', receivedAt: 1_000, ...said }
}

export const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 100, bytesMax: 1_000_000 }

/** What an entry of a lane may become, to be done with it. */
export const doneIn = { send: 'delivered', ask: 'ignored' } as const

type Claiming = Omit<ClaimOptions, 'room'>

/** One account's lease, as most sentences want it. */
export async function claimOne(inbox: Inbox, lane: Lane, options: Claiming): Promise<Lease | undefined> {
  const { leases } = await inbox.claim(lane, { ...options, room: 1 })
  return leases[0]
}

export async function claimed(storage: Storage, lane: Lane = 'send', options: Partial<Claiming> = {}) {
  const lease = await claimOne(storage.inbox, lane, { ...claimOptions, ...options })
  assert.ok(lease, `something is due in the ${lane} lane`)
  return lease
}

export async function nothingDue(storage: Storage, now = 2_000): Promise<void> {
  assert.equal(await claimOne(storage.inbox, 'send', { ...claimOptions, now }), undefined)
  assert.equal(await claimOne(storage.inbox, 'ask', { ...claimOptions, now }), undefined)
}

export const idle = { readyAt: 2_000, failures: 0 }
export const to = (id: number, state: Settlement['to'], more: Partial<Settlement> = {}): Settlement => {
  const reason = state === 'ignored' ? { reason: 'empty' } : {}
  return { id, to: state, at: 2_000, ...reason, ...more } as Settlement
}

export async function total(storage: Storage, outcome: string, org = one): Promise<number> {
  const totals = await storage.ledger.totals()
  return totals
    .filter((entry) => entry.outcome === outcome && entry.org === org)
    .reduce((sum, { count }) => sum + count, 0)
}

export async function countIn(storage: Storage, state: string, org = one): Promise<number> {
  const backlog = await storage.ledger.backlog()
  return backlog
    .filter((entry) => entry.state === state && entry.org === org)
    .reduce((sum, { count }) => sum + count, 0)
}

/** What was received is ignored, expired, dead and gone, still there, or taken over; and what a destination took over likewise. */
export async function conserved(storage: Storage): Promise<void> {
  const { totals, backlog } = await storage.ledger.snapshotOfAll()
  const places = new Set([...totals, ...backlog].map(({ org, destination }) => `${destination} ${org}`))
  for (const place of places) {
    const isHere = ({ org, destination }: { org: Org; destination: number }) => `${destination} ${org}` === place
    const counted = (...outcomes: string[]) =>
      totals
        .filter((total) => isHere(total) && outcomes.includes(total.outcome))
        .reduce((sum, { count }) => sum + count, 0)
    // Accounts that are not installed are counted together.
    const rows = backlog.filter((one) =>
      one.state === 'unclaimed' ? place === '0 ' : isHere(one) && one.state !== 'delivered',
    )
    const there = rows.reduce((sum, { count }) => sum + count, 0)
    const isAccount = place.startsWith('0 ')
    assert.equal(
      counted(...(isAccount ? ['received', 'backfilled'] : ['taken'])),
      counted('delivered', 'ignored', 'expired', 'dead', ...(isAccount ? ['taken'] : [])) + there,
      `what came to ${place} is everything that became of it`,
    )
  }
}

export const keepAll: Limits = {
  notInstalledBefore: 0,
  notInstalledBytesMax: 1e9,
  deliveredBefore: 0,
  failedBefore: 0,
  kept: [],
  now: 0,
  youngAfter: 0,
  minutesBefore: 0,
  hoursBefore: 0,
}
