/**
 * An admin's page in a real Chromium, before the real service between the simulators. It is watched: whatever it does that it
 * should not (a report of the content security policy, a request elsewhere, an exception) fails the test.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, openPage, type WatchedPage } from './browser.ts'
import { org, type Rig } from './rig.ts'

export interface AdminPage {
  rig: Rig
  browser: Browser
  page: Page
}

interface Options {
  /** Starts the service, and lets happen what the page is to show. */
  rig(): Promise<Rig>
  /** What each test gets for itself; without it the tests of a file share all of it. */
  perTest?: 'page' | 'all'
  /** Whether the admin has opened the console by a one-time link. */
  signedIn?: boolean
  permissions?: string[]
  /** How long the page waits for what a test looks for. */
  timeoutMs?: number
}

/** Opens it before the tests that stand beside the call, and closes it after them. `use` gets what they use. */
export function withAdminPage(options: Options, use: (made: AdminPage) => void): void {
  const { perTest, signedIn = false, permissions = [], timeoutMs } = options
  let browser: Browser
  let rig: Rig | undefined
  let watched: WatchedPage
  const startRig = async () => {
    rig = await options.rig()
  }
  const openAdminPage = async () => {
    watched = await openPage(browser, { locale: 'en-GB', permissions })
    const { page } = watched
    if (timeoutMs !== undefined) page.setDefaultTimeout(timeoutMs)
    use({ rig: rig!, browser, page })
    if (signedIn) await openConsole(rig!, page)
  }
  const closeRig = () => rig?.close()
  const closePage = async () => {
    await watched.close()
    const reports = watched.console.filter((line) => /content security policy|trusted/i.test(line))
    const { strays, errors } = watched
    assert.deepEqual({ strays, errors, reports }, { strays: [], errors: [], reports: [] })
  }

  before(async () => {
    browser = await launchBrowser()
    if (perTest !== 'all') await startRig()
    if (perTest === undefined) await openAdminPage()
  })
  if (perTest !== undefined) {
    beforeEach(async () => {
      if (perTest === 'all') await startRig()
      await openAdminPage()
    })
    afterEach(async () => {
      try {
        await closePage()
      } finally {
        if (perTest === 'all') await closeRig()
      }
    })
  }
  after(async () => {
    try {
      if (perTest === undefined) await closePage()
    } finally {
      await browser.close()
      if (perTest !== 'all') await closeRig()
    }
  })
}

/** Signs the admin in by a one-time link, as the operator prints it. */
async function openConsole(rig: Rig, page: Page): Promise<void> {
  const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
  await page.goto(/http\S+/.exec(output)![0])
  await page.getByRole('button', { name: 'Open the console' }).click()
  await page.waitForURL('**/console')
}
