/**
 * node build/screenshots.ts [folder]: the pictures of the documents. With `all` behind the folder: every page of the console
 * whole, at the widths of a phone, a small window, a desk and a wide screen, in light and in dark, and Home in several states.
 * The week that they show is played by the simulators in a minute.
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFixture } from '../src/events/fixtures.ts'
import { systemClock } from '../src/lib/clock.ts'
import type { JsonObject } from '../src/lib/json.ts'
import { openStory } from '../src/sim/story.ts'
import { sections } from '../src/web/console/ui/sections.ts'
import { launchBrowser, openPage } from '../test/browser.ts'
import { eventually, seeded } from '../test/clock.ts'
import { org, settled, startRig } from '../test/rig.ts'

const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'screenshots-')))
const isAll = process.argv[3] === 'all'
await mkdir(folder, { recursive: true })
const days = isAll ? 1 : 7
let behindMs = days * 24 * 3_600_000
const clock = { ...systemClock, now: () => systemClock.now() - behindMs }
const rig = await startRig({ clock })
const browser = await launchBrowser()
const sizes = { phone: 390, narrow: 910, desk: 1_280, wide: 1_920 }
type Size = keyof typeof sizes
const { page, close } = await openPage(browser, { locale: 'en-GB', timezoneId: 'America/New_York' })
try {
  await playWeek()
  await page.goto(await linkOf())
  await page.click('main button')
  await page.waitForURL('**/console')
  if (isAll) await takeFresh()
  await confirmKey()
  const { entries } = await rig.service.store.storage.lookup.find({ org: String(org) }, { limit: 100 })
  const event = (state: string) => `/console/events/${entries.find((one) => one.state === state)!.messageId}`
  const pages: Record<string, string> = Object.fromEntries(
    Object.entries(sections).map(([name, { path }]) => [name, path]),
  )
  pages.home = '/console?range=7d'
  pages.resend = '/console/resend?state=delivered&preview=1'
  Object.assign(pages, {
    event: event('delivered'),
    failed: event('dead'),
    unknown: event('quarantined'),
    key: '/connect/write-key',
  })
  if (isAll) for (const name of Object.keys(pages)) await takeAll(name, pages[name]!)
  else await takeDocuments(pages)
  if (isAll) await takeStates()
  else await takeDestinations()
  console.log(folder)
} finally {
  await close()
  await browser.close()
  await rig.close()
}

async function takeDocuments(pages: Record<string, string>): Promise<void> {
  for (const [name, size, colorScheme] of [
    ['home', 'desk', 'light'],
    ['home', 'desk', 'dark'],
    ['home', 'phone', 'light'],
    ['events', 'desk', 'light'],
    ['events', 'phone', 'dark'],
    ['event', 'desk', 'light'],
    ['failed', 'desk', 'dark'],
    ['connection', 'desk', 'light'],
    ['notSent', 'desk', 'light'],
    ['resend', 'desk', 'light'],
    ['privacy', 'desk', 'light'],
  ] as const)
    await take(name, pages[name]!, size, colorScheme, name === 'home')
}

async function takeAll(name: string, path: string): Promise<void> {
  for (const size of Object.keys(sizes) as Size[])
    for (const colorScheme of ['light', 'dark'] as const) await take(name, path, size, colorScheme, true)
}

async function take(
  name: string,
  path: string,
  size: Size,
  colorScheme: 'light' | 'dark',
  fullPage: boolean,
): Promise<void> {
  const width = sizes[size]
  await page.setViewportSize({ width, height: width < 500 ? 844 : 800 })
  await page.emulateMedia({ colorScheme })
  await page.goto(rig.service.url + path)
  await page.waitForLoadState('networkidle', { timeout: 1_000 }).catch(() => {})
  await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage })
}

/** An event that one of two destinations has and the other one refuses. */
async function takeDestinations(): Promise<void> {
  const given = { org: String(org), name: 'Staging' }
  await rig.command('destinations add', {
    given,
    stdin: JSON.stringify({ writeKey: 'StAgInGsTaGiNgStAgInGsTaGiNg0123' }),
  })
  await rig.service.store.accounts.reload(systemClock.now())
  rig.sims.segment.script({ refuseIf: ({ messageId }) => String(messageId).endsWith('.2') })
  await rig.sims.drift.send('phone_captured', { to: rig.to, orgId: org, vary: 9_002 })
  await settled(rig)
  rig.sims.segment.script(undefined)
  const { entries } = await rig.service.store.storage.lookup.find({ org: String(org) }, { limit: 1 })
  await take('destinations', `/console/events/${entries[0]!.messageId}?destination=2`, 'desk', 'light', false)
}

/** What an admin sees before they have said that the test event is there. */
async function takeFresh(): Promise<void> {
  await takeAll('unconfirmed', '/console')
  await page.goto(`${rig.service.url}/console`)
  await page.getByRole('button', { name: 'Send test event' }).first().click()
  await page.getByText('Segment accepted the test event').waitFor()
  for (const size of ['phone', 'desk'] as const) {
    await page.setViewportSize({ width: sizes[size], height: 844 })
    await page.screenshot({ path: join(folder, `tested-${size}.png`), fullPage: true })
  }
}

async function confirmKey(): Promise<void> {
  await page.goto(`${rig.service.url}/console/connection`)
  await page.getByRole('button', { name: 'Send test event' }).first().click()
  await page.getByRole('button', { name: 'I see it in Segment' }).click()
  await page.getByText('Test event confirmed').waitFor()
}

async function takeStates(): Promise<void> {
  const { lookup } = rig.service.store.storage
  rig.sims.segment.script({ status: 503 })
  behindMs = 10 * 60_000
  await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary: 9_001 })
  await eventually(async () => (await lookup.lanes(String(org))).some(({ failures }) => failures > 0))
  behindMs = 0
  await takeAll('delayed', '/console')
  rig.sims.segment.script({ status: 401 })
  await page.getByRole('button', { name: 'Retry now' }).first().click()
  await page.getByText('Stopped').waitFor()
  await takeAll('stopped', '/console')
  await page.goto(`${rig.service.url}/console/connection`)
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByText('Sending is paused').first().waitFor()
  await takeAll('paused', '/console')
}

/** More by day than by night; at its end two that go wrong, each in a way of its own. */
async function playWeek(): Promise<void> {
  const random = seeded(7)
  const { next } = await openStory(rig.sims.drift, { to: rig.to, orgId: org, random: { fraction: random } })
  const hours = days * 24
  for (let hour = hours; hour > 0; hour--) {
    const ofDay = new Date(systemClock.now() - hour * 3_600_000).getUTCHours()
    const busy = Math.max(1, Math.round((4 + 5 * Math.sin(((ofDay - 8) / 24) * 2 * Math.PI)) * (0.6 + random())))
    for (let event = 0; event < busy; event++) {
      behindMs = Math.round((hour - event / busy) * 3_600_000)
      await next()
      await settled(rig)
    }
  }
  behindMs = 0
  const { drift } = await readFixture('button_clicked')
  const data = { ...(drift.data as JsonObject), id: 9, body: 'Hello '.repeat(8_000) }
  await rig.sims.drift.send({ ...drift, data }, { to: rig.to, orgId: org })
  await rig.sims.drift.send({ type: 'new_meeting', orgId: org, data: { schedulerId: { odd: true } } }, { to: rig.to })
  for (let vary = 0; vary < 3; vary++)
    await rig.sims.drift.send({ type: 'an_event_of_later', orgId: org, data: { vary } }, { to: rig.to })
  await settled(rig)
}

async function linkOf(): Promise<string> {
  const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
  return /http\S+/.exec(output)![0]
}
