/** Several destinations of one account, as an admin adds and looks after them by clicks, in a real Chromium. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Locator, Page } from 'playwright-core'
import { destinationsOf } from '../../src/accounts/destinations.ts'
import { savedWriteKey } from '../../src/accounts/write-key.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type SegmentSim, startSegment } from '../../src/sim/index.ts'
import { withAdminPage } from '../admin-page.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig, writeKey } from '../rig.ts'

const id = String(org)
const stagingKey = 'StAgInGsTaGiNgStAgInGsTaGiNg0123'
const lakeKey = 'a.key/of+any~form'
const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const inPage = await readFile(new URL('./in-page.js', import.meta.url), 'utf8')

describe('the destinations of an account, in the console', { concurrency: false }, () => {
  let plane: SegmentSim
  let rig: Rig
  let page: Page
  let laterMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs }

  const startBeside = async () => {
    plane = await startSegment({ isRudderStack: true, keys: [lakeKey] })
    return startRig({ clock, env: { DESTINATION_ENDPOINTS: `lake=${plane.url}` } })
  }
  withAdminPage({ rig: startBeside, signedIn: true, timeoutMs: 15_000 }, (made) => {
    ;({ rig, page } = made)
  })
  after(() => plane.close())

  const go = (path: string) => page.goto(`${rig.service.url}${path}`)
  const connection = () => go('/console/connection')
  const install = () => rig.service.store.accounts.get(id)!
  const called = (name: string) => destinationsOf(install()).find((one) => one.name === name)
  const card = (name: string): Locator =>
    page.locator('section.card', { has: page.getByRole('heading', { name, exact: true }) })
  const press = (name: string, label: string) => card(name).getByRole('button', { name: label }).click()
  const send = (vary: number) => rig.sims.drift.send('button_clicked', { to: rig.to, orgId: org, vary })
  const sentUnder = (key: string) => rig.sims.segment.accepted.filter((one) => one.writeKey === key).length

  async function add(name: string, where: string, key: string) {
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByLabel('Where it sends').selectOption({ label: where })
    await page.getByLabel('Write key', { exact: true }).fill(key)
  }

  test('are, while there is one, a single card, with a way to another', async () => {
    await connection()
    const only = card('Segment')
    assert.match(
      (await only.textContent())!,
      /Sending[\s\S]*saved, fingerprint[\s\S]*United States[\s\S]*No events wait[\s\S]*Send test event/,
    )
    assert.equal(await page.getByRole('button', { name: 'Pause', exact: true }).count(), 1)
    await only.getByRole('link', { name: 'Rename' }).click()
    await page.getByText('It is the only destination, and one must stay.').waitFor()
    await connection()
    await card('Segment').getByRole('link', { name: 'Add another destination' }).click()
    await page.waitForURL('**/console/connection/add')
  })

  test('are not more by a form that is not right: its name and place stay, its key does not', async () => {
    for (const [name, key, says] of [
      ['', stagingKey, 'Not added: the name is empty.'],
      ['12', stagingKey, 'Not added: the name is a number'],
      ['segment', stagingKey, 'another destination of this account has this name'],
      ['Staging', '', 'Not added: enter a write key.'],
      ['Staging', writeKey, 'sends to the same place under the same write key'],
    ] as const) {
      await go('/console/connection/add')
      await add(name, 'Segment, United States', key)
      await page.getByRole('button', { name: 'Add destination' }).click()
      await page.locator('.error', { hasText: says }).waitFor()
      assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), name)
      assert.equal(await page.getByLabel('Write key', { exact: true }).inputValue(), '')
    }
    assert.equal(destinationsOf(install()).length, 1)
  })

  test('get another one in Segment, by a key that is asked about when it looks unusual', async () => {
    await go('/console/connection/add')
    await add('Staging', 'Segment, United States', 'odd-key')
    await page.getByRole('button', { name: 'Add destination' }).click()
    await page.getByText('Is this a write key?').waitFor()
    assert.equal(called('Staging'), undefined)
    await go('/console/connection/add')
    await add('Staging', 'Segment, United States', stagingKey)
    await page.getByRole('button', { name: 'Add destination' }).click()
    await page.getByText('Destination added').waitFor()
    assert.equal(await savedWriteKey(rig.service.store.keyring, id, called('Staging')!), stagingKey)
    await send(1)
    await eventually(() => sentUnder(stagingKey) === 1 && sentUnder(writeKey) === 1)
  })

  test('get an endpoint whose key was tested there and seen by the admin before it is added', async () => {
    await connection()
    await page.getByRole('link', { name: 'Add destination' }).click()
    await add('Lake', 'lake', lakeKey)
    await page.getByRole('button', { name: 'Send test event' }).click()
    await page.getByText('lake accepted the test event. Has it arrived there?').waitFor()
    assert.equal(called('Lake'), undefined)
    await page.getByRole('button', { name: 'I see it there: add it' }).click()
    await page.getByText('Destination added').waitFor()
    assert.match(
      (await card('Lake').textContent())!,
      /seen there, confirmed[\s\S]*Sends to\s*lake[\s\S]*No events wait/,
    )
    assert.match((await card('Segment').textContent())!, /not confirmed yet/, 'each is confirmed by itself')
    await send(2)
    await eventually(() => plane.accepted.some(({ message }) => /button_clicked/.test(String(message.event))))
  })

  test('are tested one by one, and one that was seen is confirmed', async () => {
    await connection()
    await press('Staging', 'Send test event')
    await page.getByText('Segment accepted the test event. Is it in your source?').waitFor()
    assert.equal(rig.sims.segment.accepted.at(-1)!.writeKey, stagingKey)
    await page.getByRole('button', { name: 'I see it in Segment' }).click()
    await page.getByText('Test event confirmed').waitFor()
    assert.match((await card('Staging').textContent())!, /seen in Segment, confirmed/)
  })

  test('are paused and resumed one by one: what comes meanwhile waits there, and is sent to the others', async () => {
    await connection()
    await press('Staging', 'Pause')
    await page.getByText('Sending to Staging is paused').waitFor()
    const before = sentUnder(stagingKey)
    await send(3)
    await eventually(() => sentUnder(writeKey) === 3)
    await connection()
    assert.match((await card('Staging').textContent())!, /Paused[\s\S]*Sending is paused[\s\S]*1 event blocked, since/)
    assert.equal(await card('Staging').getByRole('button', { name: 'Pause' }).count(), 0)
    assert.match((await card('Segment').textContent())!, /Sending[\s\S]*No events wait/)
    await go('/console')
    await page.getByRole('heading', { name: 'Nothing is sent to Staging' }).waitFor()
    await page.getByRole('link', { name: 'View destinations' }).click()
    await press('Staging', 'Resume')
    await page.getByText('Sending to Staging is resumed').waitFor()
    await eventually(() => sentUnder(stagingKey) === before + 1)
  })

  test('say why one is refused, in the name of who refused it, with what helps', async () => {
    plane.script({ status: 401 })
    await send(4)
    await eventually(() => called('Lake')!.reason !== undefined)
    await connection()
    const lake = card('Lake')
    assert.match(
      (await lake.textContent())!,
      /Blocked[\s\S]*lake does not accept the write key \(401[\s\S]*those who run lake/,
    )
    assert.doesNotMatch((await lake.textContent())!, /Segment/)
    assert.match((await page.locator('#sending').textContent())!, /What is sent to each destination stands above/)
    await lake.getByRole('link', { name: 'Change' }).click()
    const why = page.locator('.notice', { hasText: 'lake does not accept the write key (401' })
    assert.match((await why.textContent())!, /those who run lake/)
    assert.ok(await why.getByRole('button', { name: 'Resume' }).isVisible())
    await connection()
    plane.script(undefined)
    await press('Lake', 'Resume')
    await page.getByText('Sending to Lake is resumed').waitFor()
    await settled(rig)
  })

  test('try again at once what waits for a later time, and say by name what that brought', async () => {
    // A person may try once in ten seconds, and resuming was such an attempt.
    laterMs += 11_000
    plane.script({ status: 503 })
    await send(5)
    const failing = async () =>
      (await rig.service.store.storage.lookup.lanes(id)).some(
        ({ destination, failures }) => destination === 3 && failures > 2,
      )
    await eventually(failing)
    plane.script(undefined)
    await connection()
    assert.equal(await card('Segment').getByRole('button', { name: 'Retry now' }).count(), 0)
    await press('Lake', 'Retry now')
    await page.getByText('Lake accepted the attempt').waitFor()
  })

  test('are renamed, and lead to what is sent there', async () => {
    await connection()
    await card('Staging').getByRole('link', { name: 'Change' }).click()
    await page.getByLabel('Name', { exact: true }).fill('LAKE')
    await page.getByRole('button', { name: 'Rename' }).click()
    await page.getByText('another destination of this account has this name').waitFor()
    await page.getByLabel('Name', { exact: true }).fill('Testing')
    await page.getByRole('button', { name: 'Rename' }).click()
    await page.getByText('Renamed').waitFor()
    await card('Testing').getByRole('link', { name: 'What is sent' }).click()
    await page.locator('nav[aria-label=Destinations] a[aria-current=page]', { hasText: 'Testing' }).waitFor()
  })

  test('get another place and another key, each by itself', async () => {
    await connection()
    await card('Testing').getByRole('link', { name: 'Change' }).click()
    await page.getByText('Replace write key or change where it sends').click()
    await page.getByLabel('Where it sends').selectOption({ label: 'Segment, European Union' })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).first().waitFor()
    assert.match((await card('Testing').textContent())!, /European Union/)
    assert.equal(await savedWriteKey(rig.service.store.keyring, id, called('Testing')!), stagingKey)
    await card('Testing').getByRole('link', { name: 'Change' }).click()
    await page.getByText('Replace write key or change where it sends').click()
    await page.getByLabel('Where it sends').selectOption({ label: 'Segment, United States' })
    await page.getByLabel('Write key', { exact: true }).fill(writeKey)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Which write key do you mean?').waitFor()
    await page.getByRole('button', { name: 'Replace it with the new key' }).click()
    await page.getByText(/sends to the same place under the same write key/).waitFor()
    assert.equal(called('Testing')!.region, 'eu', 'nothing was saved')
  })

  test('have pages that axe has nothing against, that fit a phone, and that Tab goes through', async () => {
    for (const [width, height] of [
      [1_280, 800],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height })
      for (const path of [
        '/console/connection',
        '/console/connection/add',
        '/console/connection/destination?number=3',
      ]) {
        await go(path)
        if (process.env.PICTURES)
          await page.screenshot({
            path: `${process.env.PICTURES}/${width}-${path.replace(/\W/g, '-')}.png`,
            fullPage: true,
          })
        await page.evaluate(axe)
        await page.evaluate(inPage)
        assert.deepEqual(await page.evaluate('inPage.faults()'), [], `${path} ${width}`)
        assert.deepEqual(await page.evaluate('inPage.cutOff("")'), [], `${path} ${width}`)
      }
    }
    await page.setViewportSize({ width: 1_280, height: 800 })
    await connection()
    const focused = () => page.evaluate('document.activeElement?.textContent?.trim()')
    for (let tab = 0; (await focused()) !== 'Pause: Lake'; tab++) {
      assert.ok(tab < 60, 'Tab reaches the button of the third destination')
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    await page.getByText('Sending to Lake is paused').waitFor()
  })

  test('are removed by typing the name, after what would be lost was said', async () => {
    await send(6)
    await eventually(() => sentUnder(writeKey) === 6)
    await connection()
    await card('Lake').getByRole('link', { name: 'Change' }).click()
    await page.getByText('1 event waits for it now: it is not sent there, and counted as expired.').waitFor()
    await page.getByText('Remove this destination…').click()
    const name = page.getByLabel('To confirm, type its name: Lake')
    await name.fill('Segment')
    await page.getByRole('button', { name: 'Remove destination' }).click()
    await page.getByText('Not removed: this is not Lake.').waitFor()
    assert.ok(called('Lake'))
    await name.fill('Lake')
    await page.getByRole('button', { name: 'Remove destination' }).click()
    await page.getByText('Destination removed').waitFor()
    assert.equal(called('Lake'), undefined)
    assert.equal((await go('/console/connection/destination?number=3'))!.status(), 404)
    assert.ok((await rig.command('check')).exitCode === 0, 'the outcomes hold')
  })

  test('begin paused where all the others are, and say so', async () => {
    await connection()
    await page.getByRole('button', { name: 'Pause all' }).click()
    await page.waitForURL('**/console?done=paused')
    await go('/console/connection/add')
    await add('Lake again', 'lake', lakeKey)
    await page.getByRole('button', { name: 'Add destination' }).click()
    await page.getByText('Destination added, and paused as the others are').waitFor()
    assert.equal(called('Lake again')!.number, 4, 'a number is given once')
  })
})
