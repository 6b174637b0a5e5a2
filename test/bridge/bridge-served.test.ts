/** The script as the service serves it, and the tag that the command line prints for it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Context, Given } from '../../src/cli/command.ts'
import { snippet as command } from '../../src/cli/snippet.ts'
import { Problem } from '../../src/lib/errors.ts'
import { bridgeRoutes, bridgeScript } from '../../src/web/bridge.ts'
import { policyHash, snippet } from '../../src/web/snippet.ts'
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

  test('has a script beside it for each consent manager', async () => {
    for (const name of ['onetrust', 'cookiebot', 'tcf', 'google']) {
      const { status, headers } = await get(`/bridge-consent-${name}.js`)
      assert.deepEqual([status, headers['access-control-allow-origin']], [200, '*'], name)
    }
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

  const tag = (options: object = {}) => snippet({ url, as: 'tag', ...options })

  test('says no more than what differs from the default', () => {
    assert.equal(tag(), `<script async src="${url}/bridge.js"></script>`)
    assert.equal(tag({ url: `${url}/`, identify: 'contact', consent: 'granted', omit: [] }), tag())
    assert.equal(
      tag({ drift: 'embed1', segment: 'key1', identify: 'link', consent: 'pending', omit: ['email'] }),
      `<script async src="${url}/bridge.js" data-drift="embed1" data-segment="key1" data-identify="link" ` +
        `data-consent="pending" data-omit="email"></script>`,
    )
    assert.match(tag({ respectOptOut: true }), / data-respect-opt-out="true">/)
  })

  test('is held to its bytes when it is pinned', () => {
    assert.equal(
      tag({ pinned: true }),
      `<script async src="${url}${hashedPath}" integrity="${integrity}" crossorigin="anonymous"></script>`,
    )
  })

  test('keeps everything inside its attributes', () => {
    const hostile = `"'><script>alert(1)</script>&`
    const written = tag({ drift: hostile, segment: hostile, omit: [hostile], nonce: hostile })
    assert.equal(written.match(/[<>]/g)?.length, 4)
    assert.equal(written.match(/"/g)?.length, 10)
  })
})

describe('the starter', () => {
  const url = 'https://events.example.com'
  const textsOf = (html: string) => [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)

  test('is at most 700 bytes, beside the address and the options of the site', () => {
    const [own = ''] = textsOf(snippet({ url })).map((text) => text.replace(`"${url}/bridge.js"`, ''))
    assert.ok(Buffer.byteLength(own) <= 700, `${own.length} bytes`)
  })

  test('has a reserve behind it, which is small and the same for every site; --small and --fallback leave it out', () => {
    const [starter, reserve, ...more] = textsOf(snippet({ url, consent: 'pending', nonce: 'n', pinned: true }))
    assert.deepEqual(more, [])
    assert.equal(reserve, textsOf(snippet({ url: 'https://other.example' }))[1])
    assert.ok(Buffer.byteLength(reserve!) <= 2_500, `${reserve!.length} bytes`)
    const [, loading] = textsOf(snippet({ url, drift: 'embed1' }))
    assert.equal(loading, textsOf(snippet({ url, segment: 'key1' }))[1])
    assert.ok(Buffer.byteLength(loading!) <= 3_600, `${loading!.length} bytes`)
    assert.deepEqual(textsOf(snippet({ url, consent: 'pending', nonce: 'n', pinned: true, small: true })), [starter])
    assert.equal(textsOf(snippet({ url, fallback: '/own/chat.js' })).length, 1)
  })

  test('names what a Content Security Policy must name for exactly these bytes', () => {
    const html = snippet({ url, drift: 'embed1' })
    const digests = textsOf(html).map((text) => createHash('sha256').update(text).digest('base64'))
    assert.equal(policyHash(html), digests.map((digest) => `'sha256-${digest}'`).join(' '))
    assert.equal(digests.length, 2)
    assert.equal(policyHash(snippet({ url, as: 'tag' })), undefined)
  })

  test('has the options of the site, and nothing in them ends the script', () => {
    const html = snippet({ url, consent: 'pending', omit: ['email', '</script><b>'], drift: 'embed1' })
    assert.ok(html.includes('{"drift":"embed1","consent":"pending","omit":"email \\u003c/script>\\u003cb>"}'), html)
    assert.equal(html.match(/<\/script/g)?.length, 2)
  })

  test('loads exactly these bytes when it is pinned, and hands on a nonce where there is one', () => {
    const html = snippet({ url, pinned: true, nonce: 'a"b' })
    assert.equal(html.match(/<script nonce="a&#34;b">/g)?.length, 2)
    assert.ok(
      html.includes(
        `"${url}${hashedPath}",{crossOrigin:"",integrity:"${integrity}",nonce:document.currentScript.nonce}`,
      ),
    )
  })

  test('or everything is in the page: the whole file in one inline script, with its options in the tag', () => {
    const html = snippet({ url, as: 'inline', consent: 'pending', nonce: 'n' })
    assert.ok(html.startsWith('<script nonce="n" data-consent="pending">'), html.slice(0, 80))
    assert.deepEqual(textsOf(html), [script.toString().trim()])
    assert.equal(html.match(/<\/?script/gi)?.length, 2)
  })
})

describe('the builds of released versions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'released-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('of twelve the last ten answer and two give 404, whatever order a folder lists them in; each request is counted', async () => {
    const versions = Array.from({ length: 12 }, (_, n) => `0.${n + 1}.0`)
    for (const version of versions) writeFileSync(join(folder, `${version}.min.js`), `"${version}"`)
    writeFileSync(join(folder, 'README.md'), 'not a build')
    const asked: string[] = []
    const routes = bridgeRoutes((build) => void asked.push(build), folder)
    const server = createServer((request, response) => {
      const route = routes[request.url!]?.GET
      if (route) return void route(request, response, {} as never)
      response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const answers: [number, string | null][] = []
    for (const version of versions) {
      const hash = createHash('sha256').update(`"${version}"`).digest('hex').slice(0, 16)
      const answer = await fetch(`http://127.0.0.1:${port}/bridge-${hash}.js`)
      answers.push([answer.status, answer.headers.get('cache-control')])
      if (answer.ok) assert.equal(await answer.text(), `"${version}"`)
    }
    server.close()
    const gone = [404, null] as const
    const served = [200, 'public, max-age=31536000, immutable'] as const
    assert.deepEqual(answers, [gone, gone, ...Array(10).fill(served)])
    assert.deepEqual(asked, versions.slice(2))
  })

  test('are those of the versions that the changelog names as released', () => {
    const changes = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8')
    const released = [...changes.matchAll(/^## (\d+\.\d+\.\d+)/gm)].map(([, version]) => version!)
    const kept = bridgeRoutes(() => {})
    const builds = new URL('../../packages/bridge/released/', import.meta.url)
    for (const version of released.slice(0, 10)) {
      const build = readFileSync(new URL(`${version}.min.js`, builds))
      const hash = createHash('sha256').update(build).digest('hex').slice(0, 16)
      assert.ok(kept[`/bridge-${hash}.js`], `npm run release:version keeps the build of ${version}`)
    }
  })
})

describe('the command', () => {
  const run = async (given: Given, env: ReturnType<Context['env']> = {}) => {
    const printed: string[] = []
    await command.run!(
      {
        env: () => env,
        print: (text) => void printed.push(text),
        remark: (text) => void remarks.push(text),
      } as Context,
      given,
      [],
    )
    return printed.join('\n')
  }

  const remarks: string[] = []

  test('prints the starter for PUBLIC_URL, or for the address that is given', async () => {
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

  test('prints a tag or everything instead, and remarks the hash of what is inline', async () => {
    const url = 'https://a.example'
    remarks.length = 0
    assert.equal(await run({ url, tag: true }), snippet({ url, as: 'tag' }))
    assert.deepEqual(remarks, [])
    assert.equal(await run({ url, inline: true }), snippet({ url, as: 'inline' }))
    assert.ok(remarks.join().includes(policyHash(snippet({ url, as: 'inline' }))!))
    const strict = { url, nonce: '{{ nonce }}', trustedTypes: true }
    assert.equal(await run(strict), snippet(strict))
    await assert.rejects(run({ url, tag: true, inline: true }), (error) => error instanceof Problem)
    const backed = { url, fallback: '/own/chat.js' }
    assert.equal(await run(backed), snippet(backed))
    assert.equal(await run({ url, small: true }), snippet({ url, small: true }))
    for (const given of [backed, { url, small: true }])
      for (const as of ['inline', 'tag'])
        await assert.rejects(run({ ...given, [as]: true }), (error) => error instanceof Problem)
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
      { url: 'https://a.example', fallback: 'http://a.example/b.js' },
      { url: 'https://a.example', fallback: '//b.js' },
      { url: 'https://a.example', fallback: 'b.js' },
    ])
      await assert.rejects(run(given), (error) => error instanceof Problem && error.exitCode === 2 && error.hint !== '')
  })
})
