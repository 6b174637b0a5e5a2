/** A lease that ends while its holder is at work on it: taken over by another process, or ended because of an erasure. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { eachStage, leaseMs, org, type Stage } from '../../test/stage.ts'
import { lookAt } from '../lib/clock.ts'
import { erasePerson } from '../operations/erase.ts'
import { outcomesOf } from '../operations/totals.ts'
import { askLease } from './lookup-lane.ts'
import { sendLease } from './send-lane.ts'
import { trustMs } from './until-gone.ts'

const id = String(org)
const contact = '21760538950'

describe('a lease', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const outcomes = async () => outcomesOf(await stage.storage.ledger.totals(), await stage.storage.ledger.backlog())
  const accepted = () => stage.sims.segment.accepted.map(({ message }) => message)
  const requests = () => stage.sims.segment.requests.length
  const arrive = async (many: number) => {
    for (let vary = 0; vary < many; vary++) await stage.arrive('new_conversation', { vary })
  }

  test('that outlives its time is taken over; settling it late changes nothing, and both sent the same message', async () => {
    await arrive(3)
    const claimedAt = lookAt(stage.clock)
    const late = (await stage.claim('send'))!
    let before: Awaited<ReturnType<typeof outcomes>> | undefined
    const slow: typeof stage.send = async (request) => {
      stage.clock.advance(leaseMs)
      assert.equal(await stage.step('send'), true)
      before = await outcomes()
      return stage.send(request)
    }
    await sendLease({ ...stage.needs, send: slow }, late, undefined, claimedAt)
    assert.deepEqual(await outcomes(), before)
    const { segment } = stage.sims
    assert.equal(segment.accepted.length, 3)
    assert.deepEqual(
      segment.duplicates.map(({ message }) => message),
      accepted(),
    )
    assert.equal(await stage.step('send'), false)
  })

  test('that is taken over while it searches a bad message stops searching', async () => {
    const { segment } = stage.sims
    await arrive(4)
    const late = (await stage.claim('send'))!
    segment.script([{ status: 400, delayMs: 50 }])
    const sending = sendLease(stage.needs, late)
    await eventually(() => requests() === 1)
    stage.clock.advance(leaseMs)
    const taken = await stage.claim('send')
    await sending
    assert.deepEqual(taken?.entries.length, 4)
    assert.equal(requests(), 1)
    assert.ok((await stage.backlog()).every(({ state }) => state === 'waiting'))
  })

  test('begins no request after its events were erased, and no crash is counted for what is left', async () => {
    const { segment } = stage.sims
    await arrive(3)
    await stage.arrive('contact_updated')
    const claimedAt = lookAt(stage.clock)
    const lease = (await stage.claim('send'))!
    segment.script([{ status: 400, delayMs: 50 }])
    const sending = sendLease(stage.needs, lease, undefined, claimedAt)
    await eventually(() => requests() === 1)
    const erased = await erasePerson(
      { ...stage.storage, keyring: stage.keyring, clock: stage.clock },
      id,
      contact,
      false,
    )
    assert.equal(erased.entries, 3)
    stage.clock.advance(trustMs)
    await sending
    assert.equal(requests(), 1)
    const next = (await stage.claim('send'))!
    assert.deepEqual([next.crashes, next.entries.map(({ type }) => type)], [0, ['contact_updated']])
    await sendLease(stage.needs, next)
    assert.deepEqual(
      accepted().map(({ type }) => type),
      ['identify'],
    )
  })

  test('of the ask lane asks nothing, and remembers nothing, after its events were erased', async () => {
    const asked = '21760540117'
    await stage.arrive('conversation_push')
    await stage.step('send')
    await stage.storage.conversations.remember(id, new Map([['3969711123', asked]]))
    const claimedAt = lookAt(stage.clock)
    const lease = (await stage.claim('ask'))!
    const erased = await erasePerson({ ...stage.storage, keyring: stage.keyring, clock: stage.clock }, id, asked, false)
    assert.deepEqual([lease.entries.length, erased.entries], [1, 1])
    stage.clock.advance(trustMs)
    const before = stage.sims.drift.requests.length
    await askLease(stage.needs, lease, claimedAt)
    assert.equal(stage.sims.drift.requests.length, before)
    assert.deepEqual(await stage.storage.conversations.of(id, asked), [])
  })

  test('of the ask lane that learns during an erasure whose an event is does not save it from being erased', async () => {
    await arrive(1)
    const joined = { conversationId: 4_000_001, addedParticipants: [1], changedAt: 1 }
    await stage.arrive({ type: 'conversation_participant_added', orgId: org, data: joined })
    const conversations = [{ id: joined.conversationId, contactId: Number(contact) }]
    stage.sims.drift.addOrg({ orgId: org, conversations })
    const sending = (await stage.claim('send'))!
    const asked = sending.entries.at(-1)!
    await stage.storage.inbox.settle(sending, [{ id: asked.id, to: 'asking', at: stage.clock.now() }], {
      readyAt: stage.clock.now(),
      failures: 0,
    })
    let isLearnt = false
    const take: typeof stage.storage.inbox.take = async (...args) => {
      if (!isLearnt) isLearnt = await stage.step('ask')
      return stage.storage.inbox.take(...args)
    }
    const inbox = { ...stage.storage.inbox, take }
    const erased = await erasePerson(
      { ...stage.storage, keyring: stage.keyring, clock: stage.clock, inbox },
      id,
      contact,
      false,
    )
    assert.deepEqual([isLearnt, erased], [true, { entries: 2, conversations: 1 }])
    await stage.run()
    assert.deepEqual(accepted(), [])
    assert.deepEqual(await stage.storage.conversations.of(id, contact), [])
  })

  test('that never was: an event of an erased person that Drift posts again is a duplicate, and not kept', async () => {
    await arrive(2)
    await erasePerson({ ...stage.storage, keyring: stage.keyring, clock: stage.clock }, id, contact, false)
    await arrive(2)
    assert.equal((await outcomes()).waiting, 0)
    assert.equal(await stage.step('send'), false)
  })
})
