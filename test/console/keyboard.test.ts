/** An admin's way through the console in a real Chromium, with the keyboard and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { settingsOf } from '../../src/accounts/settings.ts'
import { withAdminPage } from '../admin-page.ts'
import { org, type Rig, startRig } from '../rig.ts'

let rig: Rig
let page: Page
const startHere = async () => {
  const started = await startRig({ installed: false })
  started.sims.drift.addOrg({ orgId: org })
  return started
}
withAdminPage({ rig: startHere, timeoutMs: 20_000 }, (made) => {
  ;({ rig, page } = made)
})

/** What has the focus, by its label or its text. */
const focused = `(() => {
  const one = document.activeElement
  return (one?.labels?.[0] ?? one)?.textContent.trim() ?? ''
})()`

/** Presses Tab until a control of this name has the focus. */
async function tabTo(name: RegExp): Promise<void> {
  const seen: string[] = []
  for (let tab = 0; tab < 80; tab++) {
    await page.keyboard.press('Tab')
    const text = (await page.evaluate(focused)) as string
    if (name.test(text)) return
    seen.push(text)
  }
  assert.fail(`${name} is not reached: ${seen.join(' | ')}`)
}

async function press(name: RegExp): Promise<void> {
  await tabTo(name)
  await page.keyboard.press('Enter')
}
const sees = (text: string | RegExp) => page.getByText(text).first().waitFor()
const install = () => rig.service.store.accounts.get(String(org))!

test('an account is connected, tested, watched, paused, resumed and changed, and everybody is signed out, by keyboard alone', {
  timeout: 120_000,
}, async () => {
  await page.goto(`${rig.service.url}/`)
  await press(/^Continue with Drift$/)
  await sees('An app asks for')
  await press(/^Allow$/)
  await sees('Enter a write key')

  await press(/^Enter write key$/)
  await sees('What connects Drift account')
  await tabTo(/^Write key$/)
  await page.keyboard.type('AbCdEfGhIjKlMnOpQrStUvWxYz012345')
  await press(/^Send test event$/)
  await sees('Is it in your source?')
  await press(/^I see it in Segment: save this key$/)
  await sees('Test event confirmed')

  await press(/^Home$/)
  await sees('No event has come from Drift yet')
  await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
  await sees('Events reach Segment')

  await press(/^Connection$/)
  await sees('What connects Drift account')
  await press(/^Pause$/)
  await sees('Sending is paused')
  assert.equal(install().state, 'paused')
  await press(/^Resume$/)
  await sees('Sending is resumed')

  await press(/^Connection$/)
  await sees('What connects Drift account')
  await tabTo(/^new_meeting/)
  await page.keyboard.press('Space')
  await press(/^Save events$/)
  await sees('It holds for every event')
  assert.deepEqual(settingsOf(install()).offTypes, ['new_meeting'])

  await press(/^Sign out everywhere$/)
  await sees('Signed out everywhere')
  await press(/^Sign in again$/)
  await sees('Continue with Drift')
})
