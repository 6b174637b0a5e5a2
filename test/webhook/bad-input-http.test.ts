/**
 * How a webhook comes over HTTP, as a table: methods, paths, headers, lengths and broken bytes. Raw sockets, since a client
 * would not send such a thing.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { event, kept, rig, said, stored, token } from '../webhook-stage.ts'

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
