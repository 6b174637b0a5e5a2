import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually, manualClock, whileWaiting } from '../../../test/clock.ts'
import { systemRandom } from '../../lib/random.ts'
import { openHttpClient } from '../../lib/request.ts'
import { type DriftSim, startDrift } from '../../sim/drift.ts'
import { askLane } from '../../storage/ports/entry.ts'
import type { LaneShown } from '../../storage/ports/lookup.ts'
import { type HistoryOfDrift, historyOfDrift } from './ask.ts'
import { type ConversationPlace, conversations, meetings, type Pages } from './read.ts'

const orgId = 5000883
const dayMs = 86_400_000
const start = Date.UTC(2025, 5, 1)
const httpClient = openHttpClient()
let clock: ReturnType<typeof manualClock>
let drift: DriftSim
let stopping: AbortController
let lanes: LaneShown[] = []
let token = ''

beforeEach(async () => {
  clock = manualClock(start)
  drift = await startDrift({ clock })
  stopping = new AbortController()
  lanes = []
  drift.addOrg({ orgId, conversations: Array.from({ length: 250 }, (_, n) => conversation(n + 1)) })
  token = drift.issueToken(orgId, { scopes: ['conversation_read', 'user_read', 'contact_read'] }).accessToken
})
afterEach(() => drift.close())

function conversation(id: number, updatedAt = start - dayMs + id) {
  return { id, contactId: 10_000 + id, status: 'open', createdAt: start - 2 * dayMs + id, updatedAt }
}

function ask(failing: (reason: string | undefined) => void = () => {}): HistoryOfDrift {
  const access = async () => ({ is: 'token', token }) as const
  const grants = { access, renewed: async () => ({ is: 'token', token: drift.issueToken(orgId).accessToken }) as const }
  const needs = {
    grants,
    lookup: { lanes: async () => lanes },
    send: httpClient.send,
    driftUrl: drift.url,
    clock,
    random: systemRandom,
  }
  return historyOfDrift(needs, String(orgId), { confirm: async () => {}, failing, signal: stopping.signal })
}

/** The ids in the order of their pages, how the reading ended, and how many records were not readable. */
async function readAll(pages: Pages, between: (page: number) => void = () => {}) {
  const found: string[][] = []
  let unreadable = 0
  for (;;) {
    const step = await whileWaiting(clock, pages.next())
    if (step.done) return { found, unreadable, end: step.value.is }
    found.push(step.value.listed.map(({ id }) => id))
    unreadable += step.value.unreadable
    between(found.length)
  }
}
const numbered = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => String(from - n))

describe('conversations', () => {
  test('are read from the last updated to the first, and no page behind the time that is wanted', async () => {
    assert.deepEqual(await readAll(conversations(ask(), 0)), {
      found: [numbered(250, 151), numbered(150, 51), numbered(50, 1)],
      unreadable: 0,
      end: 'end',
    })
    const { found } = await readAll(conversations(ask(), start - dayMs + 160))
    assert.deepEqual(found, [numbered(250, 151), numbered(150, 51)])
  })

  test('another process goes on at the page where the one before was', async () => {
    const places: (ConversationPlace | undefined)[] = []
    await readAll(
      conversations(ask(), 0, {}, (place) => places.push(JSON.parse(JSON.stringify(place ?? null)) ?? undefined)),
    )
    assert.equal(places[2], undefined)
    const { found } = await readAll(conversations(ask(), 0, places[1]))
    assert.deepEqual(found, [numbered(50, 1)])
  })

  test('every one is found whatever is odd about the pages', async () => {
    const { lists } = drift.settings
    lists.odd.add('records').add('repeats').add('empty_pages').add('foreign_next').add('no_times').add('loop')
    for (const paging of ['links', 'pagination', 'both'] as const) {
      lists.paging = paging
      const { found, unreadable, end } = await readAll(conversations(ask(), 0))
      assert.deepEqual(new Set(found.flat()), new Set(numbered(250, 1)), paging)
      assert.ok(unreadable > 0)
      assert.equal(end, 'end')
    }
  })

  test('in a list that is read by position, what is pushed to the next page is read twice, not passed over', async () => {
    drift.settings.lists.paging = 'pagination'
    const touch = (page: number) =>
      void (page === 1 && drift.addOrg({ orgId, conversations: [conversation(251, start)] }))
    const { found } = await readAll(conversations(ask(), 0), touch)
    assert.deepEqual(new Set(found.flat()), new Set(numbered(250, 1)))
  })

  test('a token that Drift has forgotten begins the list again, and not without end', async () => {
    const forgotten = {
      status: 400,
      body: { errors: [{ type: 'validation_error', message: 'no', param: 'page_token' }] },
    }
    let times = 0
    drift.script('/conversations/list', ({ query }) => (query.has('page_token') && times++ < 2 ? forgotten : undefined))
    const { found, end } = await readAll(conversations(ask(), 0))
    assert.deepEqual(new Set(found.flat()), new Set(numbered(250, 1)))
    assert.equal(end, 'end')
    drift.script('/conversations/list', ({ query }) => (query.has('page_token') ? forgotten : undefined))
    assert.equal((await readAll(conversations(ask(), 0))).end, 'refused')
  })

  test('where the grant does not reach, the reading says so', async () => {
    token = drift.issueToken(orgId, { scopes: ['contact_read'] }).accessToken
    assert.equal((await readAll(conversations(ask(), 0))).end, 'forbidden')
  })
})

describe('meetings', () => {
  test('of the last 30 days and of those to come are all read, though one answer has at most a thousand', async () => {
    drift.settings.lists.meetingsMax = 1_000
    const times = Array.from({ length: 1_500 }, (_, n) => start - 29 * dayMs + n * 3_600_000)
    drift.addOrg({
      orgId,
      meetings: times.map((at, n) => ({ eventId: `m-${n}`, slotStart: at, scheduledAt: at - dayMs })),
    })
    const { found, end } = await readAll(meetings(ask(), start))
    assert.deepEqual([new Set(found.flat()).size, end], [1_500, 'end'])
  })

  test('a list that keeps to no window ends', async () => {
    const records = Array.from({ length: 1_000 }, (_, n) => ({
      eventId: `m-${n}`,
      slotStart: start,
      scheduledAt: start,
    }))
    drift.script('/users/meetings/org', { body: { data: records } })
    const reading = readAll(meetings(ask(), start))
    let end = ''
    void reading.then((ended) => (end = ended.end))
    await eventually(() => {
      clock.advance(500)
      return end !== ''
    })
    assert.equal(end, 'endless')
  })

  test('where the grant does not reach, the reading says so', async () => {
    token = drift.issueToken(orgId, { scopes: ['conversation_read'] }).accessToken
    assert.deepEqual(await readAll(meetings(ask(), start)), { found: [], unreadable: 0, end: 'forbidden' })
  })
})

describe('asking', () => {
  test('goes on through failures, refusals and pages that are not JSON, at half the speed after a 429', async () => {
    drift.script('/conversations/list', [
      { status: 500 },
      { reset: 'before' },
      { saidInstead: '{"data": [' },
      { status: 429, headers: { 'retry-after': '6' } },
    ])
    const said: unknown[] = []
    const asked = ask((reason) => said.push(reason))
    const before = clock.now()
    const { found } = await readAll(conversations(asked, 0))
    assert.equal(found.flat().length, 250)
    assert.ok(clock.now() - before >= 6_000)
    assert.equal(asked.everyMs(), 440)
    assert.deepEqual(said, ['drift_unreadable', 'drift_429', undefined])
  })

  test('one contact that Drift fails to look up does not keep the others waiting for ever, and an outage of Drift ends nothing', async () => {
    const asked = ask()
    drift.script('/contacts/*', { status: 500 })
    const one = asked.contact('7')
    let is = 'waiting'
    void one.then((answer) => (is = answer.is))
    await eventually(() => {
      clock.advance(60_000)
      return drift.count('/contacts/*') > 12
    })
    assert.equal(is, 'waiting')
    await whileWaiting(clock, asked.conversations(100))
    await eventually(() => {
      clock.advance(60_000)
      return is !== 'waiting'
    })
    assert.equal(is, 'unanswered')
  })

  test('why Drift answers nothing is known while it is so', async () => {
    drift.script('/conversations/list', { status: 502 })
    const said: unknown[] = []
    const page = ask((reason) => said.push(reason)).conversations(100)
    await eventually(() => {
      clock.advance(1_000)
      return said.length > 0
    })
    assert.ok(drift.count('/conversations/list') >= 3)
    drift.script('/conversations/list', undefined)
    await whileWaiting(clock, page)
    assert.deepEqual(said, ['drift_502', undefined])
  })

  test('an outage that begins after another answer makes no contact unanswered', async () => {
    drift.script('/contacts/*', { status: 500 })
    const asked = ask()
    let is = 'waiting'
    void asked.contact('7').then((answer) => (is = answer.is))
    await eventually(() => {
      clock.advance(100)
      return drift.count('/contacts/*') > 0
    })
    await whileWaiting(clock, asked.conversations(100))
    drift.script('/conversations/list', { status: 500 })
    await eventually(() => {
      clock.advance(60_000)
      return drift.count('/contacts/*') > 12
    })
    assert.equal(is, 'waiting')
    drift.script('/conversations/list', undefined)
    await eventually(() => {
      clock.advance(60_000)
      return is !== 'waiting'
    })
    assert.equal(is, 'unanswered')
  })

  test('a token that Drift does not accept is renewed once; when the new one is refused too, the grant is not good', async () => {
    token = 'old'
    assert.equal((await readAll(conversations(ask(), 0))).end, 'end')
    drift.script('/conversations/list', { status: 401, body: { error: 'invalid_token', error_description: 'no' } })
    assert.equal((await readAll(conversations(ask(), 0))).end, 'no_grant')
  })

  test('live look-ups of the account go first, and it goes on behind them at last', async () => {
    const key = askLane(String(orgId))
    lanes = [{ ...key, failures: 0, readyAt: start }]
    const page = conversations(ask(), 0).next()
    clock.advance(9_000)
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    assert.equal(drift.count('/conversations/list'), 0)
    lanes = []
    await whileWaiting(clock, page)
    lanes = [{ ...key, failures: 0, leaseUntil: clock.now() + 10 * dayMs }]
    const since = clock.now()
    await whileWaiting(clock, conversations(ask(), 0).next())
    assert.ok(clock.now() - since >= 10_000)
  })

  test('a report counts what was updated on some days', async () => {
    assert.deepEqual(await whileWaiting(clock, ask().count('2025-05-01', '2025-06-01')), { is: 'count', count: 250 })
  })
})
