/**
 * The browser bridge without a browser: what each widget event becomes, and everything a page can do to it. The oracle is
 * the table in bridge-page.ts, written out by hand; the doubles are a window, a widget and an analytics.js that write down
 * what they get. What happens in a real browser, with the real analytics.js: bridge-orders.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBridge, widgetEvents } from '../../packages/bridge/src/index.ts'
import { expected, fakePage, fakeSegment, fakeWidget, runningBridge, samples } from '../bridge-page.ts'

const name = (event: string) => `Drift Source Event: ${event}`
const first = 'conversation:firstInteraction'
const contact = '21760538950'

describe('the twelve events', () => {
  test('are those of the table, no more and no less', () => {
    assert.deepEqual(widgetEvents.map((event) => event.name).sort(), Object.keys(expected).sort())
    const { widget } = runningBridge()
    const others = [
      'message',
      'message:sent',
      'emailCapture',
      'phoneCapture',
      'conversation:buttonClicked',
      'gdprClicked',
    ]
    for (const other of others) assert.equal(widget.listeners(other), 0, other)
  })

  for (const event of Object.keys(expected)) {
    test(`${event} carries exactly its properties, and the time when it happened`, () => {
      const { widget, segment } = runningBridge()
      const before = Date.now()
      assert.deepEqual(widget.fire(event, samples[event]), [])
      const track = segment.calls.at(-1)!
      const { timestamp, ...options } = track[3] as { timestamp: Date }
      assert.deepEqual(track.slice(0, 3), ['track', name(event), expected[event]])
      assert.deepEqual(options, { integrations: { Drift: false } })
      assert.ok(timestamp.getTime() >= before && timestamp.getTime() <= Date.now())
    })
  }
})

describe('whose events they are', () => {
  test('contact: the first two tell Segment the contact id first, as a string; the others leave it alone', () => {
    for (const event of Object.keys(expected)) {
      const { widget, segment } = runningBridge()
      widget.fire(event, samples[event])
      const before = segment.calls.slice(0, -1)
      if (event === first) assert.deepEqual(before, [['setAnonymousId', '21760538950']])
      else if (event === 'startConversation') assert.deepEqual(before, [['setAnonymousId', '21760538951']])
      else assert.deepEqual(before, [], event)
    }
  })

  test('link: the anonymousId is left alone, and the first two carry the contact id beside it', () => {
    for (const event of Object.keys(expected)) {
      const { widget, segment } = runningBridge({ identify: 'link' })
      widget.fire(event, samples[event])
      assert.equal(segment.calls.length, 1)
      const { context } = segment.calls[0]![3] as { context?: object }
      const id = event === first ? '21760538950' : event === 'startConversation' ? '21760538951' : undefined
      const externalIds = [{ id, type: 'drift_contact_id', collection: 'users', encoding: 'none' }]
      assert.deepEqual(context, id && { externalIds }, event)
    }
  })

  test('a Segment without setAnonymousId gets it with the event itself', () => {
    const { track, calls } = fakeSegment()
    const widget = fakeWidget()
    startBridge({}, fakePage({ drift: widget, analytics: { track } }))
    widget.fire(first, samples[first])
    assert.equal((calls[0]![3] as { anonymousId: string }).anonymousId, contact)
  })

  test('only canonical digits are a contact id; anything else leaves the anonymousId', () => {
    const bad = [
      undefined,
      null,
      0,
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      1.5,
      '',
      '0',
      '007',
      ' 1',
      '1e3',
    ]
    for (const authorId of [...bad, 'null', {}, [21760538950], true, '9'.repeat(20), { toString: () => contact }]) {
      for (const identify of ['contact', 'link'] as const) {
        const { widget, segment } = runningBridge({ identify })
        assert.deepEqual(widget.fire(first, { conversationId: 7, authorId }), [])
        assert.deepEqual(segment.told(), [['track', name(first), { conversationId: 7 }]], String(authorId))
        assert.equal((segment.calls[0]![3] as { context?: object }).context, undefined)
      }
    }
  })

  test('digits that came as text are the same contact id, and a number among the properties, if a number can hold them', () => {
    const { widget, segment } = runningBridge()
    widget.fire(first, { authorId: contact })
    widget.fire(first, { authorId: '9007199254740993' })
    assert.deepEqual(segment.told(), [
      ['setAnonymousId', contact],
      ['track', name(first), { contactId: 21760538950 }],
      ['setAnonymousId', '9007199254740993'],
      ['track', name(first), { contactId: '9007199254740993' }],
    ])
  })
})

describe('whatever order things appear in', () => {
  test('where nothing is there yet nothing is thrown; the widget comes late, Segment later, and nothing is lost', () => {
    const page = fakePage()
    const bridge = startBridge({}, page)
    assert.deepEqual(bridge.state(), { drift: false, consent: 'granted', segment: false, kept: 0, sent: 0, dropped: 0 })
    const widget = fakeWidget()
    page.drift = widget
    page.look()
    widget.fire(first, samples[first])
    widget.fire('campaign:open', samples['campaign:open'])
    assert.equal(bridge.state().kept, 2)
    const segment = fakeSegment()
    page.analytics = segment
    page.look()
    assert.deepEqual(segment.told(), [
      ['setAnonymousId', contact],
      ['track', name(first), expected[first]],
      ['track', name('campaign:open'), expected['campaign:open']],
    ])
    page.look(3)
    assert.equal(segment.calls.length, 3)
  })

  test('Segment is called through what is there at that time: its snippet, then the library', () => {
    const { page, widget, segment } = runningBridge()
    widget.fire('campaign:open', { campaignId: 1 })
    const library = fakeSegment()
    page.analytics = library
    widget.fire('campaign:click', { campaignId: 2 })
    assert.deepEqual([segment.calls.length, library.calls.length], [1, 1])
  })

  test('a widget that took the place of another is listened to; one that took over its listeners is heard once', () => {
    const { bridge, page, widget, segment } = runningBridge()
    const heir = fakeWidget()
    page.drift = heir
    assert.equal(bridge.state().drift, false)
    page.look()
    assert.equal(bridge.state().drift, true)
    assert.equal(heir.listeners('campaign:open'), 1)
    const data = { campaignId: 1 }
    widget.fire('campaign:open', data)
    heir.fire('campaign:open', data)
    assert.equal(segment.calls.length, 1)
    heir.fire('campaign:open', { campaignId: 1 })
    heir.fire('campaign:open', data)
    assert.equal(segment.calls.length, 3)
  })

  test('frozen, half and hostile things make nothing throw, and what refuses at first is asked again', () => {
    const hostile = Object.freeze({
      get track() {
        throw new Error('track')
      },
      get on() {
        throw new Error('on')
      },
    })
    for (const thing of [null, 0, 'drift', [], Object.freeze([]), hostile, { on: 1, track: 1 }, () => {}]) {
      const page = fakePage({ drift: thing, analytics: thing })
      const { drift, segment } = startBridge({}, page).state()
      assert.deepEqual([drift, segment], [false, false])
      // Asked to load both as well, into a window where nothing can be put.
      startBridge({ drift: 'embed', segment: 'writekey' }, Object.freeze(fakePage({ drift: thing, analytics: thing })))
    }
    const widget = fakeWidget()
    let refusals = 5
    const page = fakePage({
      drift: {
        on(event: string, handler: () => void) {
          if (refusals-- > 0) throw new Error('not yet')
          widget.on(event, handler)
        },
      },
    })
    const bridge = startBridge({}, page)
    assert.equal(bridge.state().drift, false)
    page.look()
    assert.equal(bridge.state().drift, true)
    for (const event of Object.keys(expected)) assert.equal(widget.listeners(event), 1, event)
  })

  test('it looks often while something is missing, seldom when all is there, and seldom after half a minute', () => {
    const page = fakePage()
    startBridge({}, page)
    assert.equal(page.untilLookMs(), 100)
    page.look(300)
    assert.equal(page.untilLookMs(), 1_000)
    assert.equal(runningBridge().page.untilLookMs(), 1_000)
    for (const missing of [{ drift: fakeWidget() }, { analytics: fakeSegment() }]) {
      const half = fakePage(missing)
      startBridge({}, half)
      assert.equal(half.untilLookMs(), 100)
    }
  })
})

describe('what the widget says', () => {
  test('with no data, null data, or data without its parts the event is sent without what is not there', () => {
    for (const event of Object.keys(expected)) {
      for (const data of [
        undefined,
        null,
        {},
        'text',
        7,
        { teamMember: null },
        { teamMember: 'x', campaignId: null },
      ]) {
        const { widget, segment } = runningBridge()
        assert.deepEqual(widget.fire(event, data), [])
        assert.deepEqual(segment.told(), [['track', name(event), {}]])
      }
    }
  })

  test('a field of the widget is a plain value or is left out', () => {
    const { widget, segment } = runningBridge()
    const data = {
      get conversationId() {
        throw new Error('a trap')
      },
      inboxId: Number.NaN,
      endUserEmail: '',
    }
    assert.deepEqual(widget.fire('startConversation', data), [])
    widget.fire('conversation:playbookFired', { playbookId: { id: 1 }, campaignId: [2] })
    assert.deepEqual(segment.told(), [
      ['track', name('startConversation'), {}],
      ['track', name('conversation:playbookFired'), {}],
    ])
  })

  test('the email is sent as documented, unless the site leaves it out; the chat text never; nothing is logged', (t) => {
    const logs = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) => t.mock.method(console, level))
    const data = { ...samples.startConversation, body: 'my secret', text: 'my secret' }
    const plain = runningBridge()
    plain.widget.fire('startConversation', data)
    assert.deepEqual(plain.segment.calls[1]![2], expected.startConversation)
    const { email: _, ...without } = expected.startConversation!
    const careful = runningBridge({ omit: ['email'] })
    careful.widget.fire('startConversation', data)
    assert.deepEqual(careful.segment.calls[1]![2], without)
    assert.equal(JSON.stringify([plain.segment.calls, careful.bridge.state()]).includes('my secret'), false)
    for (const log of logs) assert.equal(log.mock.callCount(), 0)
  })

  test('messages that other windows post are not listened to', () => {
    const listened: string[] = []
    const page = Object.assign(fakePage(), { addEventListener: (type: string) => listened.push(type) })
    startBridge({ drift: 'embed', segment: 'writekey' }, page)
    page.look(3)
    assert.deepEqual(listened, [])
  })
})
