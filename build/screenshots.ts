/**
 * node build/screenshots.ts [folder] [whole]: every page of the console as a picture, at the width of a phone and of a desk, in
 * light and in dark, with a week that the simulators play in a few seconds.
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFixture } from '../src/events/fixtures.ts'
import { systemClock } from '../src/lib/clock.ts'
import type { JsonObject } from '../src/lib/json.ts'
import { openStory } from '../src/sim/story.ts'
import { launchBrowser, openPage } from '../test/browser.ts'
import { seeded } from '../test/clock.ts'
import { org, settled, startRig } from '../test/rig.ts'

const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'screenshots-')))
await mkdir(folder, { recursive: true })
const weekMs = 7 * 24 * 3_600_000
let behindMs = weekMs
const clock = { ...systemClock, now: () => systemClock.now() - behindMs }
const rig = await startRig({ clock })
const browser = await launchBrowser()
try {
  await playWeek()
  const { page, close } = await openPage(browser, { locale: 'en-GB' })
  await page.goto(await linkOf())
  await page.click('main button')
  await page.waitForURL('**/console')
  await page.goto(`${rig.service.url}/console/events?state=dead`)
  const dead = await page.getAttribute('tbody td a', 'href')
  await page.goto(`${rig.service.url}/console/events?state=delivered`)
  const delivered = await page.getAttribute('tbody td a', 'href')
  const pages = {
    overview: '/console?span=week',
    events: '/console/events',
    event: delivered!,
    'given-up': dead ?? '/console',
    redrive: '/console/redrive?state=failed&look=1',
    settings: '/console/settings',
    site: '/console/site',
    audit: '/console/audit',
  }
  for (const [name, path] of Object.entries(pages))
    for (const [width, size] of [
      ['phone', { width: 390, height: 844 }],
      ['desk', { width: 1280, height: 800 }],
    ] as const)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize(size)
        await page.emulateMedia({ colorScheme })
        await page.goto(rig.service.url + path)
        await page.waitForLoadState('networkidle', { timeout: 1000 }).catch(() => {})
        await page.screenshot({
          path: join(folder, `${name}-${width}-${colorScheme}.png`),
          // Settings is cards alone, and most of them are below the fold.
          fullPage: name === 'settings' || process.argv[3] === 'whole',
        })
      }
  await close()
  console.log(folder)
} finally {
  await browser.close()
  await rig.close()
}

/** More by day than by night; at its end two that go wrong, each in a way of its own. */
async function playWeek(): Promise<void> {
  const random = seeded(7)
  const { next } = await openStory(rig.sims.drift, { to: rig.to, orgId: org, random: { fraction: random } })
  const hours = 7 * 24
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
  await settled(rig)
}

async function linkOf(): Promise<string> {
  const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
  return /http\S+/.exec(output)![0]
}
