/** The console's pages as functions: what each says of what it is given. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Install } from '../../storage/ports/accounts.ts'
import type { LaneShown, Moment, Standing, Total } from '../../storage/ports/lookup.ts'
import { chartOf } from '../console/chart.ts'
import type { Overview } from '../console/health.ts'
import { overviewOf } from '../console/health.ts'
import { auditPage } from './audit.ts'
import { overviewPage } from './overview.ts'
import { ago, counted, lasting } from './parts.ts'

const session = { org: '7', csrf: 'c', who: 'x', provenAt: 0 }
const now = Date.UTC(2026, 10, 24, 12)
const live: Install = {
  org: '7',
  state: 'live',
  settings: '{}',
  writeKey: Buffer.from('sealed'),
  createdAt: 0,
  updatedAt: 0,
  generation: 3,
}

interface World {
  install?: Partial<Install>
  lanes?: LaneShown[]
  standings?: Partial<Standing>[]
  moments?: Moment[]
  totals?: Total[]
}

function worldOf({ standings = [], lanes = [], moments = [], totals = [] }: World) {
  const all = standings.map((one) => ({
    org: '7',
    destination: 1,
    state: 'waiting' as const,
    count: 1,
    oldestReceivedAt: now - 90_000,
    ...one,
  }))
  return {
    ledger: { books: async () => ({ totals, standings: all }), moments: async () => moments },
    lookup: { lanes: async () => lanes, find: async () => ({ entries: [] }) },
  }
}

const look = (world: World): Promise<Overview> => overviewOf(worldOf(world), '7', { ...live, ...world.install }, now)

async function pageOf(world: World): Promise<string> {
  const chart = await chartOf(worldOf(world).ledger, '7', 'hour', now)
  const shows = { span: 'hour', outcome: 'received' } as const
  return String(await overviewPage({ session, now, overview: await look(world), chart, shows, done: [] }))
}

describe('the overview says in a word whether it works, and has the button that mends it', () => {
  const rows: [what: string, world: World, word: string, offers: RegExp | undefined][] = [
    ['all is well', {}, 'Working', undefined],
    ['it is paused', { install: { state: 'paused' } }, 'Paused', /action="\/console\/resume"/],
    [
      'the write key is missing',
      { install: { state: 'waiting_for_key', writeKey: undefined as never } },
      'Worth a look',
      /href="\/console\/settings#segment"/,
    ],
    [
      'Segment refuses the key',
      { lanes: [{ lane: 'send', destination: 1, failures: 0, trouble: 'segment_401' }] },
      'Needs attention',
      /href="\/console\/settings#segment"/,
    ],
    [
      'Drift refuses the grant',
      { install: { state: 'needs_attention', reason: 'grant_dead' } },
      'Needs attention',
      /href="\/connect\?from=console"/,
    ],
    [
      'Segment is down',
      { lanes: [{ lane: 'send', destination: 1, failures: 3, setback: 'segment_503', readyAt: now + 60_000 }] },
      'Worth a look',
      /action="\/console\/retry"/,
    ],
    [
      'some were given up',
      { standings: [{ state: 'dead', count: 2 }] },
      'Worth a look',
      /href="\/console\/events\?state=dead"/,
    ],
    ['some were set aside', { standings: [{ state: 'quarantined' }] }, 'Worth a look', /state=quarantined/],
    ['it has left', { install: { state: 'disconnected' } }, 'Disconnected', /href="\/connect/],
  ]
  for (const [what, world, word, offers] of rows) {
    test(what, async () => {
      const text = await pageOf(world)
      assert.match(text, new RegExp(`badge \\w+ big">${word}<`))
      if (offers) assert.match(text, offers)
      else assert.doesNotMatch(text, /class="notice/)
    })
  }

  test('what waits, and for how long', async () => {
    const overview = await look({ standings: [{ count: 4 }, { state: 'asking', oldestReceivedAt: now - 3_600_000 }] })
    assert.deepEqual([overview.waiting, overview.oldestWaiting], [5, now - 3_600_000])
    assert.match(await pageOf({ standings: [{ count: 4 }] }), /4 events.*the oldest for 1 minute/s)
  })

  test('another account’s events do not count', async () => {
    assert.equal((await look({ standings: [{ org: '8', count: 9 }] })).waiting, 0)
  })

  test('an account that is usually heard of and has fallen silent', async () => {
    const hour = 3_600_000
    const moments = Array.from({ length: 40 }, (_, at) => ({
      at: now - (80 - at) * hour,
      destination: 0,
      type: 'a',
      outcome: 'received' as const,
      count: 1,
    }))
    assert.match(await pageOf({ moments }), /Drift has fallen silent/)
    assert.doesNotMatch(
      await pageOf({ moments: moments.map((one) => ({ ...one, at: one.at + 40 * hour })) }),
      /fallen silent/,
    )
  })
})

test('the overview says for which reasons events were ignored, of this account alone', async () => {
  const ignored = (reason: Total['reason'], count: number, type = 'new_meeting', org = '7'): Total => ({
    ...{ org, destination: 0, type, outcome: 'ignored', count },
    ...(reason ? { reason } : {}),
  })
  const totals = [
    ignored('empty', 1),
    ignored('switched_off', 2_000),
    ignored('empty', 2, 'contact_updated'),
    ignored('disconnected', 5, 'new_meeting', '8'),
  ]
  const page = await pageOf({ totals })
  assert.match(page, />Ignored<[^\n]*>2,003<[^\n]*>switched off: 2,000, nothing to say: 3</)
})

test('a chart puts moments into steps, counts none twice and leaves none out', async () => {
  const moments: Moment[] = [
    { at: now - 59 * 60_000, destination: 0, type: 'a', outcome: 'received', count: 2 },
    { at: now, destination: 0, type: 'a', outcome: 'received', count: 3 },
    { at: now, destination: 0, type: 'b', outcome: 'delivered', count: 5 },
  ]
  const chart = await chartOf({ moments: async () => moments }, '7', 'hour', now)
  assert.deepEqual(chart.total, { received: 5, delivered: 5, aside: 0 })
  const [a] = chart.series
  assert.deepEqual([a!.type, a!.counts.received[0], a!.counts.received[59]], ['a', 2, 3])
  for (const span of ['hour', 'day', 'week'] as const) {
    const asked: number[] = []
    const moments = async (_: string, from: number, to: number) => {
      asked.push(from, to)
      return []
    }
    await chartOf({ moments }, '7', span, now + 1_234)
    const { steps, stepMs, from } = await chartOf({ moments: async () => [] }, '7', span, now + 1_234)
    assert.deepEqual(asked, [from, from + steps * stepMs], 'the asked-for time is what is drawn')
    assert.ok(asked[1]! > now + 1_234 && asked[0]! % stepMs === 0)
  }
})

test('the audit leads from a deed to its event', async () => {
  const deeds = [{ at: now, org: '7', who: 'Drift admin', what: 'looked at data', about: 'drift-abc' }]
  const text = String(await auditPage({ session, deeds, more: 200 }))
  assert.match(text, /href="\/console\/events\/drift-abc"/)
  assert.match(text, /href="\/console\/audit\?show=200"/)
})

test('times and numbers in words', () => {
  assert.deepEqual(
    [0, 999, 1_000, 61_000, 7_200_000, 86_400_000 * 3].map((ms) => lasting(ms)),
    ['0 seconds', '0 seconds', '1 second', '1 minute', '2 hours', '3 days'],
  )
  assert.equal(ago(now, now), 'just now')
  assert.equal(ago(now - 5_000, now), '5 seconds ago')
  assert.deepEqual([counted(1, 'event'), counted(1_234, 'event')], ['1 event', '1,234 events'])
})
