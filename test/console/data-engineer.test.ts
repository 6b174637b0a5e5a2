/**
 * A data engineer's first hour, by clicks alone in a real Chromium: a new account, a staging destination beside the first, and
 * what is sent there previewed. What arrives is byte for byte what the preview said.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { withAdminPage } from '../admin-page.ts'
import { eventually } from '../clock.ts'
import { type Rig, settled, startRig, writeKey } from '../rig.ts'

const account = 7_000_555
const contact = 21_760_551_284
const stagingKey = 'StAgInGsTaGiNgStAgInGsTaGiNg0123'
const email = ' Nadine@Example.com'
const emailSet = {
  type: 'contact_updated',
  orgId: account,
  data: {
    endUserId: contact,
    timestamp: 1_714_419_330_251,
    orgId: account,
    diff: [{ name: 'attributes.email', previous: null, updated: email }],
  },
}

describe('a data engineer', { concurrency: false, timeout: 120_000 }, () => {
  let rig: Rig
  let page: Page

  const startHere = async () => {
    const started = await startRig({ installed: false })
    // As the preview makes it up of a contact that was not looked up yet.
    const attributes = { externalId: 'a12-1234' }
    started.sims.drift.addOrg({
      orgId: account,
      contacts: [contact, 21_760_538_950].map((id) => ({ id, attributes })),
    })
    return started
  }
  withAdminPage({ rig: startHere, timeoutMs: 20_000 }, (made) => {
    ;({ rig, page } = made)
  })

  const send = (event: string | object) => rig.sims.drift.send(event as string, { to: rig.to, orgId: account })
  /** The text of each message that arrived under this write key, as it was sent. */
  const arrived = (key: string): string[] =>
    rig.sims.segment.requests
      .filter(({ body, status }) => status === 200 && body.includes(`"writeKey":"${key}"`))
      .flatMap(({ body }) =>
        (JSON.parse(body) as { batch: object[] }).batch.map((message) => {
          const text = JSON.stringify(message)
          assert.ok(body.includes(text), 'the text is the one that was sent')
          return text
        }),
      )
  /** What the preview says would be sent, without the spaces that make it readable. */
  async function previewed(): Promise<string> {
    const preview = page.locator('#preview')
    await preview.getByText('The whole event').click()
    const column = preview.locator('.columns > div', {
      has: page.getByRole('heading', { name: 'As it would be sent' }),
    })
    return JSON.stringify(JSON.parse((await column.locator('pre').textContent())!))
  }

  test('connects an account, and its first events arrive as Drift’s own integration sent them', async () => {
    await page.goto(`${rig.service.url}/connect`)
    await page.getByLabel('Drift account').selectOption(String(account))
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByLabel('Write key', { exact: true }).fill(writeKey)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.waitForURL('**/settings/apps')
    await send(emailSet)
    await settled(rig)
    assert.match(arrived(writeKey).join(), /"email":" Nadine@Example.com"/)
  })

  let ofEvent: string
  let ofExample: string

  test('adds a staging destination, and sees what its options make of an example and of a real event', async () => {
    await page.goto(`${rig.service.url}/console`)
    await page.getByRole('link', { name: 'Connection' }).click()
    await page.getByRole('link', { name: 'Add another destination' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Staging')
    await page.getByLabel('Write key', { exact: true }).fill(stagingKey)
    await page.getByRole('button', { name: 'Add destination' }).click()
    await page.getByText('Destination added').waitFor()
    await page.getByRole('link', { name: 'Events', exact: true }).click()
    await page.locator('td').getByRole('link', { name: 'contact_updated' }).click()
    const message = (await page.locator('#message').textContent())!
    await page.getByRole('link', { name: 'Connection' }).click()
    const staging = page.locator('section.card', { has: page.getByRole('heading', { name: 'Staging', exact: true }) })
    await staging.getByRole('link', { name: 'What is sent' }).click()
    await page.getByLabel('Send a userId').check()
    await page.getByLabel('Add names that warehouses keep').check()
    await page.getByLabel('Properties and traits that are sent as a hash').fill('email')
    await page.getByLabel('Example of').selectOption('new_conversation')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('heading', { name: 'Preview: an example of new_conversation' }).waitFor()
    ofExample = await previewed()
    await page.getByLabel('Or an event of this account').fill(message)
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('heading', { name: 'Preview: an event of this account' }).waitFor()
    ofEvent = await previewed()
    const hash = createHash('sha256').update('nadine@example.com').digest('hex')
    assert.match(
      ofEvent,
      new RegExp(`"messageId":"${message}\\.2".*"userId":"a12-1234"|"userId":"a12-1234".*"messageId":"${message}\\.2"`),
    )
    assert.match(ofEvent, new RegExp(`"email":"${hash}"`))
    assert.equal(arrived(stagingKey).length, 0)
    await page.locator('#preview').getByRole('button', { name: 'Save' }).click()
    await page.getByText('Events that are received from now on are sent so.').waitFor()
  })

  test('finds there, byte for byte, what the preview said of an event that comes now', async () => {
    await send('new_conversation')
    await eventually(() => arrived(stagingKey).length === 1)
    await settled(rig)
    const [text] = arrived(stagingKey)
    const { messageId } = JSON.parse(text!) as { messageId: string }
    assert.equal(text, ofExample.replace(/"messageId":"[^"]+"/, `"messageId":"${messageId}"`))
    assert.match(text!, /"conversationId":.*"userId":"a12-1234"|"userId":"a12-1234".*"conversationId":/)
    assert.doesNotMatch(arrived(writeKey).at(-1)!, /userId|"conversationId"/, 'the first destination is as it was')
  })

  test('finds there, byte for byte, what the preview said of the event that came before, once it is resent there', async () => {
    await page.getByRole('link', { name: 'Events', exact: true }).click()
    await page.locator('td').getByRole('link', { name: 'contact_updated' }).click()
    await page.getByRole('navigation', { name: 'Destinations' }).getByRole('link', { name: 'Staging' }).click()
    await page.getByText('Never given to this destination').waitFor()
    await page.getByText('Resend to chosen destinations').click()
    assert.equal(await page.getByRole('checkbox', { name: /^Staging/ }).isChecked(), true)
    assert.equal(await page.getByRole('checkbox', { name: /^Segment/ }).isChecked(), false)
    await page.locator('#resend-more').getByRole('button', { name: 'Resend' }).click()
    await eventually(() => arrived(stagingKey).length === 2)
    assert.equal(arrived(stagingKey)[1], ofEvent)
    await page.getByText('Resent: every destination has it').waitFor()
    assert.equal(rig.sims.segment.duplicates.length, 0)
  })
})
