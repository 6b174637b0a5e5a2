/**
 * The demo's shop: a page for people, to see the bridge at work. In a real browser, with the built bridge; the widget and
 * the page's small stand-in for analytics.js are doubles. With Segment's own library: bridge-orders.test.ts and its kin.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { type Sims, startSims } from '../../src/sim/index.ts'
import { expected } from '../bridge-page.ts'
import { launchBrowser, openPage, type WatchedPage } from '../browser.ts'
import { eventually } from '../clock.ts'

const contact = '21760538950'
let browser: Browser
let sims: Sims
before(async () => {
  browser = await launchBrowser()
})
after(() => browser.close())

async function visit(query: string, use: (watched: WatchedPage) => Promise<void>, viewport?: Size): Promise<void> {
  sims = await startSims()
  const watched = await openPage(browser, viewport ? { viewport } : {})
  try {
    await watched.page.goto(`${sims.drift.url}/demo/site${query}`)
    await watched.page.locator('#drift-widget > button').click()
    await use(watched)
    assert.deepEqual([watched.errors, watched.strays], [[], []])
  } finally {
    await watched.close()
    await sims.close()
  }
}

interface Size {
  width: number
  height: number
}

async function clickAll({ page }: WatchedPage): Promise<void> {
  for (const button of await page.locator('#drift-widget div button').all()) await button.click()
}

const shown = ({ page }: WatchedPage) => page.locator('#received li.track')
const tracks = () => sims.segment.accepted.map(({ message }) => message).filter(({ type }) => type === 'track')
const says = ({ page }: WatchedPage, pattern: RegExp) =>
  eventually(
    async () => pattern.test((await page.locator('#state').textContent()) ?? ''),
    async () => page.locator('#state').textContent(),
  )

describe("the demo's shop", { timeout: 60_000 }, () => {
  test('has a button for each of the twelve events, and shows each when Segment has it', async () => {
    await visit('', async (watched) => {
      await clickAll(watched)
      await eventually(async () => (await shown(watched).count()) === 12)
      const names = await shown(watched).locator('b').allTextContents()
      const wanted = Object.keys(expected).map((event) => `Drift Source Event: ${event}`)
      assert.deepEqual(names.toSorted(), wanted.toSorted())
      assert.equal(tracks().length, 12)
      const widths = await watched.page.evaluate(`[...received.children].map((line) => line.offsetWidth)`)
      assert.deepEqual(
        [(widths as number[]).length, new Set(widths as number[]).size],
        [13, 1],
        'the page view as wide as all',
      )
    })
  })

  test('shows whose each is: from the first answer on it is the contact', async () => {
    await visit('', async (watched) => {
      await clickAll(watched)
      await eventually(async () => (await shown(watched).count()) === 12)
      const whoOf = (event: string) => shown(watched).filter({ hasText: event }).locator('.who').textContent()
      assert.match((await whoOf('conversation:playbookFired'))!, /Segment's own$/)
      assert.equal(await whoOf('campaign:open'), `anonymousId ${contact}Drift's contact id`)
    })
  })

  test('by link the contact stands beside it', async () => {
    await visit('?identify=link', async (watched) => {
      await clickAll(watched)
      await eventually(async () => (await shown(watched).count()) === 12)
      const first = shown(watched).filter({ hasText: 'conversation:firstInteraction' })
      assert.match((await first.textContent())!, /externalIds: drift_contact_id"21760538950"/)
      assert.ok(tracks().every(({ anonymousId }) => anonymousId !== contact))
    })
  })

  test('waits for consent, and says so', async () => {
    await visit('?consent=pending', async (watched) => {
      await clickAll(watched)
      await says(watched, /^0 messages\. Consent is pending; .* 12 kept until the visitor chooses/)
      await watched.page.locator('#accept').click()
      await eventually(async () => (await shown(watched).count()) === 12)
    })
    await visit('?consent=pending', async (watched) => {
      await clickAll(watched)
      await watched.page.locator('#refuse').click()
      await says(watched, /^0 messages\. Consent is denied; .* 12 dropped/)
    })
  })

  test('has its chat also where Segment is blocked', async () => {
    await visit('?blocked=segment', async (watched) => {
      await clickAll(watched)
      await says(watched, /^0 messages\..* Segment is blocked; the chat is there/)
    })
  })

  test('fits a phone, and keeps what is received in sight', async () => {
    const phone = { width: 390, height: 844 }
    await visit(
      '',
      async (watched) => {
        await clickAll(watched)
        await eventually(async () => (await shown(watched).count()) === 12)
        assert.equal(await watched.page.evaluate('document.documentElement.scrollWidth'), phone.width)
        const newest = (await shown(watched).first().boundingBox())!
        const chat = (await watched.page.locator('#drift-widget > div').boundingBox())!
        assert.ok(newest.y >= 0 && newest.y < chat.y, 'the newest is above the open chat')
      },
      phone,
    )
  })
})
