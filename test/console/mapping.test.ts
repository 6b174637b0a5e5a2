/** The options of what is sent, as a data engineer chooses them by clicks, in a real Chromium. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { optionsOf } from '../../src/accounts/options.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { withAdminPage } from '../admin-page.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const id = String(org)
const contact = 21_760_538_950

describe('what is sent, in the console', { concurrency: false }, () => {
  let rig: Rig
  let page: Page
  let laterMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs }

  const startHere = async () => {
    const started = await startRig({ clock })
    started.sims.drift.addOrg({ orgId: org, contacts: [{ id: contact, attributes: { externalId: 'a12-1234' } }] })
    return started
  }
  withAdminPage({ rig: startHere, signedIn: true }, (made) => {
    ;({ rig, page } = made)
  })

  const chosen = () => optionsOf(rig.service.store.accounts.get(id)!, 1)
  const send = (event: string | object, vary = 0) =>
    rig.sims.drift.send(event as string, { to: rig.to, orgId: org, vary })

  test('nothing is saved before a preview has shown what changes, and what arrives is what it said', async () => {
    await send('new_conversation', 1)
    await settled(rig)
    await page.getByRole('link', { name: 'What is sent' }).click()
    await page.getByLabel('Send a userId').check()
    await page.getByLabel('Send the contact id as an external id').check()
    await page.getByLabel('Add names that warehouses keep').check()
    await page.getByLabel('Properties and traits that are sent as a hash').fill('email\nstatus')
    await page.getByLabel('Example of').selectOption('new_conversation')
    await page.getByRole('button', { name: 'Preview' }).click()
    const preview = page.locator('#preview')
    await preview.getByText('Of the last 1 event of this account, 1 would have been sent differently.').waitFor()
    const shown = await preview.locator('tbody th code').allTextContents()
    assert.deepEqual(shown.sort(), ['context.externalIds', 'properties.conversationId', 'properties.status', 'userId'])
    assert.deepEqual(chosen(), {})
    await preview.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Events that are received from now on are sent so.').waitFor()
    assert.deepEqual(Object.keys(chosen()), ['userId', 'externalIds', 'safeNames', 'hash'])
    const began = rig.sims.segment.accepted.length
    await send('new_conversation')
    await settled(rig)
    const message = rig.sims.segment.accepted[began]!.message as JsonObject
    const properties = message.properties as JsonObject
    assert.equal(message.userId, 'a12-1234')
    assert.equal(properties.conversationId, properties.id)
    assert.equal(properties.status, createHash('sha256').update('open').digest('hex'))
  })

  test('a choice that visitors could misuse is refused until its words are typed', async () => {
    await page.goto(`${rig.service.url}/console/mapping`)
    await page.getByLabel('Send a userId').check()
    await page.getByLabel('Attribute of the contact with your id of the person').fill('email')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText('These options cannot be saved').waitFor()
    assert.equal(
      await page.getByLabel('Attribute of the contact with your id of the person').inputValue(),
      'email',
      'what was filled in is there still',
    )
    await page
      .getByLabel('Confirmation, where visitors can change the attribute')
      .fill('Visitors can type what they like there')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.locator('#preview').waitFor()
  })

  test('what cannot be saved is said at its field, which is marked and in sight, and a wrong message id as what it is', async () => {
    await page.goto(`${rig.service.url}/console/mapping`)
    const events = page.getByLabel('Other names of events')
    await events.fill('buton_clicked = Typo')
    await page.getByLabel('Or an event of this account, by its message id').fill('drift-none')
    await page.getByLabel('Example of').selectOption('new_meeting')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText('These options cannot be saved').waitFor()
    const first = page.locator('[aria-invalid="true"]')
    assert.equal(await first.count(), 1)
    assert.equal(await first.getAttribute('id'), 'renameEvents')
    assert.equal(await page.locator(':focus').getAttribute('id'), 'renameEvents')
    const ids = (await events.getAttribute('aria-describedby'))!.split(' ')
    assert.match((await page.locator(`#${ids[1]}`).textContent())!, /Drift sends no event "buton_clicked"; it sends/)
    assert.equal(await page.locator('.notice a[href="#renameEvents"]').textContent(), 'Other names of events')
    assert.equal(await page.getByLabel('Example of').inputValue(), 'new_meeting')
    await events.fill('')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText('There is no preview').waitFor()
    assert.equal(await page.getByText('These options cannot be saved').count(), 0)
    assert.equal(await page.getByLabel('Or an event of this account').getAttribute('aria-invalid'), 'true')
    assert.equal(await page.getByLabel('Or an event of this account').inputValue(), 'drift-none')
  })

  test('is chosen for each destination, and the others are sent to as before', async () => {
    const stdin = JSON.stringify({ writeKey: 'StAgInGsTaGiNgStAgInGsTaGiNg0123' })
    const added = await rig.command('destinations add', { stdin, given: { org: id, name: 'Staging' } })
    assert.equal(added.exitCode, 0, added.output)
    await rig.service.store.accounts.reload(clock.now())
    const before = chosen()
    await page.goto(`${rig.service.url}/console/mapping`)
    await page.getByRole('link', { name: 'Staging' }).click()
    await page.getByLabel('Use another beginning of event names').check()
    await page.getByLabel('Beginning of event names', { exact: true }).fill('Staging ')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.locator('#preview').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Events that are received from now on are sent so.').waitFor()
    assert.deepEqual(chosen(), before)
    assert.deepEqual(optionsOf(rig.service.store.accounts.get(id)!, 2), { prefix: 'Staging ' })
    const began = rig.sims.segment.accepted.length
    await send('button_clicked', 40)
    await rig.sims.segment.waitFor(began + 2)
    const sent = rig.sims.segment.accepted.slice(began).map(({ message }) => [message.event, message.messageId])
    const [first, staging] = sent.sort() as [[string, string], [string, string]]
    assert.deepEqual([first[0], staging[0]], ['Drift Source Event: button_clicked', 'Staging button_clicked'])
    assert.equal(staging[1], `${first[1]}.2`)
  })

  test('is not saved over what another form has saved, nor on an old proof', async () => {
    await page.goto(`${rig.service.url}/console/mapping`)
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.locator('#preview').waitFor()
    await rig.command('options', { given: { org: id, set: '{"safeNames":true}' } })
    await rig.service.store.accounts.reload(clock.now())
    await page.locator('#preview').getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings were changed meanwhile').waitFor()
    assert.deepEqual(chosen(), { safeNames: true })
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.locator('#preview').waitFor()
    laterMs += 11 * 60_000
    await page.locator('#preview').getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'What is sent' }).waitFor()
  })
})
