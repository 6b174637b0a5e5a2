/** DRIFT_ORG_IDS_ALLOWED: only these accounts may connect, be kept, and be sent. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { eventually } from './clock.ts'
import { install, org, type Rig, settled, startRig } from './rig.ts'
import { openWalk } from './walk.ts'

const [listed, unlisted] = [6_000_001, 6_000_002]
let rig: Rig
before(async () => {
  rig = await startRig({ env: { DRIFT_ORG_IDS_ALLOWED: `${org}, ${listed}` } })
})
afterEach(() => rig.sims.segment.script(undefined))
after(() => rig.close())

const post = async (orgId: number, n: number) => {
  const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
  const body = JSON.stringify({ type: 'playbook_goal_met', orgId, data: { contactId: 7, goalName: `goal ${n}` } })
  return (await fetch(rig.to, { method: 'POST', headers, body })).status
}

test('an account that is not listed is told so, its grant is ended at Drift, and nothing of it is stored', async () => {
  const walk = openWalk(rig)
  const before = rig.sims.drift.count('/app/uninstall')
  const refused = await walk.connect(unlisted)
  assert.equal(refused.status, 403)
  assert.match(refused.body, /may not be connected here/)
  assert.equal(rig.sims.drift.count('/app/uninstall'), before + 1)
  const { installs, vault } = rig.service.store.storage
  assert.equal(await installs.get(String(unlisted)), undefined)
  assert.deepEqual(
    (await vault.list('')).filter(({ name }) => name.includes(String(unlisted))),
    [],
  )
  const there = await walk.connect(listed)
  assert.equal(new URL(there.url).pathname, '/connect/write-key')
  await walk.close()
})

test('webhooks of an account that is neither listed nor installed are answered 200, counted as ignored, and not kept', async () => {
  const before = await rig.sums()
  assert.equal(await post(unlisted, 1), 200)
  const after = await rig.sums()
  assert.deepEqual([after.ignored - before.ignored, after.held], [1, before.held])
  const { entries } = await rig.service.store.storage.lookup.find({ org: String(unlisted) }, { limit: 1 })
  assert.deepEqual(entries, [])
})

test('an installed account that is not listed any more is paused, what comes in is kept, and listing it again sends it', async () => {
  await install(rig, listed)
  assert.equal(await post(listed, 2), 200)
  await settled(rig, ({ waiting }) => waiting === 0)
  rig.env.DRIFT_ORG_IDS_ALLOWED = String(org)
  await rig.restart()
  const sent = rig.sims.segment.accepted.length
  assert.equal(await post(listed, 3), 200)
  assert.equal(await post(org, 4), 200)
  await eventually(() => rig.sims.segment.accepted.length === sent + 1)
  assert.equal((await rig.sums()).held, 1)
  const { output } = await rig.command('installs list')
  assert.match(output, new RegExp(`${listed} {2}paused[\\s\\S]*not_allowed: DRIFT_ORG_IDS_ALLOWED is set`))

  await rig.command('installs resume', { given: { org: String(listed) } })
  await rig.service.store.roster.reload(Date.now())
  assert.equal((await rig.sums()).held, 1, 'resuming is not listing')

  rig.env.DRIFT_ORG_IDS_ALLOWED = `${org},${listed}`
  await rig.restart()
  await eventually(() => rig.sims.segment.accepted.length === sent + 2)
  await settled(rig, ({ held, waiting }) => held + waiting === 0)
})

test('the account of single-account mode counts as listed', async () => {
  rig.env.DRIFT_ORG_IDS_ALLOWED = String(listed)
  Object.assign(rig.env, {
    DRIFT_ORG_ID: '7000001',
    SEGMENT_WRITE_KEY: 'AbCdEfGhIjKlMnOpQrStUvWxYz012345',
    DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2',
  })
  await rig.restart()
  const sent = rig.sims.segment.accepted.length
  assert.equal(await post(7_000_001, 5), 200)
  await eventually(() => rig.sims.segment.accepted.length === sent + 1)
})
