/** An account of which Drift has said that it disconnected, seen from outside: the real service, its doors, its pages. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually, type ManualClock, manualClock, whileWaiting } from '../clock.ts'
import { closeCounted, org, type Rig, settled, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const options = { timeout: 60_000 }
const id = String(org)
let rig: Rig
let clock: ManualClock
let said = 0

afterEach(() => closeCounted(rig))

const installed = () => rig.service.store.accounts.get(id)!
const saysSo = async () => {
  const { status } = await rig.sims.drift.send(
    { type: 'app_disconnected', orgId: org, data: { said: ++said } },
    { to: rig.to },
  )
  assert.equal(status, 200)
}
const send = (vary: number) => rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })
const accepted = () => rig.sims.segment.accepted.length
/** Until it is so, while time passes. */
const inTime = (isSo: () => boolean) =>
  eventually(() => {
    clock.advance(1_000)
    return isSo()
  })

describe('the account of single-account mode', options, () => {
  let admin: Walk
  const token = 'a-private-token-of-drift-0123456789'
  const privateToken = (accessToken: string) => {
    const { drift } = rig.sims
    drift.addOrg({ orgId: org })
    const grant = {
      id: accessToken,
      orgId: org,
      accessToken,
      scopes: drift.settings.scopes,
      createdAt: 0,
      expiresIn: 0,
    }
    drift.accessTokens.set(accessToken, grant)
  }

  beforeEach(async () => {
    clock = manualClock(Date.now() + 3_600_000)
    const env = { DRIFT_ORG_ID: id, SEGMENT_WRITE_KEY: writeKey, DRIFT_ACCESS_TOKEN: token }
    rig = await startRig({ installed: false, env, clock })
    privateToken(token)
    admin = openWalk(rig)
  })
  afterEach(() => admin.close())

  const look = async () => {
    await admin.connect(org)
    return (await admin.get(admin.at('/console'))).body
  }
  const list = async () => (await rig.command('installs list')).output
  const isAsked = () => installed().reason === 'disconnecting'
  const isDoubted = () => installed().reason === 'disconnect_unproven'

  test('loses nothing by a forged farewell and a proxy’s page: it pauses, over a restart too, until Drift answers', async () => {
    const ofThisAccount = ({ body }: { body: string }) => body.includes(token)
    rig.sims.drift.script('/app/token_info', (request) =>
      ofThisAccount(request) ? { status: 401, body: '<html>' } : undefined,
    )
    await saysSo()
    await inTime(() => isAsked() && rig.sims.drift.count('/app/token_info') > 1)
    await send(1)
    await rig.restart()
    await inTime(() => rig.sims.drift.count('/app/token_info') > 10)
    assert.deepEqual([isAsked(), accepted()], [true, 0])
    assert.match(await list(), /paused[\s\S]*1 waiting: disconnecting[\s\S]*Drift is being asked/)
    const page = await look()
    assert.match(page, /Drift said that this account disconnected/)
    assert.doesNotMatch(page, />Working<|>Resume</)
    rig.sims.drift.script('/app/token_info', undefined)
    await inTime(() => accepted() === 1)
    assert.deepEqual([installed().state, installed().reason], ['live', undefined])
  })

  test('is never erased by a webhook: a person is asked, resumes it, and what waited is sent', async () => {
    rig.sims.drift.accessTokens.delete(token)
    await saysSo()
    await eventually(isDoubted)
    await send(1)
    await rig.restart()
    assert.deepEqual([isDoubted(), accepted()], [true, 0])
    assert.match(await list(), /paused[\s\S]*1 waiting: disconnect_unproven[\s\S]*disconnect the account/)
    const json = JSON.parse((await rig.command('installs list', { given: { json: true } })).output)
    assert.deepEqual([json[0].state, json[0].reason], ['paused', 'disconnect_unproven'])
    assert.match(await look(), /Has this account disconnected\?[\s\S]*disconnect the account[\s\S]*>Resume</)
    await rig.command('installs resume', { given: { org: id } })
    await eventually(() => accepted() === 1)
    await settled(rig)
  })

  test('goes on when it is started with another token, which Drift is asked about when it says so again', async () => {
    rig.sims.drift.accessTokens.delete(token)
    await saysSo()
    await eventually(isDoubted)
    await send(1)
    rig.env.DRIFT_ACCESS_TOKEN = `another-${token}`
    privateToken(`another-${token}`)
    await rig.restart()
    await eventually(() => accepted() === 1)
    await saysSo()
    await eventually(() => rig.sims.drift.count('/app/token_info') === 2)
    await eventually(() => installed().reason === undefined)
  })

  test('leaves when a person says so in the console, and everything of it goes', async () => {
    rig.sims.drift.accessTokens.delete(token)
    await saysSo()
    await eventually(isDoubted)
    await send(1)
    await look()
    const settings = await admin.get(admin.at('/console/connection'))
    rig.sims.drift.script('/app/uninstall', { status: 503 })
    const { body } = await whileWaiting(clock, admin.submit(settings, { confirm: id }, '/console/disconnect'))
    assert.match(body, /Drift did not confirm that the authorization has ended: remove the app/)
    assert.equal(installed().state, 'disconnected')
    assert.equal((await rig.outcomes()).expired, 1)
  })

  test('is not said to have ended at Drift where no grant of it was kept', async () => {
    await look()
    const settings = await admin.get(admin.at('/console/connection'))
    await rig.service.store.accounts.change(id, clock.now(), ({ grant: _, ...kept }) => kept)
    const { body } = await whileWaiting(clock, admin.submit(settings, { confirm: id }, '/console/disconnect'))
    assert.match(body, /No authorization was stored, so none was ended at Drift/)
    assert.doesNotMatch(body, /Drift has ended/)
  })
})

describe('an account that Drift is asked about', options, () => {
  let admin: Walk
  beforeEach(async () => {
    clock = manualClock(Date.now() + 3_600_000)
    rig = await startRig({ clock })
    admin = openWalk(rig)
    await admin.connect(org)
    rig.sims.drift.script('/app/token_info', { status: 503 })
    await saysSo()
    await eventually(() => installed().reason === 'disconnecting')
    await send(1)
  })
  afterEach(() => admin.close())

  const given = { org: id }
  const settings = () => admin.get(admin.at('/console/connection'))
  const csrf = async () => /name="csrf" value="([^"]+)"/.exec((await settings()).body)![1]!
  const press = async (path: string) => admin.post(admin.at(path), { csrf: await csrf() })
  /** What the page says to which Resume leads. */
  const resumed = async () => {
    const { status, headers } = await press('/console/resume')
    assert.equal(status, 303)
    return (await admin.get(admin.at(String(headers.location)))).body
  }
  const add = (secrets: object, more = {}) =>
    rig.command('installs add', { given: { ...given, ...more }, stdin: JSON.stringify(secrets) })
  const newKey = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
  const doors: Readonly<Record<string, () => Promise<unknown>>> = {
    'Resume in the console': async () => {
      assert.match(await resumed(), /Not resumed: Drift said that this account disconnected/)
    },
    'Pause, then Resume in the console': async () => {
      assert.equal((await press('/console/pause')).status, 303)
      assert.match(await resumed(), /Not resumed: Drift said that this account disconnected/)
    },
    'a new write key in the console': async () =>
      admin.submit(await settings(), { writeKey: newKey }, '/console/connection/segment'),
    'the other region in the console': async () =>
      admin.submit(await settings(), { region: 'eu' }, '/console/connection/segment'),
    'other events in the console': async () => admin.submit(await settings(), {}, '/console/connection/events'),
    'a new write key where an install ends': async () =>
      admin.submit(await admin.get(admin.at('/connect/write-key')), { writeKey }, '/connect/write-key'),
    'installs resume': () => assert.rejects(rig.command('installs resume', { given }), { code: 'still_asked' }),
    'installs pause, then installs resume': async () => {
      await rig.command('installs pause', { given })
      await assert.rejects(rig.command('installs resume', { given }), { code: 'still_asked' })
    },
    'installs add with a write key': () => add({ writeKey: newKey }),
    'installs add with a region': () => add({}, { region: 'us' }),
    'a restart': () => rig.restart(),
    'the same webhook again': () => saysSo(),
    'a grant that is renewed because it is used': async () => {
      const before = rig.sims.drift.count('/oauth2/token')
      clock.advance(2 * 3_600_000)
      await inTime(() => rig.sims.drift.count('/oauth2/token') > before)
    },
    'a grant that is renewed because it is idle': async () => {
      const before = rig.sims.drift.count('/oauth2/token')
      await rig.service.store.accounts.change(id, clock.now(), (known) => ({ ...known, refreshAt: 1 }))
      await inTime(() => rig.sims.drift.count('/oauth2/token') > before)
    },
  }
  for (const [what, open] of Object.entries(doors))
    test(`is not resumed by ${what}: nothing is sent until Drift has answered, and then all of it`, async () => {
      await open()
      await rig.service.store.accounts.reload(clock.now(), id)
      const before = rig.sims.drift.count('/app/token_info')
      await inTime(() => rig.sims.drift.count('/app/token_info') > before + 1)
      assert.deepEqual([installed().reason, rig.sims.segment.requests.length], ['disconnecting', 0])
      assert.equal((await rig.outcomes()).held, 1)
      rig.sims.drift.script('/app/token_info', undefined)
      await inTime(() => installed().reason === undefined)
      if (installed().state === 'paused') await rig.command('installs resume', { given })
      await inTime(() => accepted() === 1)
    })

  test('is asked about with the new grant when an admin connects it again meanwhile', async () => {
    const { drift } = rig.sims
    // Drift says nothing of the old grants, or it would answer about one of them before the account is connected again.
    const old = [...drift.accessTokens.keys()]
    drift.script('/app/token_info', ({ body }) =>
      old.some((token) => body.includes(token)) ? { status: 503 } : undefined,
    )
    await admin.connect(org)
    const newToken = [...drift.accessTokens.keys()].at(-1)!
    const asked = () => drift.requests.filter(({ path, body }) => path === '/app/token_info' && body.includes(newToken))
    // Once as it is connected, and once for what Drift has said.
    await inTime(() => asked().length === 2)
    await inTime(() => accepted() === 1 && installed().reason === undefined)
    assert.equal(installed().state, 'live')
  })

  test('can be resumed by a person where nothing asks any more', async () => {
    const { storage } = rig.service.store
    const { entries } = await storage.lookup.find({ org: id, states: ['asking'] }, { limit: 9 })
    await storage.inbox.take(
      id,
      entries.map(({ id: of }) => of),
    )
    await rig.command('installs resume', { given })
    await eventually(() => accepted() === 1)
  })
})
