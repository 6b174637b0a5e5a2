/**
 * What becomes of an install when Drift answers otherwise than it should, and when accounts or browsers meet.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Action } from '../../src/sim/index.ts'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const other = 6_000_993
let rig: Rig
let walks: Walk[] = []
const walk = () => {
  const one = openWalk(rig)
  walks.push(one)
  return one
}
const stored = (orgId = org) => rig.service.store.storage.installs.get(String(orgId))

before(async () => {
  rig = await startRig()
  // The service learns from its first install what Drift calls our app.
  await walk().connect(org)
})
afterEach(async () => {
  for (const path of ['/oauth2/token', '/app/token_info']) rig.sims.drift.script(path, undefined)
  await Promise.all(walks.map((one) => one.close()))
  walks = []
})
after(() => rig.close())

/** An error as the gateway in front of Drift says it. */
const own = (status: number, error: string): Action => ({ status, body: { error, error_description: 'No.' } })

describe('what Drift answers', () => {
  const failing: [row: string, path: string, action: Action, says: RegExp, status?: number][] = [
    ['400', '/oauth2/token', own(400, 'invalid_request'), /does not know this code/, 400],
    ['401', '/oauth2/token', own(401, 'invalid_grant'), /does not know this code/, 400],
    ['a client that Drift does not know', '/oauth2/token', own(400, 'invalid_client'), /does not know this app/],
    [
      'a proxy that asks for a sign-in, which is not Drift’s word on the code',
      '/oauth2/token',
      { status: 401, body: { error: 'unauthorized' } },
      /does not answer/,
    ],
    [
      'a firewall’s page, which is not Drift’s word on the token',
      '/app/token_info',
      { status: 403, body: '<html>' },
      /does not answer/,
    ],
    ['500', '/oauth2/token', { status: 500, body: 'oops' }, /does not answer/],
    ['a page of HTML', '/oauth2/token', { status: 200, body: '<html>evil</html>' }, /does not answer/],
    ['200 without a token', '/oauth2/token', { status: 200, body: { refresh_token: 'x' } }, /does not answer/],
    ['a reset connection', '/oauth2/token', { reset: 'before' }, /does not answer/],
    ['a redirect', '/oauth2/token', { redirect: 'http://127.0.0.1:9/evil' }, /does not answer/],
    ['ten megabytes', '/oauth2/token', { hugeBody: 10_000_000 }, /does not answer/],
    ['an account that cannot exist', '/app/token_info', { body: { authenticated_userid: 'orgId:0' } }, /whose account/],
    ['no account', '/app/token_info', { body: { scope: 'contact_read' } }, /whose account/],
    [
      'an account with more than digits',
      '/app/token_info',
      { body: { authenticated_userid: 'orgId:1 OR 1' } },
      /whose account/,
    ],
    ['a token that Drift does not know', '/app/token_info', own(401, 'invalid_token'), /token that it has just given/],
    [
      'another app',
      '/app/token_info',
      { body: { authenticated_userid: `orgId:${other}`, credential_id: 'another' } },
      /another app/,
    ],
    [
      'another account than the token answer',
      '/app/token_info',
      { body: { authenticated_userid: 'orgId:77', credential_id: '' } },
      /whose account/,
    ],
  ]
  for (const [row, path, action, says, status = 502] of failing) {
    test(`an install that Drift answers with ${row} ends in a page that says so, with a fresh start, and nothing is stored`, async () => {
      const admin = walk()
      const back = await admin.allow(other)
      rig.sims.drift.script(path, () => action)
      const seen = await admin.get(back)
      rig.sims.drift.script(path, undefined)
      assert.equal(seen.status, status)
      assert.match(seen.body, says)
      assert.match(seen.body, /href="http[^"]*\/connect"/)
      assert.doesNotMatch(seen.body, /evil|(?<!drift_)invalid_/)
      assert.equal(await stored(other), undefined)
      assert.equal(await stored(77), undefined)
      assert.equal((await admin.get(admin.at('/console'))).headers.location, '/console/sign-in')
    })
  }

  test('a lifetime that says nothing is taken for two hours', async () => {
    for (const expires of [0, -5, 'soon', null]) {
      const { accessToken, refreshToken } = rig.sims.drift.issueToken(org)
      const body = { access_token: accessToken, refresh_token: refreshToken, expires_in: expires, orgId: org }
      rig.sims.drift.script('/oauth2/token', [{ body }])
      assert.equal((await walk().connect(org)).status, 200)
      assert.equal((await stored())?.state, 'live')
    }
  })

  test('two admins who install one account at once get one account, and both are signed in', async () => {
    const admins = [walk(), walk()]
    const backs = await Promise.all(admins.map((admin) => admin.allow(other)))
    const seen = await Promise.all(admins.map((admin, n) => admin.get(backs[n]!)))
    assert.deepEqual(
      seen.map(({ status }) => status),
      [303, 303],
    )
    for (const admin of admins) assert.equal((await admin.get(admin.at('/console'))).status, 200)
    assert.equal((await rig.service.store.storage.installs.list()).filter((one) => one.org === String(other)).length, 1)
    assert.equal((await stored(other))?.state, 'waiting_for_key')
  })

  test('an admin who is signed in to one account and connects another is then in the other, under a new session', async () => {
    const admin = walk()
    await admin.connect(org)
    const sessionOf = () => admin.cookies.get(rig.service.url)!.get('sid')!
    const before = sessionOf()
    const form = await admin.connect(other)
    assert.match(form.body, new RegExp(`Drift account[^]*${other}`))
    assert.notEqual(sessionOf(), before)
    admin.cookies.get(rig.service.url)!.set('sid', before)
    assert.equal((await admin.get(admin.at('/console'))).headers.location, '/console/sign-in')
  })

  test('a crash between the exchange and the store leaves no half account', async () => {
    const admin = walk()
    const third = 7_000_111
    const back = await admin.allow(third)
    const { accounts } = rig.service.store
    const { change } = accounts
    accounts.change = () => Promise.reject(new Error('gone'))
    const seen = await admin.get(back)
    accounts.change = change
    assert.equal(seen.status, 500)
    assert.equal(await stored(third), undefined)
    assert.equal((await admin.connect(third)).status, 200, 'a fresh start works')
  })

  // A code without an answer in time is src/accounts/connect-finish.test.ts; a refresh while another process has refreshed, is
  // src/accounts/grant.test.ts.
})
