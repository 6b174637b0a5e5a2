/**
 * Every answer that Segment can give to a batch, or fail to give, as a table: what it means for the events in it, that
 * whatever is sent again is the same, and that the counts add up after every one.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { type RawServer, startRaw } from '../../test/raw-server.ts'
import { org, type Stage, startStage } from '../../test/stage.ts'
import { addsUp, outcomesOf } from '../operations/totals.ts'
import type { SegmentAction } from '../sim/index.ts'

const minute = 60_000
let stage: Stage
beforeEach(async () => {
  stage = await startStage()
  await stage.install()
  for (let vary = 0; vary < 3; vary++) await stage.arrive('new_conversation', { vary })
})
afterEach(async () => {
  const { ledger } = stage.storage
  const outcomes = outcomesOf(await ledger.totals(), await ledger.backlog())
  assert.ok(addsUp(outcomes) && outcomes.received === 3, JSON.stringify(outcomes))
  sameEachTime()
  await stage.close()
})

const accepted = () => stage.sims.segment.accepted.length
const backlogNow = async () => (await stage.backlog()).map(({ state, reason, count }) => [state, reason, count])
const state = async () => (await stage.storage.installs.get(String(org)))?.state
const sending = async () => (await stage.storage.lookup.lanes(String(org))).find(({ lane }) => lane === 'send')!
const sends = async () => {
  while (await stage.step('send'));
}

/** Whatever was sent more than once was the same, whole. */
function sameEachTime(): void {
  const texts = new Map<unknown, string>()
  for (const { body } of stage.sims.segment.requests) {
    for (const message of (JSON.parse(body) as { batch: { messageId: string }[] }).batch) {
      const text = JSON.stringify(message)
      assert.equal(texts.get(message.messageId) ?? text, text)
      texts.set(message.messageId, text)
    }
  }
}

/** One lease, whose answer does not come: time passes until its deadline. */
async function sendsUntilDeadline(): Promise<void> {
  const before = stage.sims.segment.requests.length
  const stepping = stage.step('send')
  await eventually(() => stage.sims.segment.requests.length > before)
  stage.clock.advance(15_000)
  await stepping
}

describe('taken', () => {
  const rows: [string, SegmentAction][] = [
    ['200 {"success":true}', {}],
    ['200 with nothing', { status: 200, body: '' }],
    ['200 OK, as other destinations say it', { status: 200, body: 'OK' }],
    ['200 {"ok":true}', { status: 200, body: { ok: true } }],
    ['201', { status: 201 }],
    ['204', { status: 204 }],
  ]
  for (const [what, action] of rows)
    test(what, async () => {
      stage.sims.segment.script(action)
      await sends()
      assert.deepEqual(await backlogNow(), [])
      assert.equal(stage.sims.segment.requests.length, 1)
    })
})

describe('sent again later, and nothing held against anybody', () => {
  const rows: [string, SegmentAction, reason: string][] = [
    ...[408, 409, 410, 418, 422, 425, 429, 431, 451, 460, 499].map(again),
    ...[500, 501, 502, 503, 504, 505, 511, 520, 529, 599].map(again),
    ['502 with a page that speaks of keys', { status: 502, body: '<html>write key</html>' }, 'segment_502'],
    ['a reset before anything was processed', { reset: 'before' }, 'ECONNRESET'],
    ['a reset after everything was', { reset: 'after' }, 'ECONNRESET'],
  ]
  for (const [what, action, reason] of rows)
    test(what, async () => {
      stage.sims.segment.script([action])
      await sends()
      assert.deepEqual(await backlogNow(), [['waiting', undefined, 3]])
      assert.equal(await state(), 'live')
      const { lastError, blocked, readyAt } = await sending()
      assert.match(lastError!, new RegExp(`^(${reason}|UND_ERR_SOCKET)$`))
      assert.equal(blocked, undefined)
      assert.ok(readyAt! > stage.clock.now(), 'not at once')
      stage.clock.advance(1_000)
      await sends()
      assert.deepEqual(await backlogNow(), [])
      assert.equal(accepted(), 3)
    })

  function again(status: number): [string, SegmentAction, string] {
    return [String(status), { status }, `segment_${status}`]
  }

  for (const [what, action] of [
    ['silence', { hang: true }],
    ['a byte now and then', { drip: 1_000 }],
  ] as const)
    test(`${what}, until the deadline`, async () => {
      stage.sims.segment.script([action])
      await sendsUntilDeadline()
      assert.deepEqual(await backlogNow(), [['waiting', undefined, 3]])
      assert.equal((await sending()).lastError, 'TIMEOUT')
      stage.clock.advance(1_000)
      await sends()
      assert.equal(accepted(), 3)
    })

  test('nothing listens there', async () => {
    const { us } = stage.needs.segment
    stage.needs.segment.us = 'http://127.0.0.1:9'
    await sends()
    assert.equal((await sending()).lastError, 'ECONNREFUSED')
    stage.needs.segment.us = us
    stage.clock.advance(1_000)
    await sends()
    assert.equal(accepted(), 3)
  })

  const after: [header: string, waitsMs: (now: number) => number][] = [
    ['7', () => 7_000],
    ['0', () => 1_000],
    ['1000000000', () => 15 * minute],
    ['{a minute on}', () => minute],
    ['{yesterday}', () => 1_000],
    ['soon', () => 0],
    ['-5', () => 0],
    ['', () => 0],
  ]
  for (const status of [429, 503])
    for (const [header, waitsMs] of after)
      test(`${status} with Retry-After: ${header || '(empty)'}`, async () => {
        const now = stage.clock.now()
        const value = header
          .replace('{a minute on}', new Date(now + minute).toUTCString())
          .replace('{yesterday}', new Date(now - 24 * 60 * minute).toUTCString())
        stage.sims.segment.script([{ status, headers: { 'retry-after': value } }])
        await sends()
        const waits = (await sending()).readyAt! - now
        // A first backoff is between half a second and a second; what is asked for is a least.
        assert.ok(waits >= Math.max(waitsMs(now), 500) && waits <= Math.max(waitsMs(now), 1_000), `${waits} ms`)
        stage.clock.advance(waits)
        await sends()
        assert.equal(accepted(), 3)
      })
})

describe('broken on the way', () => {
  const ok = 'HTTP/1.1 200 OK\r\n'
  const rows: [string, bytes: string, taken: boolean][] = [
    ['cut off in its body', `${ok}Content-Length: 100\r\n\r\n{"success":`, false],
    ['cut off in its head', 'HTTP/1.1 200 O', false],
    ['cut off before its last chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\n{"suc\r\n`, false],
    ['no HTTP', 'hello\r\n\r\n', false],
    ['of two lengths', `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, false],
    ['with a head without end', `${ok}A: ${'x'.repeat(100_000)}\r\n\r\n`, false],
    ['after early hints', `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${ok}Content-Length: 2\r\n\r\nOK`, true],
    ['with a cookie', `${ok}Set-Cookie: a=b\r\nContent-Length: 2\r\n\r\nOK`, true],
  ]
  let raw: RawServer
  afterEach(() => raw.close())
  for (const [what, bytes, taken] of rows)
    test(`${what}: ${taken ? 'taken' : 'sent again'}`, async () => {
      raw = await startRaw(bytes)
      const { us } = stage.needs.segment
      stage.needs.segment.us = raw.url
      await stage.step('send')
      assert.equal(raw.requests(), 1)
      assert.deepEqual(await backlogNow(), taken ? [] : [['waiting', undefined, 3]])
      stage.needs.segment.us = us
      stage.clock.advance(1_000)
      await sends()
      assert.equal(accepted(), taken ? 0 : 3)
      for (const { headers } of stage.sims.segment.requests) assert.equal(headers.cookie, undefined)
    })
})

describe('the account is held, and nothing of it dies', () => {
  const key = { success: false, message: 'An invalid write key was provided' }
  const rows: [string, SegmentAction, reason: string][] = [
    ['401', { status: 401 }, 'segment_401'],
    ['403', { status: 403, body: '<html>' }, 'segment_403'],
    ['404', { status: 404 }, 'segment_404'],
    ['400 that names the key', { status: 400, body: key }, 'write_key_refused'],
    ['400 for all', { status: 400, body: { success: false, message: 'no' } }, 'segment_refuses_all'],
    ['413 for all', { status: 413 }, 'segment_refuses_all'],
    ['200 {"success":false}', { status: 200, body: { success: false } }, 'segment_success_false'],
    ['200 {"error":…}', { status: 200, body: { error: 'no' } }, 'segment_success_false'],
    ['200 with the page of a sign-in', { status: 200, body: '<html>Sign in</html>' }, 'not_segment'],
    ['200 with a page of 2 MB', { hugeBody: 2_000_000 }, 'not_segment'],
    ['200 without end', { hugeBody: 1_000_000_000 }, 'not_segment'],
    ['202 with a list', { status: 202, body: [false] }, 'not_segment'],
    ['200 that says yes of something else', { status: 200, body: { data: { success: true } } }, 'not_segment'],
    ...[301, 302, 303, 307, 308].map((status): [string, SegmentAction, string] => [
      `${status}`,
      { status, redirect: 'http://127.0.0.1:9/elsewhere' },
      'segment_redirect',
    ]),
  ]
  for (const [what, action, reason] of rows)
    test(what, async () => {
      const { segment } = stage.sims
      segment.script(action)
      await sends()
      assert.deepEqual(await backlogNow(), [['waiting', reason, 3]])
      assert.equal(await state(), 'needs_attention')
      const before = segment.requests.length
      stage.clock.advance(minute - 1)
      await sends()
      assert.equal(segment.requests.length, before, 'not before a minute')
      stage.clock.advance(1)
      await sends()
      assert.equal(JSON.parse(segment.requests.at(-1)!.body).batch.length, 1, 'a probe is one event')
      segment.script(undefined)
      stage.clock.advance(2 * minute)
      await sends()
      assert.deepEqual([await backlogNow(), accepted(), await state()], [[], 3, 'live'])
    })
})

describe('a refused batch is searched', () => {
  for (const status of [400, 413])
    test(`${status} for one message, whichever it is: it alone is dead`, async () => {
      stage.sims.segment.script(({ body }) => (body.includes('"id":3969707703') ? { status } : undefined))
      await sends()
      assert.deepEqual(await backlogNow(), [['dead', `segment_${status}`, 1]])
      assert.equal(accepted(), 2)
      assert.equal(await state(), 'live')
    })

  test('413 for more than one message at a time: smaller batches go, and none is dead', async () => {
    stage.sims.segment.script(({ body }) => (JSON.parse(body).batch.length > 1 ? { status: 413 } : undefined))
    await sends()
    assert.deepEqual([await backlogNow(), accepted()], [[], 3])
  })

  test('an outage in the middle of the search: what was taken stays taken, and nothing is dead for it', async () => {
    stage.sims.segment.script([{ status: 400 }, {}, { status: 503 }])
    await sends()
    assert.deepEqual(await backlogNow(), [['waiting', undefined, 2]])
    stage.clock.advance(1_000)
    await sends()
    assert.deepEqual([await backlogNow(), accepted()], [[], 3])
  })
})
