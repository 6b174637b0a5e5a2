// biome-ignore-all lint/style/noExcessiveLinesPerFile: a small store of maps, and the steps that are taken on it and on an engine.
/**
 * What a store must do, in a few maps: several destinations, events that share a body, and any order of steps. After each
 * step every event stands at every destination where the model says, the queues are in the model's order, the outcomes hold,
 * and the engine's own rules find nothing.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Alone, arrival, conserved, keepAll, to } from '../src/storage/conformance.ts'
import type { Body, Destination, NewBody } from '../src/storage/ports/entry.ts'
import type { Lease, Settlement } from '../src/storage/ports/inbox.ts'
import type { Storage } from '../src/storage/ports/storage.ts'

const orgs = ['11', '22'] as const
const numbers: readonly Destination[] = [1, 2, 3]
/** Longer than a sequence of steps: a lease ends by a step alone. */
const leaseMs = 24 * 3_600_000

interface Event {
  messageId: string
  org: string
  /** Of the append: later ones are larger. */
  born: number
  /** Where it stands before any destination, if it does. */
  before?: 'asking' | 'unclaimed' | 'quarantined' | 'dead'
  at: Map<Destination, { state: 'waiting' | 'dead' | 'quarantined' | 'delivered' | 'asking'; place: number }>
  /** Texts that lie together. */
  body: string
  once?: string
}

interface Held {
  lease: Lease
  isOurs: boolean
}

class Model {
  events = new Map<string, Event>()
  destinations = new Map<string, Map<Destination, { since: number; removed: boolean }>>()
  held: Held[] = []
  /** Natural keys that each destination has had, by account. */
  occurred = new Map<string, Set<string>>()
  clock = 0

  had(org: string): Set<string> {
    const had = this.occurred.get(org) ?? new Set()
    this.occurred.set(org, had)
    return had
  }

  /** Destinations that have had none with its natural key; from now on they have. */
  free({ org, once }: Pick<Event, 'org' | 'once'>): Destination[] {
    const had = this.had(org)
    const free = this.live(org).filter((one) => once === undefined || !had.has(`${once} ${one}`))
    for (const one of free) if (once !== undefined) had.add(`${once} ${one}`)
    return free
  }

  live(org: string): Destination[] {
    const all = this.destinations.get(org) ?? new Map()
    return [...all].flatMap(([number, { removed }]) => (removed ? [] : [number])).sort((one, other) => one - other)
  }

  /** As an engine does when something comes for an account that has nowhere to send to. */
  ensure(org: string): void {
    if (this.live(org).length > 0) return
    const last = Math.max(0, ...(this.destinations.get(org) ?? new Map()).keys())
    this.add(org, last + 1)
  }

  add(org: string, number: Destination): void {
    const all = this.destinations.get(org) ?? new Map()
    if (!all.has(number)) all.set(number, { since: ++this.clock, removed: false })
    this.destinations.set(org, all)
  }

  queue(org: string, destination: Destination): Event[] {
    return [...this.events.values()]
      .filter((event) => event.org === org && event.at.get(destination)?.state === 'waiting')
      .sort((one, other) => one.at.get(destination)!.place - other.at.get(destination)!.place)
  }

  /** Every lease of the account is over. */
  end(org: string): void {
    for (const held of this.held) if (held.lease.org === org) held.isOurs = false
  }

  remove(event: Event): void {
    this.events.delete(event.messageId)
  }

  isFinal({ before, at }: Event): boolean {
    return before === undefined && [...at.values()].every(({ state }) => state === 'delivered')
  }
}

interface World {
  model: Model
  storage: Storage
  now: number
}

type Step = (world: World) => Promise<void>

const org = fc.constantFrom(...orgs)
const destination = fc.constantFrom(...numbers)

async function idOf({ storage }: World, { org: of, messageId }: Event): Promise<number> {
  const { entries } = await storage.lookup.find({ org: of, message: messageId }, { limit: 1 })
  return entries[0]!.id
}

/** What a body was made with tells it from the others. */
function contentOf({ sealed }: NewBody | Body): string {
  return Buffer.from(sealed).toString()
}

const steps: Record<string, fc.Arbitrary<Step>> = {
  append: fc
    .record({
      org,
      states: fc.array(fc.constantFrom<Alone['state']>('waiting', 'waiting', 'asking', 'quarantined'), {
        minLength: 1,
        maxLength: 4,
      }),
      notInstalled: fc.nat(5),
      /** Of the first event; there are few, so that they come again. */
      once: fc.option(fc.constantFrom('key 1...........', 'key 2...........'), { freq: 2 }),
    })
    .map(({ org: of, states, notInstalled, once }) => async ({ model, storage, now }) => {
      const made = notInstalled === 0 ? states.slice(0, 1).map(() => 'unclaimed' as const) : states
      const key = once !== null && made[0] !== 'quarantined' ? once : undefined
      const events = made.map((state, nth) => {
        const withKey = nth === 0 && key !== undefined ? { once: Buffer.from(key) } : {}
        return arrival({ org: of, state, receivedAt: now, ...withKey })
      })
      const owner = notInstalled === 0 ? '' : of
      const body: NewBody = { org: owner, sealed: Buffer.from(events[0]!.messageId) }
      const arrivals = events.map(({ sealed, ...event }, position) => {
        return { ...event, body: 0, position, bytes: sealed.byteLength }
      })
      const goOn = made.some((state) => state === 'waiting' || state === 'asking')
      const had = model.had(of)
      const live = model.live(of)
      const isKnown =
        key !== undefined &&
        goOn &&
        made[0] !== 'unclaimed' &&
        live.length > 0 &&
        live.every((one) => had.has(`${key} ${one}`))
      const appended = await storage.inbox.append([body], arrivals)
      if (isKnown) return assert.deepEqual(appended, { is: 'again', known: [0] })
      assert.equal(appended.is, 'kept')
      if (goOn) model.ensure(of)
      for (const [nth, { messageId, state }] of events.entries()) {
        const born = ++model.clock
        const event: Event = { messageId, org: of, born, at: new Map(), body: contentOf(body) }
        if (nth === 0 && key !== undefined) event.once = key
        const meant = state === 'unclaimed' ? [] : model.free(event)
        if (state === 'waiting' || (state === 'asking' && meant.length < model.live(of).length)) {
          for (const one of meant) event.at.set(one, { state: 'waiting', place: born })
        } else event.before = state
        model.events.set(messageId, event)
      }
    }),
  claim: fc
    .record({ limit: fc.integer({ min: 1, max: 3 }), room: fc.integer({ min: 1, max: 4 }) })
    .map(({ limit, room }) => async ({ model, storage, now }) => {
      const { leases } = await storage.inbox.claim('send', { now, leaseMs, limit, bytesMax: 1e6, room })
      for (const lease of leases) {
        const wanted = model.queue(lease.org, lease.destination).slice(0, limit)
        assert.deepEqual(
          lease.entries.map(({ messageId }) => messageId),
          wanted.map(({ messageId }) => messageId),
        )
        const bodies = new Set(wanted.map(({ body }) => body))
        assert.deepEqual(new Set(lease.bodies.map(contentOf)), bodies)
        model.held.push({ lease, isOurs: true })
      }
      if (leases.length === room) return
      // Nothing that waits may be left in a lane that sleeps.
      const isLeased = (of: string, number: Destination) =>
        model.held.some(({ lease, isOurs }) => isOurs && lease.org === of && lease.destination === number)
      for (const of of orgs) {
        for (const number of model.live(of)) assert.ok(isLeased(of, number) || model.queue(of, number).length === 0)
      }
    }),
  settle: fc
    .record({
      which: fc.nat(3),
      to: fc.array(
        fc.constantFrom<Settlement['to']>('delivered', 'delivered', 'dead', 'quarantined', 'asking', 'same', 'ignored'),
        { minLength: 1, maxLength: 3 },
      ),
      ends: fc.boolean(),
      late: fc.nat(4),
    })
    .map(({ which, to: outcomes, ends, late }) => async ({ model, storage, now }) => {
      // Mostly a lease that is still its holder's, also when its entries have been settled already.
      const leases = late === 0 ? model.held : model.held.filter(({ isOurs }) => isOurs)
      const held = leases.at(-1 - (which % Math.max(leases.length, 1)))
      if (!held) return
      const { lease } = held
      const attempt = { at: now, ms: 1, status: 200, many: lease.entries.length, tries: 1 }
      const settlements = lease.entries.flatMap(({ id }, nth) =>
        outcomes[nth] === undefined ? [] : [to(id, outcomes[nth], { at: now, attempt })],
      )
      const ending = ends ? { readyAt: now, failures: 0 } : undefined
      assert.equal(await storage.inbox.settle(lease, settlements, ending), held.isOurs)
      if (!held.isOurs) return
      if (ends) held.isOurs = false
      for (const [nth, { messageId }] of lease.entries.entries()) {
        const outcome = outcomes[nth]
        const event = model.events.get(messageId)
        const there = event?.at.get(lease.destination)
        if (!event || there?.state !== 'waiting' || outcome === undefined || outcome === 'same') continue
        if (outcome === 'ignored') {
          event.at.delete(lease.destination)
          const others = [...event.at.values()]
          if (others.length === 0) model.remove(event)
          else ignoredAt.add(`${messageId} ${lease.destination}`)
        } else event.at.set(lease.destination, { state: outcome as 'delivered', place: 0 })
      }
    }),
  answer: fc
    .record({ which: fc.nat(2), to: fc.constantFrom<Settlement['to']>('waiting', 'waiting', 'dead', 'asking') })
    .map(({ to: outcome }) => async ({ model, storage, now }) => {
      const { leases } = await storage.inbox.claim('ask', { now, leaseMs, limit: 3, bytesMax: 1e6, room: 1 })
      const [lease] = leases
      if (!lease) return
      // One answer is for each destination that asked.
      const asked = [...new Set(lease.entries.map(({ id }) => id))]
      const settlements = asked.map((id) => to(id, outcome, { at: now, dueAt: now }))
      assert.equal(await storage.inbox.settle(lease, settlements, { readyAt: now, failures: 0 }), true)
      if (outcome === 'asking') return
      for (const { id } of settlements) {
        const { messageId } = lease.entries.find((entry) => entry.id === id)!
        const event = model.events.get(messageId)!
        if (event.before === 'asking') {
          if (outcome === 'dead') event.before = 'dead'
          else {
            delete event.before
            const all = model.destinations.get(event.org)!
            for (const one of model.live(event.org)) {
              if (all.get(one)!.since > event.born) continue
              event.at.set(one, { state: 'waiting', place: ++model.clock })
            }
            // Every destination that it was meant for has been removed.
            if (event.at.size === 0) model.remove(event)
          }
        } else
          for (const [one, { state }] of event.at) {
            if (state !== 'asking') continue
            event.at.set(
              one,
              outcome === 'dead' ? { state: 'dead', place: 0 } : { state: 'waiting', place: ++model.clock },
            )
          }
      }
    }),
  redrive: fc
    .record({ which: fc.nat(20), destination: fc.option(destination) })
    .map(({ which, destination: only }) => async (world) => {
      const { model, storage, now } = world
      const event = [...model.events.values()][which]
      if (!event) return
      const id = await idOf(world, event)
      const moved = await storage.inbox.redrive(
        [{ id, ...(only === null ? {} : { destination: only }) }],
        now,
        'an admin',
      )
      const live = model.live(event.org).filter((one) => only === null || one === only)
      if (event.before !== undefined) {
        const isOver = event.before === 'dead' || event.before === 'quarantined'
        if (isOver) model.ensure(event.org)
        const goes = isOver && model.live(event.org).some((one) => only === null || one === only)
        assert.equal(moved, goes ? 1 : 0)
        if (!goes) return
        delete event.before
        for (const one of model.live(event.org)) {
          if (only === null || one === only) event.at.set(one, { state: 'waiting', place: ++model.clock })
        }
        return
      }
      const open = live.filter((one) => {
        const state = event.at.get(one)?.state
        return (
          state === 'dead' ||
          state === 'quarantined' ||
          state === 'delivered' ||
          ignoredAt.has(`${event.messageId} ${one}`) ||
          // What it never had it gets where it is named.
          (state === undefined && one === only)
        )
      })
      assert.equal(moved, open.length > 0 ? 1 : 0)
      for (const one of open) {
        ignoredAt.delete(`${event.messageId} ${one}`)
        event.at.set(one, { state: 'waiting', place: ++model.clock })
      }
    }),
  claimOnInstall: org.map((of) => async ({ model, storage, now }) => {
    const found = [...model.events.values()].filter((event) => event.org === of && event.before === 'unclaimed')
    if (found.length > 0) model.ensure(of)
    let claimed = 0
    for (const event of found) {
      delete event.before
      const free = model.free(event)
      for (const one of free) event.at.set(one, { state: 'waiting', place: event.born })
      if (free.length === 0) model.remove(event)
      else claimed++
    }
    assert.equal(await storage.inbox.claimOnInstall(of, now), claimed)
  }),
  take: fc.nat(20).map((which) => async (world) => {
    const { model, storage } = world
    const event = [...model.events.values()][which]
    if (!event) return
    assert.equal(await storage.inbox.take(event.org, [await idOf(world, event)]), 1)
    model.end(event.org)
    model.remove(event)
  }),
  trim: fc.boolean().map((drops) => async ({ model, storage, now }) => {
    for (const body of await storage.inbox.marked(2)) {
      if (!drops) {
        assert.equal(await storage.inbox.rewrite(body, body.sealed), true)
        continue
      }
      assert.equal(await storage.inbox.drop(body, { reason: 'sealed_unreadable', now }), true)
      for (const event of model.events.values()) {
        if (event.body !== contentOf(body)) continue
        event.body = ''
        if (event.before === 'asking') event.before = 'quarantined'
        for (const [one, { state }] of event.at) {
          if (state === 'waiting' || state === 'asking') event.at.set(one, { state: 'quarantined', place: 0 })
        }
      }
    }
  }),
  erase: org.map((of) => async ({ model, storage }) => {
    while ((await storage.inbox.erase(of)) > 0);
    model.end(of)
    model.had(of).clear()
    for (const event of [...model.events.values()]) if (event.org === of) model.remove(event)
  }),
  expire: fc.boolean().map(() => async ({ model, storage, now }) => {
    for (let goesOn = true; goesOn; ) goesOn = (await storage.inbox.expire({ ...keepAll, deliveredBefore: now })).goesOn
    for (const event of [...model.events.values()]) {
      const isSettled = event.before === undefined && [...event.at.values()].every(({ state }) => state === 'delivered')
      if (isSettled) model.remove(event)
    }
  }),
  addDestination: fc
    .record({ org, destination })
    .map(({ org: of, destination: number }) => async ({ model, storage }) => {
      await storage.inbox.addDestination(of, number)
      model.add(of, number)
    }),
  removeDestination: fc
    .record({ org, destination })
    .map(({ org: of, destination: number }) => async ({ model, storage, now }) => {
      if (!model.live(of).includes(number)) return
      await storage.inbox.removeDestination(of, number, now)
      model.destinations.get(of)!.get(number)!.removed = true
      for (const had of model.had(of)) if (had.endsWith(` ${number}`)) model.had(of).delete(had)
      for (const held of model.held) {
        if (held.lease.org === of && held.lease.destination === number) held.isOurs = false
      }
      for (const event of model.events.values()) {
        if (event.org === of && event.at.get(number)?.state !== 'delivered') event.at.delete(number)
      }
    }),
}

/** Ignored at a destination though another has it still. */
const ignoredAt = new Set<string>()

async function compare({ model, storage }: World): Promise<void> {
  for (const of of orgs) {
    for (const number of model.live(of)) {
      const { entries } = await storage.lookup.find({ org: of, destination: number }, { limit: 500 })
      const got = new Map(entries.map(({ messageId, state }) => [messageId, state]))
      const here = [...model.events.values()].filter((event) => event.org === of)
      assert.deepEqual([...got.keys()].sort(), here.map(({ messageId }) => messageId).sort())
      for (const event of here) {
        const state = event.before ?? event.at.get(number)?.state
        const isIgnored = ignoredAt.has(`${event.messageId} ${number}`)
        const wanted = state ?? (isIgnored ? 'ignored' : 'not_given')
        assert.equal(got.get(event.messageId), wanted, `${event.messageId} at ${number}`)
      }
    }
  }
  await conserved(storage)
  assert.deepEqual(await storage.examine(), [])
}

const sequence = fc.array(
  fc.oneof(
    ...Object.entries(steps).map(([name, arbitrary]) => ({
      weight: ['append', 'claim', 'settle'].includes(name)
        ? 5
        : ['answer', 'redrive', 'take', 'trim'].includes(name)
          ? 2
          : 1,
      arbitrary,
    })),
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)

/** So many sequences of steps, each on a store of its own; throws at the first in which the engine is not as the model. */
export async function walkModel(
  open: () => Promise<{ storage: Storage; close(): Promise<void> }>,
  { seed, sequences }: { seed: number; sequences: number },
): Promise<number> {
  let taken = 0
  const walk = fc.asyncProperty(sequence, async (all) => {
    const { storage, close } = await open()
    ignoredAt.clear()
    const world: World = { model: new Model(), storage, now: 1_800_000_000_000 }
    try {
      for (const step of all) {
        world.now += 60_000
        await step(world)
        await compare(world)
        taken++
      }
    } finally {
      await close()
    }
  })
  await fc.assert(walk, { seed, numRuns: sequences })
  return taken
}
