import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { freePort } from '../../test/free-port.ts'
import { install, org, type Rig, settled, startRig } from '../../test/rig.ts'
import { isProduct, readTree } from '../../test/tree.ts'
import { systemClock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { type Fields, silentLog } from '../lib/log.ts'
import { bridgeScript } from './bridge.ts'
import { openMetrics, problemEvents } from './metrics.ts'

describe('metrics', () => {
  let rig: Rig
  let port: number
  const lines: [event: string, fields: Fields][] = []
  before(async () => {
    port = await freePort()
    const info = (event: string, fields: Fields = {}) => void lines.push([event, fields])
    rig = await startRig({ env: { METRICS_PORT: String(port) }, log: { ...silentLog, info } })
  })
  after(() => rig.close())

  const scraped = async () => {
    const lines = (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).split('\n')
    const found = (name: string) => lines.find((line) => line.startsWith(`drift_segment_source_${name} `))
    return { lines, value: (name: string) => Number(found(name)?.split(' ').at(-1) ?? Number.NaN) }
  }

  test('stand at 0 from the start, so that an alarm sees the first of everything, and say which version this is', async () => {
    const { lines, value } = await scraped()
    for (const name of [
      'webhooks_total{status="503",outcome="unavailable"}',
      'webhooks_total{status="401",outcome="token_wrong"}',
      'batches_total{outcome="later"}',
      'lookups_total{outcome="held"}',
      'ignored_total{reason="switched_off"}',
      ...problemEvents.map((event) => `problems_total{event="${event}"}`),
    ])
      assert.equal(value(name), 0, name)
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    assert.ok(lines.includes(`drift_segment_source_build_info{version="${version}",node="${process.versions.node}"} 1`))
  })

  test('know every event of an error line beforehand', () => {
    const code = readTree().filter(isProduct)
    const errors = code.flatMap(({ text }) =>
      [...text.matchAll(/\blog\.error\(\s*'(\w+)'/g)].map(([, event]) => event!),
    )
    assert.deepEqual([...new Set(errors)].sort(), [...problemEvents].sort())
  })

  test('count the silent accounts beyond any number, beside the scrapes', async () => {
    const timeBuckets = async (org: string) =>
      org === '250' ? [{ at: 0, type: 'a', outcome: 'received', count: 1 }] : []
    const ledger = { totals: async () => [], snapshotOfAll: async () => ({ totals: [], backlog: [] }), timeBuckets }
    const installs = Array.from({ length: 300 }, (_, n) => ({ org: String(n), state: 'live', settings: '{}' }))
    const { route } = openMetrics({
      storage: { ledger, check: async () => {}, logBytes: async () => 0 },
      installs: () => installs,
      clock: systemClock,
    } as never)
    await eventually(async () => {
      const response = new ServerResponse(new IncomingMessage(new Socket()))
      await route(response.req, response, () => {})
      const text = String(
        (response as unknown as { outputData: { data: string }[] }).outputData.map(({ data }) => data),
      )
      return /accounts_silent 1\n/.test(text)
    })
  })

  test('count what was received, answered, sent and delivered, and how long that took', async () => {
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    await rig.sims.drift.send('conversation_participant_added', { to: rig.to, orgId: org })
    assert.equal((await fetch(rig.to, { method: 'POST', body: '{}' })).status, 401)
    await settled(rig, ({ delivered }) => delivered === 2)
    await eventually(async () => (await scraped()).value('lookups_total{outcome="done"}') === 1)
    const { value } = await scraped()
    const counts = {
      'webhooks_total{status="200",outcome="stored"}': 2,
      'webhooks_total{status="200",outcome="duplicate"}': 1,
      'webhooks_total{status="401",outcome="unauthorised"}': 1,
      'events_total{outcome="received"}': 2,
      'events_total{outcome="delivered"}': 2,
      'events_total{outcome="duplicate"}': 1,
      'accounts{state="live"}': 1,
      webhook_seconds_count: 4,
      delivery_lag_seconds_count: 2,
    }
    for (const [name, wanted] of Object.entries(counts)) assert.equal(value(name), wanted, name)
    assert.ok(value('webhook_seconds_sum') > 0)
  })

  test('show what waits and why, how old it is, and what is tried again', async () => {
    rig.sims.segment.script({ status: 401 })
    await rig.sims.drift.send('meeting_updated', { to: rig.to, orgId: org })
    await eventually(async () => (await scraped()).value('waiting{state="waiting",reason="segment_401"}') === 1)
    const { value } = await scraped()
    assert.equal(value('accounts{state="needs_attention"}'), 1)
    assert.equal(value(`account_waiting{org="${org}",destination="1"}`), 1)
    assert.ok(value('oldest_seconds{state="waiting"}') >= 0)
    assert.equal(value('retries_total{partner="segment",reason="segment_401"}'), 1)
    rig.sims.segment.script(undefined)
    await rig.command('installs resume', { given: { org: String(org) } })
    await settled(rig, ({ held, waiting }) => held + waiting === 0)
    const after = await scraped()
    assert.ok(Number.isNaN(after.value('waiting{state="waiting",reason="segment_401"}')), 'what is over is gone')
  })

  test('count all that is refused, of which the log has ten lines a minute of a kind, whatever strangers send', async () => {
    const before = lines.length
    const { value: earlier } = await scraped()
    const post = (headers: Record<string, string>, body: string) => fetch(rig.to, { method: 'POST', headers, body })
    const wrong = { 'x-verification-token': 'guessed' }
    for (let n = 0; n < 25; n++) {
      assert.equal((await post(wrong, '{}')).status, 401)
      assert.equal((await post({}, '{}')).status, 401)
      assert.equal((await post({}, 'x'.repeat(300_000))).status, 413)
      for (const query of ['', '?code=a', '?error=b', '?code=a&state=b'])
        assert.equal((await fetch(`${rig.service.url}/connect/callback${query}`)).status, 400)
      for (const path of ['/nothing', '/console', '/console/sign-in/guessed', '/bridge.js'])
        await fetch(rig.service.url + path, { redirect: 'manual' })
    }
    const kinds = Map.groupBy(lines.slice(before), ([event, { status, outcome, reason }]) =>
      [event, status, outcome, reason].filter((word) => word !== undefined).join(' '),
    )
    assert.deepEqual(
      [...kinds].map(([kind, { length }]) => [kind, length <= 10]).sort(),
      ['connect denied', 'connect foreign', 'connect incomplete', 'connect unsolicited']
        .concat('webhook 401 token_wrong', 'webhook 401 unauthorised', 'webhook 413 too_large')
        .map((kind) => [kind, true]),
    )
    const { value } = await scraped()
    const more = (name: string) => value(name) - (earlier(name) || 0)
    assert.equal(more('webhooks_total{status="401",outcome="token_wrong"}'), 25)
    assert.equal(more('webhooks_total{status="401",outcome="unauthorised"}'), 25)
    assert.equal(more('webhooks_total{status="413",outcome="too_large"}'), 25)
  })

  test("count the requests for the browser bridge's script by build, so that an old one can be let go", async () => {
    const { value: earlier } = await scraped()
    const { hashedPath } = bridgeScript
    for (const path of ['/bridge.js', '/bridge.js?again', hashedPath, '/bridge-0123456789abcdef.js'])
      await fetch(rig.service.url + path)
    const { value, lines } = await scraped()
    const more = (build: string) =>
      value(`bridge_requests_total{build="${build}"}`) - earlier(`bridge_requests_total{build="${build}"}`)
    assert.deepEqual([more('newest'), more('current')], [2, 1])
    assert.equal(lines.filter((line) => line.includes('bridge_requests_total{')).length, 2, 'no series for a guess')
  })

  test('have no label that a stranger can choose', async () => {
    const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
    const body = JSON.stringify({ type: 'planted_type', orgId: 424_242, data: { planted_key: 'planted_value' } })
    assert.equal((await fetch(rig.to, { method: 'POST', headers, body })).status, 200)
    await install(rig, 777, { writeKey: 'planted-write-key-0123456789abcd' })
    const { lines } = await scraped()
    assert.deepEqual(
      lines.filter((line) => /planted|424242/.test(line)),
      [],
    )
  })

  test('count a webhook once that has a line of its own beside its group', async () => {
    const counts = async () => {
      const { value } = await scraped()
      return [value('webhooks_total{status="200",outcome="stored"}'), value('webhook_seconds_count')]
    }
    const [stored, timed] = await counts()
    await rig.sims.drift.send({ type: 'gdpr_delete_requested', orgId: org, data: {} }, { to: rig.to })
    assert.ok(lines.some(([event, { state }]) => event === 'webhook' && state === 'quarantined'))
    assert.deepEqual(await counts(), [stored! + 1, timed! + 1])
  })

  test('come from one line for each piece of work, which says how long it took', async () => {
    await rig.sims.drift.send({ type: 'app_disconnected', orgId: org, data: {} }, { to: rig.to })
    await eventually(() => lines.some(([event]) => event === 'disconnect'))
    const work = new Set(lines.map(([event]) => event))
    for (const unit of ['received', 'webhook', 'batch', 'lookups', 'disconnect']) assert.ok(work.has(unit), unit)
    const timeBuckets = new Set(['started', 'event_ended', 'account_held', 'account_changed'])
    for (const [event, { durationMs }] of lines) assert.ok(timeBuckets.has(event) || Number(durationMs) >= 0, event)
    const { value } = await scraped()
    assert.equal(value('store_writable'), 1)
    assert.ok(value('store_log_bytes') > 0)
  })

  test('stand on a listener of their own', async () => {
    assert.equal((await fetch(`${rig.service.url}/metrics`)).status, 404)
    assert.equal((await fetch(`http://127.0.0.1:${port}/webhooks/drift`, { method: 'POST' })).status, 404)
  })

  test('say that the store is away while it is, and what the process knows', async () => {
    const away = () => Promise.reject(new Error('away'))
    const ledger = { totals: away, backlog: away, snapshotOfAll: away, timeBuckets: away, snapshot: away }
    const { counting, route } = openMetrics({
      storage: { ledger, check: away, logBytes: away },
      installs: () => [],
      clock: systemClock,
    })
    counting(silentLog).error('webhook', { status: 503, reason: 'store_full', durationMs: 1 })
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    await route(response.req, response, () => {})
    assert.equal(response.statusCode, 200)
    const text = String((response as unknown as { outputData: { data: string }[] }).outputData.map(({ data }) => data))
    assert.match(text, /store_writable 0/)
    assert.match(text, /webhooks_total\{status="503",outcome="unavailable"\} 1/)
    assert.doesNotMatch(text, /events_total\{/)
  })

  test('whose port is taken stop the start by name, and leave nothing open', async () => {
    const wrong = startRig({ env: { METRICS_PORT: String(port) } })
    await assert.rejects(wrong, (error: Problem) => error instanceof Problem && /METRICS_PORT/.test(error.hint ?? ''))
  })
})
