/** DRIFT_ORG_IDS_ALLOWED: only these accounts may connect, be kept, and be sent. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { eventually } from '../clock.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk } from '../walk.ts'

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

/** Whether Segment has what `post` sent as this number. */
const arrived = (n: number) =>
  rig.sims.segment.accepted.some(({ message }) => JSON.stringify(message).includes(`"goal ${n}"`))

test('the page says so to an account that is not listed, its grant is ended at Drift, and nothing of it is stored', async () => {
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
  const before = await rig.outcomes()
  assert.equal(await post(unlisted, 1), 200)
  const after = await rig.outcomes()
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
  assert.equal(await post(listed, 3), 200)
  assert.equal(await post(org, 4), 200)
  await eventually(() => arrived(4))
  assert.ok(!arrived(3))
  assert.equal((await rig.outcomes()).held, 1)
  const { output } = await rig.command('installs list')
  assert.match(output, new RegExp(`${listed} {2}paused[\\s\\S]*not_allowed: the operator of this service lists`))

  const resumed = rig.command('installs resume', { given: { org: String(listed) } })
  await assert.rejects(resumed, { code: 'not_allowed' }, 'resuming is not listing')
  assert.equal((await rig.outcomes()).held, 1)

  rig.env.DRIFT_ORG_IDS_ALLOWED = `${org},${listed}`
  await rig.restart()
  await eventually(() => arrived(3))
  await settled(rig, ({ held, waiting }) => held + waiting === 0)
})

test('the admin of an installed account that is not listed is turned away, and its grant at Drift and what waits stay', async () => {
  rig.env.DRIFT_ORG_IDS_ALLOWED = String(org)
  await rig.restart()
  assert.equal(await post(listed, 6), 200)
  const before = rig.sims.drift.count('/app/uninstall')
  const { grant } = (await rig.service.store.storage.installs.get(String(listed)))!
  const walk = openWalk(rig)
  const refused = await walk.connect(listed)
  await walk.close()
  assert.equal(refused.status, 403)
  assert.match(refused.body, /may not be connected here any more.*is paused, and what Drift sends for it is kept/s)
  assert.equal(rig.sims.drift.count('/app/uninstall'), before)
  const after = (await rig.service.store.storage.installs.get(String(listed)))!
  assert.deepEqual([after.grant, after.state], [grant, 'live'])
  assert.equal((await rig.outcomes()).held, 1)
})

test('the console of an installed account that is not listed says that it is stopped and why, and offers no resuming', async () => {
  const { output } = await rig.command('sign-in', { given: { org: String(listed), url: rig.service.url } })
  const walk = openWalk(rig)
  const button = await walk.get(output.split('\n')[0]!)
  await walk.submit(button)
  const overview = await walk.get(walk.at('/console'))
  assert.match(overview.body, /Stopped[\s\S]*Account not allowed/)
  assert.match(overview.body, /does not list this account among those that may use it/)
  const settings = await walk.get(walk.at('/console/connection'))
  assert.match(settings.body, /does not list this account among those that may use it/)
  for (const { body } of [overview, settings]) assert.doesNotMatch(body, /\/console\/resume|Events reach|disconnected/)
  await walk.close()
})

test('an account that was installed beside the service a moment ago is not taken for a stranger', async () => {
  const added = 6_000_003
  const command = await rig.command('installs add', { given: { org: String(added) }, stdin: '{}' })
  assert.match(command.output, /not listed in DRIFT_ORG_IDS_ALLOWED/)
  const { held } = await rig.outcomes()
  assert.equal(await post(added, 7), 200)
  assert.equal((await rig.outcomes()).held, held + 1)
})

test('an account that is not listed and has disconnected is not said to be sent once it is listed', async () => {
  await rig.command('installs disconnect', { given: { org: '6000003' } })
  const { output } = await rig.command('installs list')
  assert.match(output, /^6000003 {2}disconnected .*\n(?: {2}.*\n)*? {2}disconnected: the account has disconnected/m)
  assert.doesNotMatch(output.slice(output.indexOf('6000003')), /not_allowed/)
})

test('when Drift does not confirm that a grant has ended, the admin is asked to remove the app', async () => {
  rig.sims.drift.script('/app/uninstall', () => ({ status: 500, body: {} }))
  const walk = openWalk(rig)
  const refused = await walk.connect(unlisted)
  await walk.close()
  rig.sims.drift.script('/app/uninstall', undefined)
  assert.equal(refused.status, 403)
  assert.match(refused.body, /did not confirm that the app’s grant has ended: remove the app in Drift’s settings/)
  assert.equal(await rig.service.store.storage.installs.get(String(unlisted)), undefined)
})

test('the account of single-account mode counts as listed', async () => {
  rig.env.DRIFT_ORG_IDS_ALLOWED = String(listed)
  Object.assign(rig.env, {
    DRIFT_ORG_ID: '7000001',
    SEGMENT_WRITE_KEY: 'AbCdEfGhIjKlMnOpQrStUvWxYz012345',
    DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2',
  })
  await rig.restart()
  assert.equal(await post(7_000_001, 5), 200)
  // What was held of the account that is listed again goes out as well, before or after it.
  await eventually(() => arrived(5))
})
