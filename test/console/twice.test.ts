/**
 * Buttons pressed twice, pages loaded again, and going back, in a real Chromium. A browser that is asked for the same twice
 * drops the first answer, and the cookie in it: a proxy keeps that answer until the browser has asked again.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { withAdminPage } from '../admin-page.ts'
import { type ProxyServer, startProxy } from '../proxy.ts'
import { org, type Rig, startRig } from '../rig.ts'

/** The first answer to such a request: it is there, and does not go on to the browser. */
let kept: { to: string; isThere: PromiseWithResolvers<void> } | undefined
const never = new Promise<void>(() => {})

describe('in a browser', { timeout: 60_000 }, () => {
  let proxy: ProxyServer
  let rig: Rig
  let page: Page
  const startBehind = async () => {
    proxy = await startProxy({
      answers: async ({ url = '', method }) => {
        if (!kept || !`${method} ${url}`.startsWith(kept.to)) return
        kept.isThere.resolve()
        kept = undefined
        await never
      },
    })
    const started = await startRig({ env: { PUBLIC_URL: proxy.url } })
    proxy.target = started.service.url
    started.sims.drift.addOrg({ orgId: org })
    return started
  }
  withAdminPage({ rig: startBehind, perTest: 'page' }, (made) => {
    ;({ rig, page } = made)
  })
  after(() => proxy.close())

  /** Resolves when the first answer to this is there, which the browser will not get. */
  function keepFirst(to: string): Promise<void> {
    kept = { to, isThere: Promise.withResolvers() }
    return kept.isThere.promise
  }
  const linkOf = async () => (await rig.command('sign-in', { given: { org: String(org) } })).output.split('\n')[0]!
  const heading = () => page.getByRole('heading', { level: 1 }).innerText()
  const audited = async (what: string) =>
    (await rig.service.store.storage.audit.list(String(org), 100)).filter((one) => one.what === what).length

  /** At Drift, where the app is about to be allowed; resolves to the button. */
  async function atDrift(from: string) {
    await page.goto(`${proxy.url}/connect${from}`)
    await page.getByLabel('Drift account').selectOption(String(org))
    return (await page.getByRole('button', { name: 'Allow' }).boundingBox())!
  }

  test('the button of a sign-in link, pressed twice, leads to the console, and is one sign-in in the audit', async () => {
    const before = await audited('signed in by a one-time link')
    await page.goto(await linkOf())
    const isUsed = keepFirst('POST /console/sign-in/')
    const { x, y } = (await page.getByRole('button').boundingBox())!
    await page.mouse.click(x + 9, y + 9)
    await isUsed
    assert.deepEqual(
      (await page.context().cookies()).map(({ name }) => name),
      ['link'],
      'and no session',
    )
    await page.mouse.click(x + 9, y + 9)
    // Not for its address: the first click's navigation, which the second ends, would end that wait too.
    await page.getByRole('heading', { name: 'Home' }).waitFor()
    assert.equal(page.url(), `${proxy.url}/console`)
    assert.equal(await audited('signed in by a one-time link'), before + 1)
  })

  test('a sign-in link that one goes back to leads on to the console', async () => {
    const link = await linkOf()
    await page.goto(link)
    await page.getByRole('button').click()
    await page.waitForURL(`${proxy.url}/console`)
    await page.goto(link)
    assert.equal(await heading(), 'This sign-in link has expired or was already used')
    await page.getByText(`signed in to Drift account ${org}`).waitFor()
    await page.getByRole('link', { name: 'Open the console' }).click()
    await page.waitForURL(`${proxy.url}/console`)
  })

  test('a sign-in link that another browser has used says how to get in', async () => {
    const link = await linkOf()
    await fetch(link, { method: 'POST', redirect: 'manual' })
    await page.goto(link)
    await page.getByRole('link', { name: 'Continue with Drift' }).waitFor()
    await page.getByText('For operators').click()
    await page.getByText('npx drift-segment-source sign-in').waitFor()
  })

  test('the way back from Drift, taken twice at once, leads through Drift to the console by one more button', async () => {
    const isConnected = keepFirst('GET /connect/callback')
    const { x, y } = await atDrift('?from=console')
    await page.mouse.click(x + 9, y + 9)
    await isConnected
    await page.mouse.click(x + 9, y + 9)
    await page.getByRole('heading', { name: 'This was already used' }).waitFor()
    await page.getByRole('link', { name: 'Continue with Drift' }).click()
    await page.getByLabel('Drift account').selectOption(String(org))
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText(String(org)).first().waitFor()
    await page.goto(`${proxy.url}/console`)
    assert.equal(await heading(), 'Home')
  })

  test('the way back from Drift, loaded again after an install, leads on to the console', async () => {
    let back = ''
    page.on('request', (request) => {
      if (request.url().includes('/connect/callback')) back = request.url()
    })
    const { x, y } = await atDrift('')
    await page.mouse.click(x + 9, y + 9)
    await page.waitForURL(`${proxy.url}/connect/write-key`)
    await page.goto(back)
    assert.equal(await heading(), 'This was already used')
    await page.getByText(`signed in to Drift account ${org}`).waitFor()
    await page.getByRole('link', { name: 'Open the console' }).click()
    await page.waitForURL(`${proxy.url}/console`)
    assert.equal(await heading(), 'Home')
  })
})
