/** The promises about each message of an alert: kept, leased, retried, and sent once. */
import assert from 'node:assert/strict'
import { one, other, type Promised } from './conformance.ts'
import type { AlertRecipient, Alerts, Message, MessageLease, NewMessage } from './ports/alerts.ts'
import type { Storage } from './ports/storage.ts'

let made = 0
const dayMs = 24 * 3_600_000

export function recipient(said: Partial<AlertRecipient> = {}): AlertRecipient {
  const id = `recipient-${++made}`
  return { org: one, id, channel: 'webhook', sealed: Buffer.from(`\0sealed-${id}`), createdAt: 1_000, ...said }
}

export function message(said: Partial<NewMessage> = {}): NewMessage {
  const id = `message-${String(++made).padStart(6, '0')}`
  const body = '{ "says" : "this" }'
  return { id, org: one, recipient: 'recipient', channel: 'webhook', kind: 'alert', body, createdAt: 1_000, ...said }
}

export const most = { recipients: 10, ofChannel: 5 }
const noLimit = { channel: 'email', since: 0, most: 50 } as const
export const entry = { at: 1_000, org: one, who: 'an admin', what: 'did it', about: 'webhook' }
export const ended = { at: 3_000, keepUntil: 9_000 }

export async function claimed({ alerts }: Storage, now = 2_000, until = now + 60_000): Promise<MessageLease> {
  const lease = await alerts.claim(now, until, noLimit)
  assert.ok(lease, 'a message is due')
  return lease
}

export async function claimAll({ alerts }: Storage, now = 2_000, limit: Parameters<Alerts['claim']>[2] = noLimit) {
  const ids: string[] = []
  for (;;) {
    const lease = await alerts.claim(now, now + 60_000, limit)
    if (!lease) return ids.sort()
    ids.push(lease.message.id)
  }
}

const sent = (_lease: MessageLease, at = 2_500) =>
  ({ is: 'ended', attempt: { at, ms: 7, status: 200 }, end: 'sent', keepUntil: at + 1_000 }) as const
export const later = (dueAt: number) =>
  ({ is: 'later', attempt: { at: 2_500, ms: 7, status: 0, answer: 'TIMEOUT' }, dueAt }) as const
export const ids = (messages: readonly Message[]) => messages.map(({ id }) => id)
export const plain = (found: object | undefined) => found && JSON.parse(JSON.stringify(found))

export const messagePromises: readonly Promised[] = [
  {
    promise: 'a message is found whole by its id; made twice it is one, also when it has ended',
    async check(storage) {
      const { alerts } = storage
      const test = message({ kind: 'test' })
      assert.equal(await alerts.create(test), 'created')
      assert.deepEqual(plain(await alerts.get(test.id)), { ...test, tries: 0, dueAt: 1_000 })
      const lease = await claimed(storage)
      assert.equal(await alerts.settle(lease, sent(lease)), true)
      assert.equal(await alerts.create(test), 'there')
      const last = { at: 2_500, ms: 7, status: 200 }
      assert.deepEqual(plain(await alerts.get(test.id)), { ...test, tries: 1, last, end: 'sent', endedAt: 2_500 })
      assert.equal(await alerts.get('unknown'), undefined)
      assert.deepEqual(await claimAll(storage, 1e12), [])
    },
  },
  {
    promise: 'of a kind that may come once in a while an account makes one, however many are made at once',
    async check({ alerts }) {
      const make = (createdAt: number, since: number, said: Partial<NewMessage> = {}) =>
        alerts.create(message({ kind: 'test', createdAt, ...said }), since)
      const many = await Promise.all(Array.from({ length: 4 }, () => make(70_000, 10_000)))
      assert.deepEqual(many.sort(), ['created', 'too_soon', 'too_soon', 'too_soon'])
      assert.equal(await make(129_999, 69_999), 'too_soon')
      assert.equal(await make(130_001, 70_001), 'created')
      assert.equal(await make(130_001, 70_001, { org: other }), 'created')
      assert.equal(await make(130_002, 70_002, { kind: 'confirm' }), 'created')
    },
  },
  {
    promise: 'a message has one holder at a time, however many ask at once, and one that is not due has none',
    async check(storage) {
      const { alerts } = storage
      const messages = ['a', 'b', 'c'].map((id) => message({ recipient: id }))
      for (const each of [...messages, message({ recipient: 'd', createdAt: 2_001 })]) await alerts.create(each)
      const claims = Array.from({ length: 6 }, () => alerts.claim(2_000, 62_000, noLimit))
      const leases = (await Promise.all(claims)).flatMap((lease) => (lease ? [lease.message.id] : []))
      assert.deepEqual(leases.sort(), ids(messages as Message[]))
      assert.deepEqual(await claimAll(storage, 61_000), [(await alerts.list(one, 1))[0]!.id])
    },
  },
  {
    promise:
      'alerts of one recipient go in the order in which they were made; a failing recipient keeps no other waiting',
    async check(storage) {
      const { alerts } = storage
      const [first, second] = [message({ createdAt: 1_001 }), message({ createdAt: 1_002 })]
      const [elsewhere, test] = [message({ recipient: 'another' }), message({ kind: 'test', createdAt: 1_500 })]
      for (const each of [second, first, elsewhere, test]) await alerts.create(each)
      const lease = await (async () => {
        const leases = [await claimed(storage), await claimed(storage), await claimed(storage)]
        assert.deepEqual(leases.map(({ message: { id } }) => id).sort(), [first.id, elsewhere.id, test.id].sort())
        assert.deepEqual(await claimAll(storage), [])
        return leases.find(({ message: { id } }) => id === first.id)!
      })()
      await alerts.settle(lease, later(10_000))
      assert.deepEqual(await claimAll(storage, 9_999), [])
      const again = await claimed(storage, 10_000)
      assert.deepEqual([again.message.id, again.message.tries], [first.id, 1])
      assert.deepEqual(plain(again.message.last), { at: 2_500, ms: 7, status: 0, answer: 'TIMEOUT' })
      await alerts.settle(again, sent(again, 10_500))
      assert.equal((await claimed(storage, 11_000)).message.id, second.id)
    },
  },
  {
    promise: 'a message whose lease has run out is sent by another; the first can say no more of it',
    async check(storage) {
      const { alerts } = storage
      await alerts.create(message())
      const lost = await claimed(storage)
      assert.equal(await alerts.claim(61_999, 99_000, noLimit), undefined)
      const next = await claimed(storage, 62_000)
      assert.equal(next.message.id, lost.message.id)
      assert.equal(await alerts.settle(lost, sent(lost)), false)
      assert.equal((await alerts.get(next.message.id))?.end, undefined)
      assert.equal(await alerts.settle(next, sent(next, 63_000)), true)
      assert.equal(await alerts.settle(next, sent(next, 63_000)), false)
    },
  },
  {
    promise: 'a message whose lease was made by a clock that has been set back since is sent soon',
    async check(storage) {
      await storage.alerts.create(message())
      const before = await claimed(storage, 3_600_000)
      assert.equal(await storage.alerts.claim(3_540_000, 3_600_000, noLimit), undefined)
      assert.equal((await claimed(storage)).message.id, before.message.id)
    },
  },
  {
    promise:
      'an account that has reached the limit of a channel gets no more of it until its time is over, and others do',
    async check(storage) {
      const { alerts } = storage
      const mail = (n: number, said: Partial<NewMessage> = {}) =>
        message({ channel: 'email', recipient: `mail-${n}`, createdAt: 1_000 + n, ...said })
      const mails = [mail(1), mail(2), mail(3)]
      for (const each of [...mails, mail(4, { org: other }), message({ recipient: 'a hook' })])
        await alerts.create(each)
      const limit = (now: number) => ({ channel: 'email', since: now - dayMs, most: 2 }) as const
      const first = await alerts.claim(dayMs, dayMs + 60_000, limit(dayMs))
      await alerts.settle(first!, { ...sent(first!, dayMs), keepUntil: 1e15 })
      const rest = await claimAll(storage, dayMs + 1, limit(dayMs + 1))
      assert.equal(rest.length, 3, 'one more mail, another account’s, and the hook')
      assert.ok(!rest.includes(mails[2]!.id))
      // The holder of the second mail crashed: its lease has run out, and the mail counts once.
      assert.deepEqual(await claimAll(storage, dayMs + 120_000, limit(dayMs + 1)), rest)
      const [due] = await claimAll(storage, 2 * dayMs + 60_002, limit(2 * dayMs + 60_002))
      assert.ok(due)
    },
  },
  {
    promise: 'a message that has ended stays listed until its time is over; one that has not stays for good',
    async check(storage) {
      const { alerts } = storage
      const [done, waits] = [message(), message({ createdAt: 1_001 })]
      for (const each of [done, waits]) await alerts.create(each)
      const lease = await claimed(storage)
      await alerts.settle(lease, {
        is: 'ended',
        attempt: { at: 2_500, ms: 1, status: 404 },
        end: 'failed',
        keepUntil: 9_000,
      })
      assert.equal(await alerts.sweep(8_999), 0)
      assert.deepEqual(ids(await alerts.list(one, 9)), [waits.id, done.id])
      assert.deepEqual(ids(await alerts.list(one, 1)), [waits.id])
      assert.equal(await alerts.sweep(9_000), 1)
      assert.equal(await alerts.sweep(1e15), 0)
      assert.deepEqual(ids(await alerts.list(one, 9)), [waits.id])
    },
  },
  {
    promise: 'of an account whose alerts are erased nothing is left, and of others all',
    async check(storage) {
      const { alerts } = storage
      for (const org of [one, other]) {
        await alerts.addRecipient(recipient({ org }), most, { ...entry, org })
        await alerts.move({ org, generation: 0, state: '{}' }, [message({ org })])
      }
      const lease = await claimed(storage)
      assert.equal(lease.message.org, one)
      await alerts.erase(one)
      assert.equal(await alerts.settle(lease, sent(lease)), false)
      assert.deepEqual([await alerts.recipients(one), await alerts.list(one, 9)], [[], []])
      assert.deepEqual(
        (await alerts.watches()).map(({ org }) => org),
        [other],
      )
      assert.deepEqual([(await alerts.recipients(other)).length, (await alerts.list(other, 9)).length], [1, 1])
      assert.equal(await alerts.move({ org: one, generation: 0, state: '{}' }, []), true)
    },
  },
]
