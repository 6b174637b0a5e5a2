/**
 * The bridge in a real Chromium, on the simulated Drift's demo page: the built script, the widget's own API, HTTP to the
 * simulated Segment. What Segment took is compared whole where the bridge decides it. Only the widget and the page's
 * small stand-in for analytics.js are doubles.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { type Sims, startSims } from '../src/sim/index.ts'
import { expected } from './bridge-page.ts'
import { launchBrowser, openPage, type WatchedPage } from './browser.ts'

const contact = '21760538950'
let browser: Browser
let sims: Sims
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

/** Opens the page and clicks every button of the chat, in order; then closes the page. */
async function visit(query: string, use: (watched: WatchedPage) => Promise<void>): Promise<void> {
  sims = await startSims()
  const watched = await openPage(browser)
  try {
    await watched.page.goto(`${sims.drift.url}/demo/site${query}`)
    await watched.page.locator('#drift-widget').waitFor({ state: 'attached' })
    await use(watched)
    assert.deepEqual([watched.errors, watched.strays], [[], []])
  } finally {
    await watched.close()
    await sims.close()
  }
}

async function clickAll({ page }: WatchedPage): Promise<void> {
  // As text: the tests' types know no page.
  await page.evaluate(`document.querySelectorAll('#drift-widget div button').forEach((button) => button.click())`)
}

const tracks = () => sims.segment.accepted.map(({ message }) => message).filter(({ type }) => type === 'track')

describe('in a browser', { timeout: 60_000 }, () => {
  test('every widget event arrives under its name, once, and is not sent back to Drift', async () => {
    await visit('', async (watched) => {
      await clickAll(watched)
      await sims.segment.waitFor(() => tracks().length >= 12)
      const names = tracks().map(({ event }) => event)
      assert.deepEqual(
        names.toSorted(),
        Object.keys(expected)
          .map((event) => `Drift Source Event: ${event}`)
          .toSorted(),
      )
      for (const { integrations } of tracks()) assert.equal((integrations as { Drift: boolean }).Drift, false)
      const first = tracks().find(({ event }) => event === 'Drift Source Event: conversation:firstInteraction')
      assert.deepEqual(first?.properties, expected['conversation:firstInteraction'])
    })
  })

  test('by contact: the contact id is the anonymousId from the first event that names it, as a string', async () => {
    await visit('', async (watched) => {
      await clickAll(watched)
      await sims.segment.waitFor(() => tracks().length >= 12)
      const ids = new Map(tracks().map(({ event, anonymousId }) => [event, anonymousId]))
      assert.equal(ids.get('Drift Source Event: conversation:firstInteraction'), contact)
      assert.equal(ids.get('Drift Source Event: campaign:open'), contact)
      assert.notEqual(ids.get('Drift Source Event: conversation:playbookFired'), contact)
    })
  })

  test('by link: Segment’s own anonymousId stays, and the contact id travels beside it', async () => {
    await visit('?identify=link', async (watched) => {
      await clickAll(watched)
      await sims.segment.waitFor(() => tracks().length >= 12)
      assert.equal(new Set(tracks().map(({ anonymousId }) => anonymousId)).size, 1)
      assert.ok(tracks().every(({ anonymousId }) => anonymousId !== contact))
      const first = tracks().find(({ event }) => event === 'Drift Source Event: conversation:firstInteraction')
      assert.match(JSON.stringify(first?.context), new RegExp(`"externalIds":\\[\\{[^\\]]*"${contact}"`))
    })
  })

  test('without consent nothing is sent, and the chat is there all the same', async () => {
    await visit('?consent=denied', async (watched) => {
      await clickAll(watched)
      await watched.page.waitForLoadState('networkidle')
      assert.deepEqual(tracks(), [])
    })
  })

  test('with consent pending the events are kept, and go when it is given', async () => {
    await visit('?consent=pending', async (watched) => {
      await clickAll(watched)
      await watched.page.waitForLoadState('networkidle')
      assert.deepEqual(tracks(), [])
      await watched.page.locator('#accept').click()
      await sims.segment.waitFor(() => tracks().length >= 12)
      assert.equal(tracks().length, 12)
    })
  })
})
