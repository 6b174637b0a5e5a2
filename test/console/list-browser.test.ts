/** The list of events and one event in a real Chromium: nothing moves by itself, and all of it goes by the keyboard. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { withAdminPage } from '../admin-page.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const odd = { type: 'new_meeting', orgId: org, data: { schedulerId: { odd: true } } }
describe('the list of events in a browser', { concurrency: false }, () => {
  let rig: Rig
  let page: Page
  const go = (path: string) => page.goto(`${rig.service.url}/console/${path}`)
  const send = (event: string | typeof odd, vary = 0, to = rig) =>
    to.sims.drift.send(event, { to: to.to, orgId: org, vary })

  const startWithEvents = async () => {
    const started = await startRig()
    await started.sims.drift.sendAll({ to: started.to, orgId: org })
    await send(odd, 0, started)
    await settled(started)
    return started
  }
  const permissions = ['clipboard-read', 'clipboard-write']
  withAdminPage({ rig: startWithEvents, signedIn: true, permissions }, (made) => {
    ;({ rig, page } = made)
  })

  test('a row is two lines on a phone, three where the name is wider than the phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await go('events?state=delivered')
    const rows = await page
      .locator('.events tbody tr')
      .evaluateAll((all) => all.map((row) => [row.querySelector('.what').textContent.length, row.offsetHeight]))
    assert.ok(rows.length >= 10)
    for (const [length, height] of rows)
      assert.ok(height < (length < 25 ? 80 : 105), `${height} px for ${length} letters`)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  test('no row moves when events come: a link says how many are new, and shows them', async () => {
    await go('events')
    await page.locator('.live.on').waitFor()
    const first = page.locator('.events tbody tr').first()
    const [id, before] = [await first.getAttribute('id'), await first.boundingBox()]
    for (const vary of [1, 2, 3]) await send('new_conversation', vary)
    const newer = page.getByRole('link', { name: '3 new events' })
    await newer.waitFor()
    assert.deepEqual(await page.locator(`#${id}`).boundingBox(), before)
    assert.equal(await page.locator('.events tbody tr').first().getAttribute('id'), id)
    await newer.click()
    await page.locator('.events tbody tr').first().waitFor()
    await eventually(async () => (await page.locator('.events tbody tr').first().getAttribute('id')) !== id)
    assert.equal(await page.locator('.newer').isVisible(), false)
  })

  test('a row says by itself what has become of its event, and where it is', async () => {
    rig.sims.segment.script({ status: 503 })
    await send('new_conversation', 20)
    await go('events?state=queued')
    await page.locator('.live.on').waitFor()
    const row = page.locator('.events tbody tr')
    await row.getByText('Queued').waitFor()
    const [id, before] = [await row.getAttribute('id'), await row.boundingBox()]
    rig.sims.segment.script(undefined)
    const accounts = { ...rig.service.store, ...rig.service.store.storage }
    await accounts.inbox.resume({ org: String(org), lane: 'send', destination: 1 }, Date.now())
    await page.getByText('Not in this list any more').waitFor()
    assert.deepEqual({ ...(await page.locator(`#${id}`).boundingBox()), height: 0 }, { ...before, height: 0 })
    await page.getByRole('link', { name: 'Show the list as it is now' }).click()
    await page.getByText('No event matches').waitFor()
  })

  test('an attempt that is wanted on the page of an event leads back to it, with what it brought', async () => {
    rig.sims.segment.script({ status: 503 })
    await send('new_conversation', 25)
    await eventually(async () =>
      (await rig.service.store.storage.lookup.lanes(String(org))).some(({ failures }) => failures > 0),
    )
    await go('events?state=queued')
    await page.locator('td.what a').first().click()
    const address = page.url()
    await page.getByRole('button', { name: 'Retry now' }).click()
    await page.waitForURL(`${address}?done=*`)
    const came = /^(Attempt failed: Segment returned 503|An attempt was made a moment ago)/
    await page.locator('#why').getByText(came).first().waitFor()
    rig.sims.segment.script(undefined)
    await page.locator('#state').getByText('Delivered').waitFor()
  })

  test('what happens before a page listens is shown by it too', async () => {
    rig.sims.segment.script({ status: 503 })
    await send('new_conversation', 30)
    const { lookup, inbox } = rig.service.store.storage
    const lane = { org: String(org), lane: 'send', destination: 1 } as const
    await eventually(async () => (await lookup.lanes(lane.org)).some(({ failures }) => failures > 0))
    const newest = async () => (await lookup.find({ org: lane.org }, { limit: 1 })).entries[0]!
    const listens = Promise.withResolvers<void>()
    await page.route('**/console/live', async (route) => {
      await listens.promise
      await route.continue()
    })
    await go(`events/${(await newest()).messageId}`)
    await page.locator('#state').getByText('Queued').waitFor()
    await page.getByText('No action needed: it is sent again by itself.').waitFor()
    rig.sims.segment.script(undefined)
    await inbox.resume(lane, Date.now())
    await eventually(async () => (await newest()).state === 'delivered')
    listens.resolve()
    await page.locator('#state').getByText('Delivered').waitFor()
    await page.unroute('**/console/live')
  })

  test('an event’s id and its address are copied by a button', async () => {
    await go('events?type=new_meeting&state=delivered')
    await page.locator('td').getByRole('link', { name: 'new_meeting' }).click()
    await page.getByRole('button', { name: 'Copy id' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    const copied = (): Promise<string> => page.evaluate('navigator.clipboard.readText()')
    assert.match(await copied(), /^drift-[\w-]+$/)
    const id = await copied()
    await page.getByRole('button', { name: 'Copy link' }).click()
    await eventually(async () => (await copied()) === `${rig.service.url}/console/events/${id}`)
  })

  test('the whole way from a search to a resend goes by the keyboard', async () => {
    await go('events')
    await page.getByLabel('Search', { exact: true }).focus()
    const { entries } = await rig.service.store.storage.lookup.find(
      { org: String(org), type: 'button_clicked' },
      { limit: 1 },
    )
    await page.keyboard.type(entries[0]!.conversation!)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: /^Search: / }).waitFor()
    await page.getByRole('link', { name: 'button_clicked' }).press('Enter')
    await page.getByText('Resend a delivered event').press('Enter')
    await page.locator('#resend-more').getByRole('button', { name: 'Resend' }).press('Enter')
    await page.getByText('Resent: Segment accepted it').waitFor()
  })
})
