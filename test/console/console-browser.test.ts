/**
 * The console in a real Chromium, as an admin uses it: signed in by a link, on the real service between the simulators.
 * Whatever a page does that it should not (a report of the content security policy, a request elsewhere) fails the test.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { firstOf } from '../../src/accounts/destinations.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { policyHash } from '../../src/web/snippet.ts'
import { withAdminPage } from '../admin-page.ts'
import { openPage } from '../browser.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig, writeKey } from '../rig.ts'

const odd = { type: 'new_meeting', orgId: org, data: { schedulerId: { odd: true } } }

describe('the console in a browser', { concurrency: false }, () => {
  let browser: Browser
  let rig: Rig
  let page: Page
  let laterMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs }

  const freshRig = () => {
    laterMs = 0
    return startRig({ clock })
  }
  withAdminPage({ rig: freshRig, perTest: 'all', signedIn: true }, (made) => {
    ;({ rig, browser, page } = made)
  })
  const go = (path: string) => page.goto(`${rig.service.url}${path}`)
  const send = (event: string | typeof odd, vary = 0) => rig.sims.drift.send(event, { to: rig.to, orgId: org, vary })
  const state = () => rig.service.store.accounts.get(String(org))?.state

  test('pause and resume, by the keyboard alone', async () => {
    await go('/console/connection')
    await page.getByRole('button', { name: 'Pause', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('Sending is paused').first().waitFor()
    await send('new_conversation')
    assert.equal(state(), 'paused')
    assert.equal(rig.sims.segment.accepted.length, 0)
    await page.getByRole('button', { name: 'Resume' }).first().press('Enter')
    await page.getByText('Sending is resumed').waitFor()
    await rig.sims.segment.waitFor(1)
  })

  test('an empty list shows the first event by itself', async () => {
    await go('/console/events')
    await page.locator('.live.on').waitFor()
    await send('new_conversation')
    await page.locator('tr', { hasText: 'new_conversation' }).getByText('Delivered').waitFor()
  })

  test('an event that is not recognized says why; personal data is covered until a person asks', async () => {
    await send('button_clicked')
    await send(odd)
    await settled(rig, ({ held, delivered }) => held === 1 && delivered === 1)
    await go('/console/events?state=not-recognized')
    await page.getByRole('link', { name: 'new_meeting' }).click()
    await page.getByText('The event does not look as Drift documents it').waitFor()
    await page.getByText('What to do:').waitFor()

    await go('/console/events?type=button_clicked&state=delivered')
    await page.locator('td').getByRole('link', { name: 'button_clicked' }).click()
    const payload = page.locator('#payload')
    await payload.getByText('Personal data is covered').waitFor()
    assert.match((await payload.textContent())!, /•••/)
    await page.getByRole('button', { name: 'Show personal data' }).click()
    await payload.getByText('Personal data is shown').waitFor()
    assert.doesNotMatch((await payload.textContent())!, /•/)
    await go('/console/audit')
    await page.getByText('Viewed personal data').waitFor()
  })

  test('resending: a preview first, then the progress, and the messageId stays', async () => {
    await send('new_conversation')
    const [first] = await rig.sims.segment.waitFor(1)
    await settled(rig)
    await go('/console/resend')
    await page.getByLabel('Events', { exact: true }).selectOption('delivered')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText('1 event would be resent').waitFor()
    assert.equal(rig.sims.segment.accepted.length, 1)
    await page.getByRole('button', { name: 'Resend 1 event' }).click()
    await page.getByText('Done', { exact: true }).waitFor()
    await page.getByText('1 of 1 event processed, 1 resent').waitFor()
    await eventually(() => rig.sims.segment.requests.filter(({ path }) => path === '/v1/batch').length === 2)
    const ids = rig.sims.segment.duplicates.map(({ message }) => message.messageId)
    assert.deepEqual(ids, [first!.message.messageId])
  })

  test('on a phone, what a form asks or refuses is in sight', async () => {
    const [width, height] = [390, 844]
    const seen = page.viewportSize()!
    await page.setViewportSize({ width, height })
    const isInSight = async (text: string) => {
      const one = page.getByText(text)
      await one.waitFor()
      const { y, height: high } = (await one.boundingBox())!
      return y >= 0 && y + high <= height
    }
    await go('/console/connection')
    await page.getByText('Replace write key or change region').click()
    await page.getByLabel('Write key').fill('ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    assert.ok(await isInSight('Which write key do you mean?'))
    await page.getByRole('button', { name: 'Keep the saved key' }).click()
    await page.getByText('Saved', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Send test event' }).first().click()
    assert.ok(await isInSight('Is it in your source?'))
    await page.getByText('Disconnect this account').click()
    await page.getByLabel(/^To confirm/).fill('another')
    await page.getByRole('button', { name: 'Disconnect and erase' }).click()
    assert.ok(await isInSight('Not disconnected: this is not'))
    await page.setViewportSize(seen)
  })

  test('what came of a test event has a page of its own: loading it again sends nothing, and cards keep their order', async () => {
    const order = () => page.locator('section.card').evaluateAll((all) => all.map(({ id }) => id))
    await go('/console/connection')
    const before = await order()
    await page.getByRole('button', { name: 'Send test event' }).first().click()
    await page.getByText('Is it in your source?').waitFor()
    const tests = () =>
      rig.sims.segment.accepted.filter(({ message }) => JSON.stringify(message).includes('connection_test')).length
    const sent = tests()
    assert.deepEqual(await order(), before)
    for (const again of [() => page.reload(), () => page.goto(page.url())]) {
      await again()
      await page.getByText('Is it in your source?').waitFor()
    }
    assert.equal(tests(), sent)
    await page.getByRole('button', { name: 'I see it in Segment' }).click()
    await page.getByText('Test event confirmed').waitFor()
    await page.getByText('Replace write key or change region').click()
    await page.getByLabel('Write key').fill('abc')
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Which write key do you mean?').waitFor()
    assert.deepEqual(await order(), before)
    await go('/console/connection/segment')
    assert.equal(new URL(page.url()).pathname, '/console/connection', 'the address of a form leads to its page')
  })

  test('a form that changes nothing is not said to be saved', async () => {
    await go('/console/connection')
    const { generation } = rig.service.store.accounts.get(String(org))!
    await page.getByText('Replace write key or change region').click()
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Nothing was changed').waitFor()
    assert.equal(await page.getByText('Send a test event to be sure').count(), 0)
    assert.equal(rig.service.store.accounts.get(String(org))!.generation, generation)
  })

  test('the saved write key is tried again by Save where Segment refuses it', async () => {
    rig.sims.segment.script([{ status: 401 }])
    await send('new_conversation')
    const state = () => rig.service.store.accounts.get(String(org))!.state
    await eventually(() => state() === 'needs_attention')
    await go('/console/connection')
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Send a test event to be sure').waitFor()
    await eventually(() => state() === 'live' && rig.sims.segment.accepted.length > 0)
  })

  test('a new write key wants a fresh proof, and two admins do not overwrite each other', async () => {
    const other = await openPage(browser, { locale: 'en-GB' })
    await other.context.addCookies(await page.context().cookies())
    await other.page.goto(`${rig.service.url}/console/connection`)
    await go('/console/connection')
    const change = async (on: Page, key: string) => {
      await on.getByText('Replace write key or change region').click()
      await on.getByLabel('Write key').fill(key)
      await on.locator('#segment').getByRole('button', { name: 'Save' }).click()
    }
    const replace = async (on: Page, key: string) => {
      await change(on, key)
      await on.getByRole('button', { name: 'Replace it with the new key' }).click()
    }
    await replace(page, 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
    await page.getByText('Send a test event to be sure that events arrive.').waitFor()
    assert.doesNotMatch(await page.content(), /ZyXwVuTs/)
    await change(other.page, 'AnotherKeyThatComesTooLate012345')
    await other.page.getByText('The settings were changed meanwhile').waitFor()
    await other.close()

    laterMs = 11 * 60_000
    await go('/console/connection')
    await change(page, 'OneMoreKeyThatMayNotBeSaved01234')
    await page.getByText('Confirm your identity').first().waitFor()
    await send('new_conversation')
    await rig.sims.segment.waitFor(1)
    assert.equal(rig.sims.segment.accepted[0]!.writeKey, 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
  })

  test('a password that the browser fills in beside a change of the region does not take the place of the saved key unasked', async () => {
    await go('/console/connection')
    await page.getByText('Replace write key or change region').click()
    const field = page.getByLabel('Write key')
    assert.equal(await field.getAttribute('autocomplete'), 'new-password')
    await page.getByLabel('Region of the Segment workspace').selectOption('eu')
    await field.evaluate((one: { value: string }) => {
      one.value = 'SavedPasswordOfTheBrowser0123456'
    })
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Which write key do you mean?').waitFor()
    assert.equal(firstOf(rig.service.store.accounts.get(String(org))!).region, 'us')
    await page.getByRole('button', { name: 'Keep the saved key' }).click()
    await page.getByText('Send a test event to be sure that events arrive.').waitFor()
    assert.equal(firstOf(rig.service.store.accounts.get(String(org))!).region, 'eu')
    await send('new_conversation')
    assert.equal((await rig.sims.segment.waitFor(1))[0]!.writeKey, writeKey)
    await go('/console/audit')
    await page.getByText('Changed where events are sent').waitFor()
  })

  test('what is switched off is no longer sent', async () => {
    await go('/console/connection')
    await page.getByRole('checkbox', { name: /new_conversation/ }).uncheck()
    await page.locator('#events').getByRole('button', { name: 'Save' }).click()
    await page.getByText('It holds for every event').waitFor()
    await send('new_conversation')
    await eventually(async () => (await rig.outcomes()).ignored === 1)
    await go('/console/not-sent')
    await page.getByText('This type of event is disabled').waitFor()
    await page.getByRole('button', { name: 'Enable' }).click()
    await page.getByText('It is enabled now').waitFor()
    assert.equal(await page.getByText('This type of event is disabled').count(), 0)
  })

  test('that something was saved is in sight, however far below the form is', async () => {
    await page.setViewportSize({ width: 1280, height: 800 })
    const isInSight = async (text: string) => {
      const box = await page.getByText(text).boundingBox()
      return box !== null && box.y >= 0 && box.y + box.height <= 800
    }
    await go('/console/connection')
    await page.locator('#events').getByRole('button', { name: 'Save' }).click()
    await page.getByText('It holds for every event').waitFor()
    assert.ok(await isInSight('It holds for every event'))
    await page.locator('#segment').getByRole('button', { name: 'Send test event' }).first().click()
    await page.getByRole('button', { name: 'I see it in Segment' }).click()
    const seen = 'Events of this account reach your Segment source.'
    await page.getByText(seen).waitFor()
    assert.ok(await isInSight(seen))
  })

  test('disconnect: the grant ends at Drift, everything is erased, and the session with it', async () => {
    await send('new_conversation')
    await settled(rig)
    await go('/console/connection')
    await page.getByText('Disconnect this account').click()
    await page.getByLabel(/To confirm/).fill('1')
    await page.getByRole('button', { name: 'Disconnect and erase' }).click()
    await page.getByText('Not disconnected').waitFor()
    await page.getByLabel(/To confirm/).fill(String(org))
    await page.getByRole('button', { name: 'Disconnect and erase' }).click()
    await page.getByRole('heading', { name: 'Disconnected' }).waitFor()
    assert.equal(state(), 'disconnected')
    assert.equal(rig.sims.drift.count('/app/uninstall'), 1)
    await go('/console')
    assert.match(page.url(), /sign-in/)
  })

  test('the script for the site says what was chosen', async () => {
    await go('/console/website')
    await page.getByRole('radio', { name: /visitor Segment knows/ }).check()
    await page.getByRole('button', { name: 'Create script' }).click()
    await page.locator('#tag', { hasText: '"identify":"link"' }).waitFor()
    const html = (await page.locator('#tag').textContent())!
    assert.match(html, new RegExp(`"${rig.service.url}/bridge.js"`))
    await page.getByText(policyHash(html)!).waitFor()
    await page.getByText('Its second part sends the events as long as this service does not answer.').waitFor()
    await page.getByRole('checkbox', { name: 'Without an inline script' }).check()
    await page.getByRole('button', { name: 'Create script' }).click()
    await page.locator('#tag', { hasText: '<script async' }).waitFor()
    assert.doesNotMatch((await page.locator('main').textContent())!, /second part|script-src/)
  })
})
