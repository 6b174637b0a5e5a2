/**
 * The main job, whole: every event posted through the real server reaches the simulated Segment exactly as documented.
 * Oracles: the fixtures beside the event pages, and the official @segment/analytics-node for the shape of a message.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Analytics } from '@segment/analytics-node'
import { readFixture } from '../../src/events/fixtures.ts'
import { catalogue } from '../../src/events/index.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { difference } from '../../src/sim/expected.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig, writeKey } from '../rig.ts'

for (const engine of engines) {
  describe(`the journey of a webhook on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
    })
    after(async () => {
      await rig.close()
      await stores.close()
    })

    for (const type of catalogue.keys()) {
      test(`${type} arrives whole, and nothing else does`, async () => {
        const { drift, segment } = rig.sims
        const earlier = segment.accepted.length
        const answer = await drift.send(type, { to: rig.to, orgId: org })
        assert.deepEqual(answer, { status: 200, body: '{"ok":true}' })
        const accepted = await segment.waitFor(earlier + 1)
        assert.equal(accepted.length, earlier + 1)
        const { message, receivedAt, writeKey: used } = accepted.at(-1)!
        assert.equal(used, writeKey)
        assert.equal(await difference(type, message, receivedAt), undefined)
        await settled(rig)
      })
    }

    test('the same events again are answered 200 and sent no second time', async () => {
      const { drift, segment } = rig.sims
      await settled(rig)
      const earlier = segment.accepted.length
      for (const answer of await drift.sendAll({ to: rig.to, orgId: org })) assert.equal(answer.status, 200)
      const outcomes = await settled(rig)
      assert.equal(outcomes.duplicates, catalogue.size)
      assert.equal(segment.accepted.length, earlier)
      assert.deepEqual(segment.duplicates, [])
      assert.deepEqual(segment.rejected, [])
    })

    test('every request to Segment has the documented frame and nothing more', () => {
      for (const request of rig.sims.segment.requests) {
        assert.equal(request.method, 'POST')
        assert.equal(request.path, '/v1/batch')
        assert.equal(request.headers['content-type'], 'application/json')
        const body = JSON.parse(request.body) as JsonObject
        assert.deepEqual(Object.keys(body).sort(), ['batch', 'sentAt', 'writeKey'])
        assert.ok(Math.abs(Date.parse(String(body.sentAt)) - request.receivedAt) < 5_000)
      }
    })

    test('the conversation is asked for only where the webhook does not say whose it is', () => {
      const asked = [...catalogue.values()].filter(({ from }) => from.includes('conversation'))
      assert.ok(rig.sims.drift.count('/conversations/*') <= asked.length)
      assert.equal(rig.sims.drift.count('/contacts/*'), 0)
    })
  })
}

test('a message has the shape that the official client sends for the same call', async () => {
  const rig = await startRig()
  try {
    const { drift, segment } = rig.sims
    for (const [type, page] of catalogue) {
      const { segment: expected } = (await readFixture(type)) as { segment: JsonObject }
      const earlier = segment.accepted.length
      await drift.send(type, { to: rig.to, orgId: org })
      const ours = (await segment.waitFor(earlier + 1)).at(-1)!.message
      const client = new Analytics({ writeKey, host: segment.url, flushAt: 1 })
      const call = {
        anonymousId: String(expected.anonymousId),
        messageId: `official-${type}`,
        timestamp: new Date(String(ours.timestamp)),
        integrations: { Drift: false },
        context: { integration: { name: 'drift-segment-source', version: '0' } },
      }
      if (page.call === 'track')
        client.track({ ...call, event: String(expected.event), properties: expected.properties as object })
      else client.identify({ ...call, traits: expected.traits as object })
      await client.closeAndFlush()
      const theirs = (await segment.waitFor(earlier + 2)).at(-1)!.message
      // What the client adds of its own: who it is, and on what it runs.
      const { _metadata, ...official } = theirs
      assert.deepEqual(shape(ours), shape({ ...official, context: ours.context! }), type)
    }
  } finally {
    await rig.close()
  }
})

/** Every path of a message with the kind of value there. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, shape(inner)]),
  )
}
