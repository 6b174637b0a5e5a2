/** The service and a real Chromium that looks at it; whatever a page does that it should not fails the test at the end. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { launchBrowser, openPage } from '../browser.ts'
import { type Rig, startRig } from '../rig.ts'

export interface BrowserRig {
  rig: Rig
  page: Page
  close(): Promise<void>
}

export async function startBrowserRig(options: Parameters<typeof startRig>[0]): Promise<BrowserRig> {
  const browser = await launchBrowser()
  const rig = await startRig(options)
  const watched = await openPage(browser, { locale: 'en-GB' })
  watched.page.setDefaultTimeout(20_000)
  return {
    rig,
    page: watched.page,
    async close() {
      await watched.close()
      await browser.close()
      await rig.close()
      assert.deepEqual({ strays: watched.strays, errors: watched.errors }, { strays: [], errors: [] })
    },
  }
}
