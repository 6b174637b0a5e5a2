/**
 * Who the visitor is to Segment, and what of it goes to Drift: by contact and by link, and after a reset. The doubles are those
 * of bridge.test.ts; in a real page: bridge-visitor.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BridgeOptions, startBridge } from '../../packages/bridge/src/index.ts'
import { expected, fakePage, fakeWidget, samples } from '../bridge-page.ts'

const first = 'conversation:firstInteraction'
const start = 'startConversation'
const contact = '21760538950'
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
