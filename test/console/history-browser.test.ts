/** The page History in a real Chromium: estimated, brought in, cancelled and begun again by clicking, and seen as it goes on. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { pastOf } from '../../src/sim/past.ts'
import { withAdminPage } from '../admin-page.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

/** In the page: something has changed, and a page that renews its parts has had the time to ask for them. */
const pageRenewed = `new Promise((resolve) => {
  const source = new EventSource('/console/live')
  source.addEventListener('change', async () => {
    source.close()
    for (let look = 0; look < 5; look++) await fetch('/console/history', { headers: { 'x-refresh': 'live' } })
    resolve()
  })
})`

describe('History in a browser', { concurrency: false }, () => {
  let rig: Rig
  let page: Page
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const latest = (text: string) => page.locator('#latest', { hasText: text })

  const startWithPast = async () => {
    const started = await startRig()
    started.sims.drift.addOrg({ orgId: org, ...pastOf(Date.now(), 30) })
    return started
  }
  withAdminPage({ rig: startWithPast, signedIn: true }, (made) => {
    ;({ rig, page } = made)
  })

  test('says how much there is, and how far it is while it is brought in', async () => {
    await page.getByRole('link', { name: 'History' }).click()
    await press('Estimate')
    await latest('30 would be sent as events').waitFor()
    rig.sims.drift.script('/contacts/*', { delayMs: 4_000 })
    await press('Bring in this history')
    const bar = page.getByRole('progressbar', { name: 'Bringing in history' })
    await bar.waitFor()
    const { width, height } = (await bar.boundingBox())!
    assert.ok(width > 200 && height >= 8, `the bar is ${width} by ${height} px`)
  })

  test('cancelled by a press during which the page is renewed, it says what was sent; estimated again, it brings in the rest', async () => {
    await page.getByRole('button', { name: 'Cancel', exact: true }).hover()
    await page.mouse.down()
    await page.evaluate(pageRenewed)
    await page.mouse.up()
    await latest('What was sent stays sent').waitFor()
    rig.sims.drift.script('/contacts/*', undefined)
    await press('Estimate')
    await page.getByRole('button', { name: 'Bring in this history' }).waitFor()
    await press('Bring in this history')
    await latest('Done').waitFor()
    await settled(rig)
    const events = rig.sims.segment.accepted.map(({ message }) => String(message.type))
    assert.deepEqual([events.filter((type) => type === 'track').length, events.length], [30, 50])
    await press('Compare')
    await latest('Nothing is missing').waitFor()
  })
})
