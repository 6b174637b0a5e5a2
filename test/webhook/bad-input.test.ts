/**
 * Bad input to the webhook's address, as tables: whose token is refused before anything is kept, and what is kept with its
 * reason. How it comes over HTTP is in bad-input-http.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { org, settled } from '../rig.ts'
import { event, kept, nextNumber, post, rig, said, stored, token } from '../webhook-stage.ts'

describe('whose token it is', () => {
  const right: [string, () => [string, Record<string, string>]][] = [
    ['in the header', () => [event(), { 'x-verification-token': token }]],
    ['in the body', () => [event({ token }), {}]],
    ['twice in the header, with equal values', () => [event(), { 'x-verification-token': `${token}, ${token}` }]],
    ['once in the header, beside an empty one', () => [event(), { 'x-verification-token': `, ${token}` }]],
    ['in the body, beside an empty header', () => [event({ token }), { 'x-verification-token': ' ' }]],
    ['in both', () => [event({ token }), { 'x-verification-token': token }]],
    ['in the body, spelled with escapes', () => [event({ token }).replace('"token"', '"tok\\u0065n"'), {}]],
  ]
  for (const [row, sent] of right)
    test(`a webhook with the right token ${row} is taken`, async () => void (await kept(...sent())))

  const wrong: [string, () => [string, Record<string, string>]][] = [
    ['nowhere', () => [event(), {}]],
    ['wrong, of the same length', () => [event(), { 'x-verification-token': 'x'.repeat(token.length) }]],
    ['wrong, of another length', () => [event(), { 'x-verification-token': `${token}x` }]],
    ['empty', () => [event(), { 'x-verification-token': '' }]],
    ['wrong in the body though right in the header', () => [event({ token: 'x' }), { 'x-verification-token': token }]],
    ['wrong in the header though right in the body', () => [event({ token }), { 'x-verification-token': 'x' }]],
    ['twice in the header, once wrong', () => [event(), { 'x-verification-token': `${token}, ${token}x` }]],
    ['in capitals', () => [event(), { 'x-verification-token': token.toUpperCase() }]],
    ['in the body with a space', () => [event({ token: `${token} ` }), {}]],
    ['in the body with a NUL', () => [event({ token: `${token}\0` }), {}]],
    ['a number in the body', () => [event({ token: 1 }), { 'x-verification-token': token }]],
    ['null in the body', () => [event({ token: null }), { 'x-verification-token': token }]],
    ['in the body twice', () => [event({ token }).replace('{', `{"token":"${token}",`), {}]],
    ['in the body twice, once escaped', () => [event({ token }).replace('{', `{"tok\\u0065n":"${token}",`), {}]],
    ['only in a body that cannot be read', () => [`{"token":"${token}"`, {}]],
  ]
  for (const [row, sent] of wrong) {
    test(`a webhook whose token is ${row} is refused with 401, and nothing is stored`, async () => {
      const [before, outcomes] = [(await stored()).length, await rig.outcomes()]
      assert.equal(await post(...sent()), 401)
      assert.equal((await stored()).length, before)
      assert.deepEqual(await rig.outcomes(), outcomes)
    })
  }

  test('the token is in nothing that is kept, wherever it stood', async () => {
    await kept(event({ token }, said({ status: `before ${token} after`, [token]: 1 })))
    await kept(`{"token":"${token}","type":`, { 'x-verification-token': token })
    const { output } = await rig.command('inspect', { given: { data: true, limit: '1000', json: true } })
    assert.ok(output.includes('before [token] after'))
    assert.ok(!output.includes(token))
  })
})

describe('what it says is kept, with the reason', () => {
  test('a webhook beyond a limit, too, is kept under the account and type that it names, whose token is in the body alone', async () => {
    const sent = event({ token }).replace('"contactId":7', `"contactId":${'['.repeat(40)}${']'.repeat(40)}`)
    const entry = await kept(sent, {})
    assert.deepEqual([entry.reason, entry.org, entry.type], ['too_deep', String(org), 'new_conversation'])
  })

  const bytes = (text: string, ...more: number[]) => Buffer.concat([Buffer.from(text), Buffer.from(more)])
  const quarantined: [string, () => string | Buffer, string][] = [
    ['gzip sent as JSON', () => gzipSync(event()), 'invalid_utf8'],
    ['an empty body', () => '', 'invalid_json'],
    ['null for a body', () => 'null', 'not_an_object'],
    ['a list for a body', () => '[1]', 'not_an_object'],
    ['a text for a body', () => '"x"', 'not_an_object'],
    ['a number for a body', () => '42', 'not_an_object'],
    ['a body that breaks off', () => event().slice(0, -3), 'invalid_json'],
    ['two documents', () => event() + event(), 'invalid_json'],
    ['a comment', () => `/* */${event()}`, 'invalid_json'],
    ['NaN', () => `{"a":NaN,"n":${nextNumber()}}`, 'invalid_json'],
    ['orgId 1.5', () => event({ orgId: 1.5 }), 'org_unusable'],
    ['orgId -1', () => event({ orgId: -1 }), 'org_unusable'],
    ['orgId 0', () => event({ orgId: 0 }), 'org_unusable'],
    ['orgId null', () => event({ orgId: null }), 'org_unusable'],
    ['a list for orgId', () => event({ orgId: [org] }), 'org_unusable'],
    [
      'orgId of 351 digits',
      () => event().replace(`"orgId":${org}`, `"orgId":1${'0'.repeat(350)}`),
      'number_out_of_range',
    ],
    ['two orgIds', () => event().replace('{', '{"orgId":1,'), 'duplicate_key'],
    ['another orgId inside its data', () => event({}, said({ orgId: 1 })), 'org_contradicts'],
    ['no type', () => event({ type: undefined }), 'type_unusable'],
    ['the type 1', () => event({ type: 1 }), 'type_unusable'],
    ['a type of 10 KB', () => event({ type: 'x'.repeat(10_000) }), 'type_unusable'],
    ['the type __proto__', () => event({ type: '__proto__' }), 'type_unusable'],
    ['a newline in its type', () => event({ type: 'new_conversation\n' }), 'type_unusable'],
    ['no data', () => event({ data: undefined, n: nextNumber() }), 'data_unusable'],
    ['null for data', () => event({ data: null, n: nextNumber() }), 'data_unusable'],
    ['a list for data', () => event({ data: [nextNumber()] }), 'data_unusable'],
    ['33 levels', () => event({}, said({ deep: JSON.parse('['.repeat(32) + ']'.repeat(32)) })), 'too_deep'],
    ['100,000 levels', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'too_deep'],
    ['a hundred thousand values', () => event({}, said({ many: Array(100_000).fill(1) })), 'too_many_values'],
    ['a key twice in data', () => event().replace('"contactId":7', '"contactId":7,"contactId":8'), 'duplicate_key'],
    ['the number 1e400', () => event().replace('"contactId":7', '"contactId":1e400'), 'number_out_of_range'],
    [
      'a number of 200,000 digits',
      () => event({}, said({ n: 0 })).replace('"n":0', `"n":1.${'0'.repeat(200_000)}1`),
      'number_too_long',
    ],
    ['the number 0x10', () => event().replace('"contactId":7', '"contactId":0x10'), 'invalid_json'],
    ['a byte that is not UTF-8', () => bytes(event(), 0xff), 'invalid_utf8'],
    ['an overlong slash', () => bytes(`{"n":${nextNumber()},"a":"`, 0xc0, 0xaf, 0x22, 0x7d), 'invalid_utf8'],
    ['UTF-16', () => Buffer.from(event(), 'utf16le'), 'invalid_json'],
  ]
  for (const [row, sent, reason] of quarantined) {
    test(`a webhook with ${row} is quarantined: ${reason}`, async () => {
      const { state, reason: why } = await kept(sent())
      assert.deepEqual([state, why], ['quarantined', reason])
    })
  }

  const encoded: [encoding: string, encode: (text: string) => Buffer | string][] = [
    ...['identity', 'none', 'binary', '', 'UTF-8', 'us-ascii', 'iso-8859-1', 'identity, utf-8'].map(
      (encoding): [string, (text: string) => string] => [encoding, (text) => text],
    ),
    ['gzip', gzipSync],
    ['X-GZIP', gzipSync],
    ['identity, gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ]
  for (const [encoding, encode] of encoded)
    for (const where of ['header', 'body'])
      test(`an event with Content-Encoding "${encoding}" (${encode.name}) and its token in the ${where} is read`, async () => {
        const headers = {
          'content-encoding': encoding,
          ...(where === 'header' ? { 'x-verification-token': token } : {}),
        }
        assert.equal((await kept(encode(event(where === 'body' ? { token } : {})) as Buffer, headers)).state, 'waiting')
      })

  const unknown: [what: string, encoding: string, body: () => Buffer][] = [
    ['an encoding that is not known', 'zstd', () => Buffer.from(event({ token }))],
    ['two encodings', 'gzip, br', () => gzipSync(event({ token }))],
    ['bytes that are not gzip', 'gzip', () => Buffer.from(event({ token }))],
    ['gzip that breaks off', 'gzip', () => gzipSync(event({ token })).subarray(0, -12)],
  ]
  for (const [what, encoding, body] of unknown) {
    test(`${what} with a right header is quarantined, and without one refused`, async () => {
      const headers = { 'x-verification-token': token, 'content-encoding': encoding }
      const { state, reason } = await kept(body(), headers)
      assert.deepEqual([state, reason], ['quarantined', 'content_encoding'])
      assert.equal(await post(body(), { 'content-encoding': encoding }), 401)
    })
  }

  test('what takes more than 256 KiB when it is decompressed is too large, with a right header or without', async () => {
    for (const compress of [gzipSync, deflateSync, brotliCompressSync]) {
      const bomb = compress(Buffer.alloc(200 * 1024 * 1024, '{'))
      const encoding = compress === gzipSync ? 'gzip' : compress === deflateSync ? 'deflate' : 'br'
      for (const header of [{ 'x-verification-token': token }, {}])
        assert.equal(await post(bomb.subarray(0, 256 * 1024), { ...header, 'content-encoding': encoding }), 413)
    }
  })

  const taken: [string, () => string | Buffer][] = [
    ['a byte order mark', () => `\ufeff${event()}`],
    ['its orgId as text', () => event({ orgId: String(org) })],
    [
      'its keys in another order, and more of them',
      () => JSON.stringify({ more: [1], data: said(), orgId: org, type: 'new_conversation' }),
    ],
    [
      'keys such as __proto__ and constructor',
      () => event().replace('"contactId"', '"__proto__":{"polluted":1},"constructor":1,"then":2,"contactId"'),
    ],
    ['a contactId beyond 2^53', () => event().replace('"contactId":7', '"contactId":9007199254740993')],
    ['a NUL, a lone surrogate, U+2028', () => event({}, said({ status: '\0\ud800\u2028' }))],
    ['a time of 0', () => event({}, said({ createdAt: 0 }))],
    ['a time as text', () => event({}, said({ createdAt: 'soon' }))],
  ]
  for (const [row, sent] of taken)
    test(`a webhook with ${row} waits to be sent`, async () => {
      assert.equal((await kept(sent())).state, 'waiting')
      assert.equal(({} as { polluted?: number }).polluted, undefined)
    })

  test('a webhook of a type outside the catalogue is counted as ignored, and its body is not kept', async () => {
    const [before, { ignored }] = [(await stored()).length, await rig.outcomes()]
    assert.equal(await post(event({ type: 'new_message' })), 200)
    assert.deepEqual([(await stored()).length, (await rig.outcomes()).ignored], [before, ignored + 1])
  })

  test('a webhook of an account that is not installed is kept as `unclaimed`', async () => {
    const { state, reason, org: whose } = await kept(event({ orgId: 424_242 }))
    assert.deepEqual([state, reason, whose], ['unclaimed', 'not_installed', '424242'])
  })

  test('the same event, a hundred times at once and spelled in three ways, is one event', async () => {
    const data = said()
    const spellings = [
      JSON.stringify({ type: 'new_conversation', orgId: org, data }),
      JSON.stringify({
        data: Object.fromEntries(Object.entries(data).reverse()),
        orgId: String(org),
        type: 'new_conversation',
      }),
      JSON.stringify({ type: 'new_conversation', orgId: org, data }, undefined, 2),
    ]
    const before = await rig.outcomes()
    const statuses = await Promise.all(Array.from({ length: 100 }, (_, n) => post(spellings[n % 3]!)))
    assert.ok(statuses.every((status) => status === 200))
    const { received, duplicates } = await rig.outcomes()
    assert.deepEqual([received - before.received, duplicates - before.duplicates], [1, 99])
  })
})

test('odd but readable webhooks reach Segment exactly, and never under an invented id', async () => {
  await rig.command('installs resume', { given: { org: String(org) } })
  await settled(rig, ({ waiting }) => waiting === 0)
  const messages = rig.sims.segment.accepted.map(({ message }) => message)
  for (const { anonymousId, timestamp } of messages) {
    assert.match(String(anonymousId), /^[1-9][0-9]*$/)
    assert.ok(String(timestamp) > '2010')
  }
  const exact = rig.sims.segment.requests.find(({ body }) => body.includes('9007199254740993'))
  assert.match(exact?.body ?? '', /"anonymousId":"9007199254740993"/)
  assert.match(exact?.body ?? '', /"contactId":9007199254740993[,}]/)
  assert.ok(!rig.sims.segment.requests.some(({ body }) => body.includes('polluted')), 'what no page names is not sent')
})
