/** An account whose only destination is an endpoint: pages speak of the endpoint, and not of Segment. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type SegmentSim, startSegment } from '../../src/sim/index.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

describe('an endpoint in Segment’s place', { concurrency: false, timeout: 60_000 }, () => {
  let plane: SegmentSim
  let rig: Rig
  let admin: Walk
  const look = async (path: string) => (await admin.get(admin.at(`/console/${path}`))).body.replace(/^[\s\S]*<main/, '')
  const send = (vary: number) => rig.sims.drift.send('button_clicked', { to: rig.to, orgId: org, vary })

  before(async () => {
    plane = await startSegment({ isRudderStack: true, keys: [writeKey] })
    rig = await startRig({ env: { DESTINATION_ENDPOINTS: `lake=${plane.url}` } })
    const given = { org: String(org), destination: '1', endpoint: 'lake' }
    const { exitCode, output } = await rig.command('destinations change', { given })
    assert.equal(exitCode, 0, output)
    await rig.service.store.accounts.reload(Date.now())
    admin = openWalk(rig)
    await admin.connect(org)
  })
  after(async () => {
    await admin.close()
    await rig.close()
    await plane.close()
  })

  test('is what alerts are said to be about', async () => {
    assert.match(await look('alerts'), /events of this account do not reach lake, /)
  })

  test('is named in the preview of a resend, for an event that it refused', async () => {
    plane.script({ refuseIf: () => true })
    await send(1)
    await eventually(async () => (await rig.outcomes()).dead === 1)
    plane.script(undefined)
    const preview = await look('resend?preview=1')
    assert.match(preview, /failed before \(lake refused this event \(400\)\)/)
    assert.match(preview, /<span class="under">lake refused this event \(400\)/)
    assert.doesNotMatch(preview, /Segment refuse/)
  })

  test('is where history is said to go, and no tracked users of Segment are counted', async () => {
    const page = await look('history')
    assert.match(page, /the meetings of the last 30 days to lake, each/)
    assert.doesNotMatch(page, /Segment/)
    const { output } = await rig.command('backfill', { given: { org: String(org), dryRun: true } })
    assert.match(output, /it takes about/)
    assert.doesNotMatch(output, /Segment/)
  })

  test('is named where history waits for it', async () => {
    plane.script({ status: 401, body: 'who are you' })
    await send(2)
    await settled(rig, ({ held }) => held === 1)
    const at = Date.now() - 7_200_000
    const conversations = [{ id: 4_100_000_001, contactId: 21_700_000_000, createdAt: at, updatedAt: at }]
    rig.sims.drift.addOrg({ orgId: org, conversations })
    await admin.submit(await admin.get(admin.at('/console/history')), { what: 'send' }, '/console/history/compare')
    await eventually(async () => (await look('history')).includes('It waits, and is not sent yet'))
    const page = await look('history')
    assert.match(page, /lake does not accept the write key \(401/)
    assert.doesNotMatch(page, /Segment does not accept/)
  })
})
