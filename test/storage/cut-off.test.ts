/** A service that loses its database in the middle of its work: the connection alone, or the server. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { type FaultProxy, startProxy } from '../../torture/proxy.ts'
import { eventually } from '../clock.ts'
import { type Postgres, startPostgres, withoutPostgres } from '../postgres.ts'
import { org, startRig } from '../rig.ts'

/** What happens to the server while nothing connects to it. */
const losses: Record<string, (server: Postgres) => Promise<void>> = {
  'is cut off from PostgreSQL': async () => {},
  'loses a PostgreSQL that crashes and starts again': async (server) => {
    await server.stop('immediate')
    await server.start()
  },
}

describe('a service that works on an event while Segment answers', { skip: withoutPostgres }, () => {
  let server: Postgres
  let proxy: FaultProxy
  before(async () => {
    server = await startPostgres()
    proxy = await startProxy(await server.fresh(), () => 1)
  })
  after(async () => {
    await proxy?.close()
    await server?.close()
  })

  for (const [what, happens] of Object.entries(losses))
    test(`and ${what} goes on as soon as it is there again, without waiting for its own lease to run out`, {
      timeout: 120_000,
    }, async () => {
      const direct = await server.fresh()
      const through = new URL(direct)
      through.host = new URL(proxy.url).host
      const errors: string[] = []
      const log: Log = { ...silentLog, error: (event, { lane } = {}) => void errors.push(`${event} ${lane}`) }
      const rig = await startRig({ env: { DATABASE_URL: through.href }, log })
      const { drift, segment } = rig.sims
      try {
        for (const event of ['new_conversation', 'conversation_participant_added'] as const) {
          const before = segment.requests.length
          let cut: Promise<void> | undefined
          // The first is sent at once, the second after Drift has been asked.
          segment.script(() => {
            // What failed before that is of the loss before.
            if (!cut) errors.length = 0
            cut ??= proxy.shut()
            return undefined
          })
          assert.equal((await drift.send(event, { to: rig.to, orgId: org })).status, 200)
          // Not any lane: that of lookups may be cut off while it gives its lease back.
          await eventually(() => cut !== undefined && errors.includes('work_failed send'))
          await cut
          await happens(server)
          segment.script(undefined)
          const startedAt = performance.now()
          await proxy.heal()
          await eventually(async () => (await rig.outcomes().catch(() => undefined))?.waiting === 0)
          assert.ok(performance.now() - startedAt < 30_000, 'half of what a lease lasts')
          assert.ok(segment.requests.length > before + 1, 'what could not be settled was sent again')
        }
        assert.equal(segment.accepted.length, 2)
        const lanes = await server.query(
          'SELECT max(crashes) AS crashes, count(lease_until) AS leased FROM drift_segment_source.lanes',
          direct,
        )
        assert.deepEqual(lanes, [{ crashes: 0, leased: '0' }])
      } finally {
        await rig.close()
      }
    })
})
