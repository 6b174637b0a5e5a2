// biome-ignore-all lint/style/noExcessiveLinesPerFile: a list with one check for each promise.
/**
 * What every engine must prove, promise by promise: the sentences of ports/, each as a check that throws when it is
 * broken. `open` gives an empty store; the caller closes it.
 */
import assert from 'node:assert/strict'
import type { AuditEntry, Install } from './ports/accounts.ts'
import {
  type Arrival,
  askLane,
  type Entry,
  type Given,
  type IgnoredReason,
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

const hourMs = 3_600_000
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

const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 100, bytesMax: 1_000_000 }

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

async function nothingDue(storage: Storage, now = 2_000): Promise<void> {
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

async function countIn(storage: Storage, state: string, org = one): Promise<number> {
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

export const promises: readonly Promised[] = [
  {
    promise: 'a sound store has no findings, whatever was kept, delivered and erased in it',
    async check(storage) {
      assert.deepEqual(await storage.examine(), [])
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      assert.deepEqual(await storage.examine(), [])
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered')], { readyAt: 1, failures: 0 })
      await storage.inbox.erase(other)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what was appended is claimed whole, byte for byte, in the order of appending',
    async check(storage) {
      const odd = [
        Buffer.from([0, 255, 254, 0x80]),
        Buffer.alloc(0),
        Buffer.from('\u0000 😀 \u2028'),
        Buffer.alloc(256 * 1024, 7),
      ]
      const sent = odd.map((sealed) => arrival({ sealed }))
      assert.deepEqual(
        await append(storage, sent),
        sent.map(() => 'stored'),
      )
      const lease = await claimed(storage)
      const { entries, org } = lease
      assert.equal(org, one)
      assert.deepEqual(
        entries.map(({ messageId }) => messageId),
        sent.map(({ messageId }) => messageId),
      )
      entries.forEach((entry, index) => {
        assert.ok(sealedOf(lease, entry).equals(odd[index]!))
        assert.equal(entry.type, 'an_event')
        assert.equal(entry.receivedAt, 1_000)
        assert.equal(entry.failures, 0)
      })
    },
  },
  {
    promise: 'totals and backlog are read at one time: they add up while others append and settle',
    async check(storage) {
      let done = false
      const writing = (async () => {
        for (let round = 0; round < 40; round++) {
          await Promise.all([append(storage, [arrival(), arrival()]), append(storage, [arrival()])])
          const lease = await claimed(storage)
          await storage.inbox.settle(
            lease,
            lease.entries.map(({ id }) => to(id, 'delivered')),
            { readyAt: 0, failures: 0 },
          )
        }
      })().finally(() => (done = true))
      do await conserved(storage)
      while (!done)
      await writing
    },
  },
  {
    promise: 'concurrent appends each get their own answer, and nothing is mixed up',
    async check(storage) {
      const twice = arrival()
      const batches = Array.from({ length: 50 }, (_, n) => (n % 10 === 3 ? [arrival(), { ...twice }] : [arrival()]))
      const answers = await Promise.all(batches.map((batch) => append(storage, batch)))
      assert.deepEqual(
        answers.map(({ length }) => length),
        batches.map(({ length }) => length),
      )
      const flat = answers.flat()
      assert.equal(flat.filter((answer) => answer === 'duplicate').length, 4)
      assert.equal((await claimed(storage)).entries.length, 51)
    },
  },
  {
    promise: 'an equal identity is a duplicate until its memory runs out, counted from the first, and then new again',
    async check(storage) {
      const first = arrival({ rememberMs: 600 })
      const again = (receivedAt: number) =>
        append(storage, [{ ...arrival(), identity: first.identity, rememberMs: 600, receivedAt }])
      await append(storage, [first])
      assert.deepEqual(await again(1_400), ['duplicate'])
      assert.deepEqual(await again(1_599), ['duplicate'])
      assert.deepEqual(await again(1_600), ['stored'])
      assert.deepEqual(await again(2_100), ['duplicate'])
      assert.equal(await total(storage, 'received'), 2)
      assert.equal(await total(storage, 'duplicate'), 3)
      assert.equal((await claimed(storage)).entries.length, 2)
      await conserved(storage)
    },
  },
  {
    promise: 'what is ignored is counted and leaves nothing',
    async check(storage) {
      assert.deepEqual(await append(storage, [ignored(), ignored()]), ['ignored', 'ignored'])
      assert.equal(await total(storage, 'ignored'), 2)
      await nothingDue(storage)
      await conserved(storage)
    },
  },
  {
    promise: 'what is ignored is counted by type and reason, on arrival and when it is settled, each account’s apart',
    async check(storage) {
      const reasons: IgnoredReason[] = ['switched_off', 'switched_off', 'unknown_type', 'disconnected', 'not_allowed']
      await append(storage, [
        ...reasons.map((reason) => ignored({ reason })),
        ignored({ type: 'an_event' }),
        ignored({ org: other }),
        arrival(),
        arrival({ type: 'b_event' }),
        arrival(),
      ])
      const lease = await claimed(storage)
      const [a, b, c] = lease.entries.map(({ id }) => id)
      await storage.inbox.settle(
        lease,
        [to(a!, 'ignored'), to(b!, 'ignored', { reason: 'disconnected' }), to(c!, 'dead', { reason: 'empty' })],
        idle,
      )
      const told = (await storage.ledger.totals())
        .filter(({ outcome }) => outcome !== 'received' && outcome !== 'taken')
        .map(({ org, type, outcome, reason, count }) => `${org} ${type} ${outcome} ${reason} ${count}`)
      assert.deepEqual(told.sort(), [
        `${one} an_event ignored empty 1`,
        `${one} an_event ignored switched_off 1`,
        `${one} b_event ignored disconnected 1`,
        `${one} other ignored disconnected 1`,
        `${one} other ignored not_allowed 1`,
        `${one} other ignored switched_off 2`,
        `${one} other ignored unknown_type 1`,
        `${other} other ignored switched_off 1`,
      ])
      await conserved(storage)
    },
  },
  {
    promise: 'a claim gives no more than its limits, but one entry at least',
    async check(storage) {
      await append(
        storage,
        Array.from({ length: 5 }, () => arrival({ sealed: Buffer.alloc(1_000) })),
      )
      const few = await claimed(storage, 'send', { limit: 3 })
      assert.equal(few.entries.length, 3)
      await storage.inbox.settle(few, [], idle)
      const small = await claimed(storage, 'send', { bytesMax: 2_500 })
      assert.equal(small.entries.length, 2)
      await storage.inbox.settle(small, [], idle)
      assert.equal((await claimed(storage, 'send', { bytesMax: 10 })).entries.length, 1)
    },
  },
  {
    promise: 'one account has one lease a lane at a time, however many claim at once',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      const leases = await Promise.all(Array.from({ length: 5 }, () => claimOne(storage.inbox, 'send', claimOptions)))
      assert.deepEqual(leases.flatMap((lease) => lease?.org ?? []).sort(), [one, other])
    },
  },
  {
    promise: 'accounts take turns: the one served longest ago comes first, whatever another has waiting',
    async check(storage) {
      await append(
        storage,
        Array.from({ length: 20 }, () => arrival()),
      )
      const flood = await claimed(storage, 'send', { limit: 2 })
      await append(storage, [arrival({ org: other })])
      await storage.inbox.settle(flood, [], idle)
      assert.equal((await claimed(storage, 'send', { limit: 2 })).org, other)
      assert.equal((await claimed(storage, 'send', { limit: 2 })).org, one)
    },
  },
  {
    promise: 'what is settled is settled: delivered, dead and quarantined entries are claimed no more',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival(), arrival()])
      const lease = await claimed(storage)
      const [a, b, c, d] = lease.entries.map(({ id }) => id)
      const settlements = [
        to(a!, 'delivered'),
        to(b!, 'dead', { reason: 'why' }),
        to(c!, 'quarantined', { reason: 'odd' }),
        to(d!, 'ignored'),
      ]
      assert.equal(await storage.inbox.settle(lease, settlements, idle), true)
      await nothingDue(storage)
      assert.equal(await total(storage, 'delivered'), 1)
      assert.equal(await total(storage, 'ignored'), 1)
      assert.equal(await countIn(storage, 'dead'), 1)
      const reasons = (await storage.ledger.backlog()).flatMap(({ reason }) => reason ?? [])
      assert.deepEqual(reasons.sort(), ['odd', 'why'])
      await conserved(storage)
    },
  },
  {
    promise: 'a lease that has run out goes to the next, the crash is counted, and the late holder can settle nothing',
    async check(storage) {
      await append(storage, [arrival()])
      const early = await claimed(storage, 'send', { leaseMs: 1_000 })
      assert.equal(early.crashes, 0)
      await nothingDue(storage, 2_999)
      const late = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(late.crashes, 1)
      assert.deepEqual(
        late.entries.map(({ messageId }) => messageId),
        early.entries.map(({ messageId }) => messageId),
      )
      const { id } = early.entries[0]!
      assert.equal(await storage.inbox.settle(early, [to(id, 'dead')], idle), false)
      assert.equal(await storage.inbox.renew(early, 9_000), false)
      assert.equal(await countIn(storage, 'waiting'), 1)
      assert.equal(await storage.inbox.settle(late, [to(id, 'delivered')], idle), true)
      assert.equal(await storage.inbox.settle(late, [to(id, 'dead')], idle), false)
      assert.equal(await total(storage, 'delivered'), 1)
    },
  },
  {
    promise: 'a lease that its holder does not work on is given back to it at once, and no crash is counted',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        await append(storage, [arrival({ state: lane === 'send' ? 'waiting' : 'asking' })])
        const lost = await claimed(storage, lane, { holder: { id: 'a', busy: [] } })
        const claim = (id: string, busy: Org[], now = 2_000) =>
          claimOne(storage.inbox, lane, {
            ...claimOptions,
            now,
            holder: { id, busy: busy.map((org) => laneOf(org, lane)) },
          })
        assert.equal(await claim('a', [one]), undefined, 'its holder works on it')
        assert.equal(await claim('b', []), undefined, 'it is the lease of another')
        assert.equal(await claim('a', [one], 99_000), undefined, 'its holder works on it, whatever the time')
        const again = (await claim('a', [other]))!
        assert.equal(again.crashes, 0)
        assert.deepEqual(again.entries, lost.entries)
        const { id } = again.entries[0]!
        assert.equal(await storage.inbox.settle(lost, [to(id, doneIn[lane])], idle), false)
        assert.equal(await storage.inbox.renew(lost, 99_000), false)
        assert.equal(await storage.inbox.renew(again, 70_000), true)
        const others = (await claim('b', [other], 70_000))!
        assert.equal(others.crashes, 1, 'another has to take the silence for a crash')
        assert.equal(await storage.inbox.settle(others, [], idle), true)
        assert.equal(await claim('a', [one], 99_000), undefined, 'it has not noticed yet that another had the lane')
        await storage.inbox.settle((await claim('a', []))!, [to(id, doneIn[lane])], idle)
      }
    },
  },
  {
    promise: 'a lane with a lost lease is due to its holder at once, to others when it has run out',
    async check(storage) {
      await append(storage, [arrival()])
      await claimed(storage, 'send', { holder: { id: 'a', busy: [] } })
      const due = (id: string, busy: Org[]) =>
        storage.inbox.nextDue('send', { id, busy: busy.map((org) => sendLane(org)) })
      assert.equal(await due('a', []), 1_000)
      assert.equal(await due('a', [one]), undefined, 'it hears of it when its work ends')
      assert.equal(await due('b', []), 62_000)
      assert.equal(await storage.inbox.nextDue('send'), 62_000)
    },
  },
  {
    promise: 'a lease is its holder’s alone, though another was given one with the same number',
    async check(storage) {
      await append(storage, [arrival()])
      const lease = await claimed(storage, 'send', { holder: { id: 'a', busy: [] } })
      const another = { ...lease, holder: 'b' }
      const { id } = lease.entries[0]!
      assert.equal(await storage.inbox.settle(another, [to(id, 'delivered')], idle), false)
      assert.equal(await storage.inbox.renew(another, 99_000), false)
      assert.deepEqual((await storage.inbox.more(another, 0, { limit: 10, bytesMax: 1_000 })).entries, [])
      assert.equal(await storage.inbox.settle(lease, [to(id, 'delivered')], idle), true)
    },
  },
  {
    promise:
      'a lease whose work failed is counted as one that ended without a word, and the lane waits as its ending says',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      const crashed = { readyAt: 3_000, failures: 2, blocked: 'key_refused', crashed: true } as const
      assert.equal(await storage.inbox.settle(await claimed(storage), [], crashed), true)
      await nothingDue(storage, 2_999)
      const { crashes, failures, blocked } = await claimed(storage, 'send', { now: 3_000, leaseMs: 1 })
      assert.deepEqual([crashes, failures, blocked], [1, 2, 'key_refused'])
      const late = await claimed(storage, 'send', { now: 3_001 })
      await storage.inbox.settle(late, [], { readyAt: 3_001, failures: 0, crashed: true })
      const isolating = await claimed(storage, 'send', { now: 3_001 })
      assert.deepEqual([isolating.crashes, isolating.entries.length], [3, 1])
    },
  },
  {
    promise: 'a lease that ended in words starts the count of crashes again',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      const early = await claimed(storage, 'send', { leaseMs: 100 })
      const late = await claimed(storage, 'send', { now: 2_100 })
      assert.deepEqual([early.crashes, late.crashes], [0, 1])
      await storage.inbox.settle(late, [], idle)
      const { crashes, entries } = await claimed(storage, 'send', { now: 2_100 })
      assert.deepEqual([crashes, entries.length], [0, 2])
    },
  },
  {
    promise: 'after three crashes, as many entries as may be to blame are given out one by one, and then all again',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const state = lane === 'send' ? 'waiting' : 'asking'
        const arrive = (many: number) =>
          append(
            storage,
            Array.from({ length: many }, () => arrival({ state })),
          )
        const limit = 4
        await arrive(6)
        for (let crashes = 0; crashes < 3; crashes++) {
          const lease = await claimed(storage, lane, { now: 2_000 + crashes, leaseMs: 1, limit })
          assert.deepEqual([lease.crashes, lease.entries.length], [crashes, limit])
        }
        const given: number[] = []
        for (let leases = 0; leases < limit + 2; leases++) {
          const lease = await claimed(storage, lane, { now: 2_003, limit })
          const { id, place } = lease.entries[0]!
          const limits = { limit, bytesMax: 1_000 }
          const follows = lane === 'send' ? (await storage.inbox.more(lease, place, limits)).entries : []
          given.push(lease.entries.length + (leases < limit + 1 ? follows.length : 0))
          // An outage: the entry is still queued, and still as suspect.
          const isOut = leases === 1
          const settlements = isOut ? [] : [to(id, doneIn[lane])]
          await storage.inbox.settle(lease, settlements, { ...idle, failures: isOut ? 1 : 0 })
          await arrive(1)
        }
        assert.deepEqual(given, [1, 1, 1, 1, 1, limit])
      }
    },
  },
  {
    promise:
      'an entry that ends every lease it is in is alone after three, whatever stands before it; with it ends all care',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const state = lane === 'send' ? 'waiting' : 'asking'
        const [poison, line] = [arrival({ state }), Array.from({ length: 4 }, () => arrival({ state }))]
        await append(storage, [...line, poison, arrival({ state }), arrival({ state })])
        const isPoison = ({ messageId }: { messageId: string }) => messageId === poison.messageId
        let now = 2_000
        for (let [deaths, alone] = [0, 0]; alone < 10; ) {
          const lease = await claimed(storage, lane, { now, leaseMs: 1 })
          assert.equal(lease.entries.length, deaths < 3 ? 7 : 1)
          if (lease.entries.some(isPoison)) {
            assert.equal(lease.crashes, deaths < 3 ? deaths : alone++)
            deaths++
            now++
          } else await storage.inbox.settle(lease, [to(lease.entries[0]!.id, doneIn[lane])], idle)
        }
        const last = await claimed(storage, lane, { now })
        assert.deepEqual([last.crashes, last.entries.map(isPoison)], [10, [true]])
        await storage.inbox.settle(last, [to(last.entries[0]!.id, 'quarantined', { reason: 'why' })], idle)
        const rest = await claimed(storage, lane, { now })
        assert.deepEqual([rest.crashes, rest.entries.length], [0, 2])
      }
    },
  },
  {
    promise: 'care ends with the entries it was for: when the lane is found empty, what comes next comes together',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      for (let now = 2_000; now < 2_003; now++) await claimed(storage, 'send', { now, leaseMs: 1 })
      const { entries } = await claimed(storage, 'send', { now: 2_003, leaseMs: 1 })
      assert.equal(entries.length, 1)
      const all = await storage.lookup.find({ org: one }, { limit: 9 })
      await storage.inbox.take(
        one,
        all.entries.map(({ id }) => id),
      )
      await nothingDue(storage, 2_004)
      await append(storage, [arrival(), arrival()])
      const { crashes, entries: both } = await claimed(storage, 'send', { now: 2_005 })
      assert.deepEqual([crashes, both.length], [0, 2])
    },
  },
  {
    promise: "a send lease goes on to what follows in its account's line, within limits, and not for a late holder",
    async check(storage) {
      const all = [1, 2, 3, 4, 5].map(() => arrival())
      await append(storage, [...all, arrival({ org: other }), arrival({ state: 'asking' })])
      const ids = (entries: readonly Entry[]) => entries.map(({ messageId }) => messageId)
      const sent = all.map(({ messageId }) => messageId)
      const lease = await claimed(storage, 'send', { limit: 2, leaseMs: 1_000 })
      assert.deepEqual(ids(lease.entries), sent.slice(0, 2))
      await storage.inbox.settle(lease, [to(lease.entries[1]!.id, 'ignored')])
      const more = (await storage.inbox.more(lease, lease.entries[1]!.place, { limit: 2, bytesMax: 1e6 })).entries
      assert.deepEqual(ids(more), sent.slice(2, 4))
      const small = (await storage.inbox.more(lease, lease.entries[1]!.place, { limit: 2, bytesMax: 1 })).entries
      assert.deepEqual(ids(small), sent.slice(2, 3), 'one at least')
      const last = (await storage.inbox.more(lease, more[1]!.place, { limit: 9, bytesMax: 1e6 })).entries
      assert.deepEqual(ids(last), sent.slice(4))
      assert.deepEqual((await storage.inbox.more(lease, last[0]!.place, { limit: 9, bytesMax: 1e6 })).entries, [])
      assert.equal(await storage.inbox.settle(lease, [to(last[0]!.id, 'delivered')]), true)
      await claimed(storage, 'send', { now: 3_000 })
      await claimed(storage, 'send', { now: 3_000 })
      assert.deepEqual((await storage.inbox.more(lease, 0, { limit: 9, bytesMax: 1e6 })).entries, [])
    },
  },
  {
    promise: 'a renewed lease lasts until then',
    async check(storage) {
      await append(storage, [arrival()])
      const lease = await claimed(storage, 'send', { leaseMs: 1_000 })
      assert.equal(await storage.inbox.renew(lease, 9_000), true)
      await nothingDue(storage, 8_999)
      assert.equal((await claimed(storage, 'send', { now: 9_000 })).crashes, 1)
    },
  },
  {
    promise:
      'a lane rests until the time its lease ended with, and says when that is; what arrives meanwhile waits too',
    async check(storage) {
      assert.equal(await storage.inbox.nextDue('send'), undefined)
      await append(storage, [arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 7_000, failures: 3 })
      await append(storage, [arrival()])
      assert.equal(await storage.inbox.nextDue('send'), 7_000)
      await nothingDue(storage, 6_999)
      const lease = await claimed(storage, 'send', { now: 7_000 })
      assert.equal(lease.failures, 3)
      assert.equal(lease.entries.length, 2)
    },
  },
  {
    promise:
      'a blocked account is claimed one entry at a time, shows what blocks it, and is well when an ending says so',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 3_000, failures: 1, blocked: 'key_refused' })
      assert.deepEqual(
        (await storage.ledger.backlog()).map(({ reason }) => reason),
        ['key_refused'],
      )
      const probe = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(probe.entries.length, 1)
      assert.equal(probe.blocked, 'key_refused')
      await storage.inbox.settle(probe, [], { readyAt: 3_000, failures: 0 })
      const well = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(well.entries.length, 2)
      assert.equal(well.blocked, undefined)
    },
  },
  {
    promise: 'a held lane is not claimed, keeps what it has and takes what comes, until it is resumed',
    async check(storage) {
      await append(storage, [arrival()])
      await storage.inbox.hold(sendLane(one), 'paused')
      await append(storage, [arrival(), arrival({ org: other })])
      assert.equal((await claimed(storage)).org, other)
      await nothingDue(storage)
      const held = (await storage.ledger.backlog()).find(({ org }) => org === one)
      assert.deepEqual([held?.reason, held?.count, held?.oldestReceivedAt], ['paused', 2, 1_000])
      await storage.inbox.resume(sendLane(one), 2_000)
      assert.equal((await claimed(storage)).entries.length, 2)
    },
  },
  {
    promise: 'a lane that nothing holds any more waits as it did before, and as blocked',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 9_000, failures: 5, blocked: 'key_refused' })
      await storage.inbox.hold(sendLane(one), 'paused')
      await nothingDue(storage)
      await storage.inbox.hold(sendLane(one), undefined)
      assert.equal(await storage.inbox.nextDue('send'), 9_000)
      const probe = await claimed(storage, 'send', { now: 9_000 })
      assert.deepEqual([probe.entries.length, probe.blocked, probe.failures], [1, 'key_refused', 5])
    },
  },
  {
    promise: 'many lanes follow their accounts at once: some are held, others resumed, and what waits in those is due',
    async check(storage) {
      const orgs = ['1', '2', '3', '4', '5']
      await append(
        storage,
        orgs.map((org) => arrival({ org })),
      )
      await append(storage, [arrival({ org: '1', state: 'asking', dueAt: 9_000 })])
      await storage.inbox.hold(sendLane('2'), 'paused')
      for (const blocked of ['key_refused', undefined]) {
        const lease = await claimed(storage)
        await storage.inbox.settle(lease, [], { readyAt: 99_000, failures: 3, ...(blocked && { blocked }) })
      }
      const reasons: Record<string, string> = { 4: 'paused', 6: 'no_key' }
      const lanes = [...orgs, '6', '7'].map((org) => {
        const [key, reason] = [sendLane(org), reasons[org]]
        return reason ? ({ ...key, is: { held: reason } } as const) : ({ ...key, is: 'resumed' } as const)
      })
      await storage.inbox.hold(askLane('7'), 'disconnected')
      const [due, free] = [{ ...askLane('1'), is: 'resumed' } as const, { ...askLane('7'), is: { held: undefined } }]
      await storage.inbox.follow([...lanes, due, free], 2_000)
      assert.equal((await storage.lookup.lanes('7')).find(({ lane }) => lane === 'ask')?.hold, undefined)
      const leases = [await claimed(storage), await claimed(storage), await claimed(storage), await claimed(storage)]
      assert.deepEqual(
        leases.map(({ org, blocked, failures }) => [org, blocked, failures]).sort(),
        ['1', '2', '3', '5'].map((org) => [org, undefined, 0]),
      )
      await append(storage, [arrival({ org: '6' })])
      await nothingDue(storage)
      assert.deepEqual(await storage.inbox.nextDue('ask'), 9_000)
      const held = (await storage.ledger.backlog()).filter(({ reason }) => reason !== undefined)
      assert.deepEqual(held.map(({ org, reason }) => [org, reason]).sort(), [
        ['4', 'paused'],
        ['6', 'no_key'],
      ])
    },
  },
  {
    promise: 'resuming forgets what blocked a lane and its backoff',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 99_000, failures: 5, blocked: 'key_refused' })
      await storage.inbox.resume(sendLane(one), 2_000)
      const lease = await claimed(storage)
      assert.deepEqual([lease.failures, lease.blocked, lease.entries.length], [0, undefined, 2])
    },
  },
  {
    promise:
      'what needs a lookup moves to the ask lane, blocks no other, and takes the last place in the queue when it comes back',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival()])
      const lease = await claimed(storage)
      const [first, second] = lease.entries
      await storage.inbox.settle(lease, [to(first!.id, 'asking', { conversation: '77' })], idle)
      assert.equal((await claimed(storage, 'send', { limit: 1 })).entries[0]?.messageId, second?.messageId)
      const asking = await claimed(storage, 'ask')
      assert.deepEqual(
        asking.entries.map(({ messageId }) => messageId),
        [first!.messageId],
      )
      const known = Buffer.from('sealed answer')
      await storage.inbox.settle(asking, [to(first!.id, 'waiting', { contact: '9', known })], idle)
      await append(storage, [arrival()])
      await storage.inbox.resume(sendLane(one), 2_000)
      const line = await claimed(storage, 'send', { now: 99_000 })
      const place = line.entries.findIndex(({ id }) => id === first!.id)
      assert.equal(place, line.entries.length - 2, 'behind those before it, before those after it')
      assert.ok(Buffer.from(line.entries[place]!.known!).equals(known))
    },
  },
  {
    promise: 'what asks again waits until it is due, counts how often, and the lane says when',
    async check(storage) {
      await append(storage, [arrival({ state: 'asking' }), arrival({ state: 'asking', dueAt: 0 })])
      const lease = await claimed(storage, 'ask')
      assert.equal(lease.entries.length, 2)
      const [urgent, usual] = lease.entries
      assert.ok(urgent!.id > usual!.id, 'what is due first comes first')
      await storage.inbox.settle(
        lease,
        [to(urgent!.id, 'ignored'), to(usual!.id, 'asking', { dueAt: 5_000, reason: 'missing' })],
        idle,
      )
      await nothingDue(storage, 4_999)
      assert.equal(await storage.inbox.nextDue('ask'), 5_000)
      assert.equal((await claimed(storage, 'ask', { now: 5_000 })).entries[0]?.failures, 1)
    },
  },
  {
    promise:
      'what comes to ask is due at once, though another of its account waits for a later time; a backoff it awaits',
    async check(storage) {
      const ends = async (lease: Lease, failures: number) => {
        const later = lease.entries.map(({ id }) => to(id, 'asking', { dueAt: 9_000, reason: 'missing' }))
        await storage.inbox.settle(lease, later, { readyAt: failures > 0 ? 8_000 : 2_000, failures })
      }
      await append(storage, [arrival({ state: 'asking' })])
      await ends(await claimed(storage, 'ask'), 0)
      const fresh = arrival({ state: 'asking', receivedAt: 2_500 })
      await append(storage, [fresh])
      assert.equal(await storage.inbox.nextDue('ask'), 2_500)
      const lease = await claimed(storage, 'ask', { now: 2_500 })
      assert.deepEqual(
        lease.entries.map(({ messageId }) => messageId),
        [fresh.messageId],
      )
      await ends(lease, 1)
      await append(storage, [arrival({ state: 'asking', receivedAt: 3_000 })])
      await nothingDue(storage, 7_999)
    },
  },
  {
    promise:
      'entries of an account that is not installed wait apart, are claimed on install with their counts, and are then sent',
    async check(storage) {
      await append(storage, [
        arrival({ state: 'unclaimed', reason: 'not_installed' }),
        arrival({ state: 'unclaimed', org: other }),
      ])
      await nothingDue(storage)
      assert.equal(await total(storage, 'received', ''), 2)
      assert.deepEqual(await storage.inbox.waitingForInstall([one, '404']), [one])
      assert.equal(await storage.inbox.claimOnInstall(one, 2_000), 1)
      assert.deepEqual(await storage.inbox.waitingForInstall([one, '404']), [])
      assert.equal(await total(storage, 'received', ''), 1)
      assert.equal(await total(storage, 'received'), 1)
      assert.equal((await claimed(storage)).entries.length, 1)
      await nothingDue(storage)
      await conserved(storage)
    },
  },
  {
    promise: 'what has outlived its time is taken away and counted, and nothing else is',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ state: 'quarantined' }), arrival({ state: 'unclaimed' })])
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered'), to(lease.entries[1]!.id, 'dead')], idle)
      assert.equal(
        (
          await storage.inbox.expire({
            ...keepAll,
            deliveredBefore: 2_000,
            failedBefore: 1_000,
            notInstalledBefore: 1_000,
          })
        ).removed,
        0,
      )
      assert.equal((await storage.inbox.expire({ ...keepAll, notInstalledBefore: 1_001 })).removed, 1)
      assert.equal(await total(storage, 'expired', ''), 1)
      assert.equal((await storage.inbox.expire({ ...keepAll, deliveredBefore: 2_001 })).removed, 1)
      assert.equal(await total(storage, 'delivered'), 1)
      assert.equal((await storage.inbox.expire({ ...keepAll, failedBefore: 1_001 })).removed, 2)
      assert.deepEqual([await total(storage, 'dead'), await total(storage, 'expired')], [1, 1])
      assert.deepEqual(await storage.ledger.backlog(), [])
      await conserved(storage)
    },
  },
  {
    promise: 'what is dead or quarantined for a reason that is kept stays, however old; the rest goes',
    async check(storage) {
      const reasons = ['kept', 'kept', 'another', undefined]
      await append(
        storage,
        reasons.map((reason) => arrival({ state: 'quarantined', ...(reason === undefined ? {} : { reason }) })),
      )
      const limits = { ...keepAll, failedBefore: 1e15, kept: ['kept', 'unheard of'] }
      assert.equal((await storage.inbox.expire(limits)).removed, 2)
      assert.equal((await storage.inbox.expire(limits)).removed, 0)
      const { entries } = await storage.lookup.find({ org: one }, { limit: 9 })
      assert.deepEqual(
        entries.map(({ reason }) => reason),
        ['kept', 'kept'],
      )
      await conserved(storage)
      assert.equal((await storage.inbox.expire({ ...limits, kept: [] })).removed, 2)
    },
  },
  {
    promise: 'entries of accounts that are not installed go when they have too many bytes in all, the oldest first',
    async check(storage) {
      const notInstalled = Array.from({ length: 4 }, () => arrival({ state: 'unclaimed', sealed: Buffer.alloc(100) }))
      await append(storage, notInstalled)
      assert.equal((await storage.inbox.expire({ ...keepAll, notInstalledBytesMax: 200 })).removed, 2)
      await storage.inbox.claimOnInstall(one, 2_000)
      const { entries } = await claimed(storage)
      assert.deepEqual(
        entries.map(({ messageId }) => messageId),
        notInstalled.slice(2).map(({ messageId }) => messageId),
      )
      await conserved(storage)
    },
  },
  {
    promise: 'identities are forgotten when their time has come, and not before',
    async check(storage) {
      const first = arrival({ rememberMs: 500 })
      await append(storage, [first])
      await storage.inbox.expire({ ...keepAll, now: 1_499 })
      assert.deepEqual(await append(storage, [{ ...arrival(), identity: first.identity }]), ['duplicate'])
      await storage.inbox.expire({ ...keepAll, now: 1_500 })
      assert.deepEqual(await append(storage, [{ ...arrival(), identity: first.identity }]), ['stored'])
    },
  },
  {
    promise:
      'an event is one event for its month, however far from its receipt the time is that its identity begins with',
    async check(storage) {
      const day = 24 * hourMs
      const receivedAt = Date.UTC(2026, 10, 1)
      const times = [0, Date.UTC(2010), receivedAt - day, receivedAt, Date.UTC(2027, 10), 2 ** 32 * 1_000 - 1]
      const made = times.map((time) => arrival({ identity: identityAt(time), receivedAt, rememberMs: 30 * day }))
      const again = (at: number) =>
        made.map(({ identity, rememberMs }) => arrival({ identity, rememberMs, receivedAt: at }))
      await append(storage, made)
      for (const [after, told] of [
        [29, 'duplicate'],
        [31, 'stored'],
      ] as const) {
        const now = receivedAt + after * day
        for (let step = 0; step < 4; step++) await storage.inbox.expire({ ...keepAll, now, youngAfter: now - 30 * day })
        assert.deepEqual(
          await append(storage, again(now)),
          times.map(() => told),
        )
      }
    },
  },
  {
    promise: 'an erased account leaves nothing but its counts, takes its leases with it, and touches no other',
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      await storage.conversations.remember(one, new Map([['1', '2']]))
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered')])
      while ((await storage.inbox.erase(one)) > 0);
      assert.equal(await storage.inbox.settle(lease, [to(lease.entries[1]!.id, 'delivered')], idle), false)
      assert.deepEqual([await total(storage, 'delivered'), await total(storage, 'expired')], [1, 1])
      assert.equal((await storage.conversations.recall(one, ['1'])).size, 0)
      assert.equal((await claimed(storage)).org, other)
      await conserved(storage)
    },
  },
  {
    promise: 'what has come for an account that is connected is not erased, though its departure is still being erased',
    async check(storage) {
      const install: Install = {
        org: one,
        state: 'disconnected',
        settings: '',
        createdAt: 1,
        updatedAt: 1,
        generation: 0,
      }
      await storage.installs.save(install)
      await append(storage, [arrival()])
      while ((await storage.inbox.erase(one)) > 0);
      assert.equal(await total(storage, 'expired'), 1)
      await storage.installs.save({ ...install, state: 'live', generation: 1 })
      await append(storage, [arrival()])
      assert.equal(await storage.inbox.erase(one), 0)
      assert.equal((await claimed(storage)).entries.length, 1)
    },
  },
  {
    promise:
      'taking any entries away ends every lease of the account: its holder goes on with nothing, no crash is counted, and what is left is claimed at once',
    async check(storage) {
      for (const lane of ['send', 'ask'] as const) {
        const [state, org] = [lane === 'send' ? 'waiting' : 'asking', `${one}${lane}`] as const
        await append(
          storage,
          [1, 2, 3].map(() => arrival({ org, state })),
        )
        const lease = await claimed(storage, lane, { limit: 2 })
        const [gone, kept] = lease.entries.map(({ id }) => id)
        assert.equal(await storage.inbox.take(org, [gone!]), 1)
        assert.equal(await storage.inbox.renew(lease, 99_000), false)
        assert.deepEqual((await storage.inbox.more(lease, 0, { limit: 9, bytesMax: 1e6 })).entries, [])
        assert.equal(await storage.inbox.settle(lease, [to(kept!, 'delivered')], idle), false)
        const next = await claimed(storage, lane, { limit: 9 })
        assert.deepEqual([next.crashes, next.entries.length, next.entries[0]?.id], [0, 2, kept])
        await storage.inbox.settle(next, [], idle)
      }
    },
  },
  {
    promise:
      "taking entries away leaves another account's leases alone, and a lane's hold, what blocks it and its backoff",
    async check(storage) {
      await append(storage, [arrival(), arrival(), arrival({ org: other })])
      await storage.inbox.settle(await claimed(storage), [], { readyAt: 7_000, failures: 3, blocked: 'key_refused' })
      const theirs = await claimed(storage)
      await storage.inbox.take(one, [])
      assert.equal(await storage.inbox.renew(theirs, 9_000), true)
      assert.equal(await storage.inbox.nextDue('send'), 7_000)
      const probe = await claimed(storage, 'send', { now: 7_000 })
      assert.deepEqual([probe.org, probe.failures, probe.blocked], [one, 3, 'key_refused'])
      await storage.inbox.hold(sendLane(one), 'paused')
      await storage.inbox.take(one, [])
      await nothingDue(storage, 8_000)
    },
  },
  {
    promise:
      'what is learnt of a conversation under a lease is kept while the lease is its holder’s, and not after that',
    async check(storage) {
      const { conversations } = storage
      await append(storage, [arrival(), arrival({ state: 'asking' })])
      for (const lane of ['send', 'ask'] as const) {
        const lease = await claimed(storage, lane)
        await conversations.remember(one, new Map([[`${lane} 1`, '10']]), lease)
        await storage.inbox.take(one, [])
        await conversations.remember(one, new Map([[`${lane} 2`, '10']]), lease)
        assert.deepEqual([...(await conversations.recall(one, [`${lane} 1`, `${lane} 2`])).keys()], [`${lane} 1`])
      }
    },
  },
  {
    promise: 'the law of conservation holds after any walk',
    async check(storage) {
      let seed = 7
      const chance = (below: number) => {
        seed = (seed * 48_271) % 2_147_483_647
        return seed % below
      }
      const states: Record<Lane, Settlement['to'][]> = {
        send: ['delivered', 'dead', 'quarantined', 'ignored', 'same', 'asking'],
        ask: ['waiting', 'dead', 'quarantined', 'ignored', 'asking'],
      }
      for (let now = 2_000; now < 2_120; now++) {
        const org = chance(2) === 0 ? one : other
        const state = (['waiting', 'asking', 'unclaimed', 'quarantined'] as const)[chance(4)]!
        await append(storage, [arrival({ org, state, receivedAt: now }), ignored({ org, receivedAt: now })])
        const lane = chance(2) === 0 ? 'send' : 'ask'
        const lease = await claimOne(storage.inbox, lane, { ...claimOptions, now, limit: 3, leaseMs: 2 })
        const settlements = (lease?.entries ?? []).map(({ id }) =>
          to(id, states[lane][chance(states[lane].length)]!, { at: now }),
        )
        if (lease && chance(4) > 0)
          await storage.inbox.settle(lease, settlements, { readyAt: now + chance(3), failures: 0 })
        if (chance(10) === 0) await storage.inbox.claimOnInstall(org, now)
        if (chance(15) === 0)
          await storage.inbox.expire({ ...keepAll, now, deliveredBefore: now, failedBefore: now - 5 })
        if (chance(40) === 0) await storage.inbox.erase(org)
        await conserved(storage)
      }
    },
  },
  {
    promise: 'an install is saved only over the generation it was read at',
    async check({ installs }) {
      const install: Install = {
        org: one,
        state: 'live',
        settings: '{"option":"x"}',
        createdAt: 1,
        updatedAt: 2,
        generation: 0,
      }
      const secrets = { grant: Buffer.from('grant'), refreshAt: 9, reason: 'why' }
      assert.equal(await installs.save({ ...install, ...secrets }), true)
      assert.equal(await installs.save(install), false)
      assert.equal(await installs.save({ ...install, generation: 2 }), false)
      const stored = await installs.get(one)
      assert.deepEqual({ ...stored, grant: undefined }, { ...install, ...secrets, grant: undefined, generation: 1 })
      assert.ok(Buffer.from(stored!.grant!).equals(secrets.grant))
      assert.equal(await installs.save({ ...install, generation: 1 }), true)
      assert.equal((await installs.get(one))?.grant, undefined)
      assert.deepEqual(
        (await installs.list()).map(({ org, generation }) => [org, generation]),
        [[one, 2]],
      )
      assert.equal(await installs.get(other), undefined)
    },
  },
  {
    promise: 'an account’s change and its entry in the audit are kept together or not at all',
    async check({ installs, audit }) {
      const install: Install = { org: one, state: 'live', settings: '', createdAt: 1, updatedAt: 1, generation: 0 }
      const entry: AuditEntry = { at: 5, org: one, who: 'console', what: 'paused', about: 'why' }
      assert.equal(await installs.save(install, entry), true)
      assert.deepEqual(await audit.list(one, 9), [entry])
      assert.equal(await installs.save(install, { ...entry, what: 'resumed' }), false)
      assert.deepEqual(await audit.list(one, 9), [entry])
      assert.equal(await installs.save({ ...install, generation: 1 }), true)
      assert.deepEqual(await audit.list(one, 9), [entry])
      // An engine that checks what it keeps refuses an entry without an account, and then the change too.
      const ofNobody = { ...entry, who: null as unknown as string }
      await installs.save({ ...install, state: 'paused', generation: 2 }, ofNobody).catch(() => {})
      const isChanged = (await installs.get(one))?.state === 'paused'
      assert.equal((await audit.list(one, 9)).length, isChanged ? 2 : 1)
    },
  },
  {
    promise: 'names leave the vault together with the change of an account, and stay when it is not kept',
    async check({ installs, vault }) {
      const install: Install = { org: one, state: 'live', settings: '', createdAt: 1, updatedAt: 1, generation: 0 }
      const names = async () => (await vault.list('')).map(({ name }) => name)
      for (const name of ['a/1', 'a/10', 'b']) await vault.create(name, Buffer.from(name))
      await installs.save(install)
      assert.equal(await installs.save(install, undefined, ['a/1']), false)
      assert.deepEqual(await names(), ['a/1', 'a/10', 'b'])
      assert.equal(await installs.save({ ...install, generation: 1 }, undefined, ['a/1', 'none']), true)
      assert.deepEqual(await names(), ['a/10', 'b'])
    },
  },
  {
    promise: 'the settings of an install are a text that is kept byte for byte, whatever is in it',
    async check({ installs }) {
      const install: Install = { org: one, state: 'live', settings: '', createdAt: 1, updatedAt: 1, generation: 0 }
      const texts = ['{ "b": 1.0, "a": [ ],\n"a": "\\u00e9é😀" }', '{"digits":12345678901234567890}', 'no JSON', '']
      for (const [generation, settings] of texts.entries()) {
        assert.equal(await installs.save({ ...install, settings, generation }), true)
        assert.equal((await installs.get(one))?.settings, settings)
        assert.deepEqual(
          (await installs.list()).map((listed) => listed.settings),
          [settings],
        )
      }
    },
  },
  {
    promise: 'a reservation is one holder’s until its time is up or it is given back, and no other can give it back',
    async check({ installs }) {
      const of = (holder: string, until: number, org = one) => ({ org, holder, until })
      const tries = await Promise.all(['a', 'b', 'c'].map((holder) => installs.reserve(of(holder, 2_000), 1_000)))
      assert.equal(tries.filter(Boolean).length, 1)
      assert.equal(await installs.reserve(of('d', 3_000, other), 1_000), true)
      assert.equal(await installs.reserve(of('e', 3_000), 1_999), false)
      assert.equal(await installs.reserve(of('f', 3_000), 2_000), true)
      await installs.release(of('a', 2_000))
      assert.equal(await installs.reserve(of('g', 3_000), 2_500), false)
      await installs.release(of('f', 3_000))
      assert.equal(await installs.reserve(of('g', 3_000), 2_500), true)
    },
  },
  {
    promise:
      'in the vault the first writer wins, a name is a name whatever is in it, and a prefix removes its own only',
    async check({ vault }) {
      const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
      assert.equal(text(await vault.create('a/1', Buffer.from('first'))), 'first')
      assert.equal(text(await vault.create('a/1', Buffer.from('second'))), 'first')
      await vault.create('a/%_', Buffer.from('odd'))
      await vault.create('b', Buffer.from('other'))
      assert.equal(await vault.replace('b', Buffer.from('new')), true)
      assert.equal(await vault.replace('c', Buffer.from('new')), false)
      assert.equal(await vault.read('c'), undefined)
      assert.deepEqual(
        (await vault.list('a/')).map(({ name }) => name),
        ['a/%_', 'a/1'],
      )
      await vault.remove('a/')
      assert.equal(await vault.read('a/1'), undefined)
      assert.equal(text(await vault.read('b')), 'new')
    },
  },
  {
    promise: 'a conversation keeps its first contact, in its own account, until it is forgotten',
    async check({ conversations }) {
      await conversations.remember(
        one,
        new Map([
          ['1', '10'],
          ['2', '20'],
        ]),
      )
      await conversations.remember(one, new Map([['1', '11']]))
      await conversations.remember(other, new Map([['1', '12']]))
      assert.deepEqual([...(await conversations.recall(one, ['1', '2', '3']))].sort(), [
        ['1', '10'],
        ['2', '20'],
      ])
      assert.deepEqual([...(await conversations.recall(other, ['1', '2']))], [['1', '12']])
      assert.deepEqual(await conversations.of(one, '10'), ['1'])
      await conversations.forget(one, '10')
      assert.deepEqual([...(await conversations.recall(one, ['1', '2']))], [['2', '20']])
      assert.deepEqual(await conversations.of(other, '12'), ['1'])
    },
  },
]
