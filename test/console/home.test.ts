/** Home on the real service, on every engine: the set-up to its end, an outage, and numbers that add up whatever is resent. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/lib/clock.ts'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const newcomer = 7_000_333
const odd = { type: 'new_meeting', data: { schedulerId: { odd: true } } }

for (const engine of engines) {
  describe(`Home on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    let laterMs = 0
    const clock = { ...systemClock, now: () => systemClock.now() + laterMs }
    before(async () => {
      stores = await engine.start()
      rig = await startRig({ clock, env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
    })
    after(async () => {
      await admin.close()
      await rig.close()
      await stores.close()
    })

    const send = (event: string | typeof odd, orgId: number, vary = 0) =>
      rig.sims.drift.send(typeof event === 'string' ? event : { ...event, orgId }, { to: rig.to, orgId, vary })
    const home = async (query = '') => (await admin.get(admin.at(`/console${query}`))).body
    /** The word, the title and the button of the banner. */
    async function status(): Promise<string> {
      const banner = /<section class="banner[\s\S]*?<\/section>/.exec(await home())![0]
      const word = /class="badge [^"]*">([^<]+)/.exec(banner)![1]
      const title = /<h2[^>]*>([^<]+)/.exec(banner)![1]
      const action = /<(?:button|a class="button)[^>]*>([^<]+)/.exec(banner)?.[1]
      return `${word}: ${title}${action ? ` [${action}]` : ''}`
    }
    async function numbers(): Promise<Record<string, number>> {
      const found = (await home()).matchAll(/data-count="(\w+)">([\d,]+)/g)
      return Object.fromEntries([...found].map(([, name, count]) => [name, Number(count!.replaceAll(',', ''))]))
    }
    const sumOf = ({ received: _, ...parts }: Record<string, number>) =>
      Object.values(parts).reduce((sum, count) => sum + count, 0)

    test('leads through the set-up, a step after the other, until events reach Segment', async () => {
      const form = await admin.connect(newcomer)
      assert.equal(await status(), 'Setup incomplete: Enter a write key [Enter write key]')
      assert.match(await home(), /Setup: 1 of 5 steps done/)
      assert.doesNotMatch(await home(), /data-count/)
      await admin.submit(form, { writeKey }, '/connect/write-key')
      assert.match(await status(), /^Waiting for the first event: No event has come from Drift yet/)
      await send('new_conversation', newcomer)
      await settled(rig)
      assert.equal(await status(), 'Working: Accepted by Segment, not yet confirmed [Send test event]')
      const sent = await admin.submit(await admin.get(admin.at('/console')), {}, '/console/connection/test')
      const tested = await admin.follow(sent)
      const { message } = rig.sims.segment.accepted.at(-1)!
      assert.ok(tested.body.includes(String(message.messageId)))
      const moved = { destination: '1', region: 'eu' }
      const change = async (more: object) => {
        const { exitCode, output } = await rig.command('destinations change', {
          given: { org: String(newcomer), ...more },
        })
        assert.equal(exitCode, 0, output)
        await rig.service.store.accounts.reload(Date.now())
      }
      await change(moved)
      assert.equal((await admin.submit(tested, {}, '/console/connection/confirm')).status, 409, 'it went elsewhere')
      await change({ ...moved, region: 'us' })
      assert.equal((await admin.submit(tested, {}, '/console/connection/confirm')).status, 303)
      assert.equal(await status(), 'Working: Events reach Segment')
      assert.doesNotMatch(await home(), /Setup:/)
    })

    test('asks to confirm the test event again once there is another write key', async () => {
      const connection = await admin.get(admin.at('/console/connection'))
      const asked = await admin.submit(
        connection,
        { writeKey: 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654', region: 'us' },
        '/console/connection/segment',
      )
      const chosen = [...asked.body.matchAll(/name="chosen" value="([^"]+)"/g)].at(-1)![1]!
      const saved = await admin.submit(asked, { chosen }, '/console/connection/segment')
      assert.equal(saved.status, 303)
      assert.match(await status(), /not yet confirmed/)
    })

    test('has numbers that add up, also after events were sent again', async () => {
      await admin.connect(org, 'console')
      for (let vary = 0; vary < 5; vary++) await send('new_conversation', org, vary)
      await settled(rig)
      await send(odd, org)
      await send({ type: 'a_type_of_later', data: {} } as unknown as typeof odd, org)
      rig.sims.segment.script([{ status: 400 }])
      await send('phone_captured', org)
      await settled(rig, ({ waiting, dead }) => waiting === 0 && dead === 1)
      const first = await numbers()
      const wanted = { received: 8, ignored: 1, queued: 0, blocked: 0, failed: 1, delivered: 5, notRecognized: 1 }
      assert.deepEqual(first, wanted)
      assert.equal(sumOf(first), first.received)
      for (const state of ['delivered', 'dead', 'quarantined'])
        await rig.command('redrive', { given: { org: String(org), state } })
      await settled(rig, ({ waiting, dead, held }) => waiting === 0 && dead === 0 && held === 1)
      assert.deepEqual(await numbers(), { ...wanted, failed: 0, delivered: 6 })
    })

    test('says Delayed once an event that Segment did not take is over a minute old, and not before', async () => {
      rig.sims.segment.script({ status: 503 })
      await send('new_conversation', org, 99)
      const { lookup } = rig.service.store.storage
      await eventually(async () => (await lookup.lanes(String(org))).some(({ failures }) => failures > 0))
      assert.match(await status(), /^Working/)
      laterMs += 61_000
      await eventually(async () => /^Delayed: Segment returned 503 \(service unavailable\)/.test(await status()))
      assert.match(await home(), /1 event queued/)
      rig.sims.segment.script(undefined)
      await settled(rig)
      assert.match(await status(), /^Working/)
    })
  })
}
