/** The script as the service serves it, and the tag that the command line prints for it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Context, Given } from '../../src/cli/command.ts'
import { snippet as command } from '../../src/cli/snippet.ts'
import { Problem } from '../../src/lib/errors.ts'
import { bridgeScript } from '../../src/web/bridge.ts'
import { snippet } from '../../src/web/snippet.ts'
import { type Rig, startRig } from '../rig.ts'

const script = readFileSync(new URL('../../packages/bridge/built/bridge.min.js', import.meta.url))
const { path, hashedPath, integrity } = bridgeScript

describe('the script', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig({ installed: false })
  })
  after(() => rig.close())

  /** As it comes over the wire: fetch would unpack it. */
  const get = (from: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
      const asked = request(rig.service.url + from, { method, headers, agent: false }, async (answered) => {
        const chunks: Buffer[] = []
        for await (const chunk of answered) chunks.push(chunk as Buffer)
        resolve({ status: answered.statusCode!, headers: answered.headers, body: Buffer.concat(chunks) })
      })
      asked.once('error', reject).end()
    })

  test('comes from both addresses, for any site; the hashed one may be kept for ever, the other for an hour', async () => {
    for (const [from, kept] of [
      [path, 'public, max-age=3600, stale-while-revalidate=86400'],
      [hashedPath, 'public, max-age=31536000, immutable'],
    ] as const) {
      const { status, headers, body } = await get(from)
      assert.equal(status, 200)
      assert.deepEqual(body, script)
      assert.equal(headers['cache-control'], kept)
      assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
      assert.equal(headers['access-control-allow-origin'], '*')
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['set-cookie'], undefined)
    }
    assert.match(hashedPath, /^\/bridge-[0-9a-f]{16}\.js$/)
    assert.equal((await get('/bridge-0123456789abcdef.js')).status, 404)
    assert.equal((await get(path, {}, 'POST')).status, 405)
  })

  test('is compressed for whom it suits, and a tag of its own says which one it is', async () => {
    const plain = await get(path)
    const packed = await get(path, { 'accept-encoding': 'br, gzip;q=0.8' })
    assert.deepEqual(gunzipSync(packed.body), script)
    assert.equal(packed.body.length, bridgeScript.bytes.gzip)
    assert.equal(packed.headers.vary, 'accept-encoding')
    assert.notEqual(packed.headers.etag, plain.headers.etag)
    for (const accepted of ['br', 'identity', 'gzip;q=0', 'gzip; q=0.0'])
      assert.equal((await get(path, { 'accept-encoding': accepted })).headers['content-encoding'], undefined, accepted)
  })

  test('is not sent again to whom has it, and HEAD tells its size', async () => {
    const { headers } = await get(path)
    for (const known of [headers.etag as string, `W/${headers.etag}`, `"other", ${headers.etag}`]) {
      const again = await get(path, { 'if-none-match': known })
      assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, headers.etag])
    }
    assert.equal((await get(path, { 'if-none-match': '"other"' })).status, 200)
    const head = await get(path, {}, 'HEAD')
    assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, String(script.length)])
  })
})

test('the integrity is that of the bytes', () => {
  assert.equal(integrity, `sha384-${createHash('sha384').update(script).digest('base64')}`)
})

describe('the tag', () => {
  const url = 'https://events.example.com'

  test('says no more than what differs from the default', () => {
    assert.equal(snippet({ url }), `<script async src="${url}/bridge.js"></script>`)
    assert.equal(snippet({ url: `${url}/`, identify: 'contact', consent: 'granted', omit: [] }), snippet({ url }))
    assert.equal(
      snippet({ url, drift: 'embed1', segment: 'key1', identify: 'link', consent: 'pending', omit: ['email'] }),
      `<script async src="${url}/bridge.js" data-drift="embed1" data-segment="key1" data-identify="link" ` +
        `data-consent="pending" data-omit="email"></script>`,
    )
    assert.match(snippet({ url, respectOptOut: true }), / data-respect-opt-out="true">/)
  })

  test('is held to its bytes when it is pinned', () => {
    assert.equal(
      snippet({ url, pinned: true }),
      `<script async src="${url}${hashedPath}" integrity="${integrity}" crossorigin="anonymous"></script>`,
    )
  })

  test('keeps everything inside its attributes', () => {
    const hostile = `"'><script>alert(1)</script>&`
    const written = snippet({ url, drift: hostile, segment: hostile, omit: [hostile] })
    assert.equal(written.match(/[<>]/g)?.length, 4)
    assert.equal(written.match(/"/g)?.length, 8)
  })
})

describe('the command', () => {
  const run = async (given: Given, env: Context['env'] = {}) => {
    const printed: string[] = []
    await command.run!({ env, print: (text) => void printed.push(text) } as Context, given, [])
    return printed.join('\n')
  }

  test('prints the tag for PUBLIC_URL, or for the address that is given', async () => {
    assert.equal(await run({}, { PUBLIC_URL: 'https://a.example' }), snippet({ url: 'https://a.example' }))
    assert.equal(
      await run(
        { url: 'https://b.example', omit: 'email, contactId', pinned: true },
        { PUBLIC_URL: 'https://a.example' },
      ),
      snippet({ url: 'https://b.example', omit: ['email', 'contactId'], pinned: true }),
    )
    assert.equal(
      await run({
        url: 'http://127.0.0.1:8080',
        drift: 'embed_1-x',
        segment: 'key1',
        identify: 'link',
        consent: 'denied',
      }),
      snippet({
        url: 'http://127.0.0.1:8080',
        drift: 'embed_1-x',
        segment: 'key1',
        identify: 'link',
        consent: 'denied',
      }),
    )
  })

  test('says what is wrong where a browser would load nothing', async () => {
    const bad: Given[] = [
      {},
      { url: 'events.example.com' },
      { url: 'http://events.example.com' },
      { url: 'javascript:1' },
    ]
    for (const given of [
      ...bad,
      { url: 'https://a.example', drift: 'em bed' },
      { url: 'https://a.example', segment: '"' },
    ])
      await assert.rejects(run(given), (error) => error instanceof Problem && error.exitCode === 2 && error.hint !== '')
  })
})
