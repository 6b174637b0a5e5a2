/** How long a lease goes on to what comes, and how much of it it takes in hand. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { type OneLease, startOneLease } from '../../test/one-lease.ts'
import { org } from '../../test/stage.ts'
import { changeDestination } from '../accounts/destinations.ts'
import { sealWriteKey } from '../accounts/write-key.ts'
import { sendLane } from '../storage/ports/entry.ts'

const id = String(org)
let one: OneLease
beforeEach(async () => {
  one = await startOneLease()
})
afterEach(() => one.close())

test('a lease that goes on reads again within a second what was committed behind it', async () => {
  const commit = await one.hidden(5)
  await one.arrive(1)
  const { requests, come, answer, turn, ended } = await one.go()
  one.stage.clock.advance(5)
  await come(2)
  await commit()
  one.stage.clock.advance(5)
  await come(3)
  assert.deepEqual(requests, [['1'], ['2'], ['3']])
  one.stage.clock.advance(989)
  await turn()
  assert.equal(requests.length, 3)
  one.stage.clock.advance(1)
  await eventually(() => requests.length === 4)
  assert.deepEqual(requests[3], ['5'], 'and nothing of what is in hand a second time')
  requests.forEach((_, request) => void answer(request))
  await ended
  assert.equal(await one.stillWaiting(), 0)
})

test('a lease that hears that its whole line may have changed reads it from the beginning at once', async () => {
  const commit = await one.hidden(5)
  await one.arrive(1)
  const { requests, wake, answer, ended } = await one.go()
  await commit()
  one.stage.clock.advance(5)
  wake(true)
  await eventually(() => requests.length === 2)
  assert.deepEqual(requests[1], ['5'])
  answer(0)
  answer(1)
  await ended
})

test('an event that is driven again while its lease goes on is sent again', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  one.stage.clock.advance(5)
  await come(2)
  answer(1)
  await eventually(async () => (await one.stillWaiting()) === 1)
  const { inbox, lookup } = one.stage.storage
  const { entries } = await lookup.find({ states: ['delivered'] }, { limit: 9 })
  await inbox.redrive([{ id: entries[0]!.id }], one.stage.clock.now(), 'an admin')
  one.stage.clock.advance(1_000)
  await eventually(() => requests.length === 3)
  assert.deepEqual(requests[2], ['2'])
  answer(0)
  answer(2)
  await ended
  assert.equal(await one.stillWaiting(), 0)
})

for (const [what, prepare] of [
  ['after a failure', () => undefined],
  ['that a person asked for', () => one.stage.storage.inbox.retry(sendLane(id), one.stage.clock.now())],
] as const)
  test(`a lease ${what} stays with what it was claimed with, whatever comes`, async () => {
    await one.arrive(1)
    if (what === 'after a failure') {
      one.stage.sims.segment.script([{ status: 503 }])
      await one.stage.step('send')
      one.stage.clock.advance(1_000)
    }
    await prepare()
    const { requests, come, answer, ended } = await one.go()
    one.stage.clock.advance(2_000)
    await come(2)
    assert.deepEqual([requests, one.calls], [[['1']], []])
    answer(0)
    await ended
    assert.equal(await one.stillWaiting(), 1)
  })

test('a lease ends after a quarter of a minute, though events come all the time', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  for (let seconds = 1; seconds < 15; seconds++) {
    one.stage.clock.advance(1_000)
    await come(1 + seconds)
    await eventually(() => requests.length === seconds + 1)
    answer(seconds - 1)
  }
  one.stage.clock.advance(1_000)
  await come(99)
  answer(14)
  await ended
  assert.deepEqual([requests.length, await one.stillWaiting()], [15, 1], 'what came last waits for the next lease')
})

test('a lease takes up nothing more while others may wait for a turn', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  one.shared = 0
  one.stage.clock.advance(2_000)
  await come(2)
  assert.deepEqual([requests, one.calls], [[['1']], []])
  answer(0)
  await ended
  assert.equal(await one.stillWaiting(), 1)
})

test('a lease has no more in hand than its share, and reads on as that is settled', async () => {
  one.shared = 2
  await one.arrive(...Array.from({ length: 40 }, (_, at) => at + 1))
  const { requests, answer, turn, ended } = await one.go(10)
  await turn()
  assert.equal(requests.length, 2)
  for (let request = 0; request < 4; request++) {
    answer(request)
    await eventually(() => requests.length === Math.min(request + 3, 4))
    await turn()
  }
  await ended
  assert.deepEqual(
    requests.map(({ length }) => length),
    [10, 10, 10, 10],
  )
})

test('a lease takes up nothing more once its account has changed: another key is for the next', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  const key = await sealWriteKey(one.stage.keyring, id, 1, 'a-new-write-key-0123456789')
  await one.stage.accounts.change(id, one.stage.clock.now(), (known) => changeDestination(known, 1, { key }))
  one.stage.clock.advance(5)
  await come(2)
  assert.equal(requests.length, 1)
  answer(0)
  await ended
  assert.equal(await one.stillWaiting(), 1)
})

test('a lease that another has by now starts nothing more, and settles nothing', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  one.stage.clock.advance(5)
  await come(2)
  one.stage.clock.advance(60_000)
  const taken = await one.stage.claim('send')
  assert.equal(taken?.entries.length, 2)
  answer(0)
  await come(3)
  answer(1)
  await ended
  assert.deepEqual([requests.length, await one.stillWaiting()], [2, 3])
})

test('a store that fails while a lease goes on ends it, when what is under way has been answered', async () => {
  await one.arrive(1)
  const { requests, come, answer, ended } = await one.go()
  one.stage.clock.advance(5)
  await come(2)
  one.stage.storage.inbox.settle = async () => {
    throw new Error('the store is away')
  }
  const failing = assert.rejects(ended, /the store is away/)
  answer(1)
  await come(3)
  one.stage.clock.advance(5)
  await come(4)
  assert.equal(requests.length, 2)
  answer(0)
  await failing
})
