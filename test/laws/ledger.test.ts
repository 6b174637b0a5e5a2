/** The ledger that judges torture and simulation: each thing that must not be is noticed, and nothing else is. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { type Audit, Ledger, markAt, type Outcomes } from '../../torture/ledger.ts'

const none = { received: 0, delivered: 0, waiting: 0, held: 0, dead: 0, ignored: 0, expired: 0 }
let ledger: Ledger

beforeEach(() => {
  ledger = new Ledger()
  ledger.keyOf('1', 'key of 1')
})

function said(mark: string, org = '1'): (kept: boolean) => void {
  return ledger.post({ mark, org, contact: 'c', expected: 'delivered', inOrder: true })
}

function sent(mark: string, { messageId = mark, writeKey = 'key of 1', text = '{}' } = {}): void {
  ledger.transmissions.push({ mark, writeKey, messageId, text })
}

function arrived(mark: string, how = {}): void {
  sent(mark, how)
  ledger.arrivals.push(mark)
}

function judged(outcomes: Partial<Outcomes>): Pick<Audit, 'broken'> & Record<string, unknown> {
  return { ...ledger.audit({ ...none, ...outcomes }) }
}

test('what was answered, sent twice and stored once, in its order, is as it should be', () => {
  said('a')(true)
  said('b')(true)
  sent('a')
  for (const mark of ['a', 'b']) arrived(mark)
  const { broken, retransmissions } = judged({ received: 2, delivered: 2 })
  assert.deepEqual([broken, retransmissions], [[], 1])
})

test('an event that is nowhere is lost, and one that is shown as held is late', () => {
  said('a')(true)
  assert.deepEqual(judged({ received: 1 }).lost, ['a'])
  assert.deepEqual([judged({ received: 1, held: 1 }).lost, judged({ received: 1, held: 1 }).late], [[], ['a']])
})

test('what was not answered is not lost, and may arrive', () => {
  said('a')(false)
  assert.deepEqual(judged({}).broken, [])
  arrived('a')
  assert.deepEqual(judged({ received: 1, delivered: 1 }).broken, [])
})

test('what was never posted is invented', () => {
  arrived('a')
  assert.deepEqual(judged({ received: 1, delivered: 1 }).invented, ['a'])
})

test("what goes under another account's key is misdirected, whether or not it is taken", () => {
  said('a')(true)
  sent('a', { writeKey: 'key of 2' })
  arrived('a')
  assert.deepEqual(judged({ received: 1, delivered: 1 }).misdirected, ['a'])
})

test('order is judged where it is known: an answer came before the other was posted', () => {
  const [first, second] = [said('a'), said('b')]
  first(true)
  second(true)
  said('c')(true)
  for (const mark of ['b', 'a', 'c']) arrived(mark)
  assert.deepEqual(judged({ received: 3, delivered: 3 }).reordered, [])
  ledger.arrivals.splice(0, 3, 'c', 'a', 'b')
  assert.deepEqual(judged({ received: 3, delivered: 3 }).reordered, ['c'])
})

test('another messageId, another text, and a messageId of two events are changes', () => {
  for (const mark of ['a', 'b', 'c', 'd']) {
    said(mark)(true)
    arrived(mark)
  }
  sent('a', { messageId: 'other' })
  sent('b', { text: '{"more":1}' })
  sent('c', { messageId: 'd' })
  assert.deepEqual(judged({ received: 4, delivered: 4 }).changed, ['a', 'b', 'c'])
})

test('what Segment stores twice is a duplicate', () => {
  said('a')(true)
  arrived('a')
  arrived('a', { messageId: 'other' })
  assert.equal(judged({ received: 1, delivered: 1 }).duplicates, 1)
})

test("outcomes that do not add up, or are not the world's, are noticed", () => {
  said('a')(true)
  arrived('a')
  assert.notDeepEqual(judged({ received: 2, delivered: 1 }).broken, [])
  assert.notDeepEqual(judged({ received: 1, dead: 1 }).broken, [])
})

test('what goes to a second destination is judged by itself, under the key of that one alone', () => {
  ledger.goesTwice('1', 'second key')
  said('a')(true)
  arrived('a')
  assert.deepEqual(judged({ received: 2, delivered: 1 }).lost, ['a@2'])
  const there = { messageId: 'a.2', writeKey: 'second key' }
  arrived(markAt('a', 'a.2'), there)
  assert.deepEqual(judged({ received: 2, delivered: 2 }).broken, [])
  sent(markAt('a', 'a.2'), { ...there, writeKey: 'key of 1' })
  assert.deepEqual(judged({ received: 2, delivered: 2 }).misdirected, ['a@2'])
  ledger.transmissions.pop()
  ledger.unchosen.push('a@2')
  assert.deepEqual(judged({ received: 2, delivered: 2 }).broken, ['1 unchosen, such as a@2'])
})
