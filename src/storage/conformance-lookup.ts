// biome-ignore-all lint/style/noExcessiveLinesPerFile: the rest of the list in conformance.ts.
/** What every engine must prove about looking at entries, sending them again, and what is counted by the minute. */
import assert from 'node:assert/strict'
import {
  append,
  arrival,
  claimed,
  conserved,
  idle,
  ignored,
  keepAll,
  one,
  other,
  type Promised,
  to,
  total,
} from './conformance.ts'
import { sendLane } from './ports/entry.ts'
import type { Cursor, Query, Shown } from './ports/lookup.ts'
import type { Storage } from './ports/storage.ts'

const minute = 60_000
const hour = 60 * minute

/** Everything that a query finds, page by page. */
async function all(storage: Storage, query: Query, limit = 100): Promise<Shown[]> {
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

async function idsOf(storage: Storage, query: Query, limit?: number): Promise<string[]> {
  return (await all(storage, query, limit)).map(({ messageId }) => messageId)
}

/** Eight entries of two accounts in all states, their messageIds in the order of appending. */
async function variety(storage: Storage): Promise<string[]> {
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
  {
    promise: 'a lane shows what holds or blocks it, and how and when it was tried last',
    async check(storage) {
      await append(storage, [arrival()])
      await storage.inbox.settle(await claimed(storage), [], {
        readyAt: 5_000,
        failures: 2,
        tried: { at: 2_000, lastError: 'segment_503' },
      })
      const lane = async () => (await storage.lookup.lanes(one)).find((shown) => shown.lane === 'send')
      assert.deepEqual(await lane(), {
        lane: 'send',
        destination: 1,
        readyAt: 5_000,
        failures: 2,
        triedAt: 2_000,
        lastError: 'segment_503',
      })
      const lease = await claimed(storage, 'send', { now: 5_000 })
      assert.equal((await lane())?.leaseUntil, 65_000)
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'delivered')], {
        readyAt: 5_000,
        failures: 0,
        tried: { at: 5_001 },
      })
      await storage.inbox.hold(sendLane(one), 'paused')
      assert.deepEqual(await lane(), { lane: 'send', destination: 1, failures: 0, triedAt: 5_001, hold: 'paused' })
      assert.deepEqual(await storage.lookup.lanes(other), [])
    },
  },
  {
    promise: 'what is redriven waits last in the queue under its messageId, and the counts follow',
    async check(storage) {
      const [a, b, c, d] = await variety(storage)
      const idOf = async (message: string | undefined) => (await all(storage, { message: message! }))[0]!.id
      const ids = [await idOf(a), await idOf(b), await idOf(d)]
      const moves = [{ id: ids[0]!, mapping: 2 }, { id: ids[1]! }, { id: ids[2]!, type: 'c_event' }, { id: 999 }]
      assert.equal(await storage.inbox.redrive(moves, 3_000, 'an admin'), 3)
      assert.equal(await storage.inbox.redrive(moves, 3_000, 'an admin'), 0, 'what waits already stays as it is')
      assert.equal(await total(storage, 'delivered'), 1)
      await conserved(storage)
      assert.equal((await claimed(storage)).org, other)
      const { entries } = await claimed(storage, 'send', { now: 3_000 })
      assert.deepEqual(
        entries.slice(-3).map(({ messageId, type, mapping }) => [messageId, type, mapping]),
        [
          [a, 'b_event', 2],
          [b, 'an_event', 1],
          [d, 'c_event', 1],
        ],
      )
      assert.deepEqual(await idsOf(storage, { org: one, states: ['delivered', 'dead', 'quarantined'] }), [c])
      const [again] = await all(storage, { message: a! })
      assert.deepEqual([again?.settledAt, again?.answer, again?.reason], [undefined, undefined, undefined])
    },
  },
  {
    promise: 'an entry driven again can be given to the account it belongs to, its counts with it',
    async check(storage) {
      await append(storage, [arrival({ state: 'quarantined', org: '', type: 'unreadable' })])
      const [found] = await all(storage, { states: ['quarantined'] })
      await storage.inbox.redrive([{ id: found!.id, org: one, type: 'an_event' }], 3_000, 'an admin')
      assert.deepEqual([await total(storage, 'received', ''), await total(storage, 'received', one)], [0, 1])
      assert.equal((await claimed(storage, 'send', { now: 3_000 })).org, one)
      assert.deepEqual(await idsOf(storage, { org: one, type: 'an_event' }), [found!.messageId])
      await conserved(storage)
    },
  },
  {
    promise: 'entries taken away are gone whatever their state, are not found any more, and are counted',
    async check(storage) {
      await variety(storage)
      const mine = (await all(storage, { org: one, contact: '7' })).map(({ id }) => id)
      const [theirs] = await all(storage, { org: other })
      const waiting = (await all(storage, { org: one, type: 'a_event' })).map(({ id }) => id)
      assert.equal(await storage.inbox.take(one, [...mine, ...waiting, theirs!.id]), 3)
      assert.equal(await storage.inbox.take(one, mine), 0)
      assert.deepEqual(await all(storage, { org: one, contact: '7' }), [])
      assert.equal((await all(storage, { org: one })).length, 3)
      assert.equal((await all(storage, { org: other })).length, 1)
      assert.equal(await total(storage, 'expired'), 1)
      await conserved(storage)
    },
  },
  {
    promise: 'what is gone is found by nothing any more',
    async check(storage) {
      const [a] = await variety(storage)
      assert.equal((await idsOf(storage, { org: one, contact: '7' })).length, 2)
      await storage.inbox.expire({ ...keepAll, deliveredBefore: 3_000 })
      assert.deepEqual(await all(storage, { message: a! }), [])
      while ((await storage.inbox.erase(one)) > 0);
      for (const query of [{ org: one }, { org: one, contact: '7' }, { org: one, conversation: '71' }])
        assert.deepEqual(await all(storage, query), [])
    },
  },
  {
    promise: 'time buckets say what happened when, by the minute, later by the hour, and then no more',
    async check(storage) {
      const at = 10 * hour
      const arrivals = [0, 1, minute, hour].map((after) => arrival({ receivedAt: at + after }))
      const odd = arrival({ receivedAt: at, state: 'quarantined', type: 'odd' })
      await append(storage, [...arrivals, odd, arrival({ org: other, receivedAt: at })])
      const lease = await claimed(storage, 'send', { now: at + hour, limit: 2 })
      const [first, second] = lease.entries
      await storage.inbox.settle(lease, [
        to(first!.id, 'delivered', { at: at + minute }),
        to(second!.id, 'dead', { at: at + minute }),
      ])
      const told = async (from: number, until: number) =>
        (await storage.ledger.timeBuckets(one, from, until))
          .map((bucket) => `${(bucket.at - at) / minute} ${bucket.type} ${bucket.outcome} ${bucket.count}`)
          .sort()
      const fine = [
        '0 an_event received 2',
        '0 odd failed 1',
        '0 odd received 1',
        '1 an_event failed 1',
        '1 an_event delivered 1',
        '1 an_event received 1',
        '60 an_event received 1',
      ]
      assert.deepEqual(await told(0, at + 2 * hour), fine)
      assert.deepEqual(await told(at + minute, at + hour), fine.slice(3, 6))
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + minute })
      assert.deepEqual(await told(0, at + 2 * hour), fine)
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour })
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour })
      assert.deepEqual(await told(0, at + 2 * hour), [
        '0 an_event failed 1',
        '0 an_event delivered 1',
        '0 an_event received 3',
        '0 odd failed 1',
        '0 odd received 1',
        '60 an_event received 1',
      ])
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour, hoursBefore: at + hour })
      assert.deepEqual(await told(0, at + 2 * hour), ['60 an_event received 1'])
    },
  },
  {
    promise:
      'time buckets say what was ignored, why, and what was a duplicate, by the minute, later by the hour, and then no more',
    async check(storage) {
      const at = 10 * hour
      const twice = arrival({ receivedAt: at, rememberMs: 9 * hour })
      const again = (receivedAt: number) => ({ ...twice, receivedAt })
      await append(storage, [
        ignored({ receivedAt: at, reason: 'switched_off', type: 'an_event' }),
        ignored({ receivedAt: at + 1, reason: 'switched_off', type: 'an_event' }),
        ignored({ receivedAt: at + 1, reason: 'unknown_type' }),
        ignored({ receivedAt: at + 1, org: other }),
        ignored({ receivedAt: at + minute, reason: 'switched_off', type: 'an_event' }),
        twice,
        again(at + minute),
        again(at + hour),
        // Of accounts that are not installed nothing is counted by account.
        arrival({ org: 'new', state: 'unclaimed', identity: Buffer.from('a'.repeat(16)), receivedAt: at }),
        arrival({ org: 'new', state: 'unclaimed', identity: Buffer.from('a'.repeat(16)), receivedAt: at }),
      ])
      const lease = await claimed(storage, 'send', { now: at })
      await storage.inbox.settle(lease, [to(lease.entries[0]!.id, 'ignored', { at: at + minute })], idle)
      const told = async (org = one) =>
        (await storage.ledger.timeBuckets(org, 0, at + 2 * hour))
          .filter(({ outcome }) => outcome === 'ignored' || outcome === 'duplicate')
          .map((each) => `${(each.at - at) / minute} ${each.type} ${each.outcome} ${each.reason} ${each.count}`)
          .sort()
      const fine = [
        '0 an_event ignored switched_off 2',
        '0 other ignored unknown_type 1',
        '1 an_event duplicate undefined 1',
        '1 an_event ignored empty 1',
        '1 an_event ignored switched_off 1',
        '60 an_event duplicate undefined 1',
      ]
      assert.deepEqual(await told(), fine)
      assert.deepEqual(await told(''), ['0 an_event duplicate undefined 1'])
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + minute })
      assert.deepEqual(await told(), fine)
      for (let round = 0; round < 2; round++) await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour })
      assert.deepEqual(await told(), [
        '0 an_event duplicate undefined 1',
        '0 an_event ignored empty 1',
        '0 an_event ignored switched_off 3',
        '0 other ignored unknown_type 1',
        '60 an_event duplicate undefined 1',
      ])
      await storage.inbox.expire({ ...keepAll, minutesBefore: at + hour, hoursBefore: at + hour })
      assert.deepEqual(await told(), ['60 an_event duplicate undefined 1'])
    },
  },
  {
    promise: 'audit entries are kept in order, each with its account',
    async check({ audit }) {
      await audit.add({ at: 1, org: one, who: 'command line', what: 'paused' })
      await audit.add({ at: 1, org: one, who: 'console', what: 'resumed', about: 'why' })
      await audit.add({ at: 2, org: other, who: 'console', what: 'paused' })
      assert.deepEqual(await audit.list(one, 10), [
        { at: 1, org: one, who: 'console', what: 'resumed', about: 'why' },
        { at: 1, org: one, who: 'command line', what: 'paused' },
      ])
      assert.equal((await audit.list(one, 1)).length, 1)
      const told = async (only: object) => (await audit.list(one, 10, only)).map(({ what }) => what)
      assert.deepEqual(await told({ what: ['paused', 'other'] }), ['paused'])
      assert.deepEqual(await told({ what: [] }), [])
      await audit.add({ at: 5, org: one, who: 'console', what: 'paused' })
      assert.deepEqual(await told({ from: 5 }), ['paused'])
      assert.deepEqual(await told({ to: 5, what: ['resumed'] }), ['resumed'])
    },
  },
  {
    promise: 'the law of conservation holds while entries are driven again and taken away',
    async check(storage) {
      const states = ['delivered', 'dead', 'quarantined'] as const
      for (let round = 0; round < 30; round++) {
        await append(storage, [arrival({ receivedAt: 2_000 }), arrival({ state: 'quarantined' })])
        const lease = await claimed(storage, 'send', { now: 3_000, limit: 3 })
        await storage.inbox.settle(
          lease,
          lease.entries.map(({ id }, at) => to(id, states[(at + round) % 3]!)),
          idle,
        )
        const failing = await all(storage, { org: one, states: [states[round % 3]!] })
        await storage.inbox.redrive(
          failing.slice(0, 2).map(({ id }) => ({ id })),
          3_000,
          'an admin',
        )
        if (round % 7 === 0)
          await storage.inbox.take(
            one,
            failing.map(({ id }) => id),
          )
        await conserved(storage)
      }
    },
  },
]
