/** What every engine promises of what was read at Drift: it may wait behind what webhooks bring, and is otherwise like that. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, conserved, idle, keepAll, one, type Promised, to, total } from './conformance.ts'
import { sendLane } from './ports/entry.ts'
import type { Storage } from './ports/storage.ts'

const limits = { limit: 100, bytesMax: 1e6 }
const read = () => arrival({ backfilled: true, waitsBehind: true })
const idsOf = (entries: readonly { messageId: string }[]) => entries.map(({ messageId }) => messageId)

async function kept(storage: Storage, ...arrivals: ReturnType<typeof arrival>[]): Promise<string[]> {
  await append(storage, arrivals)
  return idsOf(arrivals)
}

export const historyPromises: readonly Promised[] = [
  {
    promise: 'what waits behind is given after all that webhooks have brought, also later',
    async check(storage) {
      const [old] = await kept(storage, read())
      const [live] = await kept(storage, arrival())
      const [older] = await kept(storage, read())
      const lease = await claimed(storage)
      assert.deepEqual(idsOf(lease.entries), [live, old, older])
      const [newer] = await kept(storage, arrival())
      const places = lease.entries.map(({ place }) => place)
      const after = async (place: number) => idsOf((await storage.inbox.more(lease, place, limits)).entries)
      assert.deepEqual(await after(0), [live, newer, old, older])
      assert.deepEqual(
        (await after(places[1]!)).filter((id) => id !== newer),
        [older],
      )
      assert.deepEqual(
        (await after(places[2]!)).filter((id) => id !== newer),
        [],
      )
      assert.deepEqual(
        [...places].sort((a, b) => a - b),
        places,
      )
    },
  },
  {
    promise: 'what was read at Drift is settled, driven again and counted as what webhooks bring',
    async check(storage) {
      const { inbox } = storage
      const [delivered, dead, waiting] = await kept(storage, read(), read(), read())
      const lease = await claimed(storage)
      const settlements = [
        to(lease.entries[0]!.id, 'delivered'),
        to(lease.entries[1]!.id, 'dead', { reason: 'refused' }),
      ]
      assert.equal(await inbox.settle(lease, settlements, idle), true)
      await conserved(storage)
      const states = async () =>
        new Map(
          (await storage.lookup.find({ org: one }, { limit: 9 })).entries.map(({ messageId, state }) => [
            messageId,
            state,
          ]),
        )
      assert.deepEqual(
        await states(),
        new Map([
          [waiting, 'waiting'],
          [dead, 'dead'],
          [delivered, 'delivered'],
        ]),
      )
      assert.equal(await inbox.redrive([{ id: lease.entries[1]!.id }], 3_000, 'a test'), 1)
      assert.deepEqual(idsOf((await claimed(storage)).entries), [dead, waiting])
      assert.deepEqual([await total(storage, 'backfilled'), await total(storage, 'delivered')], [3, 1])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise:
      'what was read at Drift is taken away, outlives its time and leaves with its account as what webhooks bring',
    async check(storage) {
      const { inbox } = storage
      await kept(storage, read(), read(), read())
      const lease = await claimed(storage)
      const [first, second] = lease.entries
      assert.equal(await inbox.take(one, [first!.id]), 1)
      assert.equal((await claimed(storage)).entries.length, 2)
      const again = await claimed(storage, 'send', { now: 200_000 })
      await inbox.settle(again, [to(second!.id, 'delivered')], idle)
      await inbox.expire({ ...keepAll, deliveredBefore: 1e15 })
      assert.equal((await storage.lookup.find({ org: one }, { limit: 9 })).entries.length, 1)
      await conserved(storage)
      for (;;) if ((await inbox.erase(one)) === 0) break
      await conserved(storage)
      assert.equal(await total(storage, 'expired'), 2)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what was read at Drift and does not wait behind has its place as a webhook has',
    async check(storage) {
      const first = await kept(storage, arrival({ backfilled: true }), arrival())
      assert.deepEqual(idsOf((await claimed(storage)).entries), first)
      assert.equal(await total(storage, 'backfilled'), 1)
    },
  },
  {
    promise: 'a lane with nothing but what was read at Drift does not fall asleep',
    async check(storage) {
      await kept(storage, read())
      const lease = await claimed(storage)
      await storage.inbox.settle(lease, [], idle)
      const [lane] = (await storage.lookup.lanes(one)).filter((shown) => shown.lane === sendLane(one).lane)
      assert.equal(lane?.readyAt, idle.readyAt)
    },
  },
]
