/** Bridges beside each other: as a plugin of an instance, one for each Segment, ended and started again, and none on a server. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import packageJson from '../../packages/bridge/package.json' with { type: 'json' }
import { driftSegmentSource, startBridge } from '../../packages/bridge/src/index.ts'
import { version } from '../../packages/bridge/src/plugin.ts'
import { expected, fakePage, fakeSegment, fakeWidget, runningBridge, samples } from '../bridge-page.ts'

const first = 'conversation:firstInteraction'
const named = (name: string) => `Drift Source Event: ${name}`

describe('as a plugin', () => {
  test('it listens from its creation, and the instance that it is registered with gets all of it, with its time', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const segment = fakeSegment()
    const widget = fakeWidget()
    const page = fakePage({ drift: widget, analytics: fakeSegment() })
    const plugin = driftSegmentSource({ identify: 'link' }, page)
    assert.deepEqual([plugin.type, plugin.version, plugin.isLoaded()], ['utility', packageJson.version, true])
    widget.fire(first, samples[first])
    t.mock.timers.tick(60_000)
    await plugin.load(undefined, segment)
    page.look()
    widget.fire('campaign:open', samples['campaign:open'])
    assert.deepEqual(segment.told(), [
      ['track', named(first), expected[first]],
      ['track', named('campaign:open'), expected['campaign:open']],
    ])
    assert.equal((segment.calls[0]![3] as { timestamp: Date }).timestamp.getTime(), 1_000_000)
    assert.deepEqual((page.analytics as ReturnType<typeof fakeSegment>).calls, [])
    assert.equal(version, packageJson.version)
  })

  test('the visitor’s choice is said to its bridge, before the instance is there too', async () => {
    const segment = fakeSegment()
    const widget = fakeWidget()
    const page = fakePage({ drift: widget })
    const plugin = driftSegmentSource({ consent: 'pending' }, page)
    widget.fire('campaign:open', samples['campaign:open'])
    plugin.bridge.consent('granted')
    await plugin.load(undefined, segment)
    page.look()
    assert.equal(segment.calls.length, 1)
  })
})

describe('several bridges, and an end', () => {
  test('each Segment has a bridge of its own, and the same one gets nothing twice', () => {
    const widget = fakeWidget()
    const [one, other] = [fakeSegment(), fakeSegment()]
    const page = fakePage({ drift: widget })
    const bridge = startBridge({ analytics: one }, page)
    const second = startBridge({ analytics: other, identify: 'link' }, page)
    assert.notEqual(bridge, second)
    assert.equal(startBridge({ analytics: one }, page), bridge)
    assert.equal(startBridge({ analytics: other }, page), second)
    assert.equal(page.driftSegmentBridge, bridge)
    widget.fire(first, samples[first])
    assert.deepEqual(
      [one, other].map(({ calls }) => calls.map(([method]) => method)),
      [['setAnonymousId', 'track'], ['track']],
    )
  })

  test('Segment under another name in the window is found there, snippet or library, also after a hundred events', () => {
    const widget = fakeWidget()
    const page = fakePage({ drift: widget, segmentOfShop: Object.assign([], { track() {} }) })
    const bridge = startBridge({ globalName: 'segmentOfShop' }, page)
    widget.fire('campaign:open', { campaignId: 1 })
    assert.deepEqual([bridge.state().segment, bridge.state().kept], [true, 1])
    const library = fakeSegment()
    page.segmentOfShop = library
    page.look()
    assert.equal(library.calls.length, 1)
  })

  test('a Segment that the bridge loads has the name and the options that the site gives it', () => {
    const page = fakePage()
    const set: string[] = []
    page.document = {
      ...page.document,
      createElement: () => ({ setAttribute: (...pair: string[]) => void set.push(pair.join('=')) }),
    }
    const segmentOptions = { integrations: { All: false } }
    startBridge({ segment: 'writekey1', globalName: 'segmentOfShop', segmentOptions }, page)
    const queue = page.segmentOfShop as { _loadOptions: unknown }
    assert.equal(queue._loadOptions, segmentOptions)
    assert.deepEqual([set, page.analytics], [['data-global-segment-analytics-key=segmentOfShop'], undefined])
  })

  test('stop() ends it: nothing more is heard, sent or looked for, and another may start', () => {
    const { bridge, page, widget, segment } = runningBridge({ consent: 'pending' })
    widget.fire('campaign:open', { campaignId: 1 })
    bridge.stop()
    bridge.consent('granted')
    widget.fire('campaign:click', { campaignId: 1 })
    page.look(3)
    assert.deepEqual([segment.calls.length, page.driftSegmentBridge], [0, undefined])
    const next = startBridge({}, page)
    assert.notEqual(next, bridge)
    widget.fire('campaign:submit', { campaignId: 1 })
    assert.deepEqual(
      segment.calls.map(([, event]) => event),
      [named('campaign:submit')],
    )
  })
})

test('on a server it does nothing, shares nothing between requests, and lets the process end', () => {
  const program = `
    import { driftSegmentSource, startBridge } from './packages/bridge/src/index.ts'
    const bridge = startBridge({ analytics: { track() {} } })
    bridge.consent('granted')
    driftSegmentSource().bridge.stop()
    process.stdout.write(JSON.stringify([bridge.state().drift, 'driftSegmentBridge' in globalThis]))`
  const cwd = new URL('../../', import.meta.url)
  const args = ['--input-type=module', '-e', program]
  const { stdout, signal, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 30_000 })
  assert.deepEqual([signal, stdout], [null, '[false,false]'], stderr)
})
