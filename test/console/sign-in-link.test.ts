/** A sign-in link and the browsers that open it, over real HTTP; in a real browser it is test/console/twice.test.ts. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type ManualClock, manualClock } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const minute = 60_000
let rig: Rig
let clock: ManualClock
let admin: Walk
before(async () => {
  clock = manualClock(Date.now())
  rig = await startRig({ clock })
})
after(() => rig.close())

const jar = () => admin.cookies.get(rig.service.url)!

describe('a sign-in link', () => {
  let link: string
  beforeEach(async () => {
    const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
    link = output.split('\n')[0]!
    admin = openWalk(rig)
    clock.advance(Date.now() - clock.now())
  })
  afterEach(() => admin.close())
  const press = async (walk = admin) => (await walk.post(link, {})).status

  test('pressed again in its own browser within a minute gives the same session, and only one', async () => {
    await admin.get(link)
    assert.equal(await press(), 303)
    const first = jar().get('sid')
    // The browser dropped the answer.
    jar().delete('sid')
    assert.equal(await press(), 303)
    assert.equal(jar().get('sid'), first)
    assert.equal((await admin.get(admin.at('/console'))).status, 200)
  })

  test('pressed again after a minute is used up, and so it is after signing out', async () => {
    await admin.get(link)
    assert.equal(await press(), 303)
    clock.advance(minute)
    assert.equal(await press(), 410)
    const again = openWalk(rig)
    const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
    link = output.split('\n')[0]!
    await again.get(link)
    assert.equal(await press(again), 303)
    await again.submit(await again.get(again.at('/console')), {}, '/console/sign-out')
    assert.equal(await press(again), 410)
    await again.close()
  })

  test('is used up for every other browser, also one that has looked at it before', async () => {
    const other = openWalk(rig)
    await other.get(link)
    await admin.get(link)
    assert.equal(await press(), 303)
    const refused = await other.post(link, {})
    assert.deepEqual([refused.status, other.cookies.get(rig.service.url)!.has('sid')], [410, false])
    assert.match(refused.body, /Continue with Drift[\s\S]*sign-in --org/)
    await other.close()
  })
})
