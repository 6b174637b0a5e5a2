/** Sending again what failed: what the preview says, what becomes of it, and that the numbers add up afterwards. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const odd = { type: 'new_meeting', orgId: org, data: { schedulerId: { odd: true } } }

for (const engine of engines) {
  describe(`resending on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    const look = async (path: string) => (await admin.get(admin.at(`/console/${path}`))).body
    const find = async (state: 'dead' | 'quarantined' | 'delivered') =>
      (await rig.service.store.storage.lookup.find({ org: String(org), states: [state] }, { limit: 500 })).entries
    const refuses = (isRefused: boolean) =>
      rig.sims.segment.script(
        isRefused ? { refuseIf: ({ event }) => String(event).endsWith('button_clicked') } : undefined,
      )
    /** An event that Segment refuses alone. */
    async function failOne() {
      refuses(true)
      await rig.sims.drift.send('button_clicked', { to: rig.to, orgId: org })
      await eventually(async () => (await find('dead')).length === 1)
      refuses(false)
    }

    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
      await admin.connect(org)
      await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
      await rig.sims.drift.send(odd, { to: rig.to })
      await settled(rig)
    })
    after(async () => {
      await admin.close()
      await rig.close()
      await stores.close()
    })

    test('a preview changes nothing, and says what goes, what failed before, and what must fail again', async () => {
      await failOne()
      const requests = rig.sims.segment.requests.length
      const page = await look('resend?preview=1')
      assert.match(page, />1 event would be resent</)
      assert.match(page, /Of these, 1 failed before \(Segment refused this event \(400\)\)/)
      assert.match(page, />1 event would fail again, and stays<[\s\S]*1: Not as Drift documents it/)
      assert.equal(rig.sims.segment.requests.length, requests)
      assert.equal((await find('dead')).length, 1)
    })

    test('an event offers to be resent only where that can help, and else says why not', async () => {
      const [dead] = await find('dead')
      const [quarantined] = await find('quarantined')
      const [delivered] = await find('delivered')
      const offers = async (message: string) =>
        new RegExp(`action="/console/events/${message}/resend"`).test(await look(`events/${message}`))
      assert.equal(await offers(dead!.messageId), true)
      assert.equal(await offers(delivered!.messageId), true)
      assert.equal(await offers(quarantined!.messageId), false)
      const why = await look(`events/${quarantined!.messageId}`)
      assert.match(why, /It differs in <code>data\.schedulerId<\/code>\. Resending now would fail again\./)
    })

    test('a resent event says what has become of it, also when the page is loaded again', async () => {
      const [dead] = await find('dead')
      const { messageId } = dead!
      const page = await admin.get(admin.at(`/console/events/${messageId}`))
      const sent = await admin.submit(page, {}, `/console/events/${messageId}/resend`)
      assert.equal(sent.headers.location, `/console/events/${messageId}?done=resent`)
      await settled(rig)
      const resent = await look(`events/${messageId}?done=resent`)
      assert.match(resent, /Resent: Segment accepted it/)
      assert.doesNotMatch(resent, /What to do/)
      assert.match(
        resent,
        /Timeline[\s\S]*Failed: Segment refused this event[\s\S]*Resent by Drift admin[\s\S]*Delivered: Segment returned 200/,
      )
    })

    test('more than a hundred are confirmed once more, and the progress says how many of how many', async () => {
      for (let vary = 1; vary <= 100; vary++)
        await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })
      await settled(rig)
      const page = await admin.get(admin.at('/console/resend?state=delivered&type=new_conversation&preview=1'))
      assert.match(page.body, />101 events would be resent</)
      assert.match(page.body, />Yes, resend 101 events</)
      const unconfirmed = await admin.submit(page, {}, '/console/resend')
      assert.equal(unconfirmed.status, 422)
      assert.match(unconfirmed.body, /Tick the box to confirm that 101 events are meant/)
      assert.equal(rig.sims.segment.duplicates.length, 0)
      const confirmed = await admin.submit(page, { confirmed: 'yes' }, '/console/resend')
      assert.equal(confirmed.status, 303)
      await eventually(async () => /101 of 101 events processed, 101 resent/.test(await look('resend')))
      await eventually(() => rig.sims.segment.duplicates.length === 101)
      await settled(rig)
      assert.match(await look('resend'), /History[\s\S]*>101 events</)
    })

    test('the numbers of a page add up, also after resends', async () => {
      const events = await look('events')
      const [all, ...each] = [...events.matchAll(/class="count">([\d,]+)</g)].map(([, count]) => Number(count))
      assert.equal(
        each.reduce((sum, count) => sum + count, 0),
        all,
      )
      assert.equal(all, (await find('delivered')).length + (await find('quarantined')).length)
      const privacy = await look('privacy')
      assert.match(privacy, /The states add up to it\./)
      assert.match(privacy, new RegExp(`>Received</th><td[^>]*><strong>${all}<`))
    })
  })
}
