/** Destinations in single-account mode, where the operator's settings rule the first one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { destinationsOf } from '../../src/accounts/destinations.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { openWalk } from '../walk.ts'

const id = String(org)
const stagingKey = 'StAgInGsTaGiNgStAgInGsTaGiNg0123'

const startSingle = (): Promise<Rig> =>
  startRig({
    installed: false,
    env: { DRIFT_ORG_ID: id, SEGMENT_WRITE_KEY: writeKey, DRIFT_ACCESS_TOKEN: 'a-private-token-0123456789' },
  })

test('where the settings send is changed by no command; a new grant is taken, until the next start', async () => {
  const rig = await startSingle()
  try {
    const add = (secrets: object, more = {}) =>
      rig.command('installs add', { given: { org: id, ...more }, stdin: JSON.stringify(secrets) })
    const change = { org: id, destination: '1', region: 'eu' }
    for (const refused of [
      () => add({ writeKey: stagingKey }, { region: 'eu' }),
      () => add({ writeKey: stagingKey }),
      () => add({}, { region: 'eu' }),
      () => rig.command('destinations change', { given: change }),
    ])
      await assert.rejects(refused, { code: 'destination_fixed' })
    const [{ region, state }] = JSON.parse((await rig.command('installs list', { given: { json: true } })).output)
    assert.deepEqual([region, state], ['us', 'live'])
    const granted = await add({ accessToken: 'another-private-token-0123' })
    assert.match(granted.output, /live\nat its next start the service takes DRIFT_ACCESS_TOKEN instead/)
    assert.equal((await rig.command('installs add', { given: { org: '7' }, stdin: '{}' })).exitCode, 0)
  } finally {
    await rig.close()
  }
})

test('the first destination of single-account mode is the operator’s: an admin adds another one, and neither changes nor removes the first', async () => {
  const rig = await startSingle()
  const admin = openWalk(rig)
  try {
    await admin.connect(org, 'console')
    const form = await admin.get(admin.at('/console/connection/add'))
    const fields = { name: 'Staging', region: 'us', writeKey: stagingKey }
    const added = await admin.submit(form, fields, '/console/connection/add')
    assert.equal(added.headers.location, '/console/connection?done=added')
    const first = await admin.get(admin.at('/console/connection/destination?number=1'))
    assert.match(first.body, /The operator of this service has set the write key[\s\S]*has set where it sends/)
    assert.doesNotMatch(first.body, /name="writeKey"|connection\/remove"/)
    const second = await admin.get(admin.at('/console/connection/destination?number=2'))
    assert.match(second.body, /name="writeKey"[\s\S]*connection\/remove"/)
    const csrf = /name="csrf" value="([^"]+)"/.exec(first.body)![1]!
    const forced = { csrf, destination: '1', confirm: 'Segment' }
    assert.equal((await admin.post(admin.at('/console/connection/remove'), forced)).status, 422)
    const moved = { csrf, destination: '1', region: 'eu', writeKey: '', generation: '1' }
    assert.equal((await admin.post(admin.at('/console/connection/segment'), moved)).status, 404)
    assert.equal(destinationsOf(rig.service.store.accounts.get(id)!).length, 2)
  } finally {
    await admin.close()
    await rig.close()
  }
})
