/** What people and time do to kept events, and to the destinations that they go to. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { keepAll } from '../../src/storage/conformance.ts'
import type { Destination } from '../../src/storage/ports/entry.ts'
import { type Event, keys, type Step, type World } from './model.ts'
import { org } from './way-steps.ts'

const destination = fc.constantFrom<Destination>(1, 2, 3)

async function idOf({ storage }: World, { org: of, messageId }: Event): Promise<number> {
  const { entries } = await storage.lookup.find({ org: of, message: messageId }, { limit: 1 })
  return entries[0]!.id
}

const redrive: fc.Arbitrary<Step> = fc
  .record({
    which: fc.nat(20),
    destination: fc.option(destination),
    asNew: fc.boolean(),
    mapping: fc.option(fc.constantFrom(1, 2, 3)),
    /** Of an event without a natural key when it came, such as one that was not readable then. */
    once: fc.option(fc.constantFrom(...keys)),
  })
  .map(({ which, destination: only, asNew, mapping, once }) => async (world) => {
    const { model, storage, now } = world
    const event = [...model.events.values()][which]
    if (!event) return
    const { org: of, at, before } = event
    const key = event.once ?? once ?? undefined
    const move = {
      id: await idOf(world, event),
      ...(only === null ? {} : { destination: only }),
      ...(mapping === null ? {} : { mapping }),
      ...(key === undefined ? {} : { once: Buffer.from(key) }),
      ...(asNew ? { asNew } : {}),
    }
    const moved = await storage.inbox.redrive([move], now, 'an admin')
    if (before === 'dead' || before === 'quarantined') model.ensure(of)
    const named = model.live(of).filter((one) => only === null || one === only)
    if (before !== undefined) {
      const isFailed = before === 'dead' || before === 'quarantined'
      // A destination has had its natural key by another event, or by this one, which has waited for an answer of Drift.
      const free = isFailed ? model.claim(of, key, named) : []
      const since = model.destinations.get(of)
      const goes = named.filter(
        (one) => free.includes(one) || (before === 'dead' && since!.get(one)!.since < event.born),
      )
      assert.equal(moved, goes.length > 0 ? 1 : 0)
      if (goes.length === 0) return
      delete event.before
      event.mapping = mapping ?? event.mapping
      for (const one of goes) model.wait(event, one)
      return
    }
    const open = named.filter((one) => {
      const state = at.get(one)?.state
      if (state === 'waiting' || state === 'asking') return false
      // What it never had it gets where it is named, and has had nothing with the same natural key.
      return state !== undefined || (one === only && model.claim(of, key, [one]).length > 0)
    })
    assert.equal(moved, open.length > 0 ? 1 : 0)
    for (const one of open) {
      const chosen = event.chosen.get(one) ?? { sending: 0 }
      const isRepeated = !asNew || at.get(one)?.state !== 'delivered'
      event.chosen.set(one, {
        ...chosen,
        ...(mapping === null ? {} : { mapping }),
        sending: chosen.sending + (isRepeated ? 0 : 1),
      })
      model.wait(event, one)
    }
  })

const claimOnInstall: fc.Arbitrary<Step> = org.map((of) => async ({ model, storage, now }) => {
  const found = [...model.events.values()].filter((event) => event.org === of && event.before === 'unclaimed')
  if (found.length > 0) model.ensure(of)
  let claimed = 0
  for (const event of found) {
    delete event.before
    const free = model.claim(of, event.once, model.live(of))
    for (const one of free) event.at.set(one, { state: 'waiting', place: event.born })
    if (free.length === 0) model.remove(event)
    else claimed++
  }
  assert.equal(await storage.inbox.claimOnInstall(of, now), claimed)
})

const take: fc.Arbitrary<Step> = fc.nat(20).map((which) => async (world) => {
  const { model, storage } = world
  const event = [...model.events.values()][which]
  if (!event) return
  assert.equal(await storage.inbox.take(event.org, [await idOf(world, event)]), 1)
  model.end(event.org)
  model.remove(event)
})

/** `drops`: the bodies do not open. */
const trim: fc.Arbitrary<Step> = fc.boolean().map((drops) => async (world) => {
  const { model, storage, now } = world
  for (const body of await storage.inbox.marked(2)) {
    if (!drops) {
      assert.equal(await storage.inbox.rewrite(body, body.sealed), true)
      continue
    }
    assert.equal(await storage.inbox.drop(body, { reason: 'sealed_unreadable', now }), true)
    // By its id: bodies that were dropped before are empty, and alike.
    for (const event of model.events.values()) {
      const read = await storage.lookup.read(await idOf(world, event))
      if (read?.body?.id !== body.id) continue
      event.body = ''
      if (event.before === 'asking') event.before = 'quarantined'
      for (const [one, { state }] of event.at) {
        if (state === 'waiting' || state === 'asking') event.at.set(one, { state: 'quarantined', place: 0 })
      }
    }
  }
})

const erase: fc.Arbitrary<Step> = org.map((of) => async ({ model, storage }) => {
  while ((await storage.inbox.erase(of)) > 0);
  model.end(of)
  model.had(of).clear()
  for (const event of [...model.events.values()]) if (event.org === of) model.remove(event)
})

/** `failed`: what is dead or quarantined has outlived its time as well. */
const expire: fc.Arbitrary<Step> = fc.boolean().map((failed) => async ({ model, storage, now }) => {
  const limits = { ...keepAll, deliveredBefore: now, ...(failed ? { failedBefore: now } : {}) }
  while ((await storage.inbox.expire(limits)).goesOn);
  for (const event of [...model.events.values()]) {
    if (failed && (event.before === 'dead' || event.before === 'quarantined')) delete event.before
    for (const [one, { state }] of event.at) {
      if (failed && (state === 'dead' || state === 'quarantined')) event.at.delete(one)
    }
    if (model.isFinal(event)) model.remove(event)
  }
})

const addDestination: fc.Arbitrary<Step> = fc
  .record({ org, destination })
  .map(({ org: of, destination: number }) => async ({ model, storage }) => {
    await storage.inbox.addDestination(of, number)
    model.add(of, number)
  })

const removeDestination: fc.Arbitrary<Step> = fc
  .record({ org, destination })
  .map(({ org: of, destination: number }) => async ({ model, storage, now }) => {
    if (!model.live(of).includes(number)) return
    await storage.inbox.removeDestination(of, number, now)
    model.destinations.get(of)!.get(number)!.removed = true
    for (const had of model.had(of)) if (had.endsWith(` ${number}`)) model.had(of).delete(had)
    model.end(of, number)
    for (const event of model.events.values()) if (event.org === of) event.at.delete(number)
  })

export const keptSteps = { redrive, claimOnInstall, take, trim, erase, expire, addDestination, removeDestination }
