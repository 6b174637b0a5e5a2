/** What every engine promises of natural keys: each destination is given an event with one once for good. */
import assert from 'node:assert/strict'
import {
  type Alone,
  append,
  arrival,
  claimed,
  conserved,
  idle,
  keepAll,
  one,
  other,
  type Promised,
  to,
  total,
} from './conformance.ts'
import type { Destination } from './ports/entry.ts'
import type { Storage } from './ports/storage.ts'

const key = Buffer.from('a natural key...')
const second: Destination = 2
const withKey = (said: Partial<Alone> = {}) => arrival({ once: key, ...said })

/** By destination, the messages that wait there. */
async function waitingAt({ inbox }: Storage): Promise<Map<Destination, string[]>> {
  const { leases } = await inbox.claim('send', { now: 2_000, leaseMs: 1, limit: 100, bytesMax: 1e6, room: 8 })
  return new Map(leases.map(({ destination, entries }) => [destination, entries.map(({ messageId }) => messageId)]))
}

export const oncePromises: readonly Promised[] = [
  {
    promise: 'what has a natural key that came before is known, whatever else it says and whichever way it came',
    async check(storage) {
      const { inbox } = storage
      assert.deepEqual(await append(storage, [withKey()]), ['stored'])
      const backfilled = withKey({ backfilled: true })
      const { sealed, ...event } = backfilled
      const appended = await inbox.append(
        [{ org: one, sealed }],
        [{ ...event, body: 0, position: 0, bytes: sealed.byteLength }],
      )
      assert.deepEqual(appended, { is: 'again', known: [0] })
      assert.deepEqual(await append(storage, [withKey({ receivedAt: 9_000_000 })]), ['duplicate'])
      assert.deepEqual(await append(storage, [withKey({ org: other })]), ['stored'], 'of another account')
      assert.deepEqual(await append(storage, [arrival({ once: Buffer.from('another one.....') })]), ['stored'])
      assert.equal((await claimed(storage)).entries.length, 2)
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'of two with one natural key in one append, and of many in several at once, one is kept',
    async check(storage) {
      assert.deepEqual(await append(storage, [withKey(), arrival(), withKey()]), ['stored', 'stored', 'duplicate'])
      const once = Buffer.from('in several.....!')
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => append(storage, [arrival(), arrival({ once })])),
      )
      assert.equal(answers.filter(([, answer]) => answer === 'stored').length, 1)
      assert.ok(answers.every(([answer]) => answer === 'stored'))
      await conserved(storage)
    },
  },
  {
    promise: 'what one destination has had already is given to the others alone, also where Drift must be asked first',
    async check(storage) {
      const [first, again, asking] = [withKey(), withKey({ backfilled: true }), withKey({ state: 'asking' })]
      await append(storage, [first])
      await storage.inbox.addDestination(one, second)
      assert.deepEqual(await append(storage, [again]), ['stored'])
      assert.deepEqual(
        await waitingAt(storage),
        new Map([
          [1, [first.messageId]],
          [second, [again.messageId]],
        ]),
      )
      assert.equal(await total(storage, 'backfilled'), 1)
      await storage.inbox.addDestination(one, 3)
      assert.deepEqual(await append(storage, [asking]), ['stored'])
      await conserved(storage)
      const { leases } = await storage.inbox.claim('send', { now: 9_000, leaseMs: 1, limit: 9, bytesMax: 1e6, room: 8 })
      const third = leases.find(({ destination }) => destination === 3)!
      assert.deepEqual(
        third.entries.map(({ messageId }) => messageId),
        [asking.messageId],
      )
      assert.deepEqual(await append(storage, [withKey({ state: 'asking' })]), ['duplicate'])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise:
      'what waits for an answer of Drift has its natural key already, and an answer gives it to each destination',
    async check(storage) {
      await append(storage, [withKey({ state: 'asking' })])
      assert.deepEqual(await append(storage, [withKey()]), ['duplicate'])
      const asking = await claimed(storage, 'ask')
      await storage.inbox.settle(asking, [to(asking.entries[0]!.id, 'waiting', { contact: '7' })], idle)
      assert.equal((await claimed(storage)).entries.length, 1)
      await conserved(storage)
    },
  },
  {
    promise:
      'of entries with one natural key from before an install the first is claimed, and the others are duplicates after all',
    async check(storage) {
      const [first, again, plain] = [
        withKey({ state: 'unclaimed' }),
        withKey({ state: 'unclaimed' }),
        arrival({ state: 'unclaimed' }),
      ]
      assert.deepEqual(await append(storage, [first, again, plain]), ['stored', 'stored', 'stored'])
      assert.equal(await storage.inbox.claimOnInstall(one, 2_000), 2)
      assert.deepEqual(await waitingAt(storage), new Map([[1, [first.messageId, plain.messageId]]]))
      assert.equal(await total(storage, 'duplicate'), 1)
      assert.deepEqual(await append(storage, [withKey()]), ['duplicate'])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise:
      'a natural key is known when its event has expired or was taken away, and forgotten with its destination or account',
    async check(storage) {
      const { inbox } = storage
      const spare = Buffer.from('taken away.....!')
      await append(storage, [withKey(), arrival({ once: spare })])
      const lease = await claimed(storage)
      const [sent, taken] = lease.entries.map(({ id }) => id)
      await inbox.settle(lease, [to(sent!, 'delivered')], idle)
      await inbox.take(one, [taken!])
      await inbox.expire({ ...keepAll, deliveredBefore: 9_000 })
      assert.deepEqual(await append(storage, [withKey(), arrival({ once: spare })]), ['duplicate', 'duplicate'])
      assert.deepEqual(await inbox.occurred(one, [key, Buffer.from('of no event....!')]), [[1], []])
      await inbox.addDestination(one, second)
      await append(storage, [withKey()])
      assert.deepEqual(await inbox.occurred(one, [key]), [[1, second]])
      await inbox.removeDestination(one, second, 3_000)
      assert.deepEqual(await inbox.occurred(one, [key]), [[1]])
      while ((await inbox.erase(one)) > 0);
      assert.deepEqual(await inbox.occurred(one, [key]), [[]])
      assert.deepEqual(await append(storage, [withKey()]), ['stored'])
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what a destination is given later has its natural key there then, and does not go where another had it',
    async check(storage) {
      const { inbox } = storage
      await append(storage, [withKey()])
      const lease = await claimed(storage)
      const [{ id } = { id: 0 }] = lease.entries
      await inbox.settle(lease, [to(id, 'delivered')], idle)
      await inbox.addDestination(one, second)
      await inbox.addDestination(one, 3)
      assert.equal(await inbox.redrive([{ id, destination: second, once: key }], 2_000, 'an admin'), 1)
      assert.deepEqual(await inbox.occurred(one, [key]), [[1, second]])
      const again = withKey({ backfilled: true })
      assert.deepEqual(await append(storage, [again]), ['stored'], 'for the third')
      assert.equal(await inbox.redrive([{ id, destination: 3, once: key }], 2_000, 'an admin'), 0)
      assert.equal(
        await inbox.redrive([{ id, destination: 1, once: key }], 2_000, 'an admin'),
        1,
        'where it was itself',
      )
      const waiting = await waitingAt(storage)
      assert.deepEqual(
        [1, second, 3].map((at) => waiting.get(at)?.length),
        [1, 1, 1],
      )
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what was quarantined as it came goes, sent again, where no other event with its natural key has gone',
    async check(storage) {
      const { inbox, lookup } = storage
      const quarantined = arrival({ state: 'quarantined' })
      await append(storage, [withKey(), quarantined])
      const [found] = (await lookup.find({ org: one, message: quarantined.messageId }, { limit: 1 })).entries
      const move = { id: found!.id, once: key }
      assert.equal(await inbox.redrive([move], 2_000, 'an admin'), 0)
      assert.equal((await lookup.read(found!.id))?.state, 'quarantined')
      await conserved(storage)
      await inbox.addDestination(one, second)
      assert.equal(await inbox.redrive([move], 2_000, 'an admin'), 1)
      assert.deepEqual((await waitingAt(storage)).get(second), [quarantined.messageId])
      assert.equal((await lookup.read(found!.id, 1))?.state, 'not_given')
      assert.deepEqual(await inbox.occurred(one, [key]), [[1, second]])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise:
      'what has failed while it waited for Drift goes again where its natural key is its own, not where it is not',
    async check(storage) {
      const { inbox } = storage
      const asked = withKey({ state: 'asking' })
      await append(storage, [asked])
      const asking = await claimed(storage, 'ask')
      const { id } = asking.entries[0]!
      await inbox.settle(asking, [to(id, 'dead')], idle)
      await inbox.addDestination(one, second)
      const again = withKey({ backfilled: true })
      assert.deepEqual(await append(storage, [again]), ['stored'], 'for the second')
      assert.equal(await inbox.redrive([{ id, once: key }], 2_000, 'an admin'), 1)
      assert.deepEqual(
        await waitingAt(storage),
        new Map([
          [1, [asked.messageId]],
          [second, [again.messageId]],
        ]),
      )
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'nothing is kept of a person who is marked as erased, nor its natural key, until that is undone',
    async check(storage) {
      const { inbox } = storage
      const person = Buffer.from('of a person.....')
      const theirs = () => withKey({ person, backfilled: true })
      await inbox.markErased(one, [person])
      assert.deepEqual(await append(storage, [theirs(), arrival(), arrival({ person })]), [
        'duplicate',
        'stored',
        'duplicate',
      ])
      assert.deepEqual(await inbox.occurred(one, [key]), [[]])
      assert.deepEqual(await append(storage, [arrival({ org: other, person })]), ['stored'], 'of another account')
      await inbox.markErased(one, [person], 'undo')
      assert.deepEqual(await append(storage, [theirs()]), ['stored'])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what is kept while its person is being marked as erased is there to be found afterwards, or is not kept',
    async check(storage) {
      const { inbox, lookup } = storage
      const person = Buffer.from('of a person.....')
      const keeping = Array.from({ length: 20 }, () => append(storage, [arrival({ person, contact: '7' })]))
      await inbox.markErased(one, [person])
      const found = (await lookup.find({ org: one, contact: '7' }, { limit: 50 })).entries.length
      const outcomes = await Promise.all(keeping)
      assert.equal(outcomes.flat().filter((outcome) => outcome === 'stored').length, found)
      await conserved(storage)
    },
  },
  {
    promise: 'keys of erased persons are remembered until that is undone, apart from those of events',
    async check(storage) {
      const { inbox } = storage
      await inbox.markErased(one, [key])
      await inbox.markErased(one, [key])
      assert.deepEqual(await inbox.occurred(one, [key]), [[0]])
      assert.deepEqual(await inbox.occurred(other, [key]), [[]])
      assert.deepEqual(await append(storage, [withKey()]), ['stored'])
      await inbox.markErased(one, [key], 'undo')
      assert.deepEqual(await inbox.occurred(one, [key]), [[1]])
      assert.deepEqual(await storage.examine(), [])
    },
  },
]
