/** What a person or a script tells the simulators, and what partners' clients then meet. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { startControl } from './control.ts'
import { type Sims, startSims } from './index.ts'
import type { Listener } from './server.ts'

let sims: Sims
let control: Listener
beforeEach(async () => {
  sims = await startSims()
  control = await startControl(sims)
})
afterEach(async () => {
  await control.close()
  await sims.close()
})

async function tell(method: string, path: string, body?: string | object) {
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  const answer = await fetch(control.url + path, { method, ...(text === undefined ? {} : { body: text }) })
  return { status: answer.status, body: (await answer.json()) as Record<string, { fault: object | null }> }
}
const message = { type: 'track', anonymousId: '7', event: 'Seen', messageId: 'm-1' }
const toSegment = () =>
  fetch(`${sims.segment.url}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ writeKey: 'AbCdEfGhIjKlMnOpQrStUvWxYz012345', batch: [message] }),
  })
const toDrift = (path = '/conversations/1') => fetch(sims.drift.url + path)

describe('a fault', () => {
  test('of Segment lasts until it is ended, and leaves Drift alone', async () => {
    const { body } = await tell('PUT', '/segment', { status: 503, retryAfter: 7 })
    assert.deepEqual([body.segment?.fault, body.drift?.fault], [{ status: 503, retryAfter: 7 }, null])
    for (let n = 0; n < 3; n++) {
      const { status, headers } = await toSegment()
      assert.deepEqual([status, headers.get('retry-after')], [503, '7'])
    }
    assert.equal((await toDrift()).status, 401, 'without a token')
    assert.equal(sims.segment.accepted.length, 0)
    assert.equal((await tell('DELETE', '/segment')).body.segment?.fault, null)
    assert.equal((await toSegment()).status, 200)
    assert.equal(sims.segment.accepted.length, 1)
  })

  test('for a number of requests is over after them, and says how many are left', async () => {
    await tell('PUT', '/drift', { status: 500, requests: 2 })
    assert.equal((await toDrift()).status, 500)
    assert.deepEqual((await tell('GET', '/')).body.drift, { fault: { status: 500, requests: 1 }, requestsSoFar: 1 })
    assert.equal((await toDrift()).status, 500)
    assert.equal((await toDrift()).status, 401)
    assert.equal((await tell('GET', '/drift')).body.drift?.fault, null)
  })

  test('with a path applies to that path alone', async () => {
    await tell('PUT', '/drift', { status: 500, path: '/oauth2/token' })
    assert.equal((await toDrift()).status, 401)
    assert.equal((await toDrift('/oauth2/token')).status, 500)
  })

  test('takes the place of the one before it, that of another path too', async () => {
    await tell('PUT', '/drift', { status: 500, path: '/oauth2/token' })
    await tell('PUT', '/drift', { status: 502 })
    await tell('DELETE', '/drift')
    assert.equal((await toDrift('/oauth2/token')).status, 404, 'as Drift answers a GET of it')
  })

  test('can lose the answer to what was processed', async () => {
    await tell('PUT', '/segment', { reset: 'after', requests: 1 })
    await assert.rejects(toSegment())
    assert.equal(sims.segment.accepted.length, 1)
    assert.equal((await toSegment()).status, 200)
    assert.equal(sims.segment.duplicates.length, 1)
  })

  test('can be an answer that is not the partner’s, and one that comes late', async () => {
    const started = performance.now()
    await tell('PUT', '/segment', { status: 200, body: 'Please sign in', delayMs: 50, requests: 1 })
    assert.equal(await (await toSegment()).text(), 'Please sign in')
    assert.ok(performance.now() - started >= 50)
  })

  test('of Drift leaves the page from which a person sends events', async () => {
    await tell('PUT', '/drift', { status: 503 })
    assert.equal((await toDrift('/settings/apps')).status, 200)
    const pressed = await fetch(`${sims.drift.url}/settings/apps`, { method: 'POST', redirect: 'manual' })
    assert.equal(pressed.status, 303)
  })
})

test('what cannot be a fault is refused with what is wrong, and changes nothing', async () => {
  await tell('PUT', '/segment', { status: 503 })
  for (const [wrong, why] of [
    ['{"status":', /not JSON: see the table in docs\/outages\.md/],
    ['[]', /expected object/],
    [{ status: '503' }, /status/],
    [{ status: 99 }, /status/],
    [{ delay: 5 }, /Unrecognized key: "delay"/],
    [{ requests: 2 }, /needs one of status/],
    [{ retryAfter: 2, delayMs: 1 }, /retryAfter needs/],
    [{ reset: 'sometimes' }, /reset/],
    [{ status: 500, path: 'v1' }, /path/],
  ] as const) {
    const { status, body } = await tell('PUT', '/segment', wrong)
    assert.equal(status, 400, JSON.stringify(wrong))
    assert.match(String(body.error), why)
  }
  assert.deepEqual((await tell('GET', '/')).body.segment?.fault, { status: 503 })
  assert.equal((await tell('PUT', '/nothing', { status: 500 })).status, 404)
  assert.equal((await tell('POST', '/segment', { status: 500 })).status, 405)
  assert.equal((await tell('PUT', '/', { status: 500 })).status, 405)
})

test('it listens on loopback alone, and hears no name that a web page has pointed there', async () => {
  assert.equal(new URL(control.url).hostname, '127.0.0.1')
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { host: 'attacker.example.com' }
    request(`${control.url}/segment`, { method: 'PUT', headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', reject)
      .end('{"status":500}')
  })
  assert.equal(status, 403)
  assert.equal((await toSegment()).status, 200)
})
