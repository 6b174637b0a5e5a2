/**
 * A real Chromium made to say no more of itself than browsers did before Sec-Fetch-Site (Safari before 16.4, old web
 * views): a proxy between it and the service takes those headers away. What it says of Origin is its own doing, as it is of
 * theirs: `null` from a page without referrers.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { withAdminPage } from '../admin-page.ts'
import { eventually } from '../clock.ts'
import { type ProxyServer, startProxy } from '../proxy.ts'
import { org, type Rig, startRig } from '../rig.ts'

describe('a browser that sends no Sec-Fetch-Site', { timeout: 60_000 }, () => {
  let proxy: ProxyServer
  /** What each POST said of where it comes from, by its path. */
  const origins = new Map<string, string | undefined>()
  /** What its pages asked for by themselves: the path, and the header that says so. */
  const byItself = new Set<string>()
  let rig: Rig
  let page: Page
  const startBehind = async () => {
    proxy = await startProxy({
      passes: (name) => !name.startsWith('sec-'),
      sees: ({ method, url = '', headers }) => {
        if (method === 'POST') origins.set(url.replace(/sign-in\/.*/, 'sign-in'), headers.origin)
        for (const said of [headers['x-refresh'], headers.accept])
          if (said === 'live' || said === 'text/event-stream') byItself.add(`${url} ${said}`)
      },
    })
    const started = await startRig({ env: { PUBLIC_URL: proxy.url } })
    proxy.target = started.service.url
    return started
  }
  withAdminPage({ rig: startBehind }, (made) => {
    ;({ rig, page } = made)
  })
  after(() => proxy.close())

  test('is signed in by a one-time link, whose page hides the origin', async () => {
    const { output } = await rig.command('sign-in', { given: { org: String(org) } })
    await page.goto(output.split('\n')[0]!)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.waitForURL(`${proxy.url}/console`)
    assert.equal(origins.get('/console/sign-in'), 'null')
  })

  test('says in another way what its page asks for by itself, so that an open page does not keep the session alive', async () => {
    let sent = 0
    // One that comes before the page listens is nothing new to it.
    await eventually(async () => {
      await rig.sims.drift.send('new_meeting', { to: rig.to, orgId: org, vary: ++sent })
      return byItself.size === 2
    })
    assert.deepEqual([...byItself], ['/console/live text/event-stream', '/console live'])
  })

  test('cannot be made by another site to open a link or to send a form, though that site hides its origin', async () => {
    const { output } = await rig.command('sign-in', { given: { org: String(org) } })
    const link = output.split('\n')[0]!
    for (const action of [link, `${proxy.url}/console/pause`]) {
      // Another origin, though of the same host, so that the cookie comes along.
      await page.goto(rig.sims.drift.url)
      await page.setContent(
        `<meta name="referrer" content="no-referrer"><form method="post" action="${action}"><button>Win</button></form>`,
      )
      await page.getByRole('button', { name: 'Win' }).click()
      await page.waitForURL(action)
      assert.match((await page.textContent('h1'))!, /This came from another site|Your page was out of date/)
    }
    assert.deepEqual([origins.get('/console/sign-in'), origins.get('/console/pause')], ['null', 'null'])
    assert.equal(rig.service.store.accounts.get(String(org))!.state, 'live')
    await page.goto(link)
    await page.getByRole('button', { name: 'Open the console' }).waitFor()
  })

  test('pauses and resumes, saves settings, tries out and saves a write key, and signs out', async () => {
    await page.goto(`${proxy.url}/console/connection`)
    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    await page.getByText('Sending is paused').first().waitFor()
    await page.getByRole('button', { name: 'Resume' }).first().click()
    await page.getByText('Sending is resumed').waitFor()
    await page.goto(`${proxy.url}/console/connection`)
    await page.locator('#events').getByRole('button', { name: 'Save' }).click()
    await page.getByText('It holds for every event').waitFor()
    await page.goto(`${proxy.url}/connect/write-key`)
    await page.getByLabel('Write key').fill('ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
    await page.getByRole('button', { name: 'Send test event' }).click()
    await page.getByText('Leave it empty to save the key that you tested').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForURL(`${rig.sims.drift.url}/settings/apps`)
    await page.goto(`${proxy.url}/console`)
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.waitForURL(`${proxy.url}/console/sign-in`)
    const { '/console/sign-in': _, ...ofForms } = Object.fromEntries(origins)
    assert.deepEqual(
      ofForms,
      Object.fromEntries(
        ['pause', 'resume', 'connection/events', 'sign-out']
          .map((path) => `/console/${path}`)
          .concat('/connect/write-key/test', '/connect/write-key')
          .map((path) => [path, proxy.url]),
      ),
    )
  })
})
