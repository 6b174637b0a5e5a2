/**
 * Options that cannot get lost: whatever says them, and in whatever order, all of them count and the more careful one wins.
 * The doubles are those of bridge.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BridgeOptions, type Consent, startBridge } from '../../packages/bridge/src/index.ts'
import { fakePage, fakeSegment, fakeWidget, runningBridge, samples, tagWith } from '../bridge-page.ts'

const first = 'conversation:firstInteraction'
const start = 'startConversation'
const optedOut = { globalPrivacyControl: true }

/** A page with a tag, and what it wrote into the window before. */
function tagged(attributes: Record<string, string>, written?: object, more: object = {}) {
  const widget = fakeWidget()
  const segment = fakeSegment()
  const page = fakePage({ drift: widget, analytics: segment, driftSegmentBridge: written, ...more })
  page.document = { ...page.document, currentScript: tagWith(attributes) }
  return { page, widget, segment }
}

describe('of what several say the more careful wins', () => {
  const places: readonly [
    place: string,
    open: (one: BridgeOptions, other: BridgeOptions) => ReturnType<typeof runningBridge>['bridge'],
  ][] = [
    [
      'two starts',
      (one, other) => {
        const { page, bridge } = runningBridge(one)
        assert.equal(startBridge(other, page), bridge)
        return bridge
      },
    ],
    [
      'a start, and the window later',
      (one, other) => {
        const { page, bridge } = runningBridge(one)
        page.driftSegmentBridge = other
        return bridge
      },
    ],
  ]
  for (const [place, open] of places)
    test(`consent, by ${place}`, () => {
      const answers: [Consent, Consent, Consent][] = [
        ['granted', 'pending', 'pending'],
        ['granted', 'denied', 'denied'],
        ['pending', 'denied', 'denied'],
      ]
      for (const [one, other, wins] of answers)
        assert.equal(open({ consent: one }, { consent: other }).state().consent, wins)
    })

  test('a second start that asks to wait is heard; one that grants does not undo the first', () => {
    const { page, bridge } = runningBridge({ consent: 'pending' })
    startBridge({ consent: 'granted' }, page)
    assert.equal(bridge.state().consent, 'pending')
    const again = runningBridge({})
    startBridge({ consent: 'pending' }, again.page)
    again.widget.fire(first, samples[first])
    assert.deepEqual([again.segment.calls.length, again.bridge.state().kept], [0, 1])
  })

  test('what tag, window and a second start omit is omitted by each, and link wins over contact', () => {
    const { page, widget, segment } = tagged({ 'data-omit': 'email' }, { omit: ['inboxId'], identify: 'link' })
    startBridge(undefined, page)
    startBridge({ omit: ['contactId'], identify: 'contact' }, page)
    widget.fire(start, samples[start])
    assert.deepEqual(segment.told(), [['track', `Drift Source Event: ${start}`, { conversationId: 3969707703 }]])
  })

  test('the choice as documented before the file, with the spread or without, keeps what the tag says', () => {
    const { page, widget, segment } = tagged(
      { 'data-omit': 'email', 'data-identify': 'link', 'data-consent': 'pending' },
      { consent: 'granted' },
    )
    startBridge(undefined, page)
    widget.fire(start, samples[start])
    assert.equal(segment.calls.length, 1)
    assert.equal('email' in (segment.calls[0]![2] as object), false)
  })
})

describe('a tag that cannot be read', () => {
  test('as that of a module: consent is pending until it is said', () => {
    const page = fakePage({ drift: fakeWidget(), analytics: fakeSegment() })
    const bridge = startBridge(undefined, page)
    assert.equal(bridge.state().consent, 'pending')
    bridge.consent('granted')
    assert.equal(bridge.state().consent, 'granted')
  })

  test('what the window chose counts, and what it omits', () => {
    const page = fakePage({ driftSegmentBridge: { consent: 'granted' } })
    assert.equal(startBridge(undefined, page).state().consent, 'granted')
  })
})

describe('what the visitor chose comes before what the browser asks for', () => {
  test('in whatever order they come', () => {
    const before = tagged({ 'data-respect-opt-out': '' }, { consent: 'granted' }, { navigator: optedOut })
    assert.equal(startBridge(undefined, before.page).state().consent, 'granted')
    const after = tagged({ 'data-respect-opt-out': '' }, undefined, { navigator: optedOut })
    const bridge = startBridge(undefined, after.page)
    assert.equal(bridge.state().consent, 'denied')
    bridge.consent('granted')
    assert.equal(bridge.state().consent, 'granted')
    startBridge({ respectOptOut: true, consent: 'denied' }, after.page)
    assert.equal(bridge.state().consent, 'granted')
    bridge.consent('denied')
    startBridge({ consent: 'granted' }, after.page)
    assert.equal(bridge.state().consent, 'denied')
  })

  test('an option that grants is not a choice', () => {
    const { page } = tagged({ 'data-respect-opt-out': '', 'data-consent': 'granted' }, undefined, {
      navigator: optedOut,
    })
    assert.equal(startBridge(undefined, page).state().consent, 'denied')
  })
})

describe('consent that is withdrawn reaches what waits', () => {
  test('also where Segment’s snippet is there and its library is not', () => {
    const widget = fakeWidget()
    const list: unknown[] = []
    const snippet = Object.assign(list, {
      track: (...call: unknown[]) => list.push(call),
      setAnonymousId: (id: string) => list.push(id),
    })
    const page = fakePage({ drift: widget, analytics: snippet })
    const bridge = startBridge({}, page)
    widget.fire(first, samples[first])
    bridge.consent('denied')
    const library = fakeSegment()
    page.analytics = library
    page.look()
    assert.deepEqual([list.length, library.calls.length, bridge.state().dropped], [0, 0, 1])
  })
})

test('an event that waited carries the page on which it happened; one that did not carries no page of ours', () => {
  const { widget, segment, page, bridge } = runningBridge({ consent: 'pending' })
  const show = (URL: string, title: string) => {
    page.document = { ...page.document, URL, title }
  }
  show('https://shop.example/cart?full=1#top', 'Cart')
  widget.fire('campaign:open', { campaignId: 1 })
  show('https://shop.example/paid', 'Paid')
  widget.fire('campaign:click', { campaignId: 2 })
  bridge.consent('granted')
  const contexts = segment.calls.map(([, , , options]) => (options as { context?: object }).context)
  const page_ = { url: 'https://shop.example/cart?full=1', path: '/cart', search: '?full=1', title: 'Cart' }
  assert.deepEqual(contexts, [{ page: page_ }, undefined])
})

describe('a widget and its listeners', () => {
  test('one firing that two of ours hear is one event, with a copy of its data for each, or with none', () => {
    const { page, widget, segment } = runningBridge()
    const heir = fakeWidget()
    page.drift = heir
    page.look()
    for (const data of [{ campaignId: 1 }, undefined]) {
      widget.fire('campaign:open', data && { ...data })
      heir.fire('campaign:open', data && { ...data })
    }
    assert.equal(segment.calls.length, 2)
  })

  test('the same event in another turn is another event', async () => {
    const { widget, segment } = runningBridge()
    for (let turn = 0; turn < 3; turn++) {
      widget.fire('campaign:open', { campaignId: 1 })
      await new Promise(setImmediate)
    }
    assert.equal(segment.calls.length, 3)
  })

  test('drift.off by another script, which takes our listener away too, is noticed at once', () => {
    const widget = Object.assign(fakeWidget(), { removed: [] as string[] })
    let handlers: [string, (data?: unknown) => void][] = []
    const drift = {
      on: (event: string, handler: (data?: unknown) => void) => void handlers.push([event, handler]),
      off: (event: string, handler?: unknown) => {
        handlers = handlers.filter(([name, one]) => name !== event || (handler !== undefined && one !== handler))
      },
    }
    const segment = fakeSegment()
    const page = fakePage({ drift, analytics: segment })
    const bridge = startBridge({}, page)
    const theirs = () => {}
    drift.on('campaign:open', theirs)
    drift.off('campaign:open', theirs)
    const count = () => handlers.filter(([name]) => name === 'campaign:open').length
    assert.equal(count(), 1, 'taking away a handler of their own leaves ours')
    drift.off('campaign:open')
    assert.deepEqual([count(), bridge.state().drift, widget.removed], [1, true, []])
    for (const [name, handler] of handlers) if (name === 'campaign:open') handler({ campaignId: 1 })
    assert.equal(segment.calls.length, 1)
  })
})
