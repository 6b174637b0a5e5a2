/**
 * Every answer that Drift can give when it is asked whose a conversation is, or for a new token, as a table over the
 * three shapes of its errors: what it means for the event that waits for it, and that the counts add up after each.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { errorPages } from '../../test/error-pages.ts'
import { type RawServer, startRaw } from '../../test/raw-server.ts'
import { org, type Stage, startStage } from '../../test/stage.ts'
import { addsUp, outcomesOf } from '../operations/totals.ts'
import type { Action } from '../sim/server.ts'

const [minute, day] = [60_000, 24 * 3_600_000]
const conversations = '/conversations/*'
let stage: Stage
beforeEach(async () => {
  stage = await startStage()
  await stage.install()
  await stage.arrive('conversation_participant_added')
})
afterEach(async () => {
  const { ledger } = stage.storage
  const outcomes = outcomesOf(await ledger.totals(), await ledger.backlog())
  assert.ok(addsUp(outcomes) && outcomes.received === 1, JSON.stringify(outcomes))
  // Never under another id than Drift's, and never without one.
  assert.ok(stage.sims.segment.accepted.every(({ message }) => message.anonymousId === '21760595678'))
  await stage.close()
})

const delivered = () => stage.sims.segment.accepted.length
const asked = () => stage.sims.drift.count(conversations)
const backlogNow = async () => (await stage.backlog()).map(({ state, reason }) => [state, reason])
const lane = async () => (await stage.storage.lookup.lanes(String(org))).find(({ lane: name }) => name === 'ask')!
const account = async () => (await stage.storage.installs.get(String(org)))?.state

/** All that is due now, while time stands but for the moment after which a grant that was refused is called dead. */
async function run(): Promise<void> {
  let ended = false
  void stage.run().then(() => (ended = true))
  await eventually(() => {
    if (!ended && stage.clock.untilNext() === 1_000) stage.clock.advance(1_000)
    return ended
  })
}

async function wellAfter(ms: number): Promise<void> {
  stage.clock.advance(ms)
  await run()
  assert.deepEqual([delivered(), await backlogNow(), await account()], [1, [], 'live'])
}

/** An error as Drift says it: its API in either of two ways, its gateway in a third. */
const shapes = (type: string): [string, object][] => [
  ['errors', { errors: [{ type, message: 'No.', param: 'id' }] }],
  ['error', { error: { type, message: 'No.' } }],
  ['error in a word', { error: type, error_description: 'No.' }],
]

describe('a conversation', () => {
  for (const [shape, body] of shapes('not_found')) {
    test(`401 (${shape}): the token is renewed once, and the lookup made again`, async () => {
      stage.sims.drift.script(conversations, [{ status: 401, body }])
      await run()
      assert.deepEqual([asked(), stage.sims.drift.count('/oauth2/token')], [2, 1])
      await wellAfter(0)
    })

    test(`403 (${shape}): the token is renewed once, and the lookup made again`, async () => {
      stage.sims.drift.script(conversations, [{ status: 403, body }])
      await run()
      assert.deepEqual([asked(), stage.sims.drift.count('/oauth2/token')], [2, 1])
      await wellAfter(0)
    })

    test(`404 (${shape}): it is asked again, and found later; else it is dead after three days`, async () => {
      stage.sims.drift.script(conversations, { status: 404, body })
      await run()
      assert.deepEqual([await backlogNow(), await account()], [[['asking', undefined]], 'live'])
      for (let answers = 1; answers < 20; answers++) {
        stage.clock.advance(answers < 19 ? 15 * minute : 3 * day - 1 - 18 * 15 * minute)
        await run()
      }
      assert.deepEqual(await backlogNow(), [['asking', undefined]])
      stage.clock.advance(15 * minute)
      await run()
      assert.deepEqual(await backlogNow(), [['dead', 'conversation_missing']])
    })

    for (const status of [400, 409, 422, 500, 503])
      test(`${status} (${shape}): it is asked again`, async () => {
        stage.sims.drift.script(conversations, [{ status, body }])
        await run()
        assert.deepEqual([await backlogNow(), (await lane()).lastError], [[['asking', undefined]], `drift_${status}`])
        await wellAfter(1_000)
      })
  }

  const passing: [string, Action, reason: string][] = [
    ['the gateway’s own 404', { status: 404, body: { message: 'no Route matched with those values' } }, 'drift_404'],
    ['502 with a page', { status: 502, body: '<html>' }, 'drift_502'],
    ['a redirect', { redirect: 'http://127.0.0.1:9/elsewhere' }, 'drift_307'],
    ['200 with a page', { status: 200, body: '<html>' }, 'drift_unreadable'],
    ['200 with a list', { status: 200, body: [] }, 'drift_unreadable'],
    ['200 without data', { status: 200, body: { id: 1, contactId: 8 } }, 'drift_unreadable'],
    ['200 with data of nothing', { status: 200, body: { data: null } }, 'drift_unreadable'],
    ['200 with an error', { status: 200, body: { error: { type: 'odd' } } }, 'drift_unreadable'],
    ['200 with a prototype', { status: 200, body: '{"__proto__":{"data":{"contactId":8}}}' }, 'drift_unreadable'],
    ['an answer without end', { hugeBody: 1_000_000_000 }, 'UND_ERR_RES_EXCEEDED_MAX_SIZE'],
    ['a reset', { reset: 'before' }, 'ECONNRESET'],
    ['a reset when all was said', { reset: 'after' }, 'ECONNRESET'],
  ]
  for (const [what, action, reason] of passing)
    test(`${what}: it is asked again`, async () => {
      stage.sims.drift.script(conversations, [action])
      await run()
      assert.deepEqual(await backlogNow(), [['asking', undefined]])
      assert.match((await lane()).lastError!, new RegExp(`^(${reason}|UND_ERR_SOCKET)$`))
      await wellAfter(1_000)
    })

  for (const [who, body] of errorPages)
    test(`401, 403 and 404 of ${who}, for a week: a new token is tried, the event waits, and nothing ends`, async () => {
      for (const status of [401, 403, 404]) {
        stage.sims.drift.script(conversations, { status, body })
        for (let days = 0; days <= 7; days++) {
          await run()
          assert.deepEqual([await backlogNow(), await account()], [[['asking', undefined]], 'live'])
          assert.equal((await lane()).lastError, `drift_${status}`)
          stage.clock.advance(day)
        }
      }
      stage.sims.drift.script(conversations, undefined)
      await wellAfter(15 * minute)
    })

  test('401 of a proxy, on a token that it took for an old one: with a new token Drift answers', async () => {
    stage.sims.drift.script(conversations, [{ status: 401, body: '<html>' }])
    await run()
    assert.deepEqual([asked(), stage.sims.drift.count('/oauth2/token')], [2, 1])
    await wellAfter(0)
  })

  test('401 of a proxy, hour after hour: one new token is tried for it, not one each time', async () => {
    stage.sims.drift.script(conversations, { status: 401, body: '<html>' })
    for (let minutes = 0; minutes < 100; minutes += 10) {
      await run()
      stage.clock.advance(10 * minute)
    }
    assert.equal(stage.sims.drift.count('/oauth2/token'), 1)
    stage.sims.drift.script(conversations, undefined)
    await wellAfter(15 * minute)
  })

  for (const [what, action] of [
    ['silence', { hang: true }],
    ['a byte now and then', { drip: 1_000 }],
  ] as const)
    test(`${what}: it is asked again after the deadline`, async () => {
      stage.sims.drift.script(conversations, [action])
      const stepping = run()
      await eventually(() => asked() === 1)
      stage.clock.advance(10_000)
      await stepping
      assert.deepEqual([await backlogNow(), (await lane()).lastError], [[['asking', undefined]], 'TIMEOUT'])
      await wellAfter(1_000)
    })

  const after: [header: string, waitsMs: number][] = [
    ['30', 30_000],
    ['{a minute on}', minute],
    ['1000000000', 15 * minute],
    ['soon', 500],
  ]
  for (const [header, waitsMs] of after)
    test(`429 with Retry-After: ${header}`, async () => {
      const value = header.replace('{a minute on}', new Date(stage.clock.now() + minute).toUTCString())
      stage.sims.drift.script(conversations, [{ status: 429, headers: { 'retry-after': value } }])
      await run()
      const waits = (await lane()).readyAt! - stage.clock.now()
      assert.ok(waits >= waitsMs && waits <= Math.max(waitsMs, 1_000), `${waits} ms`)
      await wellAfter(waits)
    })

  for (const contactId of [undefined, null, 0, -5, 1.5, '', 'null', '007', true, [7], { id: 7 }])
    test(`a contactId of ${JSON.stringify(contactId)}: it is asked again, and nothing is sent`, async () => {
      stage.sims.drift.script(conversations, [{ status: 200, body: { data: { id: 3969744678, contactId } } }])
      await run()
      assert.deepEqual([await backlogNow(), delivered()], [[['asking', undefined]], 0])
      await wellAfter(15 * minute)
    })
})

describe('a new token', () => {
  const token = '/oauth2/token'
  beforeEach(() => stage.clock.advance(2 * 3_600_000))

  for (const status of [400, 401])
    for (const [shape, body] of shapes('invalid_request'))
      test(`${status} (${shape}): the grant is dead, the account held until it is connected again`, async () => {
        stage.sims.drift.script(token, { status, body })
        await run()
        assert.deepEqual([await backlogNow(), await account()], [[['asking', 'grant_dead']], 'needs_attention'])
        stage.sims.drift.script(token, undefined)
        await stage.install()
        await wellAfter(0)
      })

  test('that is another account’s: it is not used, and nothing is sent under it', async () => {
    const stranger = { access_token: 'a', refresh_token: 'r', expires_in: 7_200, orgId: 77 }
    stage.sims.drift.script(token, [{ body: stranger }, { body: { ...stranger, orgId: '77' } }])
    for (let round = 0; round < 2; round++) {
      await run()
      assert.deepEqual([await backlogNow(), (await lane()).lastError], [[['asking', undefined]], 'drift_other_account'])
      stage.clock.advance(2_000)
    }
    assert.equal(asked(), 0)
    await wellAfter(0)
  })

  const passing: [string, Action, reason: string][] = [
    ['400 that is about the app', { status: 400, body: { error: 'invalid_client' } }, 'drift_invalid_client'],
    ['400 with a page', { status: 400, body: '<html>' }, 'drift_400'],
    ['401 with nothing', { status: 401, body: '' }, 'drift_401'],
    ['403', { status: 403, body: { error: 'x' } }, 'drift_403'],
    ['404', { status: 404, body: { message: 'no Route matched with those values' } }, 'drift_404'],
    ['429', { status: 429 }, 'drift_429'],
    ['500', { status: 500, body: { errors: [] } }, 'drift_500'],
    ['a redirect', { redirect: 'http://127.0.0.1:9/elsewhere' }, 'drift_307'],
    ['200 with a page', { status: 200, body: '<html>' }, 'drift_unreadable'],
    ['200 without a token', { status: 200, body: { refresh_token: 'r' } }, 'drift_unreadable'],
    ['200 with an odd token', { status: 200, body: { access_token: 7 } }, 'drift_unreadable'],
    ['a reset', { reset: 'before' }, 'ECONNRESET'],
  ]
  for (const [what, action, reason] of passing)
    test(`${what}: the event waits, and the grant is as good as it was`, async () => {
      stage.sims.drift.script(token, [action])
      await run()
      assert.deepEqual([await backlogNow(), await account()], [[['asking', undefined]], 'live'])
      assert.match((await lane()).lastError!, new RegExp(`^(${reason}|UND_ERR_SOCKET)$`))
      assert.equal(asked(), 0, 'with the old token nothing is looked up')
      await wellAfter(1_000)
    })

  for (const [who, body] of errorPages)
    test(`400, 401, 403 and 404 of ${who}: the event waits, and the grant is as good as it was`, async () => {
      for (const status of [400, 401, 403, 404]) {
        stage.sims.drift.script(token, { status, body })
        await run()
        assert.deepEqual([await backlogNow(), await account()], [[['asking', undefined]], 'live'])
        stage.clock.advance(15 * minute)
      }
      stage.sims.drift.script(token, undefined)
      await wellAfter(15 * minute)
    })

  for (const [what, action] of [
    ['without end', { hugeBody: 1_000_000_000 }],
    ['that is lost', { reset: 'after' }],
  ] as const)
    test(`an answer ${what} after the old pair had died: the account is held until it is connected again`, async () => {
      stage.sims.drift.script(token, [action])
      await run()
      assert.deepEqual([await backlogNow(), await account()], [[['asking', undefined]], 'live'])
      stage.clock.advance(1_000)
      await run()
      assert.deepEqual([await backlogNow(), await account()], [[['asking', 'grant_dead']], 'needs_attention'])
      await stage.install()
      await wellAfter(0)
    })
})

describe('broken on the way', () => {
  let raw: RawServer
  afterEach(() => raw.close())
  for (const [what, bytes] of [
    ['cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"data":'],
    ['no HTTP', 'hello\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(100_000)}\r\n\r\n`],
  ] as const)
    test(`${what}: it is asked again`, async () => {
      raw = await startRaw(bytes)
      const { driftUrl } = stage.needs
      stage.needs.driftUrl = raw.url
      await run()
      assert.deepEqual([await backlogNow(), raw.requests()], [[['asking', undefined]], 1])
      stage.needs.driftUrl = driftUrl
      await wellAfter(1_000)
    })
})
