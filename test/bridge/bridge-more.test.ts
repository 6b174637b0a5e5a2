/**
 * What the bridge does on request: identity, more and fewer events, the page's own say in each, several bridges, an end.
 * The doubles are those of bridge.test.ts; in a real page: bridge-visitor.test.ts.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import packageJson from '../../packages/bridge/package.json' with { type: 'json' }
import {
  type BridgeOptions,
  driftSegmentSource,
  startBridge,
  type TrackedEvent,
} from '../../packages/bridge/src/index.ts'
import { version } from '../../packages/bridge/src/plugin.ts'
import { expected, fakePage, fakeSegment, fakeWidget, runningBridge, samples } from '../bridge-page.ts'

const first = 'conversation:firstInteraction'
const start = 'startConversation'
const contact = '21760538950'
const named = (name: string) => `Drift Source Event: ${name}`
const ids = (id: string, type: string) => [{ id, type, collection: 'users', encoding: 'none' }]

/** An analytics.js that is up: it has a visitor, and tells who listens that it was reset. */
function segmentWithUser(id = 'visitor-1') {
  const calls: unknown[][] = []
  const resets: (() => void)[] = []
  let anonymousId = id
  return {
    calls,
    track: (...args: unknown[]) => void calls.push(args),
    setAnonymousId: (given: string) => {
      anonymousId = given
    },
    user: () => ({ anonymousId: () => anonymousId }),
    on: (event: string, call: () => void) => void (event === 'reset' && resets.push(call)),
    reset: () => {
      for (const call of resets) call()
    },
    context: (at: number) => (calls[at]![2] as { context?: Record<string, unknown> }).context,
  }
}

function withUser(options: BridgeOptions, drift: object = {}) {
  const widget = Object.assign(fakeWidget(), drift)
  const segment = segmentWithUser()
  const page = fakePage({ drift: widget, analytics: segment })
  return { widget, segment, page, bridge: startBridge(options, page) }
}

describe('identity', () => {
  test('by contact the first event carries the former anonymousId, and none after it', () => {
    const { widget, segment } = withUser({})
    widget.fire(first, samples[first])
    widget.fire(start, { ...samples[start], endUserId: Number(contact) })
    widget.fire('campaign:open', samples['campaign:open'])
    assert.deepEqual(segment.context(0), { externalIds: ids('visitor-1', 'anonymous_id') })
    assert.deepEqual([segment.context(1), segment.context(2)], [undefined, undefined])
    assert.deepEqual(segment.calls[0]![1], expected[first])
  })

  test('another contact on the same machine, who may be another person, does not carry the one before', () => {
    const { widget, segment } = withUser({})
    widget.fire(first, samples[first])
    widget.fire(start, samples[start])
    assert.deepEqual(segment.context(1), undefined)
  })

  test('by link Segment’s anonymousId is written to Drift’s contact on request, and only once consent is given', () => {
    const attributes: unknown[] = []
    const api = { setUserAttributes: (given: unknown) => void attributes.push(given) }
    const { widget, bridge } = withUser({ identify: 'link', writeAnonymousId: true, consent: 'pending' }, { api })
    widget.fire('campaign:open', samples['campaign:open'])
    widget.fire(first, samples[first])
    assert.deepEqual(attributes, [])
    bridge.consent('granted')
    assert.deepEqual(attributes, [{ segment_anonymous_id: 'visitor-1' }])
    const unasked = withUser({ identify: 'link' }, { api })
    unasked.widget.fire(first, samples[first])
    const byContact = withUser({ writeAnonymousId: true }, { api })
    byContact.widget.fire(first, samples[first])
    assert.equal(attributes.length, 1)
  })

  test('a widget without that method, or that throws, keeps no event back', () => {
    for (const api of [undefined, { setUserAttributes: () => assert.fail('no') }]) {
      const { widget, segment } = withUser({ identify: 'link', writeAnonymousId: true }, { api })
      assert.deepEqual(widget.fire(first, samples[first]), [])
      assert.equal(segment.calls.length, 1)
    }
  })

  test('analytics.reset() resets Drift on request, once, and never otherwise', () => {
    let resets = 0
    const reset = () => void resets++
    const { segment, page } = withUser({ reset: true }, { reset })
    page.look(3)
    segment.reset()
    assert.equal(resets, 1)
    withUser({}, { reset }).segment.reset()
    assert.equal(resets, 1)
  })
})

describe('more and fewer events', () => {
  test('others are sent with the ids that they have, and no text', () => {
    const { widget, segment } = runningBridge({ also: ['emailCapture', 'scheduling:meetingBooked', 'message:sent'] })
    widget.fire('emailCapture', { data: { email: 'a@example.com', conversationId: 1 } })
    widget.fire('scheduling:meetingBooked', {
      teamMember: { id: 2, name: 'Ada' },
      meeting: { time: 3 },
      conversationId: 4,
    })
    widget.fire('message:sent', { conversationId: 5, inboxId: 6, body: 'my secret' })
    assert.deepEqual(segment.told(), [
      ['track', named('emailCapture'), { email: 'a@example.com' }],
      [
        'track',
        named('scheduling:meetingBooked'),
        { conversationId: 4, driftTeamMemberId: 2, driftTeamMemberName: 'Ada' },
      ],
      ['track', named('message:sent'), { conversationId: 5, inboxId: 6 }],
    ])
  })

  test('a second start may ask for more; what is excepted by any is not sent', () => {
    const { page, widget, segment } = runningBridge({ except: ['campaign:open'] })
    startBridge({ also: ['message:sent', 'campaign:open'], except: ['campaign:click'] }, page)
    for (const event of ['campaign:open', 'campaign:click', 'message:sent', 'campaign:submit'])
      widget.fire(event, { campaignId: 1 })
    assert.deepEqual(
      segment.calls.map(([, event]) => event),
      [named('message:sent'), named('campaign:submit')],
    )
  })
})

describe('the page has a say', () => {
  const sent = (beforeSend: NonNullable<BridgeOptions['beforeSend']>) => {
    const { widget, segment, bridge } = runningBridge({ beforeSend })
    assert.deepEqual(widget.fire('campaign:open', { campaignId: 1 }), [])
    return { told: segment.told(), dropped: bridge.state().dropped }
  }

  test('beforeSend may rename, add, return another event, or drop it; one that throws drops it', () => {
    const change = sent((event) => {
      event.event = 'Chat opened'
      event.properties.site = 'shop'
      return undefined
    })
    assert.deepEqual(change.told, [['track', 'Chat opened', { campaignId: 1, site: 'shop' }]])
    assert.deepEqual(sent(({ event }) => ({ event, properties: { a: 1 } })).told, [
      ['track', named('campaign:open'), { a: 1 }],
    ])
    for (const drop of [() => false as const, () => null, () => assert.fail('broken')])
      assert.deepEqual(sent(drop), { told: [], dropped: 1 })
  })

  test('an event that is dropped sets no anonymousId', () => {
    const { widget, segment } = runningBridge({ beforeSend: () => false })
    widget.fire(first, samples[first])
    assert.deepEqual(segment.calls, [])
  })

  test('onEvent hears of each event what became of it; one that throws changes nothing', () => {
    const heard: [string, string][] = []
    const onEvent = ({ event, outcome }: TrackedEvent & { outcome: string }) => {
      heard.push([event.slice(named('').length), outcome])
      throw new Error('broken')
    }
    const { widget, bridge } = runningBridge({ consent: 'pending', onEvent })
    assert.deepEqual(widget.fire('campaign:open', { campaignId: 1 }), [])
    bridge.consent('granted')
    widget.fire('campaign:click', { campaignId: 1 })
    bridge.consent('denied')
    widget.fire('campaign:submit', { campaignId: 1 })
    assert.deepEqual(heard, [
      ['campaign:open', 'kept'],
      ['campaign:open', 'sent'],
      ['campaign:click', 'sent'],
      ['campaign:submit', 'dropped'],
    ])
  })

  test('debug prints each event and what became of it, and nothing without it', () => {
    const printed: unknown[][] = []
    const open = (debug: boolean) => {
      const widget = fakeWidget()
      const console = { log: (...said: unknown[]) => void printed.push(said) }
      startBridge({ debug }, fakePage({ drift: widget, analytics: fakeSegment(), console }))
      widget.fire('campaign:open', { campaignId: 1 })
    }
    open(false)
    open(true)
    assert.deepEqual(printed, [['drift-segment-source', 'sent', named('campaign:open'), { campaignId: 1 }]])
  })
})

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
