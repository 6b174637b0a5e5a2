import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'

let rig: Rig
before(async () => {
  rig = await startRig()
})
after(() => rig.close())

test('a service that drains says so to a balancer, keeps what still comes, and sends it after the next start', async () => {
  const { segment, drift } = rig.sims
  const ready = async () => (await fetch(new URL('/ready', rig.to), { headers: { connection: 'close' } })).status
  assert.equal(await ready(), 200)
  segment.script({ delayMs: 1_500 })
  await drift.send('contact_updated', { to: rig.to, orgId: org, vary: 1 })
  await eventually(() => segment.requests.length > 0)
  const closed = rig.service.close()
  assert.equal(await ready(), 503)
  await drift.send('contact_updated', { to: rig.to, orgId: org, vary: 2 })
  await closed
  assert.equal(segment.accepted.length, 1)
  segment.script(undefined)
  await rig.restart()
  await segment.waitFor(2)
})
