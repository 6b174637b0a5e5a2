/** What every engine promises of looking at entries: lists, tallies, one entry. */
import assert from 'node:assert/strict'
import { append, arrival, claimed, idle, one, other, type Promised, to } from './conformance.ts'
import { sendLane } from './ports/entry.ts'
import type { Cursor, Query, Shown } from './ports/lookup.ts'
import type { Storage } from './ports/storage.ts'

const minute = 60_000
const hour = 60 * minute

/** Everything that a query finds, page by page. */
export async function all(storage: Storage, query: Query, limit = 100): Promise<Shown[]> {
  const found: Shown[] = []
  let next: Cursor | undefined
  do {
    const page = await storage.lookup.find(query, { limit, ...(next ? { before: next } : {}) })
    assert.ok(page.entries.length <= limit)
    found.push(...page.entries)
    next = page.next
  } while (next)
  return found
}

export async function idsOf(storage: Storage, query: Query, limit?: number): Promise<string[]> {
  return (await all(storage, query, limit)).map(({ messageId }) => messageId)
}

/** Eight entries of two accounts in all states, their messageIds in the order of appending. */
export async function variety(storage: Storage): Promise<string[]> {
  const arrivals = [
    arrival({ receivedAt: 1_000, contact: '7', conversation: '70', type: 'b_event' }),
    arrival({ receivedAt: 1_100, contact: '7' }),
    arrival({ receivedAt: 1_100, contact: '8' }),
    arrival({ receivedAt: 1_200, state: 'quarantined', reason: 'odd', type: 'b_event', sealed: Buffer.alloc(9) }),
    arrival({ receivedAt: 1_300, state: 'unclaimed', org: '9', reason: 'not_installed' }),
    arrival({ receivedAt: 1_400, org: other, contact: '7', conversation: '70' }),
    arrival({ receivedAt: 1_500, conversation: '71' }),
    arrival({ receivedAt: 1_600, type: 'a_event' }),
  ]
  await append(storage, arrivals)
  const lease = await claimed(storage)
  const [first, second, third, fourth] = lease.entries.map(({ id }) => id)
  const attempt = { at: 1_990, ms: 10, status: 200, many: 2, tries: 3 }
  await storage.inbox.settle(
    lease,
    [
      to(first!, 'delivered', { attempt }),
      to(second!, 'dead', { reason: 'segment_400', attempt: { ...attempt, status: 400, many: 1 } }),
      to(third!, 'delivered', { attempt }),
      to(fourth!, 'asking', { reason: 'conversation_missing', dueAt: 9_000 }),
    ],
    idle,
  )
  return arrivals.map(({ messageId }) => messageId)
}

export const lookupPromises: readonly Promised[] = [
  {
    promise: 'a query finds what it names and nothing else, newest first, in pages of any size',
    async check(storage) {
      const [a, b, c, d, e, f, g, h] = await variety(storage)
      const queries: [Query, (string | undefined)[]][] = [
        [{}, [h, g, f, e, d, c, b, a]],
        [{ org: one }, [h, g, d, c, b, a]],
        [{ org: other }, [f]],
        [{ org: '1' }, []],
        [{ message: c! }, [c]],
        [{ org: other, message: c! }, []],
        [{ org: one, contact: '7' }, [b, a]],
        [{ org: one, contact: '70' }, []],
        [{ org: one, conversation: '70' }, [a]],
        [{ org: other, conversation: '70' }, [f]],
        [{ org: one, conversation: '71' }, [g]],
        [{ org: one, either: '70' }, [a]],
        [{ org: one, either: '7' }, [b, a]],
        [{ org: one, either: '71', states: ['asking'] }, [g]],
        [{ org: one, type: 'b_event', states: ['dead', 'quarantined'] }, [d]],
        [{ org: one, states: [] }, []],
        [{ org: one, type: 'b_event' }, [d, a]],
        [{ org: one, states: ['delivered'] }, [c, a]],
        [{ org: one, states: ['dead', 'quarantined'] }, [d, b]],
        [{ org: one, states: ['waiting', 'asking', 'dead'] }, [h, g, b]],
        [{ states: ['unclaimed'] }, [e]],
        [{ org: one, reason: 'odd' }, [d]],
        [{ org: one, reason: 'conversation_missing' }, [g]],
        [{ org: one, states: ['dead', 'quarantined'], notReason: 'odd' }, [b]],
        [{ org: one, from: 1_100, to: 1_200 }, [c, b]],
        [{ org: one, from: 1_500 }, [h, g]],
        [{ org: one, contact: '7', type: 'an_event', states: ['dead'], from: 1_000, to: 2_000 }, [b]],
      ]
      for (const [query, wanted] of queries)
        for (const limit of [100, 1, 2]) assert.deepEqual(await idsOf(storage, query, limit), wanted)
    },
  },
  {
    promise: 'an entry is shown as it is: what became of it and why, what Segment answered, what is to come',
    async check(storage) {
      const [a, b, , d, , , g, h] = await variety(storage)
      const [delivered] = await all(storage, { message: a! })
      assert.deepEqual(
        { ...delivered, id: 0, bytes: 0, body: undefined },
        {
          id: 0,
          org: one,
          type: 'b_event',
          state: 'delivered',
          messageId: a,
          receivedAt: 1_000,
          mapping: 1,
          failures: 0,
          contact: '7',
          conversation: '70',
          settledAt: 2_000,
          answer: { status: 200, many: 2, tries: 3 },
          bytes: 0,
          body: undefined,
          destination: 1,
        },
      )
      const shown = async (message: string | undefined) => (await all(storage, { message: message! }))[0]
      assert.deepEqual([(await shown(b))?.reason, (await shown(b))?.answer?.status], ['segment_400', 400])
      assert.deepEqual([(await shown(d))?.reason, (await shown(d))?.bytes], ['odd', 9])
      assert.deepEqual([(await shown(g))?.state, (await shown(g))?.dueAt], ['asking', 9_000])
      await storage.inbox.hold(sendLane(one), 'paused')
      assert.equal((await shown(h))?.reason, 'paused')
    },
  },
  {
    promise: 'what holds a lane is not a reason of what was delivered before',
    async check(storage) {
      const [a, , , , , , , h] = await variety(storage)
      await storage.inbox.hold(sendLane(one), 'paused')
      assert.deepEqual(await idsOf(storage, { org: one, reason: 'paused' }), [h])
      assert.equal((await all(storage, { message: a! }))[0]?.reason, undefined)
    },
  },
  {
    promise: 'a tally says how many a query finds in each state and for each reason, of one account',
    async check(storage) {
      await variety(storage)
      const told = async (query: Omit<Query, 'org'>, org = one) => {
        const { rows, isCut } = await storage.lookup.tally({ ...query, org })
        assert.equal(isCut, false)
        return rows.map(({ state, reason, count }) => `${count} ${state} ${reason}`).sort()
      }
      const whole = ['1 asking conversation_missing', '1 dead segment_400', '1 quarantined odd', '1 waiting undefined']
      assert.deepEqual(await told({}), [...whole, '2 delivered undefined'].sort())
      assert.deepEqual(await told({}, other), ['1 waiting undefined'])
      assert.deepEqual(await told({}, '1'), [])
      assert.deepEqual(await told({ contact: '7' }), ['1 dead segment_400', '1 delivered undefined'])
      assert.deepEqual(await told({ either: '71' }), ['1 asking conversation_missing'])
      assert.deepEqual(await told({ type: 'b_event' }), ['1 delivered undefined', '1 quarantined odd'])
      assert.deepEqual(await told({ states: ['dead'] }), ['1 dead segment_400'])
      assert.deepEqual(await told({ reason: 'odd' }), ['1 quarantined odd'])
      assert.deepEqual(await told({ from: 1_100, to: 1_200 }), ['1 dead segment_400', '1 delivered undefined'])
      await storage.inbox.hold(sendLane(one), 'paused')
      assert.deepEqual(await told({ from: 1_600 }), ['1 waiting paused'])
    },
  },
  {
    promise: 'a time is found among many, and tally and list agree about it, also after some were driven again',
    async check(storage) {
      // More than one body, of two hours; of another account between them.
      const arrivals = Array.from({ length: 240 }, (_, at) => [
        arrival({ receivedAt: hour + at * 30_000 }),
        arrival({ org: other, receivedAt: hour + at * 30_000 }),
      ]).flat()
      for (let at = 0; at < arrivals.length; at += 60) await append(storage, arrivals.slice(at, at + 60))
      const mine = arrivals.filter(({ org }) => org === one)
      let lease = await claimed(storage, 'send', { now: 3 * hour, limit: 200 })
      if (lease.org !== one) lease = await claimed(storage, 'send', { now: 3 * hour, limit: 200 })
      await storage.inbox.settle(
        lease,
        lease.entries.map(({ id }, at) =>
          to(id, at % 10 === 0 ? 'dead' : 'delivered', at % 10 === 0 ? { reason: 'odd' } : {}),
        ),
        idle,
      )
      const dead = await all(storage, { org: one, states: ['dead'] })
      await storage.inbox.redrive(
        dead.slice(0, 5).map(({ id }) => ({ id })),
        3 * hour,
        'an admin',
      )
      const ranges = [
        [undefined, undefined],
        [hour + 20 * minute, hour + 100 * minute],
        [hour + 20 * minute, undefined],
        [undefined, hour + 100 * minute],
        [hour + 60 * minute, hour + 61 * minute],
        [9 * hour, undefined],
        [undefined, 5],
      ] as const
      for (const [from, until] of ranges) {
        const time = { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { to: until }) }
        const wanted = mine.filter(({ receivedAt: at }) => at >= (from ?? 0) && at < (until ?? Number.MAX_VALUE))
        const found = await all(storage, { org: one, ...time }, 50)
        assert.deepEqual(
          found.map(({ messageId }) => messageId),
          wanted.map(({ messageId }) => messageId).reverse(),
        )
        const outcomes: Record<string, number> = {}
        for (const { state } of found) outcomes[state] = (outcomes[state] ?? 0) + 1
        const { rows } = await storage.lookup.tally({ org: one, ...time })
        assert.deepEqual(Object.fromEntries(rows.map(({ state, count }) => [state, count])), outcomes)
      }
      assert.equal((await all(storage, { from: hour + 60 * minute, to: hour + 61 * minute })).length, 4)
    },
  },
  {
    promise: 'beside an entry stand the ones of the same contact that were kept before and after it',
    async check(storage) {
      const kept = ['7', '8', '7', '7'].map((contact) => arrival({ contact }))
      await append(storage, [...kept, arrival(), arrival({ org: other, contact: '7' })])
      const [first, , second, third] = kept.map(({ messageId }) => messageId)
      const of = async (message: string) => {
        const [{ id } = { id: 0 }] = (await storage.lookup.find({ message }, { limit: 1 })).entries
        return storage.lookup.beside(id)
      }
      assert.deepEqual(await of(first!), { next: second })
      assert.deepEqual(await of(second!), { previous: first, next: third })
      assert.deepEqual(await of(third!), { previous: second })
      assert.deepEqual(await of(kept[1]!.messageId), {})
      assert.deepEqual(await storage.lookup.beside(999), {})
    },
  },
  {
    promise: 'an entry is read with what is sealed of it',
    async check(storage) {
      await append(storage, [arrival({ sealed: Buffer.from([0, 1, 255]), state: 'asking' })])
      const asking = await claimed(storage, 'ask')
      const { id } = asking.entries[0]!
      await storage.inbox.settle(asking, [to(id, 'waiting', { contact: '9', known: Buffer.from('answer') })], idle)
      const read = (await storage.lookup.read(id))!
      assert.deepEqual([...read.body!.sealed], [0, 1, 255])
      assert.equal(Buffer.from(read.known!).toString(), 'answer')
      assert.equal(read.contact, '9')
      assert.equal(await storage.lookup.read(id + 1), undefined)
    },
  },
  {
    promise: 'what is learnt of an entry later is found by it, also beside other entries of the same conversation',
    async check(storage) {
      await append(storage, [arrival({ conversation: '70' }), arrival({ conversation: '70' })])
      assert.equal((await idsOf(storage, { org: one, conversation: '70' })).length, 2)
      const lease = await claimed(storage)
      await storage.inbox.settle(
        lease,
        lease.entries.map(({ id }) => to(id, 'delivered', { contact: '9' })),
        idle,
      )
      assert.equal((await idsOf(storage, { org: one, contact: '9' })).length, 2)
      assert.equal((await idsOf(storage, { org: one, conversation: '70' })).length, 2)
    },
  },
]
