/**
 * An install through Drift, over real HTTP, and what can come back in its place. What Drift may answer is in
 * test/accounts/install-answers.test.ts. The browser has no window here.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { firstOf } from '../../src/accounts/destinations.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

let rig: Rig
let clock: ManualClock
let walks: Walk[] = []
const walk = () => {
  const one = openWalk(rig)
  walks.push(one)
  return one
}
const exchanges = () => rig.sims.drift.count('/oauth2/token')
const stored = (orgId = org) => rig.service.store.storage.installs.get(String(orgId))

before(async () => {
  clock = manualClock(Date.now())
  rig = await startRig({ installed: false, clock })
})
afterEach(async () => {
  await Promise.all(walks.map((one) => one.close()))
  walks = []
})
after(() => rig.close())

describe('an install', () => {
  test('leads to Drift, back to the write key, and ends in Drift’s settings; then events flow', async () => {
    const admin = walk()
    const start = await admin.get(admin.at('/connect'))
    assert.equal(start.status, 302)
    const to = new URL(start.headers.location!)
    assert.equal(to.origin + to.pathname, rig.sims.drift.authorizeUrl)
    assert.deepEqual([...to.searchParams.keys()], ['response_type', 'client_id', 'redirect_uri', 'state'])
    assert.equal(to.searchParams.get('redirect_uri'), admin.at('/connect/callback'))
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    const form = await admin.connect(org)
    assert.equal(new URL(form.url).pathname, '/connect/write-key')
    const saved = await admin.submit(form, { writeKey }, '/connect/write-key')
    assert.deepEqual([saved.status, saved.headers.location], [303, `${rig.sims.drift.url}/settings/apps`])
    const accepted = await rig.sims.segment.waitFor(1)
    assert.equal(accepted[0]?.writeKey, writeKey, 'what came before the key was known')
    const asked = rig.sims.drift.requests.find(({ path }) => path === '/oauth2/token')!
    assert.deepEqual([...new URLSearchParams(asked.body).keys()].sort(), [
      'client_id',
      'client_secret',
      'code',
      'grant_type',
    ])
    assert.match((await admin.get(admin.at('/console'))).body, new RegExp(String(org)))
  })

  test('again keeps the history and the key, and the new grant replaces the old', async () => {
    const before = (await stored())!
    const form = await walk().connect(org)
    assert.match(form.body, /There is a write key already/)
    const after = (await stored())!
    assert.deepEqual(
      [after.state, after.createdAt, firstOf(after).key],
      ['live', before.createdAt, firstOf(before).key],
    )
    assert.notDeepEqual(Buffer.from(after.grant!), Buffer.from(before.grant!))
  })

  test('comes back with a slash at the end of the callback as well as without', async () => {
    const admin = walk()
    const back = (await admin.allow(org)).replace('/connect/callback?', '/connect/callback/?')
    assert.match(back, /callback\/\?/)
    assert.equal((await admin.get(back)).status, 303)
  })

  test('that began in the console ends there', async () => {
    const admin = walk()
    const back = await admin.get(await admin.allow(org, 'console'))
    assert.deepEqual([back.status, new URL(back.headers.location!, back.url).pathname], [303, '/console'])
  })

  test('by two windows of one browser at once works in both', async () => {
    const admin = walk()
    const [one, two] = [await admin.allow(org), await admin.allow(org)]
    assert.equal((await admin.get(one)).status, 303)
    assert.equal((await admin.get(two)).status, 303)
  })

  test('says which scopes are missing or too much', async () => {
    const { settings } = rig.sims.drift
    const scopes = settings.scopes
    settings.scopes = ['contact_read', 'conversation_read', 'contact_write']
    const form = await walk().connect(org)
    settings.scopes = scopes
    assert.match(form.body, /lacks all_contact_read/)
    assert.match(form.body, /can take away: contact_write\./)
    assert.doesNotMatch((await walk().connect(org)).body, /lacks|take away/)
  })

  test('understands camelCase, and an answer without orgId', async () => {
    const { drift } = rig.sims
    const token = drift.issueToken(org)
    drift.script('/oauth2/token', [{ body: { accessToken: token.accessToken, refreshToken: token.refreshToken } }])
    assert.equal((await walk().connect(org)).status, 200)
    drift.settings.omitOrgId = true
    assert.equal((await walk().connect(org)).status, 200)
    drift.settings.omitOrgId = false
  })
})

/** No request went to Drift, no person is signed in, and the page offers a fresh start and repeats nothing. */
async function refused(
  what: string,
  path: (back: URL) => string,
  { status = 400, says = /Start again/, browser }: { status?: number; says?: RegExp; browser?: () => Walk } = {},
): Promise<void> {
  const admin = walk()
  const back = new URL(await admin.allow(org))
  const before = exchanges()
  const visitor = browser ? browser() : admin
  const seen = await visitor.get(admin.at(path(back)))
  assert.equal(seen.status, status, what)
  if (status === 400) assert.match(seen.body, says)
  assert.equal(exchanges(), before)
  assert.equal((await visitor.get(admin.at('/console'))).headers.location, '/console/sign-in')
  assert.doesNotMatch(seen.body, /<script>alert|evil/)
}

describe('what comes back and is not used', () => {
  const callback = (query: string) => () => `/connect/callback?${query}`
  const code = (back: URL) => back.searchParams.get('code')!
  const state = (back: URL) => encodeURIComponent(back.searchParams.get('state')!)
  const rows: [row: string, path: (back: URL) => string, options?: Parameters<typeof refused>[2]][] = [
    ['the state of another browser', (back) => back.pathname + back.search, { browser: walk }],
    ['no state', (back) => `/connect/callback?code=${code(back)}`, { says: /Continue installing/ }],
    ['an empty state', (back) => `/connect/callback?code=${code(back)}&state=`, { says: /Continue installing/ }],
    ['a wrong state', (back) => `/connect/callback?code=${code(back)}&state=${'x'.repeat(80)}`],
    ['a state with another mark', (back) => `${back.pathname}?code=${code(back)}&state=${state(back).slice(0, -2)}aa`],
    ['a state that leads elsewhere', (back) => (back.pathname + back.search).replace('.tile.', '.console.')],
    ['a long state', (back) => `/connect/callback?code=${code(back)}&state=${'x'.repeat(4_000)}`],
    [
      'a very long state',
      (back) => `/connect/callback?code=${code(back)}&state=${'x'.repeat(40_000)}`,
      { status: 431 },
    ],
    ['two states', (back) => `/connect/callback?code=${code(back)}&state=${state(back)}&state=${state(back)}`],
    [
      'a state in brackets',
      (back) => `/connect/callback?code=${code(back)}&state[]=${state(back)}`,
      { says: /Continue installing/ },
    ],
    ['no code', (back) => `/connect/callback?state=${state(back)}`],
    ['an empty code', (back) => `/connect/callback?code=&state=${state(back)}`],
    ['two codes', (back) => `/connect/callback?code=a&code=b&state=${state(back)}`],
    ['a code in brackets', (back) => `/connect/callback?code[]=a&state=${state(back)}`],
    ['a code with a line break', (back) => `/connect/callback?code=a%0d%0ab&state=${state(back)}`],
    ['a code with a NUL', (back) => `/connect/callback?code=a%00b&state=${state(back)}`],
    ['a long code', (back) => `/connect/callback?code=${'a'.repeat(3_000)}&state=${state(back)}`],
    [
      'a refusal that has a script in it',
      callback('error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E'),
      { says: /did not allow/ },
    ],
    ['a code that was asked for at Drift’s tile', callback('code=unsolicited'), { says: /Continue installing/ }],
  ]
  for (const [row, path, options] of rows)
    test(`an install that comes back with ${row} is refused, and no person is signed in`, () =>
      refused(row, path, options))

  test('an install that comes back twice, and at once, is exchanged once, and the page says so', async () => {
    const admin = walk()
    const back = await admin.allow(org)
    const before = exchanges()
    const answers = await Promise.all(Array.from({ length: 5 }, () => admin.get(back)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 400, 400, 400, 400])
    assert.equal(exchanges(), before + 1)
    const again = await admin.get(back)
    assert.equal(again.status, 400)
    assert.match(again.body, /already used/)
  })

  test('to a browser that is signed in: refused and not exchanged as ever, and the page leads on to the console', async () => {
    const admin = walk()
    const back = await admin.allow(org)
    await admin.get(back)
    const stranger = new URL(await walk().allow(org))
    const late = await admin.allow(org)
    const ways: [what: string, url: string][] = [
      ['used', back],
      ['of another browser', admin.at(stranger.pathname + stranger.search)],
      ['without a state', admin.at('/connect/callback?code=x')],
      ['with a wrong state', admin.at('/connect/callback?code=x&state=wrong')],
      ['denied', admin.at('/connect/callback?error=access_denied')],
    ]
    const before = exchanges()
    for (const [what, url] of ways) {
      const seen = await admin.get(url)
      assert.equal(seen.status, 400, what)
      assert.match(
        seen.body,
        new RegExp(`signed in to Drift account <strong>${org}<[\\s\\S]*primary" href="/console"`),
        what,
      )
      assert.equal((await admin.get(admin.at('/console'))).status, 200, what)
    }
    clock.advance(11 * 60_000)
    const expired = await admin.get(late)
    assert.equal(expired.status, 400)
    assert.match(expired.body, /took too long[\s\S]*signed in to Drift account/)
    assert.equal(exchanges(), before)
  })

  test('an install that comes back after more than ten minutes is refused, also after a restart; the restart alone does not refuse it', async () => {
    const admin = walk()
    const [late, soon] = [await admin.allow(org), await admin.allow(org)]
    clock.advance(9 * 60_000)
    const jar = admin.cookies.get(rig.service.url)!
    await rig.restart()
    admin.cookies.set(rig.service.url, jar)
    const again = (url: string) => admin.get(admin.at(new URL(url).pathname + new URL(url).search))
    assert.equal((await again(soon)).status, 303)
    clock.advance(60_000)
    const expired = await again(late)
    assert.equal(expired.status, 400)
    assert.match(expired.body, /took too long[\s\S]*Start again/)
  })

  test('an install works whose state comes back behind a second question mark, as Drift’s documentation has it', async () => {
    const admin = walk()
    const back = new URL(await admin.allow(org))
    const path = `/connect/callback?code=${code(back)}?state=${back.searchParams.get('state')}`
    assert.equal((await admin.get(admin.at(path))).status, 303)
    await refused('with a wrong state', (one) => `/connect/callback?code=${code(one)}?state=wrong`)
    await refused('twice', (one) => `/connect/callback?code=a?state=b?state=${one.searchParams.get('state')}`)
  })

  test('an install that comes back by POST or HEAD, in a frame, or ahead of a click uses nothing up', async () => {
    const admin = walk()
    const back = await admin.allow(org)
    const before = exchanges()
    const head = await fetch(back, { method: 'HEAD', redirect: 'manual' })
    assert.deepEqual([head.status, head.headers.get('allow')], [405, 'GET'])
    assert.equal((await admin.post(back, {})).status, 405)
    for (const headers of [{ 'sec-purpose': 'prefetch' }, { purpose: 'preview' }, { 'sec-fetch-dest': 'iframe' }])
      assert.equal((await admin.get(back, headers as Record<string, string>)).status, 400)
    assert.equal(exchanges(), before)
    const seen = await admin.get(back, { 'sec-fetch-dest': 'document' })
    assert.equal(seen.status, 303)
    assert.match(seen.headers['content-security-policy']!, /frame-ancestors 'none'/)
  })

  test('a parameter of the request cannot say where an install ends', async () => {
    for (const target of ['//evil.example', 'https://evil.example', '\\evil.example', '%0d%0aset-cookie:a=b']) {
      const admin = walk()
      const consent = await admin.follow(await admin.get(admin.at(`/connect?from=${target}&return_to=${target}`)))
      const back = await admin.submit(consent, { orgId: String(org), decision: 'allow' })
      const seen = await admin.get(`${back.headers.location}&return_to=${target}`)
      assert.deepEqual([seen.status, seen.headers.location], [303, '/connect/write-key'])
    }
  })

  test('the redirect URI of an install is ours, whatever host the request names', async () => {
    for (const headers of [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    ]) {
      const admin = walk()
      const seen = await admin.get(admin.at('/connect'), headers as Record<string, string>)
      const to = new URL(seen.headers.location!)
      assert.equal(to.searchParams.get('redirect_uri'), admin.at('/connect/callback'))
    }
  })

  test('after an install going back exchanges nothing, and no address in the history is kept or still good', async () => {
    const admin = walk()
    const back = await admin.allow(org)
    const seen = await admin.get(back)
    assert.deepEqual([seen.headers['cache-control'], seen.headers['referrer-policy']], ['no-store', 'no-referrer'])
    assert.doesNotMatch(seen.headers.location!, /code|state/)
    const before = exchanges()
    assert.equal((await admin.get(back)).status, 400)
    assert.equal(exchanges(), before)
  })

  test('the beginning of an install stores nothing, however often it is done', async () => {
    const admin = walk()
    for (let n = 0; n < 300; n++) assert.equal((await admin.get(admin.at('/connect'))).status, 302)
    const ticket = { kind: 'state', id: 'another', org: '', who: '', at: clock.now(), until: clock.now() + 1 } as const
    // Fewer than a limit of a few means that the three hundred are not there; what came back before is.
    assert.equal(await rig.service.store.storage.tickets.issue(ticket, 60), 'issued')
  })
})
