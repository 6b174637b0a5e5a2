// biome-ignore-all lint/style/noExcessiveLinesPerFile: tables with one row for each thing that can be wrong with a webhook.
/**
 * Bad input to the webhook's address, as tables: what is refused before it is kept, and what is kept with its reason.
 * Raw sockets where a client would not send such a thing. After every row the counts add up.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { addsUp } from '../../src/operations/totals.ts'
import type { Shown } from '../../src/storage/ports/lookup.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

let rig: Rig
let token = ''
let seen = 0
before(async () => {
  rig = await startRig()
  token = rig.sims.drift.settings.verificationToken
  // Nothing is sent, so that what was kept can be looked at.
  await rig.command('installs pause', { given: { org: String(org) } })
  await eventually(async () => rig.service.store.accounts.get(String(org))?.state === 'paused')
})
after(() => rig.close())
afterEach(async () => assert.ok(addsUp(await rig.outcomes())))

/** Sends bytes as they are; resolves to the status lines of all answers once the server closes or has said `answers`. */
async function raw(text: string | Buffer, answers = 1): Promise<string[]> {
  const { hostname, port } = new URL(rig.to)
  const socket = connect(Number(port), hostname)
  socket.write(text)
  let heard = ''
  socket.on('error', () => {})
  for await (const chunk of socket) {
    heard += chunk
    if ((heard.match(/HTTP\/1\.1 /g) ?? []).length >= answers) break
  }
  socket.destroy()
  return [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map((found) => found[1]!)
}

function request(lines: string[], body = ''): string {
  return [...lines, 'Host: x', `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')
}

const posting = 'POST /webhooks/drift HTTP/1.1'
/** Different each time, so that nothing is a duplicate. */
const said = (more: object = {}) => ({ contactId: 7, id: ++seen, createdAt: 1_714_419_312_000, ...more })
const event = (more: object = {}, data: object = said()) =>
  JSON.stringify({ type: 'new_conversation', orgId: org, data, ...more })

async function post(body: string | Buffer, headers: Record<string, string> = { 'x-verification-token': token }) {
  return (await fetch(rig.to, { method: 'POST', headers, body: body as string })).status
}

async function stored(): Promise<Shown[]> {
  return (await rig.service.store.storage.lookup.find({}, { limit: 1_000 })).entries
}

/** Posts, and gives the entry that was kept of it. */
async function kept(body: string | Buffer, headers?: Record<string, string>): Promise<Shown> {
  const before = (await stored()).length
  assert.equal(await post(body, headers), 200)
  const entries = await stored()
  assert.equal(entries.length, before + 1, 'kept once')
  return entries.reduce((newest, one) => (one.id > newest.id ? one : newest))
}

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

describe('how it comes', () => {
  const header = `X-Verification-Token: `
  const rows: [string, () => string | Buffer, string[]][] = [
    ['OPTIONS', () => request(['OPTIONS /webhooks/drift HTTP/1.1']), ['405']],
    ['TRACE', () => request(['TRACE /webhooks/drift HTTP/1.1']), ['405']],
    ['HEAD', () => request(['HEAD /webhooks/drift HTTP/1.1']), ['405']],
    ['PUT', () => request(['PUT /webhooks/drift HTTP/1.1', header + token], event()), ['405']],
    ['a token in the address', () => request([`POST /webhooks/drift?token=${token} HTTP/1.1`], event()), ['401']],
    ['a path with a slash more', () => request(['POST /webhooks/drift/ HTTP/1.1', header + token], event()), ['404']],
    ['a path with two slashes', () => request(['POST //webhooks/drift HTTP/1.1', header + token], event()), ['404']],
    ['an escaped path', () => request(['POST /webhooks/%64rift HTTP/1.1', header + token], event()), ['404']],
    ['a path in capitals', () => request(['POST /webhooks/Drift HTTP/1.1', header + token], event()), ['404']],
    [
      'a target in absolute form, as proxies send it (RFC 9112)',
      () => request(['POST http://source.example.com/webhooks/drift HTTP/1.1', header + token], event()),
      ['200'],
    ],
    [
      'a target in absolute form with a port and a query',
      () => request(['POST HTTPS://Source.example.com:8443/webhooks/drift?x=1 HTTP/1.1', header + token], event()),
      ['200'],
    ],
    ['a target in absolute form without a path', () => request(['GET http://source.example.com HTTP/1.1']), ['303']],
    ['a page in absolute form', () => request(['GET http://source.example.com/console HTTP/1.1']), ['303']],
    [
      'a target in absolute form that is nothing here',
      () => request(['GET http://source.example.com/nothing HTTP/1.1']),
      ['404'],
    ],
    ['a target in a form that does not exist', () => request(['GET http:/webhooks/drift HTTP/1.1']), ['400']],
    ...['/console/sign-in', '/connect/callback', '/bridge.js', '/live'].map(
      (path): [string, () => string, string[]] => [
        `32 KB of cookies, on ${path}`,
        () => request([`GET ${path} HTTP/1.1`, `Cookie: ${'c=0123456789; '.repeat(2_300)}`]),
        [path === '/connect/callback' ? '400' : '200'],
      ],
    ),
    [
      '32 KB of cookies, on the webhook',
      () => request([posting, header + token, `Cookie: ${'c'.repeat(32_000)}`], event()),
      ['200'],
    ],
    ['a path with a query', () => request(['POST /webhooks/drift?x=1 HTTP/1.1', header + token], event()), ['200']],
    [
      'a body with a length of 300 MB',
      () => [posting, 'Host: x', header + token, 'Content-Length: 300000000', '', ''].join('\r\n'),
      ['413'],
    ],
    [
      'a body with a length of 300 MB and a wrong token',
      () => [posting, 'Host: x', `${header}x`, 'Content-Length: 300000000', '', ''].join('\r\n'),
      ['401'],
    ],
    ['chunks past the cap', () => chunks(300), ['413']],
    [
      'a length beside chunks',
      () => `${posting}\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ['400'],
    ],
    ['two lengths', () => `${posting}\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n`, ['400']],
    ['a folded header', () => `${posting}\r\nHost: x\r\nA: b\r\n c\r\n\r\n`, ['400']],
    [
      'a thousand headers',
      () => request([posting, header + token, ...Array.from({ length: 1_000 }, (_, n) => `A${n}: b`)], event()),
      ['431'],
    ],
    [
      'nine hundred headers, the token last',
      () => request([posting, ...Array.from({ length: 900 }, (_, n) => `A${n}: b`), header + token], event()),
      ['200'],
    ],
    ['a header of 40 KB', () => request([posting, `A: ${'b'.repeat(40_000)}`]), ['431']],
    ['a TLS hello', () => Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]), ['400']],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ['400']],
    [
      'Expect: 100-continue with a wrong token',
      () => `${posting}\r\nHost: x\r\nExpect: 100-continue\r\n${header}x\r\nContent-Length: 9\r\n\r\n`,
      ['401'],
    ],
  ]
  for (const [row, sent, statuses] of rows)
    test(`the listener answers ${statuses} to ${row}`, async () => assert.deepEqual(await raw(sent()), statuses))

  /** So many KiB in chunks, with the right token and no length. */
  function chunks(many: number): string {
    const one = `400\r\n${'x'.repeat(1_024)}\r\n`
    return `${posting}\r\nHost: x\r\n${header}${token}\r\nTransfer-Encoding: chunked\r\n\r\n${one.repeat(many)}0\r\n\r\n`
  }

  test('the 405 of the webhook says that POST is allowed', async () => {
    const answer = await fetch(rig.to)
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'])
  })

  test('a hundred webhooks sent at once on one socket are answered one by one', async () => {
    const many = Array.from({ length: 100 }, () => request([posting, header + token], event())).join('')
    assert.deepEqual(await raw(many, 100), Array(100).fill('200'))
  })

  test('of a sender that leaves in the middle of the body nothing is stored', async () => {
    const before = (await stored()).length
    const { hostname, port } = new URL(rig.to)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.end(`${posting}\r\nHost: x\r\n${header}${token}\r\nContent-Length: 500\r\n\r\n{"type":`)
    await once(socket.resume(), 'close')
    assert.equal((await stored()).length, before)
  })

  test('a body of exactly 256 KiB is taken', async () => {
    const empty = Buffer.byteLength(event({}, said({ status: '' })))
    const body = event({}, { ...said(), status: '' })
    await kept(body.replace('"status":""', `"status":"${'x'.repeat(256 * 1024 - empty)}"`))
  })

  for (const type of ['', 'text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16'])
    test(`a webhook is taken with the Content-Type ${type || '(none)'}`, async () => {
      const entry = await kept(event(), { 'x-verification-token': token, ...(type ? { 'content-type': type } : {}) })
      assert.equal(entry.state, 'waiting')
    })

  test('a webhook is taken whatever X-Forwarded-For and X-Forwarded-Proto say', async () => {
    const headers = { 'x-verification-token': token, 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'gopher' }
    assert.equal((await kept(event(), headers)).state, 'waiting')
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
    ['NaN', () => `{"a":NaN,"n":${++seen}}`, 'invalid_json'],
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
    ['no data', () => event({ data: undefined, n: ++seen }), 'data_unusable'],
    ['null for data', () => event({ data: null, n: ++seen }), 'data_unusable'],
    ['a list for data', () => event({ data: [++seen] }), 'data_unusable'],
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
    ['an overlong slash', () => bytes(`{"n":${++seen},"a":"`, 0xc0, 0xaf, 0x22, 0x7d), 'invalid_utf8'],
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
