/** A service that is cut off from its database in the middle of its work. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../src/lib/log.ts'
import { startProxy } from '../torture/proxy.ts'
import { eventually } from './clock.ts'
import { startPostgres, withoutPostgres } from './postgres.ts'
import { org, startRig } from './rig.ts'

test('a service that is cut off from PostgreSQL while Segment answers goes on as soon as it is there again, without waiting for its own lease to run out', {
  skip: withoutPostgres,
  timeout: 120_000,
}, async () => {
  const server = await startPostgres()
  const url = new URL(await server.fresh())
  const proxy = await startProxy(`http://${url.host}`, () => 1)
  url.host = new URL(proxy.url).host
  const errors: string[] = []
  const log = { ...silentLog, error: (event: string) => void errors.push(event) }
  const rig = await startRig({ env: { DATABASE_URL: url.href }, log })
  const { drift, segment } = rig.sims
  try {
    for (const event of ['new_conversation', 'conversation_participant_added'] as const) {
      const before = segment.requests.length
      let cut: Promise<void> | undefined
      // The first is sent at once, the second after Drift has been asked.
      segment.script(() => {
        cut ??= proxy.shut()
        return undefined
      })
      assert.equal((await drift.send(event, { to: rig.to, orgId: org })).status, 200)
      await eventually(() => errors.includes('work_failed'))
      await cut
      errors.length = 0
      segment.script(undefined)
      const startedAt = performance.now()
      await proxy.heal()
      await eventually(async () => (await rig.sums().catch(() => undefined))?.waiting === 0)
      assert.ok(performance.now() - startedAt < 30_000, 'half of what a lease lasts')
      assert.ok(segment.requests.length > before + 1, 'what could not be settled was sent again')
    }
    assert.equal(segment.accepted.length, 2)
    const lanes = await server.query(
      'SELECT max(crashes) AS crashes, count(lease_until) AS leased FROM drift_segment_source.lanes',
      url.href,
    )
    assert.deepEqual(lanes, [{ crashes: 0, leased: '0' }])
  } finally {
    await rig.close()
    await proxy.close()
    await server.close()
  }
})
