/** Where an admin is after a sign-in: where they were before it, with their filter, and with the form that was not taken. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { settingsOf } from '../../src/accounts/settings.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { withAdminPage } from '../admin-page.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk } from '../walk.ts'

describe('after a sign-in', { timeout: 120_000 }, () => {
  let rig: Rig
  let clock: ManualClock
  let page: Page
  const startHere = () => {
    clock = manualClock(Date.now())
    return startRig({ clock })
  }
  withAdminPage({ rig: startHere, perTest: 'page', timeoutMs: 8_000 }, (made) => {
    ;({ rig, page } = made)
  })

  /** A command beside the service has the same wall time, and does not stand still. */
  const beside: Clock = { ...systemClock, now: () => clock.now() }
  const at = (path: string) => `${rig.service.url}${path}`
  const filtered = '/console/events?state=delivered&type=new_meeting'
  async function throughDrift() {
    await page.getByRole('link', { name: 'Continue with Drift' }).click()
    await page.getByLabel('Drift account').selectOption(String(org))
    await page.getByRole('button', { name: 'Allow' }).click()
  }
  async function byLink() {
    const { output } = await rig.command('sign-in', {
      given: { org: String(org), url: rig.service.url },
      clock: beside,
    })
    await page.goto(/http\S+/.exec(output)![0])
    await page.getByRole('button', { name: 'Open the console' }).click()
  }

  for (const [way, signIn] of [
    ['through Drift', throughDrift],
    ['by a link', byLink],
  ] as const) {
    test(`${way}, without a session before it, the page that was asked for comes with its filter`, async () => {
      await page.goto(at(filtered))
      assert.equal(new URL(page.url()).pathname, '/console/sign-in')
      await signIn()
      await page.waitForURL(at(filtered))
    })

    test(`${way}, after a session ran out, the form that was not taken is one click away`, async () => {
      await byLink()
      await page.waitForURL(at('/console'))
      await page.goto(at('/console/connection'))
      clock.advance(31 * 60_000)
      const type = way === 'by a link' ? 'playbook_goal_met' : 'new_conversation'
      await page.getByRole('checkbox', { name: new RegExp(type) }).uncheck()
      await page.getByRole('button', { name: 'Save events' }).click()
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      await page.getByText('Your session has ended: nothing was changed').waitFor()
      await signIn()
      await page.getByText('What you asked for has not been done yet.').waitFor()
      const offTypes = () => settingsOf(rig.service.store.accounts.get(String(org))!).offTypes
      assert.ok(!offTypes().includes(type), 'nothing is done unasked')
      await page.getByRole('button', { name: 'Save events' }).click()
      await page.getByText('It holds for every event').waitFor()
      assert.ok(offTypes().includes(type))
    })

    test(`${way}, to confirm who one is, the form that was not taken is one click away`, async () => {
      await byLink()
      await page.waitForURL(at('/console'))
      await page.goto(at('/console/connection'))
      clock.advance(11 * 60_000)
      const type = way === 'by a link' ? 'phone_captured' : 'new_meeting'
      await page.getByRole('checkbox', { name: new RegExp(type) }).uncheck()
      await page.getByRole('button', { name: 'Save events' }).click()
      await page.getByRole('heading', { name: 'Confirm your identity' }).waitFor()
      await signIn()
      await page.getByRole('heading', { name: 'Your identity is confirmed' }).waitFor()
      const offTypes = () => settingsOf(rig.service.store.accounts.get(String(org))!).offTypes
      assert.ok(!offTypes().includes(type), 'nothing is done unasked')
      await page.getByRole('button', { name: 'Save events' }).click()
      await page.getByText('It holds for every event').waitFor()
      assert.ok(offTypes().includes(type))
    })
  }

  test('it leads there once, and to Home the next time', async () => {
    await page.goto(at(filtered))
    await byLink()
    await page.waitForURL(at(filtered))
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await byLink()
    await page.waitForURL(at('/console'))
  })

  test('a write key that was pasted is not kept: its page comes again, and asks for it', async () => {
    await byLink()
    await page.waitForURL(at('/console'))
    await page.goto(at('/console/connection'))
    clock.advance(11 * 60_000)
    await page.getByText('Replace write key or change region').click()
    await page.getByLabel('Write key').fill('ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Confirm your identity' }).waitFor()
    assert.ok(!(await page.context().cookies()).some(({ name }) => name === 'form'))
    await byLink()
    await page.waitForURL(at('/console/connection'))
    assert.equal(await page.getByLabel('Write key').inputValue(), '')
  })

  test('a session that was ended in another window: a button that was pressed is one click away, and was not done', async () => {
    await byLink()
    await page.waitForURL(at('/console'))
    await page.goto(at('/console/connection'))
    const other = await page.context().newPage()
    await other.goto(at('/console'))
    await other.getByRole('button', { name: 'Sign out', exact: true }).click()
    await other.getByRole('heading', { name: 'Sign in' }).waitFor()
    assert.equal(await other.getByText('nothing was changed').count(), 0, 'nothing was asked for')
    await other.close()
    await page.getByRole('button', { name: 'Pause', exact: true }).click()
    await page.getByText('nothing was changed').waitFor()
    await byLink()
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor()
    assert.equal(rig.service.store.accounts.get(String(org))!.state, 'live')
    await page.getByRole('link', { name: 'Back without doing it' }).click()
    await page.waitForURL(at('/console/connection'))
  })

  test('a write key that was pasted when the session had ended is not kept, and the admin reads that nothing was changed', async () => {
    await byLink()
    await page.waitForURL(at('/console'))
    await page.goto(at('/console/connection'))
    clock.advance(31 * 60_000)
    await page.getByText('Replace write key or change region').click()
    await page.getByLabel('Write key').fill('ZyXwVuTsRqPoNmLkJiHgFeDcBa987654')
    await page.locator('#segment').getByRole('button', { name: 'Save' }).click()
    await page.getByText('What you entered is not kept: sign in, and enter it again.').waitFor()
    assert.ok(!(await page.context().cookies()).some(({ name }) => name === 'form'))
    await byLink()
    await page.getByRole('heading', { name: 'Nothing was changed' }).waitFor()
    await page.getByRole('link', { name: 'Back to the form' }).click()
    await page.waitForURL(at('/console/connection'))
  })

  test('a form that does not carry the token of the session that ended is not kept', async () => {
    const walk = openWalk(rig)
    await walk.connect(org, 'console')
    const csrf = /name="csrf" value="([^"]+)"/.exec((await walk.get(at('/console'))).body)![1]!
    for (const [token, became] of [
      [csrf, 'kept'],
      ['x'.repeat(43), 'lost'],
    ] as const) {
      clock.advance(31 * 60_000)
      const { headers } = await walk.post(at('/console/pause'), { csrf: token })
      assert.equal(headers.location, `/console/sign-in?form=${became}`)
    }
    assert.ok(!walk.cookies.get(rig.service.url)!.get('form'))
    await walk.close()
  })

  test('a form of one account whose session had ended does not come in the console of another', async () => {
    await byLink()
    await page.waitForURL(at('/console'))
    await page.goto(at('/console/connection'))
    clock.advance(31 * 60_000)
    await page.getByRole('button', { name: 'Save events' }).click()
    await page.getByText('nothing was changed').waitFor()
    rig.sims.drift.addOrg({ orgId: 7_000_223 })
    await page.getByRole('link', { name: 'Continue with Drift' }).click()
    await page.getByLabel('Drift account').selectOption('7000223')
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(at('/console'))
  })

  test('a path that this service has not signed, or that is not a page of the console, leads nowhere', async () => {
    for (const path of [
      '//evil.example/',
      'https://evil.example',
      '/console/../../x',
      '/console\\evil',
      '/console/events',
    ]) {
      const walk = openWalk(rig)
      const encoded = Buffer.from(path).toString('base64url')
      const back = await walk.allow(org, 'console')
      walk.cookies.get(rig.service.url)!.set('back', `${encoded}.${'A'.repeat(22)}`)
      assert.equal((await walk.get(back)).headers.location, '/console', path)
      await walk.close()
    }
  })

  test('a form of one account does not come in the console of another', async () => {
    await byLink()
    await page.waitForURL(at('/console'))
    await page.goto(at('/console/connection'))
    clock.advance(11 * 60_000)
    await page.getByRole('button', { name: 'Save events' }).click()
    await page.getByRole('heading', { name: 'Confirm your identity' }).waitFor()
    rig.sims.drift.addOrg({ orgId: 7_000_222 })
    await page.getByRole('link', { name: 'Continue with Drift' }).click()
    await page.getByLabel('Drift account').selectOption('7000222')
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.waitForURL(at('/console'))
  })
})
