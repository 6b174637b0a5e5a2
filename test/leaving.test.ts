/** An account of which Drift has said that it disconnected, seen from outside: the real service, its doors, its pages. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { addsUp } from '../src/pipeline/sums.ts'
import { eventually, type ManualClock, manualClock } from './clock.ts'
import { org, type Rig, settled, startRig, writeKey } from './rig.ts'
import { openWalk, type Walk } from './walk.ts'

const options = { timeout: 60_000 }
const id = String(org)
let rig: Rig
let clock: ManualClock
let said = 0

afterEach(async () => {
  assert.ok(addsUp(await rig.sums()))
  await rig.close()
})

const installed = () => rig.service.store.roster.get(id)!
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
    assert.match(page, /Paused/)
    assert.doesNotMatch(page, /Events flow from Drift to Segment|>Resume</)
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
    const settings = await admin.get(admin.at('/console/settings'))
    await admin.submit(settings, { confirm: id }, '/console/disconnect')
    assert.equal(installed().state, 'disconnected')
    assert.equal((await rig.sums()).expired, 1)
  })
})
