/** Steps of an event's way: it is kept, given out, settled, and Drift answers. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Alone, arrival, to } from '../../src/storage/conformance.ts'
import type { Body, Destination, NewBody } from '../../src/storage/ports/entry.ts'
import type { Settlement } from '../../src/storage/ports/inbox.ts'
import { type Event, keys, orgs, type Step } from './model.ts'

export const org = fc.constantFrom(...orgs)
/** Longer than a sequence of steps: a lease ends by a step alone. */
const leaseMs = 24 * 3_600_000

/** What a body was made with tells it from the others. */
function contentOf({ sealed }: NewBody | Body): string {
  return Buffer.from(sealed).toString()
}

const append: fc.Arbitrary<Step> = fc
  .record({
    org,
    states: fc.array(fc.constantFrom<Alone['state']>('waiting', 'waiting', 'asking', 'quarantined'), {
      minLength: 1,
      maxLength: 4,
    }),
    notInstalled: fc.nat(5),
    /** Of the first event. */
    once: fc.option(fc.constantFrom(...keys), { freq: 2 }),
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
    const goesOn = made.some((state) => state === 'waiting' || state === 'asking')
    const had = model.had(of)
    const live = model.live(of)
    const isKnown =
      key !== undefined && made[0] !== 'unclaimed' && live.length > 0 && live.every((one) => had.has(`${key} ${one}`))
    const appended = await storage.inbox.append([body], arrivals)
    if (isKnown) return assert.deepEqual(appended, { is: 'again', known: [0] })
    assert.equal(appended.is, 'kept')
    if (goesOn) model.ensure(of)
    for (const [nth, { messageId, state, mapping }] of events.entries()) {
      const born = ++model.clock
      const chosen = new Map()
      const event: Event = {
        messageId,
        org: of,
        born,
        at: new Map(),
        isKept: false,
        body: contentOf(body),
        mapping,
        chosen,
      }
      if (nth === 0 && key !== undefined) event.once = key
      const all = model.live(of)
      const isGiven = state === 'waiting' || state === 'asking'
      const meant = isGiven ? model.claim(of, event.once, all) : []
      if (state === 'waiting' || (state === 'asking' && meant.length < all.length)) {
        for (const one of meant) event.at.set(one, { state: 'waiting', place: born })
      } else event.before = state
      model.events.set(messageId, event)
    }
  })

const claim: fc.Arbitrary<Step> = fc
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
  })

const outcomes = [
  'delivered',
  'delivered',
  'dead',
  'quarantined',
  'asking',
  'same',
  'ignored',
  'filtered',
] as const satisfies (Settlement['to'] | 'filtered')[]

const settle: fc.Arbitrary<Step> = fc
  .record({
    which: fc.nat(3),
    becomes: fc.array(fc.constantFrom(...outcomes), { minLength: 1, maxLength: 3 }),
    ends: fc.boolean(),
    late: fc.nat(4),
  })
  .map(({ which, becomes, ends, late }) => async ({ model, storage, now }) => {
    // Mostly a lease that is still its holder's, also when its entries have been settled already.
    const leases = late === 0 ? model.held : model.held.filter(({ isOurs }) => isOurs)
    const held = leases.at(-1 - (which % Math.max(leases.length, 1)))
    if (!held) return
    const { lease } = held
    const attempt = { at: now, ms: 1, status: 200, many: lease.entries.length, tries: 1 }
    const settlements = lease.entries.flatMap(({ id }, nth) => {
      const outcome = becomes[nth]
      if (outcome === undefined) return []
      if (outcome !== 'filtered') return [to(id, outcome, { at: now, attempt })]
      return [to(id, 'ignored', { at: now, attempt, reason: 'filtered' } as Partial<Settlement>)]
    })
    const ending = ends ? { readyAt: now, failures: 0 } : undefined
    assert.equal(await storage.inbox.settle(lease, settlements, ending), held.isOurs)
    if (!held.isOurs) return
    if (ends) held.isOurs = false
    for (const [nth, { messageId }] of lease.entries.entries()) {
      const outcome = becomes[nth]
      const event = model.events.get(messageId)
      if (event?.at.get(lease.destination)?.state !== 'waiting' || outcome === undefined || outcome === 'same') continue
      if (outcome === 'delivered' || outcome === 'filtered') event.isKept = true
      const state = outcome === 'filtered' ? 'ignored' : outcome
      event.at.set(lease.destination, { state, place: 0 })
      if (outcome === 'ignored' && !event.isKept && model.isFinal(event)) model.remove(event)
    }
  })

const answer: fc.Arbitrary<Step> = fc
  .constantFrom<Settlement['to']>('waiting', 'waiting', 'dead', 'asking')
  .map((outcome) => async ({ model, storage, now }) => {
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
      if (event.before === undefined) {
        for (const [one, { state }] of event.at) {
          if (state !== 'asking') continue
          if (outcome === 'dead') event.at.set(one, { state: 'dead', place: 0 })
          else model.wait(event, one)
        }
        continue
      }
      if (outcome === 'dead') {
        event.before = 'dead'
        continue
      }
      delete event.before
      const all = model.destinations.get(event.org)!
      for (const one of model.live(event.org)) if (all.get(one)!.since < event.born) model.wait(event, one)
      // Every destination that it was meant for has been removed.
      if (event.at.size === 0) model.remove(event)
    }
  })

export const waySteps = { append, claim, settle, answer }
