/**
 * Sessions, forms and headers, over real HTTP. What the pages show of other accounts is test/accounts/two-accounts.test.ts.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Seen } from '../../src/sim/visitor.ts'
import { eventually, type ManualClock, manualClock } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const minute = 60_000
let rig: Rig
let clock: ManualClock
let admin: Walk
before(async () => {
  clock = manualClock(Date.now())
  rig = await startRig({ clock })
})
after(() => rig.close())

const signIn = async () => {
  admin = openWalk(rig)
  await admin.connect(org)
}
const jar = () => admin.cookies.get(rig.service.url)!
const look = (path = '/console') => admin.get(admin.at(path))
const isIn = ({ status }: Seen) => status === 200
const csrfOf = ({ body }: Seen) => /name="csrf" value="([^"]+)"/.exec(body)![1]!

describe('a session', () => {
  afterEach(() => admin.close())

  test('that is missing, garbage, or was never given leads to the sign-in, and nothing is shown', async () => {
    await signIn()
    const real = jar().get('sid')!
    for (const value of ['', 'x', 'A'.repeat(43), `${real}x`, real.slice(1), '../../etc', '%00', 'x'.repeat(5_000)]) {
      const seen = await fetch(admin.at('/console'), { redirect: 'manual', headers: { cookie: `sid=${value}` } })
      assert.deepEqual([seen.status, seen.headers.get('location')], [303, '/console/sign-in'], value)
      assert.equal(await seen.text(), '')
    }
  })

  test('ends after thirty minutes without a look, and after eight hours however often one looks', async () => {
    await signIn()
    clock.advance(29 * minute)
    assert.ok(isIn(await look()))
    clock.advance(29 * minute)
    assert.ok(isIn(await look()))
    clock.advance(30 * minute)
    assert.ok(!isIn(await look()))
    await signIn()
    for (let passed = 0; passed < 8 * 60; passed += 20) {
      assert.ok(isIn(await look()), `after ${passed} minutes`)
      clock.advance(20 * minute)
    }
    assert.ok(!isIn(await look()))
  })

  const unasked = [{ 'sec-fetch-dest': 'empty' }, { 'x-refresh': 'live' }, { accept: 'text/event-stream' }]
  for (const headers of unasked)
    test(`is not kept alive by an open page that asks for itself, with ${Object.keys(headers)}`, async () => {
      await signIn()
      clock.advance(29 * minute)
      assert.ok(isIn(await admin.get(admin.at('/console'), headers)))
      clock.advance(2 * minute)
      assert.ok(!isIn(await look()))
    })

  test('has another id after each proof, the old one is worth nothing, and neither is what the store has of it', async () => {
    await signIn()
    const first = jar().get('sid')!
    await admin.connect(org, 'console')
    assert.notEqual(jar().get('sid'), first)
    assert.ok(isIn(await look()))
    jar().set('sid', first)
    assert.ok(!isIn(await look()))
  })

  test('ends on the server when one signs out, and no page of it is kept', async () => {
    await signIn()
    const page = await look()
    assert.equal(page.headers['cache-control'], 'no-store')
    const old = jar().get('sid')!
    const out = await admin.submit(page, {}, '/console/sign-out')
    assert.deepEqual([out.status, out.headers.location], [303, '/console/sign-in'])
    assert.equal(jar().has('sid'), false)
    jar().set('sid', old)
    assert.ok(!isIn(await look()))
  })

  test('of every admin ends when the account is disconnected, and disconnecting twice changes nothing', async () => {
    const third = 7_000_222
    admin = openWalk(rig)
    await admin.connect(third)
    assert.ok(isIn(await look()))
    const { installs, audit } = rig.service.store.storage
    rig.sims.drift.revokeAll()
    await rig.sims.drift.send({ type: 'app_disconnected', orgId: third, data: { a: 1 } }, { to: rig.to })
    await rig.sims.drift.send({ type: 'app_disconnected', orgId: third, data: { a: 2 } }, { to: rig.to })
    await eventually(async () => {
      clock.advance(1_000)
      return !isIn(await look())
    })
    assert.equal((await installs.get(String(third)))?.state, 'disconnected')
    const said = async () =>
      (await audit.list(String(third), 10)).filter(({ what }) => what === 'disconnected the account')
    await eventually(async () => (await said()).length > 0)
    assert.deepEqual(
      (await said()).map(({ who }) => who),
      ['Drift'],
    )
  })

  test('in two cookies of one name: at most one is looked at; on https the name itself is bound to the host', async () => {
    await signIn()
    const real = jar().get('sid')!
    for (const cookie of [`sid=${real}; sid=tossed`, `sid=tossed; sid=${real}`]) {
      const seen = await fetch(admin.at('/console'), { redirect: 'manual', headers: { cookie } })
      assert.ok([200, 303].includes(seen.status))
      assert.doesNotMatch(await seen.text(), /tossed/)
    }
    const secure = await startRig({ env: { PUBLIC_URL: 'https://events.example.com' } })
    try {
      const at = (path: string) => fetch(secure.service.url + path, { redirect: 'manual' })
      const start = await at('/connect')
      assert.match(
        start.headers.get('set-cookie')!,
        /^__Host-flow=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      )
      const to = new URL(start.headers.get('location')!)
      assert.equal(to.searchParams.get('redirect_uri'), 'https://events.example.com/connect/callback')
      const { output } = await secure.command('sign-in', { given: { org: String(org) } })
      const link = new URL(output.split('\n')[0]!)
      assert.equal(link.origin, 'https://events.example.com')
      const opened = await fetch(secure.service.url + link.pathname, { method: 'POST', redirect: 'manual' })
      const set = opened.headers.getSetCookie()
      assert.match(set[0]!, /^__Host-sid=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
      for (const one of set) assert.match(one, /^__Host-[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
      assert.equal(opened.headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains')
      const plain = opened.headers.get('set-cookie')!.replace('__Host-', '').split(';', 1)[0]!
      const seen = await fetch(`${secure.service.url}/console`, { redirect: 'manual', headers: { cookie: plain } })
      assert.equal(seen.status, 303, 'a cookie without the prefix is none')
    } finally {
      await secure.close()
    }
  })
})

describe('a form', () => {
  before(signIn)
  after(() => admin.close())

  const form = 'application/x-www-form-urlencoded'
  const rows: [row: string, headers: Record<string, string>, body: (csrf: string) => string, status: number][] = [
    ['without the token', { 'content-type': form }, () => '', 403],
    ['with an empty token', { 'content-type': form }, () => 'csrf=', 403],
    ['with another session’s token', { 'content-type': form }, () => `csrf=${'a'.repeat(64)}`, 403],
    ['from another origin', { 'content-type': form, origin: 'https://evil.example' }, (csrf) => `csrf=${csrf}`, 403],
    ['from a hidden origin, without the token', { 'content-type': form, origin: 'null' }, () => '', 403],
    ['from another site', { 'content-type': form, 'sec-fetch-site': 'cross-site' }, (csrf) => `csrf=${csrf}`, 403],
    ['from a site beside ours', { 'content-type': form, 'sec-fetch-site': 'same-site' }, (csrf) => `csrf=${csrf}`, 403],
    ['of JSON as plain text', { 'content-type': 'text/plain' }, (csrf) => `{"csrf":"${csrf}"}`, 415],
    ['of JSON', { 'content-type': 'application/json' }, (csrf) => `{"csrf":"${csrf}"}`, 415],
    [
      'in parts',
      { 'content-type': 'multipart/form-data; boundary=x' },
      (csrf) => `--x\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n${csrf}\r\n--x--`,
      415,
    ],
    ['of a megabyte', { 'content-type': form }, (csrf) => `csrf=${csrf}&a=${'x'.repeat(1_000_000)}`, 413],
  ]
  for (const [row, headers, body, status] of rows) {
    test(`${row} is refused with ${status}, and the session lives on`, async () => {
      const csrf = csrfOf(await look())
      const cookie = `sid=${jar().get('sid')}`
      const seen = await fetch(admin.at('/console/sign-out'), {
        method: 'POST',
        redirect: 'manual',
        headers: { ...headers, cookie },
        body: body(csrf),
      })
      assert.equal(seen.status, status)
      assert.ok(isIn(await look()))
    })
  }

  test('under another method is refused with 405, also when a header or a field names a third', async () => {
    const csrf = csrfOf(await look())
    const cookie = `sid=${jar().get('sid')}`
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const headers = { cookie, 'x-http-method-override': 'POST', 'x-method-override': 'POST' }
      const path = `/console/sign-out?_method=POST&csrf=${csrf}`
      const seen = await fetch(admin.at(path), { method, redirect: 'manual', headers })
      assert.deepEqual([seen.status, seen.headers.get('allow')], [405, 'POST'])
    }
    assert.ok(isIn(await look()))
  })
})

describe('every answer', () => {
  before(signIn)
  after(() => admin.close())

  const paths = [
    '/console',
    '/console/sign-in',
    '/console/nowhere',
    '/connect/write-key',
    '/connect/callback',
    '/console/sign-in/a-token',
    '/nowhere',
    '/',
  ]
  for (const path of paths) {
    test(`of ${path} may not be framed, sniffed, kept or named to other sites`, async () => {
      const { headers } = await look(path)
      assert.match(headers['content-security-policy']!, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
      assert.doesNotMatch(headers['content-security-policy']!, /unsafe|\*|http:\/\/(?!127)/)
      const { drift } = rig.sims
      // A code, or a one-time link.
      const secret = /callback|a-token/.test(path)
      assert.ok(headers['content-security-policy']!.includes(`form-action 'self' ${drift.url};`))
      assert.match(headers['content-security-policy']!, /base-uri 'none';.*frame-ancestors 'none'/)
      assert.deepEqual(
        [
          'x-content-type-options',
          'x-frame-options',
          'referrer-policy',
          'cross-origin-opener-policy',
          'cross-origin-resource-policy',
          'cache-control',
        ].map((name) => headers[name]),
        ['nosniff', 'DENY', secret ? 'no-referrer' : 'same-origin', 'same-origin', 'same-origin', 'no-store'],
      )
      assert.equal(headers['strict-transport-security'], undefined, 'only https may ask for https')
    })
  }

  test('to a path that is not ours is 404, to an admin too', async () => {
    const none = [
      '/metrics',
      '/healthz',
      '/debug',
      '/.git/HEAD',
      '/.env',
      '/package.json',
      '/src/main.ts',
      '/bridge.js.map',
    ]
    for (const path of [
      ...none,
      '/admin',
      '/console/accounts',
      '/console/../package.json',
      '/console/%2e%2e/package.json',
      '/assets/../app.ts',
    ])
      assert.equal((await look(path)).status, 404, path)
  })

  test('of health is JSON, whatever type is asked for, and never a script for a callback', async () => {
    const seen = await fetch(admin.at('/live?callback=alert'), { headers: { accept: 'text/html' } })
    assert.deepEqual(
      [seen.headers.get('content-type'), seen.headers.get('x-content-type-options')],
      ['application/json; charset=utf-8', 'nosniff'],
    )
    assert.equal(await seen.text(), '{"ok":true}')
  })
})

test('with the store down the service lives, is not ready, and says no more than that', async () => {
  const ill = await startRig()
  const at = async (path: string) => {
    const answer = await fetch(ill.service.url + path)
    return [answer.status, await answer.text()]
  }
  ill.service.store.storage.check = () => Promise.reject(new Error('secret detail'))
  assert.deepEqual(
    [await at('/live'), await at('/ready')],
    [
      [200, '{"ok":true}'],
      [503, '{"ok":false}'],
    ],
  )
  await ill.close()
})
