/**
 * The install in a real Chromium, by clicks and typing alone, against the simulated Drift: all the way, and every way that
 * it must not go. A breach of the content security policy would stand in the browser's own console.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { firstOf } from '../../src/accounts/destinations.ts'
import { launchBrowser, openPage } from '../browser.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { openWalk } from '../walk.ts'

let browser: Browser
let rig: Rig
let clock: ManualClock
before(async () => {
  browser = await launchBrowser()
  clock = manualClock(Date.now())
  rig = await startRig({ installed: false, clock })
  rig.sims.drift.addOrg({ orgId: org })
})
after(async () => {
  await browser.close()
  await rig.close()
})

const at = (path: string) => rig.service.url + path

/** A browser of its own; afterwards nothing was complained of, and nothing was asked of anybody else. */
async function visit(use: (page: Page) => Promise<void>): Promise<void> {
  const watched = await openPage(browser, { locale: 'en-GB' })
  try {
    await use(watched.page)
    const complaints = watched.console.filter((line) => !/the server responded with a status of 4\d\d/.test(line))
    assert.deepEqual([complaints, watched.errors, watched.strays], [[], [], []])
  } finally {
    await watched.close()
  }
}

async function allow(page: Page): Promise<void> {
  await page.getByLabel('Drift account').selectOption(String(org))
  await page.getByRole('button', { name: 'Allow' }).click()
}

async function connect(page: Page): Promise<void> {
  await page.goto(at('/connect'))
  await allow(page)
}

/** As a password manager does: into the field of a page that is open already, without a key press. */
async function fillInLate(page: Page): Promise<void> {
  await page.getByLabel('Write key').evaluate((field: { value: string } & EventTarget) => {
    field.value = 'SavedPasswordOfTheBrowser0123456'
    for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }))
  })
}

const heading = (page: Page) => page.getByRole('heading', { level: 1 }).innerText()

describe('in a browser', { timeout: 120_000 }, () => {
  test('the whole install: Drift’s consent, a wrong key, a tested key, a saved key, Drift’s settings', async () => {
    await visit(async (page) => {
      await connect(page)
      assert.equal(new URL(page.url()).pathname, '/connect/write-key')
      assert.equal(await heading(page), 'Where should the events go?')
      const key = page.getByLabel('Write key')
      await key.fill('YOUR_WRITE_KEY')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('is still a placeholder').waitFor()
      await key.fill(writeKey)
      await page.getByRole('button', { name: 'Send test event' }).click()
      await page.getByText('settings know this key').waitFor()
      const { message } = rig.sims.segment.accepted.at(-1)!
      await page.getByText(String(message.messageId)).waitFor()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.waitForURL(`${rig.sims.drift.url}/settings/apps`)
      await page.getByRole('heading', { name: String(org) }).waitFor()
      await page.goto(at('/console'))
      await page.getByText(String(org)).first().waitFor()
    })
  })

  test('a password that the browser fills in after a Test does not take the place of the tested key unasked', async () => {
    await visit(async (page) => {
      await connect(page)
      const key = page.getByLabel('Write key')
      assert.equal(await key.getAttribute('autocomplete'), 'new-password')
      await key.fill('TestedKeyTestedKeyTestedKey01234')
      await page.getByRole('button', { name: 'Send test event' }).click()
      await page.getByText('Leave it empty to save the key that you tested').waitFor()
      await fillInLate(page)
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Which write key do you mean?').waitFor()
      await page.getByRole('button', { name: 'Save the tested key' }).click()
      await page.waitForURL(`${rig.sims.drift.url}/settings/apps`)
      const earlier = rig.sims.segment.accepted.length
      await rig.sims.drift.send('new_meeting', { to: rig.to, orgId: org })
      assert.equal((await rig.sims.segment.waitFor(earlier + 1)).at(-1)!.writeKey, 'TestedKeyTestedKeyTestedKey01234')
    })
  })

  test('with the keyboard alone', async () => {
    await visit(async (page) => {
      await connect(page)
      await page.getByLabel('Write key').focus()
      await page.keyboard.type(writeKey)
      await page.keyboard.press('Enter')
      await page.waitForURL(`${rig.sims.drift.url}/settings/apps`)
    })
  })

  test('a code that this browser did not ask for is not used, and a button goes on from there', async () => {
    await visit(async (page) => {
      const before = rig.sims.drift.count('/oauth2/token')
      await page.goto(at('/connect/callback?code=of-another-person'))
      assert.equal(await heading(page), 'Continue installing')
      assert.equal(rig.sims.drift.count('/oauth2/token'), before)
      await page.getByRole('link', { name: 'Continue installing' }).click()
      await allow(page)
      assert.equal(new URL(page.url()).pathname, '/connect/write-key')
    })
  })

  test('the way back of another browser leads nowhere, and signs no person in', async () => {
    const theirs = openWalk(rig)
    const back = await theirs.allow(org)
    await visit(async (page) => {
      await page.goto(back)
      assert.equal(await heading(page), 'This did not begin in this browser')
      await page.goto(at('/console'))
      assert.equal(new URL(page.url()).pathname, '/console/sign-in')
      await page.goto(back.replace(/state=[^&]*/, 'state=wrong'))
      assert.equal(await heading(page), 'This did not begin in this browser')
      await page.getByRole('link', { name: 'Start again' }).click()
      await allow(page)
      assert.equal(new URL(page.url()).pathname, '/connect/write-key')
    })
    await theirs.close()
  })

  test('the same way back twice says so, and does nothing', async () => {
    await visit(async (page) => {
      let back = ''
      page.on('request', (request) => {
        if (request.url().includes('/connect/callback')) back = request.url()
      })
      await connect(page)
      const before = rig.sims.drift.count('/oauth2/token')
      await page.goto(back)
      assert.equal(await heading(page), 'This was already used')
      assert.equal(rig.sims.drift.count('/oauth2/token'), before)
    })
  })

  test('denied in Drift: said plainly, with a way to start again', async () => {
    await visit(async (page) => {
      await page.goto(at('/connect'))
      await page.getByRole('button', { name: 'Deny' }).click()
      assert.equal(await heading(page), 'The app was not allowed')
      await page.getByRole('link', { name: 'Start again' }).click()
      await page.getByRole('button', { name: 'Allow' }).waitFor()
    })
  })

  test('a one-time link signs in after a button was pressed, once, and signing out ends it', async () => {
    const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
    const link = output.split('\n')[0]!
    await visit(async (page) => {
      await page.goto(link)
      await page.getByRole('button', { name: 'Open the console' }).click()
      await page.waitForURL(at('/console'))
      await page.getByRole('button', { name: 'Sign out' }).click()
      assert.equal(await heading(page), 'Sign in')
      await page.goBack()
      await page.goto(at('/console'))
      assert.equal(new URL(page.url()).pathname, '/console/sign-in')
      await page.goto(link)
      assert.equal(await heading(page), 'This sign-in link has expired or was already used')
    })
  })

  test('a proof that has grown old: the key is not changed until it is proved again, through Drift', async () => {
    await visit(async (page) => {
      await connect(page)
      const before = firstOf((await rig.service.store.storage.installs.get(String(org)))!).key
      clock.advance(11 * 60_000)
      await page.getByLabel('Write key').fill('ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
      await page.getByRole('button', { name: 'Save' }).click()
      assert.equal(await heading(page), 'Confirm your identity')
      assert.deepEqual(firstOf((await rig.service.store.storage.installs.get(String(org)))!).key, before)
      await page.getByRole('link', { name: 'Continue with Drift' }).click()
      await allow(page)
      assert.equal(new URL(page.url()).pathname, '/connect/write-key')
      await page.getByLabel('Write key').fill('ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.waitForURL(`${rig.sims.drift.url}/settings/apps`)
    })
  })
})
