/** What every engine promises of keeping: what is new, what is known already, what is only counted. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  conserved,
  hourMs,
  identityAt,
  ignored,
  keepAll,
  nothingDue,
  one,
  type Promised,
  sealedOf,
  total,
} from './conformance.ts'

export const appendPromises: readonly Promised[] = [
  {
    promise: 'what was appended is claimed whole, byte for byte, in the order of appending',
    async check(storage) {
      const odd = [
        Buffer.from([0, 255, 254, 0x80]),
        Buffer.alloc(0),
        Buffer.from('\u0000 😀 \u2028'),
        Buffer.alloc(256 * 1024, 7),
      ]
      const sent = odd.map((sealed) => arrival({ sealed }))
      assert.deepEqual(
        await append(storage, sent),
        sent.map(() => 'stored'),
      )
      const lease = await claimed(storage)
      const { entries, org } = lease
      assert.equal(org, one)
      assert.deepEqual(
        entries.map(({ messageId }) => messageId),
        sent.map(({ messageId }) => messageId),
      )
      entries.forEach((entry, index) => {
        assert.ok(sealedOf(lease, entry).equals(odd[index]!))
        assert.equal(entry.type, 'an_event')
        assert.equal(entry.receivedAt, 1_000)
        assert.equal(entry.failures, 0)
      })
    },
  },
  {
    promise: 'concurrent appends each get their own answer, and nothing is mixed up',
    async check(storage) {
      const twice = arrival()
      const batches = Array.from({ length: 50 }, (_, n) => (n % 10 === 3 ? [arrival(), { ...twice }] : [arrival()]))
      const answers = await Promise.all(batches.map((batch) => append(storage, batch)))
      assert.deepEqual(
        answers.map(({ length }) => length),
        batches.map(({ length }) => length),
      )
      const flat = answers.flat()
      assert.equal(flat.filter((answer) => answer === 'duplicate').length, 4)
      assert.equal((await claimed(storage)).entries.length, 51)
    },
  },
  {
    promise: 'an equal identity is a duplicate until its memory runs out, counted from the first, and then new again',
    async check(storage) {
      const first = arrival({ rememberMs: 600 })
      const again = (receivedAt: number) =>
        append(storage, [{ ...arrival(), identity: first.identity, rememberMs: 600, receivedAt }])
      await append(storage, [first])
      assert.deepEqual(await again(1_400), ['duplicate'])
      assert.deepEqual(await again(1_599), ['duplicate'])
      assert.deepEqual(await again(1_600), ['stored'])
      assert.deepEqual(await again(2_100), ['duplicate'])
      assert.equal(await total(storage, 'received'), 2)
      assert.equal(await total(storage, 'duplicate'), 3)
      assert.equal((await claimed(storage)).entries.length, 2)
      await conserved(storage)
    },
  },
  {
    promise:
      'an event is one event for its month, however far from its receipt the time is that its identity begins with',
    async check(storage) {
      const day = 24 * hourMs
      const receivedAt = Date.UTC(2026, 10, 1)
      const times = [0, Date.UTC(2010), receivedAt - day, receivedAt, Date.UTC(2027, 10), 2 ** 32 * 1_000 - 1]
      const made = times.map((time) => arrival({ identity: identityAt(time), receivedAt, rememberMs: 30 * day }))
      const again = (at: number) =>
        made.map(({ identity, rememberMs }) => arrival({ identity, rememberMs, receivedAt: at }))
      await append(storage, made)
      for (const [after, told] of [
        [29, 'duplicate'],
        [31, 'stored'],
      ] as const) {
        const now = receivedAt + after * day
        for (let step = 0; step < 4; step++) await storage.inbox.expire({ ...keepAll, now, youngAfter: now - 30 * day })
        assert.deepEqual(
          await append(storage, again(now)),
          times.map(() => told),
        )
      }
    },
  },
  {
    promise: 'what is ignored is counted and leaves nothing',
    async check(storage) {
      assert.deepEqual(await append(storage, [ignored(), ignored()]), ['ignored', 'ignored'])
      assert.equal(await total(storage, 'ignored'), 2)
      await nothingDue(storage)
      await conserved(storage)
    },
  },
]
