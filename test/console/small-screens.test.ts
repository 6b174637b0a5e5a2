/** What a phone, a page at 400 % and an eye for colours see, in a real Chromium. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { catalogue } from '../../src/events/index.ts'
import { colourOf } from '../../src/web/console/chart.ts'
import { words } from '../../src/web/console/ui/vocabulary.ts'
import { withAdminPage } from '../admin-page.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

/** What a style sheet gives to elements of these classes. */
function coloursOf(names: readonly string[], property: string): string {
  return `${JSON.stringify(names)}.map((name) => {
    const one = document.body.appendChild(document.createElement('i'))
    one.className = name
    const colour = getComputedStyle(one).getPropertyValue('${property}')
    one.remove()
    return colour
  })`
}

describe('on a small screen', { concurrency: false }, () => {
  let rig: Rig
  let page: Page
  const go = (path: string) => page.goto(`${rig.service.url}/console${path}`)

  const startWithEvents = async () => {
    const started = await startRig()
    await started.sims.drift.sendAll({ to: started.to, orgId: org })
    await settled(started)
    return started
  }
  withAdminPage({ rig: startWithEvents, signedIn: true }, (made) => {
    ;({ rig, page } = made)
  })

  test('no page scrolls sideways at 320 pixels, as at 400 %', async () => {
    await page.setViewportSize({ width: 320, height: 640 })
    const wide: string[] = []
    for (const path of [
      '',
      '/events',
      '/connection',
      '/mapping',
      '/alerts',
      '/privacy',
      '/history',
      '/website',
      '/audit',
    ]) {
      await go(path)
      const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
      if (width > 320) wide.push(`${path}: ${width}`)
    }
    assert.deepEqual(wide, [])
  })

  test('the link to new events covers none of them', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await go('/events')
    await page.locator('.live.on').waitFor()
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary: 1 })
    const newer = page.locator('.newer')
    await newer.waitFor()
    const pill = (await newer.boundingBox())!
    const first = (await page.locator('.events tbody tr').first().locator('.what').boundingBox())!
    const tabs = (await page.locator('#tabs').boundingBox())!
    assert.ok(pill.y + pill.height <= first.y, `${pill.y} + ${pill.height} > ${first.y}`)
    assert.ok(pill.y >= tabs.y + tabs.height - 4, `${pill.y} < ${tabs.y} + ${tabs.height}`)
    await settled(rig)
  })

  test('every explanation of the accounting begins at the left, whether it wraps or not', async () => {
    await go('/privacy')
    const cells = '[...document.querySelectorAll(".outcomes td:last-child")]'
    const aligned = (await page.evaluate(`${cells}.map((one) => getComputedStyle(one).textAlign)`)) as string[]
    assert.ok(aligned.length > 8)
    assert.deepEqual([...new Set(aligned)], ['left'])
  })

  test('no two kinds of states, and no two kinds of events, have the same colour, in light and dark', async () => {
    await go('')
    const levels = [...new Set(Object.values(words).map(({ level }) => level))]
    const classes = [...catalogue.keys(), 'gdpr_delete_requested', 'other'].map(colourOf)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      for (const [names, property] of [
        [levels, '--tone'],
        [classes, '--swatch'],
      ] as const) {
        const found = (await page.evaluate(coloursOf(names, property))) as string[]
        assert.equal(new Set(found.filter(Boolean)).size, names.length, found.join(' '))
      }
    }
    assert.notEqual(words.blocked.level, words.deletion.level)
  })
})
