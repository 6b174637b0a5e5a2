/** What every engine promises of what a destination's options do to events: leave them out, or wait for a contact. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, conserved, idle, one, type Promised, to } from './conformance.ts'
import { askLane, firstDestination, sendLane } from './ports/entry.ts'

export const mappingPromises: readonly Promised[] = [
  {
    promise: 'an entry that the options leave out is kept, counted as ignored for its reason, and can be sent again',
    async check(storage) {
      const [kept, gone] = [arrival(), arrival()]
      await append(storage, [kept, gone])
      const lease = await claimed(storage)
      const ids = lease.entries.map(({ id }) => id)
      const leftOut = to(ids[0]!, 'ignored', { reason: 'filtered' })
      await storage.inbox.settle(lease, [leftOut, to(ids[1]!, 'ignored', { reason: 'empty' })], idle)
      const found = async (message: string) => (await storage.lookup.find({ message }, { limit: 1 })).entries[0]
      assert.equal(await found(gone.messageId), undefined)
      const shown = (await found(kept.messageId))!
      assert.deepEqual([shown.state, shown.reason], ['ignored', 'filtered'])
      await conserved(storage)
      const ignored = async () =>
        (await storage.ledger.totals()).flatMap(({ outcome, reason, count, destination }) =>
          outcome === 'ignored' && count > 0 ? [[reason, destination, count]] : [],
        )
      assert.deepEqual((await ignored()).sort(), [
        ['empty', firstDestination, 1],
        ['filtered', firstDestination, 1],
      ])
      assert.equal(await storage.inbox.redrive([{ id: ids[0]!, mapping: 2_001 }], 3_000, 'an admin'), 1)
      assert.deepEqual(await ignored(), [['empty', firstDestination, 1]])
      const again = await claimed(storage, 'send', { now: 3_000 })
      assert.equal(again.entries[0]?.mapping, 2_001)
      await storage.inbox.settle(again, [to(ids[0]!, 'delivered', { at: 3_000 })], idle)
      assert.equal((await found(kept.messageId))?.state, 'delivered')
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what waits gets another mapping, but for what a sender was given and what it may have in hand',
    async check(storage) {
      await append(storage, [arrival()])
      const lease = await claimed(storage)
      const [tried] = lease.entries.map(({ id }) => id)
      const remapping = { destination: firstDestination, moves: [{ from: 1, to: 2_001 }], after: 0 }
      const remap = () => storage.inbox.remap(sendLane(one), remapping)
      assert.deepEqual(await remap(), { is: 'leased' })
      const attempt = { at: 2_000, ms: 5, status: 503, many: 1, tries: 1 }
      assert.equal(await storage.inbox.settle(lease, [to(tried!, 'same', { attempt })], idle), true)
      await append(storage, [arrival(), arrival({ mapping: 7 }), arrival({ state: 'asking' })])
      assert.deepEqual(await remap(), { is: 'done', changed: 1, given: 1 })
      assert.deepEqual(await storage.inbox.remap(askLane(one), remapping), { is: 'done', changed: 1, given: 0 })
      const { entries } = await storage.lookup.find({ org: one }, { limit: 9 })
      assert.deepEqual(entries.map(({ mapping }) => mapping).reverse(), [1, 2_001, 7, 2_001])
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise:
      'what was sent again, and no sender has had since, gets another mapping too: the one that was chosen for it',
    async check(storage) {
      const { inbox } = storage
      await append(storage, [arrival(), arrival()])
      const lease = await claimed(storage)
      const [plain, today] = lease.entries.map(({ id }) => id)
      await inbox.settle(lease, [to(plain!, 'delivered'), to(today!, 'delivered')], idle)
      await inbox.addDestination(one, 2)
      const moves = [
        { id: plain!, destination: 2 },
        { id: today!, destination: 2, mapping: 5 },
      ]
      assert.equal(await inbox.redrive(moves, 2_000, 'an admin'), 2)
      const changes = [
        { from: 1, to: 2_001 },
        { from: 5, to: 2_005 },
      ]
      const remapping = { destination: 2, moves: changes, after: 0 }
      assert.deepEqual(await inbox.remap({ ...sendLane(one), destination: 2 }, remapping), {
        is: 'done',
        changed: 2,
        given: 0,
      })
      const { leases } = await inbox.claim('send', { now: 9_000, leaseMs: 1, limit: 9, bytesMax: 1e6, room: 8 })
      const there = leases.find(({ destination }) => destination === 2)!
      assert.deepEqual(there.entries.map(({ mapping }) => mapping).sort(), [2_001, 2_005])
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what a destination notes of an entry is its own, and is forgotten when the entry gets another mapping',
    async check(storage) {
      await append(storage, [arrival()])
      await storage.inbox.addDestination(one, 2)
      await append(storage, [arrival()])
      const claims = { now: 2_000, leaseMs: 60_000, limit: 9, bytesMax: 1_000_000, room: 8 }
      const noted = async (now: number) => {
        const { leases } = await storage.inbox.claim('send', { ...claims, now })
        const known = leases.map(({ destination, entries }) => [
          destination,
          entries.at(-1)?.known && Buffer.from(entries.at(-1)!.known!).toString(),
        ])
        return { leases, known: known.sort() }
      }
      const { leases } = await noted(2_000)
      const id = leases[0]!.entries.at(-1)!.id
      for (const lease of leases) {
        const known = Buffer.from(`of ${lease.destination}`)
        assert.equal(await storage.inbox.settle(lease, [to(id, 'same', { known })], idle), true)
      }
      const again = await noted(3_000)
      assert.deepEqual(again.known, [
        [1, 'of 1'],
        [2, 'of 2'],
      ])
      assert.equal(Buffer.from((await storage.lookup.read(id))!.known!).toString(), 'of 1')
      for (const lease of again.leases) {
        const dead = lease.entries.map((entry) => to(entry.id, 'dead', { at: 3_000, reason: 'refused' }))
        assert.equal(await storage.inbox.settle(lease, dead, idle), true)
      }
      assert.equal(await storage.inbox.redrive([{ id }], 4_000, 'an admin'), 1)
      assert.equal((await storage.lookup.read(id))?.known !== undefined, true, 'by the mapping that it had')
      const third = await noted(4_000)
      for (const lease of third.leases)
        await storage.inbox.settle(lease, [to(id, 'dead', { at: 4_000, reason: 'refused' })], idle)
      assert.equal(await storage.inbox.redrive([{ id, mapping: 2_001 }], 5_000, 'an admin'), 1)
      assert.equal((await storage.lookup.read(id))?.known, undefined)
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'what was learnt of an entry that stays where it is comes with it from then on',
    async check(storage) {
      await append(storage, [arrival(), arrival()])
      const lease = await claimed(storage)
      const ids = lease.entries.map(({ id }) => id)
      const known = Buffer.from('sealed')
      assert.equal(await storage.inbox.settle(lease, [to(ids[0]!, 'same', { known })], idle), true)
      const again = await claimed(storage, 'send', { now: 3_000 })
      assert.deepEqual(
        again.entries.map((entry) => entry.known && Buffer.from(entry.known).toString()),
        ['sealed', undefined],
      )
    },
  },
]
