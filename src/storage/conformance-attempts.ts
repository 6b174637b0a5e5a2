/** What every engine promises of an entry's history: each attempt, look-up and resend, for as long as the entry. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, conserved, idle, one, other, type Promised, to } from './conformance.ts'
import type { Attempt } from './ports/entry.ts'
import type { EntryHistory } from './ports/lookup.ts'
import type { Storage } from './ports/storage.ts'

const attempt = (said: Partial<Attempt> = {}): Attempt => {
  return { at: 2_000, ms: 12, status: 200, many: 1, tries: 1, ...said }
}
const refused = (said: Partial<Attempt> = {}) =>
  attempt({ status: 400, reason: 'segment_400', excerpt: Buffer.from('sealed answer'), ...said })

async function idOf({ lookup }: Storage, message: string): Promise<number> {
  return (await lookup.find({ message }, { limit: 1 })).entries[0]!.id
}

async function historyOf(storage: Storage, message: string): Promise<EntryHistory> {
  const { steps, leftOut } = await storage.lookup.history(await idOf(storage, message))
  const plain = steps.map(({ attempt: made, ...step }) => {
    if (!made) return step
    return { ...step, attempt: { ...made, ...(made.excerpt ? { excerpt: Buffer.from(made.excerpt) } : {}) } }
  })
  return { steps: plain, leftOut }
}

/** One look-up that fails and one that is answered, a batch that is refused, an outage, and a delivery. */
async function longWay(storage: Storage): Promise<string> {
  const { inbox } = storage
  const asking = arrival({ state: 'asking', conversation: '70' })
  const { messageId } = asking
  await append(storage, [asking])
  const id = await idOf(storage, messageId)
  const missing = attempt({ status: 404, reason: 'conversation_missing', nextAt: 2_500 })
  await inbox.settle(await claimed(storage, 'ask'), [to(id, 'asking', { dueAt: 2_500, attempt: missing })], idle)
  const expired = attempt({ at: 2_600, status: 401, reason: 'drift_token_refused' })
  const answered = attempt({ at: 2_610 })
  const asked = await claimed(storage, 'ask', { now: 2_600 })
  await inbox.settle(asked, [to(id, 'waiting', { contact: '7', attempt: answered, earlier: [expired] })], idle)
  const outage = attempt({ at: 3_000, status: 0, reason: 'TIMEOUT', tries: 1, nextAt: 3_500 })
  await inbox.settle(await claimed(storage, 'send', { now: 3_000 }), [to(id, 'same', { attempt: outage })], idle)
  const [batch, half] = [refused({ at: 4_000, many: 4 }), refused({ at: 4_010, many: 2 })]
  const last = { attempt: attempt({ at: 4_020, tries: 2 }), earlier: [batch, half] }
  await inbox.settle(await claimed(storage, 'send', { now: 4_000 }), [to(id, 'delivered', last)], idle)
  return messageId
}

export const attemptPromises: readonly Promised[] = [
  {
    promise:
      'the history of an entry has every look-up and attempt in order, with its answer and what was to come next',
    async check(storage) {
      const messageId = await longWay(storage)
      const { steps, leftOut } = await historyOf(storage, messageId)
      assert.deepEqual(
        steps.map(({ destination, outcome, attempt: made }) => [destination, outcome, made?.at, made?.status]),
        [
          [0, 'later', 2_000, 404],
          [0, 'later', 2_600, 401],
          [0, 'answered', 2_610, 200],
          [1, 'later', 3_000, 0],
          [1, 'later', 4_000, 400],
          [1, 'later', 4_010, 400],
          [1, 'delivered', 4_020, 200],
        ],
      )
      assert.equal(leftOut, 0)
      assert.deepEqual(steps[0]!.attempt, attempt({ status: 404, reason: 'conversation_missing', nextAt: 2_500 }))
      assert.deepEqual(steps[4]!.attempt, refused({ at: 4_000, many: 4 }))
      assert.deepEqual(steps[6]!.attempt, attempt({ at: 4_020, tries: 2 }))
      const [shown] = (await storage.lookup.find({ message: messageId }, { limit: 1 })).entries
      assert.deepEqual([shown?.state, shown?.answer], ['delivered', { status: 200, many: 1, tries: 2 }])
      assert.deepEqual(await storage.lookup.history(1e12), { steps: [], leftOut: 0 })
      await conserved(storage)
    },
  },
  {
    promise: 'a look-up that stops with its lane is kept in the history, and the entry asks again as before',
    async check(storage) {
      const asking = arrival({ state: 'asking', dueAt: 1_500 })
      await append(storage, [asking])
      const id = await idOf(storage, asking.messageId)
      const stopped = attempt({ status: 503, reason: 'drift_503', nextAt: 2_200 })
      const ending = { readyAt: 2_200, failures: 1 }
      await storage.inbox.settle(await claimed(storage, 'ask'), [to(id, 'same', { attempt: stopped })], ending)
      const { steps } = await historyOf(storage, asking.messageId)
      assert.deepEqual(steps, [{ destination: 0, outcome: 'later', attempt: stopped }])
      const [shown] = (await storage.lookup.find({}, { limit: 1 })).entries
      assert.deepEqual([shown?.state, shown?.dueAt, shown?.answer], ['asking', 1_500, undefined])
      const again = await claimed(storage, 'ask', { now: 2_200 })
      assert.deepEqual([again.entries[0]?.id, again.entries[0]?.failures], [id, 0])
    },
  },
  {
    promise:
      'what was said of an answer goes with the first of its events that is taken away, the attempt with the last',
    async check(storage) {
      const events = [arrival(), arrival(), arrival()]
      await append(storage, events)
      const [first, second, third] = events.map(({ messageId }) => messageId)
      const lease = await claimed(storage)
      const batch = refused({ many: 3 })
      const alone = [refused({ many: 1, at: 2_010 }), attempt({ many: 2, at: 2_020 })]
      await storage.inbox.settle(
        lease,
        [
          to(lease.entries[0]!.id, 'dead', { reason: 'segment_400', attempt: alone[0]!, earlier: [batch] }),
          ...lease.entries.slice(1).map(({ id }) => to(id, 'delivered', { attempt: alone[1]!, earlier: [batch] })),
        ],
        idle,
      )
      const shared = async (message: string) => (await historyOf(storage, message)).steps[0]!.attempt
      assert.deepEqual(await shared(second!), batch)
      await storage.inbox.take(one, [await idOf(storage, first!)])
      const { excerpt: _, ...rest } = batch
      assert.deepEqual([await shared(second!), await shared(third!)], [rest, rest])
      await storage.inbox.take(one, [await idOf(storage, second!)])
      assert.deepEqual(await shared(third!), rest)
      assert.deepEqual((await historyOf(storage, third!)).steps[1]!.attempt, alone[1])
      await storage.inbox.take(one, [await idOf(storage, third!)])
      await conserved(storage)
    },
  },
  {
    promise: 'of a long run of attempts the first five, the last twenty and the number of the others are shown',
    async check(storage) {
      const event = arrival()
      await append(storage, [event])
      const id = await idOf(storage, event.messageId)
      for (let tries = 1; tries <= 60; tries++) {
        const lease = await claimed(storage)
        await storage.inbox.settle(lease, [to(id, 'same', { attempt: attempt({ status: 503, tries }) })], idle)
      }
      const { steps, leftOut } = await historyOf(storage, event.messageId)
      const tries = steps.map((step) => step.attempt?.tries)
      assert.deepEqual(tries.slice(0, 5), [1, 2, 3, 4, 5])
      assert.deepEqual(tries.at(-1), 60)
      assert.deepEqual([steps.length, leftOut], [25, 35])
      assert.ok(steps.every((step) => step.attempt))
    },
  },
  {
    promise: 'the history says by whom an entry was sent again, and when, at each destination',
    async check(storage) {
      const { inbox } = storage
      const [event, strange] = [arrival(), arrival({ state: 'quarantined', reason: 'odd' })]
      await append(storage, [event, strange])
      await inbox.addDestination(one, 2)
      const [id, oddId] = [await idOf(storage, event.messageId), await idOf(storage, strange.messageId)]
      await inbox.settle(await claimed(storage), [to(id, 'dead', { reason: 'x', attempt: refused() })], idle)
      assert.equal(await inbox.redrive([{ id }, { id: oddId }], 5_000, 'an admin'), 2)
      const resent = { at: 5_000, who: 'an admin' }
      const { steps } = await historyOf(storage, event.messageId)
      assert.deepEqual(steps, [
        { destination: 1, outcome: 'dead', attempt: refused() },
        { destination: 1, outcome: 'resent', resent },
      ])
      assert.deepEqual((await historyOf(storage, strange.messageId)).steps, [
        { destination: 1, outcome: 'resent', resent },
        { destination: 2, outcome: 'resent', resent },
      ])
      await inbox.take(one, [oddId])
      assert.deepEqual((await historyOf(storage, event.messageId)).steps[1], steps[1])
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'of an account that is erased no attempt is left, and those of another stay',
    async check(storage) {
      const [mine, theirs] = [arrival(), arrival({ org: other })]
      await append(storage, [mine, theirs])
      const { leases } = await storage.inbox.claim('send', {
        now: 2_000,
        leaseMs: 60_000,
        limit: 10,
        bytesMax: 1_000_000,
        room: 8,
      })
      for (const lease of leases)
        await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'dead', { attempt: refused() })], idle)
      const id = await idOf(storage, mine.messageId)
      while ((await storage.inbox.erase(one)) > 0);
      assert.deepEqual(await storage.lookup.history(id), { steps: [], leftOut: 0 })
      assert.deepEqual((await historyOf(storage, theirs.messageId)).steps[0]?.attempt, refused())
    },
  },
]
