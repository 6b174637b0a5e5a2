/**
 * The browser bridge is a guest in other people's pages: what a page, its other scripts and its visitor can do to it.
 * The doubles are those of bridge.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openBridge } from '../../packages/bridge/src/bridge.ts'
import { startBridge, widgetEvents } from '../../packages/bridge/src/index.ts'
import { expected, fakePage, fakeSegment, fakeWidget, runningBridge, samples } from '../bridge-page.ts'

const name = (event: string) => `Drift Source Event: ${event}`
const first = 'conversation:firstInteraction'

describe('what a page can do to it', () => {
  test('a Segment that throws or rejects: the page notices nothing, and the next event is sent', async (t) => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    t.after(() => process.off('unhandledRejection', note))
    const widget = fakeWidget()
    const told: string[] = []
    const page = fakePage({
      drift: widget,
      analytics: {
        setAnonymousId: () => Promise.reject(new Error('no')),
        track(event: string) {
          told.push(event)
          if (told.length === 1) throw new Error('first')
          return Promise.reject(new Error('rejected'))
        },
      },
    })
    const bridge = startBridge({}, page)
    for (const event of ['campaign:open', first, 'campaign:click'])
      assert.deepEqual(widget.fire(event, samples[event]), [])
    await new Promise(setImmediate)
    assert.deepEqual(told, ['campaign:open', first, 'campaign:click'].map(name))
    assert.deepEqual(unhandled, [])
    const { sent, dropped, kept } = bridge.state()
    assert.deepEqual({ sent, dropped, kept }, { sent: 2, dropped: 1, kept: 0 })
  })

  test('a page that broke JSON, console and the methods of arrays does not keep events from being sent', () => {
    const heard: ((data: unknown) => void)[] = []
    const told: unknown[] = []
    const drift = {
      on(_event: string, handler: () => void) {
        heard[heard.length] = handler
      },
    }
    const analytics = {
      setAnonymousId() {},
      track(event: string) {
        told[told.length] = event
      },
    }
    const repair = breakBuiltIns()
    try {
      startBridge({}, fakePage({ drift, analytics }))
      for (let at = 0; at < heard.length; at++) heard[at]!({ campaignId: at })
    } finally {
      repair()
    }
    assert.deepEqual(
      told,
      widgetEvents.map((event) => name(event.name)),
    )
  })

  test('a page that starts it twice, by two copies of the script, has one bridge, and every event once', async () => {
    const { page, bridge, widget, segment } = runningBridge()
    const copy = (await import(`../../packages/bridge/src/bridge.ts?copy=${Date.now()}`)) as {
      openBridge: typeof openBridge
    }
    assert.notEqual(copy.openBridge, openBridge)
    assert.equal(copy.openBridge({ omit: ['email'] }, page), bridge)
    assert.equal(startBridge(undefined, page), bridge)
    page.look(3)
    for (const event of Object.keys(expected)) assert.equal(widget.listeners(event), 1)
    widget.fire('ready')
    widget.fire('ready')
    widget.fire(first, samples[first])
    assert.equal(segment.calls.filter(([method]) => method === 'track').length, 1)
  })

  test('what a page writes into the window later is merged and does not push the bridge out', () => {
    const { page, bridge, widget, segment } = runningBridge()
    page.driftSegmentBridge = { omit: ['campaignId'] }
    assert.equal(startBridge(undefined, page), bridge)
    widget.fire('campaign:open', samples['campaign:open'])
    assert.deepEqual(segment.told(), [['track', name('campaign:open'), {}]])
    page.driftSegmentBridge = { consent: 'denied' }
    widget.fire('campaign:open', samples['campaign:open'])
    assert.equal(segment.calls.length, 1)
    const declared = fakePage()
    Object.defineProperty(declared, 'driftSegmentBridge', { value: { identify: 'link' }, writable: true })
    assert.equal(startBridge(undefined, declared), declared.driftSegmentBridge)
  })

  test('what other scripts put into the window is read by name, from the thing itself, once; no accessor and no later word counts', () => {
    const polluted = Object.create({ drift: 'evil', segment: 'evil', identify: 'link', omit: 'contactId' })
    const crafted = JSON.parse('{"__proto__": {"drift": "evil"}, "segment": "<img src=x>", "driftUrl": "javascript:0"}')
    for (const there of [polluted, crafted, { drift: { toString: () => 'evil' }, segment: '../evil?' }]) {
      const page = fakePage({ driftSegmentBridge: there })
      startBridge(undefined, page)
      assert.deepEqual(page.scripts, [])
    }
    let reads = 0
    const options = {
      get identify() {
        reads++
        return 'link' as const
      },
    }
    const { widget, segment, bridge } = runningBridge(options)
    widget.fire(first, samples[first])
    widget.fire(first, { ...samples[first] })
    assert.deepEqual([reads, segment.calls.length], [1, 2])
    assert.ok(Object.isFrozen(bridge))
    for (const address of [
      'http://evil.example',
      'data:text/javascript,1',
      '//evil.example',
      'https://a b',
      'http://localhost.evil.example',
    ]) {
      const page = fakePage()
      startBridge({ drift: 'embed', driftUrl: address, segment: 'writekey', segmentUrl: address }, page)
      for (const { src } of page.scripts) assert.match(src, /^https:\/\/(js\.driftt|cdn\.segment)\.com\//)
    }
  })

  test('of ten thousand events a second a hundred go out in ten seconds, and memory is bounded', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { widget, segment, bridge } = runningBridge()
    for (let n = 0; n < 10_000; n++) widget.fire('campaign:open', { campaignId: n })
    assert.equal(segment.calls.length, 100)
    assert.equal(bridge.state().dropped, 9_900)
    t.mock.timers.tick(10_000)
    widget.fire('campaign:open', { campaignId: 1 })
    assert.equal(segment.calls.length, 101)
    // A clock that is put back does not keep what happens away until it has caught up.
    for (let n = 0; n < 200; n++) widget.fire('campaign:open', { campaignId: n })
    t.mock.timers.setTime(1_000)
    widget.fire('campaign:open', { campaignId: 1 })
    assert.equal(segment.calls.length, 201)
    const waiting = runningBridge({ consent: 'pending' })
    for (let n = 0; n < 1_000; n++) {
      waiting.widget.fire('campaign:open', { campaignId: n })
      t.mock.timers.tick(1_000)
    }
    assert.deepEqual([waiting.bridge.state().kept, waiting.bridge.state().dropped], [100, 900])
    waiting.bridge.consent('granted')
    assert.deepEqual(
      waiting.segment.calls.map((call) => call[2]),
      Array.from({ length: 100 }, (_, campaignId) => ({ campaignId })),
    )
    assert.equal((waiting.segment.calls[1]![3] as { timestamp: Date }).timestamp.getTime() % 1_000, 0)
  })

  test('while Segment is a mere snippet a hundred events are kept here, and go to the library when it is there', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const { track, calls } = fakeSegment()
    const snippet: unknown[] = []
    const widget = fakeWidget()
    const list = Object.assign(snippet, { track: (event: string) => snippet.push(event) })
    const page = fakePage({ drift: widget, analytics: list })
    const bridge = startBridge({}, page)
    const fire = (times: number) => {
      for (let n = 0; n < times; n++) {
        widget.fire('campaign:open', { campaignId: n })
        t.mock.timers.tick(1_000)
      }
    }
    fire(1_000)
    const { kept, dropped, segment } = bridge.state()
    assert.deepEqual([snippet.length, kept, dropped, segment], [0, 100, 900, true])
    page.analytics = { track }
    page.look()
    fire(200)
    assert.deepEqual([calls.length, bridge.state().sent, bridge.state().dropped], [300, 300, 900])
  })
})

describe('consent', () => {
  test('pending keeps, granted sends what was kept, denied forgets it and lets nothing through', () => {
    const { widget, segment, bridge } = runningBridge({ consent: 'pending' })
    widget.fire('campaign:open', { campaignId: 1 })
    assert.deepEqual([segment.calls.length, bridge.state().kept], [0, 1])
    bridge.consent('granted')
    assert.equal(segment.calls.length, 1)
    bridge.consent('pending')
    widget.fire(first, samples[first])
    bridge.consent('denied')
    widget.fire('campaign:click', { campaignId: 2 })
    bridge.consent('granted')
    assert.equal(segment.calls.length, 1)
    assert.equal(bridge.state().dropped, 2)
    widget.fire('campaign:submit', { campaignId: 3 })
    assert.deepEqual(segment.told().at(-1), ['track', name('campaign:submit'), { campaignId: 3 }])
  })

  test('a word that is none of the three counts as pending', () => {
    const { bridge } = runningBridge({ consent: 'yes' as never })
    assert.equal(bridge.state().consent, 'pending')
    bridge.consent('granted')
    bridge.consent('maybe' as never)
    assert.equal(bridge.state().consent, 'pending')
  })

  test('a browser that asks not to be tracked is heard where the site wants it so', () => {
    for (const navigator of [{ globalPrivacyControl: true }, { doNotTrack: '1' }]) {
      const start = (respectOptOut: boolean) => startBridge({ respectOptOut }, fakePage({ navigator })).state().consent
      assert.deepEqual([start(true), start(false)], ['denied', 'granted'])
    }
    const navigator = { globalPrivacyControl: false, doNotTrack: null }
    assert.equal(startBridge({ respectOptOut: true }, fakePage({ navigator })).state().consent, 'granted')
  })

  test('Segment is not loaded before; Drift is, because its chat is not what is asked about', () => {
    const page = fakePage()
    const bridge = startBridge({ consent: 'pending', drift: 'embed1', segment: 'writekey1' }, page)
    assert.deepEqual(
      page.scripts.map(({ src }) => new URL(src).hostname),
      ['js.driftt.com'],
    )
    assert.equal(page.analytics, undefined)
    bridge.consent('denied')
    assert.equal(page.scripts.length, 1)
    bridge.consent('granted')
    bridge.consent('granted')
    assert.deepEqual(
      page.scripts.map(({ src }) => new URL(src).hostname),
      ['js.driftt.com', 'cdn.segment.com'],
    )
  })
})

/** Replaces what pages are known to replace by something that throws; returns what puts it back. */
function breakBuiltIns(): () => void {
  const fail = () => {
    throw new Error('patched')
  }
  const targets: [object, string[]][] = [
    [Array.prototype, ['push', 'shift', 'forEach', 'map', 'filter', 'slice', 'splice', 'concat', 'indexOf']],
    [JSON, ['stringify', 'parse']],
    [console, ['log', 'warn', 'error', 'info', 'debug']],
  ]
  const kept: [object, string, PropertyDescriptor][] = []
  for (const [target, methods] of targets) {
    for (const method of methods) {
      kept[kept.length] = [target, method, Object.getOwnPropertyDescriptor(target, method)!]
      Object.defineProperty(target, method, { value: fail, configurable: true, writable: true })
    }
  }
  return () => {
    for (const [target, method, descriptor] of kept) Object.defineProperty(target, method, descriptor)
  }
}
