/**
 * Every page of the console in a real Chromium, with events in each state: for people with disabilities, at every width, in
 * light and dark, with and without scripts. A page that is added to src/web/console/ui/sections.ts is looked at too.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page, Request } from 'playwright-core'
import { settingNames } from '../../src/settings/table.ts'
import { sections } from '../../src/web/console/ui/sections.ts'
import { withAdminPage } from '../admin-page.ts'
import { openPage } from '../browser.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const inPage = await readFile(new URL('./in-page.js', import.meta.url), 'utf8')
const odd = { type: 'new_meeting', orgId: org, data: { schedulerId: { odd: true } } }
/** Wide letters, as where the system's font is another one. */
const fonts = ['', 'Verdana, "DejaVu Sans", monospace'] as const

describe('every page of the console', { timeout: 240_000, concurrency: false }, () => {
  let browser: Browser
  let rig: Rig
  let page: Page
  const paths: string[] = Object.values(sections).map(({ path }) => path)

  /** With something on every page. */
  const startWithEvents = async () => {
    rig = await startRig({ unsafeAllowLoopback: true })
    const send = (event: string | typeof odd, vary = 0) => rig.sims.drift.send(event, { to: rig.to, orgId: org, vary })
    for (let vary = 0; vary < 12; vary++)
      await send(vary % 2 ? 'conversation_participant_removed' : 'button_clicked', vary)
    await settled(rig)
    rig.sims.segment.script([{ status: 400 }])
    await send('phone_captured')
    await send(odd)
    await settled(rig, ({ waiting, held, dead }) => waiting === 0 && held === 1 && dead === 1)
    // One that waits for a later time, with its reason.
    rig.sims.segment.script({ status: 503 })
    await send('new_conversation')
    const { lookup } = rig.service.store.storage
    await eventually(async () => (await lookup.lanes(String(org))).some(({ failures }) => failures > 0))
    // Recipients of alerts that do not accept them, so that the log has something to say of each.
    for (const channel of ['webhook', 'slack']) {
      const stdin = `${rig.sims.segment.url}/${channel}`
      await rig.command('alerts add', { given: { org: String(org), channel }, stdin })
    }
    const { alerts } = rig.service.store.storage
    await eventually(async () => (await alerts.list(String(org), 9)).some(({ tries }) => tries > 0))
    const { entries } = await lookup.find({ org: String(org) }, { limit: 50 })
    for (const state of ['waiting', 'dead', 'quarantined', 'delivered'] as const)
      paths.push(`/console/events/${entries.find((one) => one.state === state)!.messageId}`)
    const { contact } = entries.find((one) => one.contact !== undefined)!
    paths.push(
      '/console/audit',
      '/console/events?q=ann@example.com&type=button_clicked&range=7d',
      '/console/events?q=1',
    )
    paths.push('/console/connection/add', '/console/connection/destination?number=1')
    paths.push('/console/resend?preview=1', '/console/resend?state=delivered&preview=1')
    paths.push(`/console/privacy?contact=${contact}`, '/connect/write-key')
    return rig
  }
  withAdminPage({ rig: startWithEvents, signedIn: true }, (made) => {
    ;({ rig, browser, page } = made)
  })

  const go = (path: string) => page.goto(`${rig.service.url}${path}`)
  /** By the debugger and not by a tag, which the policy forbids. */
  async function ask<Answer>(question: string): Promise<Answer> {
    await page.evaluate(inPage)
    return page.evaluate(`inPage.${question}`) as Promise<Answer>
  }
  const inEachColour = async (path: string, look: (where: string) => Promise<void>) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await go(path)
      await look(`${path} ${colorScheme}`)
    }
  }

  test('has nothing that axe objects to, in light and dark, at a desk and on a phone', async () => {
    for (const size of [
      { width: 1_280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      await page.setViewportSize(size)
      for (const path of paths)
        await inEachColour(path, async (where) => {
          await page.evaluate(axe)
          const faults = await ask<string[]>('faults()')
          assert.deepEqual(faults, [], `${where} ${size.width}`)
        })
    }
  })

  test('cuts nothing off and never scrolls sideways, from 390 px to 1920 px, in two fonts', async () => {
    for (const path of paths)
      for (const width of [390, 640, 910, 1_024, 1_280, 1_366, 1_920]) {
        await page.setViewportSize({ width, height: 800 })
        await go(path)
        for (const font of fonts) {
          const cut = await ask<string[]>(`cutOff(${JSON.stringify(font)})`)
          assert.deepEqual(cut, [], `${path} at ${width} px ${font}`)
        }
      }
  })

  test('shows nothing that is hidden, whatever else is said of it', async () => {
    for (const path of paths) {
      await go(path)
      const seen = await ask<string[]>('shownThoughHidden()')
      assert.deepEqual(seen, [], path)
    }
  })

  test('says nothing in back-ticks, and names no setting and no command but to operators', async () => {
    const names = new RegExp(`\\b(${settingNames.join('|')})\\b|npx |\`| --[a-z]`)
    for (const path of paths) {
      await go(path)
      const said = await ask<string>('ownText()')
      assert.doesNotMatch(said, names, path)
    }
  })

  test('is gone through by Tab alone: every control is reached, and its focus is seen', async () => {
    await page.setViewportSize({ width: 1_280, height: 800 })
    // A page that hears of news puts other controls in the place of those that were numbered.
    await page.route('**/console/live', (route) => route.abort())
    for (const path of paths) {
      await go(path)
      const controls = await ask<string[]>('numberControls()')
      const reached = new Set<number>()
      for (let tab = 0; tab < 2 * controls.length + 30 && reached.size < controls.length; tab++) {
        await page.keyboard.press('Tab')
        const focused = await ask<{ control: number; isSeen: boolean } | undefined>('focused()')
        if (!focused) continue
        assert.ok(focused.isSeen, `${path}: the focus of ${controls[focused.control]} is not seen`)
        reached.add(focused.control)
      }
      assert.deepEqual(
        controls.filter((_, at) => !reached.has(at)),
        [],
        `${path}: not reached`,
      )
    }
    await page.unroute('**/console/live')
  })

  test('has its navigation on a phone behind one button, by keyboard too', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await go('/console')
    const link = page.getByRole('link', { name: 'Connection' })
    assert.equal(await link.isVisible(), false)
    await page.getByRole('button', { name: 'Menu' }).press('Enter')
    await link.waitFor()
    await page.keyboard.press('Escape')
    await link.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Menu' }).click()
    await link.click()
    await page.getByRole('heading', { name: 'Connection' }).waitFor()
  })

  test('has its content without scripts, and no hole where a script would draw', async () => {
    const bare = await openPage(browser, { locale: 'en-GB', javaScriptEnabled: false })
    await bare.context.addCookies(await page.context().cookies())
    for (const path of paths) {
      await bare.page.goto(`${rig.service.url}${path}`)
      assert.ok(await bare.page.locator('h1').isVisible(), path)
      assert.equal(await bare.page.locator('[data-chart]:visible').count(), 0, path)
    }
    await bare.page.goto(`${rig.service.url}/console`)
    await bare.page.getByText('Show as a table').click()
    assert.ok(await bare.page.locator('[data-numbers]').isVisible())
    await bare.close()
  })

  test('has no hole and no error where the library of the chart does not start', async () => {
    const odd = await openPage(browser, { locale: 'en-GB' })
    await odd.context.addCookies(await page.context().cookies())
    // What uPlot leaves behind where Intl does not know the browser's language.
    await odd.page.route('**/uplot.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: 'var uPlot = undefined' }),
    )
    await odd.page.goto(`${rig.service.url}/console`)
    await odd.page.waitForLoadState('load')
    assert.equal(await odd.page.locator('[data-chart]').count(), 1)
    assert.equal(await odd.page.locator('[data-chart]:visible').count(), 0)
    assert.deepEqual(odd.errors, [])
    await odd.close()
  })

  test('breaks no word of a button in a table', async () => {
    await page.setViewportSize({ width: 1280, height: 900 })
    await go('/console')
    const row = page.getByRole('row', { name: /Not as Drift documents it/ })
    // As wide as it becomes when its times are longer.
    await row
      .locator('td')
      .nth(2)
      .evaluate((cell: { textContent: string }) => {
        cell.textContent = '10 seconds and a while ago'
      })
    const lines = row
      .getByRole('link')
      .evaluateAll((all: { getClientRects(): unknown; clientHeight: number }[]) =>
        all.map(({ clientHeight }) => clientHeight),
      )
    for (const height of await lines) assert.ok(height < 40, String(height))
  })

  test('is light: 60 kB with all that it loads, Home 110 kB', async () => {
    for (const path of paths) {
      const fresh = await openPage(browser, { locale: 'en-GB' })
      await fresh.context.addCookies(await page.context().cookies())
      const asked: Request[] = []
      fresh.page.on('request', (request) => asked.push(request))
      await fresh.page.goto(`${rig.service.url}${path}`)
      await fresh.page.waitForLoadState('load')
      // A stream ends with the page, and what it looks at again later is not a part of it.
      const loaded = asked.filter((request) => request.resourceType() !== 'eventsource')
      const sizes = await Promise.all(loaded.map((request) => request.sizes()))
      const bytes = sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0)
      assert.ok(loaded.length > 2, `${path}: ${loaded.length} requests`)
      const most = path === '/console' ? 110_000 : 60_000
      assert.ok(bytes <= most, `${path}: ${bytes} bytes`)
      await fresh.close()
    }
  })
})
