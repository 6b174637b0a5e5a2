import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { Analytics } from '@segment/analytics-node'
import { type SegmentSim, startSegment } from './segment.ts'

const writeKey = 'DmBXIN4JnwqBnTqXccTF0wBnLXNQmFtk'
const otherKey = '1vNgUqwJeCHmqgI9S1sOm9UHCyfYqbaQ'
const track = { type: 'track', anonymousId: '21760538950', event: 'Seen', messageId: 'm-1' }

let segment: SegmentSim
beforeEach(async () => {
  segment = await startSegment()
})
afterEach(() => segment.close())

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(segment.url + path, { method: 'POST', headers, body: text, redirect: 'manual' })
  return { status: answer.status, headers: answer.headers, body: await answer.text() }
}
const batch = (...messages: unknown[]) => post('/v1/batch', { writeKey, batch: messages })
const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` })
const reasons = () => segment.rejected.map(({ reason }) => reason)

describe('what is answered 200 and what is not', () => {
  test('a batch with its key in the body', async () => {
    const { status, body } = await batch(track)
    assert.deepEqual([status, body], [200, '{"success": true}'])
    assert.deepEqual(segment.accepted[0]?.message, track)
    assert.equal(segment.accepted[0]?.writeKey, writeKey)
  })

  test('single calls, long and short forms, with the key as Basic user', async () => {
    const paths = ['track', 'identify', 'page', 'screen', 'group', 'alias', 't', 'i', 'p', 's', 'g', 'a']
    for (const path of paths) {
      const { status } = await post(`/v1/${path}`, { userId: 'u', event: 'Seen' }, basic(writeKey))
      assert.equal(status, 200, path)
    }
    const types = ['track', 'identify', 'page', 'screen', 'group', 'alias']
    const kept = segment.accepted.map(({ message, writeKey }) => [message.type, writeKey])
    assert.deepEqual(
      kept,
      [...types, ...types].map((type) => [type, writeKey]),
    )
    assert.equal((await post('/v1/b', { writeKey, batch: [track] })).status, 200)
  })

  test('invalid JSON is refused', async () => {
    assert.equal((await post('/v1/batch', '{"batch":')).status, 400)
    assert.equal((await post('/v1/batch', { writeKey })).status, 400)
    assert.deepEqual([segment.accepted.length, segment.requests[0]?.body], [0, '{"batch":'])
  })

  test('an empty, a missing and a very short key are refused by name', async () => {
    for (const key of ['', undefined, 'abc123']) {
      const { status, body } = await post('/v1/batch', { writeKey: key, batch: [track] })
      assert.equal(status, 400)
      assert.deepEqual(JSON.parse(body), { success: false, message: 'An invalid write key was provided' })
    }
  })

  test('a message over 32 KB and a batch over 500 KB are refused whole, in UTF-8 bytes', async () => {
    const fat = { ...track, properties: { text: 'é'.repeat(16_000) } }
    assert.equal((await batch(fat)).status, 400)
    assert.equal((await post('/v1/track', { ...fat, writeKey })).status, 400)
    const slim = { ...track, messageId: undefined, properties: { text: 'x'.repeat(30_000) } }
    assert.equal((await batch(...Array(16).fill(slim))).status, 200)
    assert.equal((await batch(...Array(17).fill(slim))).status, 400)
    assert.equal(segment.accepted.length, 16)
  })

  test('metrics, preflight and unknown paths', async () => {
    assert.equal((await post('/v1/m', '{}')).status, 200)
    assert.equal((await post('/v1/nothing', '{}')).status, 404)
    const preflight = await fetch(`${segment.url}/v1/t`, {
      method: 'OPTIONS',
      headers: { origin: 'https://example.com' },
    })
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://example.com')
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization, content-type/)
  })
})

describe('a data plane such as that of RudderStack', () => {
  let plane: SegmentSim
  beforeEach(async () => {
    plane = await startSegment({ isRudderStack: true, keys: ['a key of any form'] })
  })
  afterEach(() => plane.close())
  const send = async (headers: Record<string, string>) => {
    const body = JSON.stringify({ writeKey: 'a key of any form', batch: [track] })
    const answer = await fetch(`${plane.url}/v1/batch`, { method: 'POST', headers, body })
    return [answer.status, await answer.text()]
  }

  test('takes a batch by the key in its header alone, and says so by the text OK', async () => {
    assert.deepEqual(await send(basic('a key of any form')), [200, 'OK'])
    assert.equal(plane.accepted.length, 1)
  })

  test('refuses one without that header, and one whose key it does not know', async () => {
    assert.deepEqual(await send({}), [401, 'Failed to read writeKey from header'])
    assert.deepEqual(await send(basic('another key')), [401, 'Invalid Write Key'])
    assert.equal(plane.accepted.length, 0)
  })
})

describe('what a 200 does not say', () => {
  test('over 2,500 messages, missing ids, a track without event, an overlong messageId: rejected unseen', async () => {
    assert.equal((await batch(...Array(2_501).fill({ type: 'page', userId: 'u' }))).status, 200)
    assert.deepEqual([segment.rejected.length, segment.rejected[0]?.reason], [2_501, 'too_many_messages'])
    segment.rejected.length = 0
    const wrong = [{ ...track, anonymousId: '' }, { ...track, event: '' }, { ...track, messageId: 'm'.repeat(101) }, 7]
    assert.equal((await batch(...wrong, { userId: 'u' })).status, 200)
    assert.deepEqual(reasons(), ['no_user_anon_id', 'no_event', 'message_id_too_long', 'not_an_object', 'unknown_type'])
    assert.equal(segment.accepted.length, 0)
  })

  test('a repeated messageId is a duplicate, also under another write key', async () => {
    await batch(track, track)
    await post('/v1/batch', { writeKey: otherKey, batch: [track] })
    assert.deepEqual(segment.accepted.length, 1)
    assert.deepEqual(
      segment.duplicates.map((one) => one.writeKey),
      [writeKey, otherKey],
    )
  })

  test('an unknown write key, where the known ones were named', async () => {
    segment.keys.add(otherKey)
    assert.equal((await batch(track)).status, 200)
    assert.deepEqual([segment.accepted.length, ...reasons()], [0, 'unknown_write_key'])
  })

  test('the stored time is corrected by the clock that sentAt shows', async () => {
    const timestamp = '2024-04-29T19:35:12.425Z'
    const sentAt = '2024-04-29T19:36:12.425Z'
    await post('/v1/batch', { writeKey, sentAt, batch: [{ ...track, timestamp }] })
    const [stored] = segment.accepted
    assert.equal(Date.parse(stored!.timestamp), stored!.receivedAt - 60_000)
  })

  test('digits that a double cannot hold are kept', async () => {
    await post(
      '/v1/batch',
      `{"writeKey":"${writeKey}","batch":[{"type":"page","userId":"u","properties":{"id":9007199254740993}}]}`,
    )
    assert.match(JSON.stringify(segment.accepted[0]?.message), /"id":9007199254740993\}/)
  })
})

describe('settings for browsers', () => {
  test('known keys get settings that lead back here; others 404', async () => {
    segment.keys.add(writeKey)
    const known = await fetch(`${segment.url}/v1/projects/${writeKey}/settings`)
    const { integrations } = (await known.json()) as { integrations: { 'Segment.io': Record<string, unknown> } }
    const { apiKey, apiHost, protocol } = integrations['Segment.io']
    assert.deepEqual([apiKey, `${protocol}://${apiHost}`], [writeKey, `${segment.url}/v1`])
    assert.equal((await fetch(`${segment.url}/v1/projects/${otherKey}/settings`)).status, 404)
  })
})

describe('scripted answers', () => {
  test('a list is used up once, then all is normal', async () => {
    segment.script([{ status: 429, headers: { 'retry-after': '2' } }, { status: 503, body: 'down' }, {}])
    const first = await batch(track)
    assert.deepEqual([first.status, first.headers.get('retry-after')], [429, '2'])
    assert.equal((await batch(track)).body, 'down')
    assert.equal(segment.accepted.length, 0)
    assert.equal((await batch(track)).status, 200)
    assert.equal((await batch({ ...track, messageId: 'm-2' })).status, 200)
    assert.deepEqual(
      segment.requests.map(({ status }) => status),
      [429, 503, 200, 200],
    )
  })

  test('a function sees the request, and one key can have its own', async () => {
    segment.script(({ headers }) => (headers['x-retry-count'] ? undefined : { status: 500 }))
    segment.forKey(otherKey, { status: 401 })
    assert.equal((await batch(track)).status, 500)
    assert.equal(
      (await post('/v1/batch', { writeKey: otherKey, batch: [track] }, { 'x-retry-count': '1' })).status,
      401,
    )
    assert.equal((await post('/v1/batch', { writeKey, batch: [track] }, { 'x-retry-count': '1' })).status, 200)
    segment.script(undefined)
    segment.forKey(otherKey, undefined)
    assert.equal((await post('/v1/batch', { writeKey: otherKey, batch: [track] })).status, 200)
  })

  test('reset before: nothing was kept; reset after: all was kept and the answer is lost', async () => {
    segment.script([{ reset: 'before' }, { reset: 'after' }])
    await assert.rejects(batch(track))
    assert.equal(segment.accepted.length, 0)
    await assert.rejects(batch(track))
    assert.equal(segment.accepted.length, 1)
    assert.deepEqual(
      segment.requests.map(({ status }) => status),
      [0, 0],
    )
  })

  test('slow, huge, redirecting and delayed answers', async () => {
    segment.script([{ drip: 1 }, { hugeBody: 200_000 }, { redirect: 'http://127.0.0.1:9/' }, { delayMs: 1 }])
    assert.equal((await batch(track)).body, '{"success": true}')
    assert.equal((await batch(track)).body.length, 200_000)
    const { status, headers } = await batch(track)
    assert.deepEqual([status, headers.get('location')], [307, 'http://127.0.0.1:9/'])
    assert.equal((await batch(track)).status, 200)
  })

  test('a call is refused when it holds a certain message', async () => {
    segment.script({ refuseIf: ({ event }) => event === 'Poison' })
    assert.equal((await batch(track, { ...track, event: 'Poison' })).status, 400)
    assert.equal((await batch(track)).status, 200)
    assert.equal(segment.accepted.length, 1)
  })

  test('closing ends what hangs', async () => {
    segment.script({ hang: true })
    const hanging = assert.rejects(batch(track))
    await segment.waitFor(() => segment.requests.length === 1)
    await segment.close()
    await hanging
  })

  test('a mistake in a script is seen', async () => {
    segment.script(() => {
      throw new Error('mistaken')
    })
    assert.match((await batch(track)).body, /mistaken/)
  })
})

describe('waiting and looking', () => {
  test('resolves with what was accepted, rejects with what is there', async () => {
    const two = segment.waitFor(2)
    await batch(track)
    await batch({ ...track, messageId: 'm-2' })
    assert.equal((await two).length, 2)
    await assert.rejects(segment.waitFor(3, 1), /not there within 1 ms; there is: 2 accepted, 0 rejected, 0 duplicates/)
    const never = assert.rejects(segment.waitFor(3), /closed while waiting/)
    await segment.close()
    await never
  })

  test('the page for people escapes what it shows and is not in the ledger', async () => {
    await batch({ ...track, event: '<b>Seen</b>' })
    const page = await fetch(segment.url)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(await page.text(), /&#60;b&#62;Seen/)
    assert.equal(segment.requests.length, 1)
  })
})

test("Segment's own Node client is understood, and sends what was captured of it", async () => {
  const analytics = new Analytics({ writeKey, host: segment.url, flushAt: 2 })
  const timestamp = new Date(1714419312425)
  analytics.track({ anonymousId: '21760538950', event: 'Seen', properties: { contactId: 21760538950 }, timestamp })
  analytics.identify({ anonymousId: '21760538950', traits: { _classification: 'Engaged' } })
  await analytics.closeAndFlush()
  const [tracked, identified] = await segment.waitFor(2)
  assert.equal(tracked?.message.timestamp, '2024-04-29T19:35:12.425Z')
  assert.deepEqual(tracked?.message.properties, { contactId: 21760538950 })
  assert.deepEqual(identified?.message.traits, { _classification: 'Engaged' })

  const [request] = segment.requests
  assert.deepEqual([segment.requests.length, request?.method, request?.path], [1, 'POST', '/v1/batch'])
  assert.equal(request?.headers['content-type'], 'application/json')
  assert.equal(request?.headers.authorization, basic(writeKey).authorization)
  const body = JSON.parse(request!.body) as { batch: object[] }
  assert.deepEqual(Object.keys(body), ['batch', 'writeKey', 'sentAt'])
  const common = ['timestamp', 'integrations', 'type', 'context', 'anonymousId', 'messageId', '_metadata']
  const keys = body.batch.map((message) => Object.keys(message).sort())
  assert.deepEqual(keys, [[...common, 'event', 'properties'].sort(), [...common, 'traits'].sort()])
})
