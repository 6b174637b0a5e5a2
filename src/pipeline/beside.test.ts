/** Requests of one lease beside those that Segment has not answered yet. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { type OneLease, startOneLease } from '../../test/one-lease.ts'
import { org } from '../../test/stage.ts'
import { append } from '../storage/conformance.ts'
import { sendLease } from './send-lane.ts'

let one: OneLease
beforeEach(async () => {
  one = await startOneLease()
})
afterEach(() => one.close())

test('an event of another contact is sent while Segment still thinks about the one before', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  one.stage.clock.advance(5)
  await come(2)
  await eventually(() => requests.length === 2)
  assert.deepEqual(requests, [['1'], ['2']])
  answer(1)
  answer(0)
  await ended
  assert.equal(await one.stillWaiting(), 0)
})

test('an event of a contact under way waits for it, and those of others do not', async () => {
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  one.stage.clock.advance(5)
  await come(1, 2, 1, 3)
  await eventually(() => requests.length === 2)
  assert.deepEqual(requests[1], ['2', '3'])
  one.stage.clock.advance(5)
  await turn()
  assert.equal(requests.length, 2)
  answer(0)
  await eventually(() => requests.length === 3)
  assert.deepEqual(requests[2], ['1', '1'])
  answer(2)
  answer(1)
  await ended
  assert.equal(await one.stillWaiting(), 0)
})

test('partial requests start at most every five milliseconds, and what comes meanwhile shares one', async () => {
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  for (const contact of [2, 3, 4]) await come(contact)
  one.stage.clock.advance(4)
  await turn()
  assert.deepEqual([requests, one.calls], [[['1']], []], 'the store is not asked before either')
  one.stage.clock.advance(1)
  await eventually(() => requests.length === 2)
  assert.deepEqual([requests[1], one.calls], [['2', '3', '4'], ['more']])
  answer(0)
  answer(1)
  await ended
})

test('never more than sixteen requests of one account are under way at once', async () => {
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  for (let contact = 2; contact <= 20; contact++) {
    one.stage.clock.advance(5)
    await come(contact)
  }
  assert.equal(requests.length, 16)
  answer(3)
  await eventually(() => requests.length === 17)
  assert.deepEqual(requests[16], ['17', '18', '19', '20'], 'what came meanwhile shares the next')
  await turn()
  requests.forEach((_, request) => void answer(request))
  await ended
  assert.equal(await one.stillWaiting(), 0)
})

test('an event that comes alone takes one request and one transaction beside its claim', async () => {
  await one.arrive(1)
  const { requests, answer, ended } = await one.go()
  answer(0)
  await ended
  assert.deepEqual([requests, one.calls], [[['1']], ['settle']])
})

test('what several requests brought in one turn of the event loop is settled in one transaction', async () => {
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  for (const contact of [2, 3, 4]) {
    one.stage.clock.advance(5)
    await come(contact)
  }
  assert.equal(requests.length, 4)
  for (const request of [1, 2, 3]) answer(request)
  await turn()
  assert.deepEqual([one.calls.filter((call) => call === 'settle').length, await one.stillWaiting()], [1, 1])
  answer(0)
  await ended
})

async function arriveUnreadable(): Promise<void> {
  const { storage, clock } = one.stage
  const common = {
    state: 'waiting',
    org: String(org),
    type: 'new_conversation',
    mapping: 1,
    rememberMs: 1_000,
  } as const
  const [messageId, sealed] = [randomUUID(), Buffer.from('unsealed')]
  const arrival = { ...common, messageId, identity: Buffer.from(messageId), receivedAt: clock.now(), sealed }
  await append(storage, [arrival])
}

test('a lease that another takes before its first request ends without one', async () => {
  await arriveUnreadable()
  await one.arrive(...Array.from({ length: 9 }, (_, at) => at + 1))
  await arriveUnreadable()
  const { needs, storage, claim, clock } = one.stage
  const { more } = storage.inbox
  storage.inbox.more = async (...args) => {
    const entries = await more(...args)
    await eventually(async () => (await one.stillWaiting()) === 10)
    clock.advance(60_000)
    assert.ok(await claim('send'))
    return entries
  }
  let hasEnded = false
  const messagesMax = 10
  void sendLease({ ...needs, messagesMax }, (await claim('send', messagesMax))!).then(() => (hasEnded = true))
  await eventually(() => hasEnded)
  assert.equal(await one.stillWaiting(), 10)
})

test('what Segment has taken is settled also when the lease fails', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  const failing = assert.rejects(ended, /no way to read on/)
  one.stage.storage.inbox.more = async () => {
    throw new Error('no way to read on')
  }
  one.stage.clock.advance(5)
  await come(2)
  answer(0)
  await failing
  assert.deepEqual([requests, await one.stillWaiting()], [[['1']], 1])
})

const refused = { status: 400, headers: {}, body: '{"success":false}' }

test('when every event is refused in a request of its own, the account is held and nothing is dead', async () => {
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  for (const contact of [2, 3]) {
    one.stage.clock.advance(5)
    await come(contact)
  }
  assert.equal(requests.length, 3)
  answer(0)
  answer(1, refused)
  await turn()
  answer(2, refused)
  await ended
  assert.deepEqual(
    (await one.stage.backlog()).map(({ state, reason, count }) => [state, reason, count]),
    [['waiting', 'segment_refuses_all', 2]],
  )
})

test('an event that is refused in a request of its own is dead once Segment takes one that began later', async () => {
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  for (const contact of [2, 3]) {
    one.stage.clock.advance(5)
    await come(contact)
  }
  answer(1, refused)
  await turn()
  answer(0)
  await turn()
  assert.equal(await one.stillWaiting(), 2, 'one that began before says nothing of it')
  answer(2)
  await ended
  assert.equal(requests.length, 3)
  assert.deepEqual(
    (await one.stage.backlog()).map(({ state, reason, count }) => [state, reason, count]),
    [['dead', 'segment_400', 1]],
  )
})
