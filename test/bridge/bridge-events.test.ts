/** Which events are sent: more and fewer on request, and what the page makes of each. The doubles are those of bridge.test.ts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BridgeOptions, startBridge, type TrackedEvent } from '../../packages/bridge/src/index.ts'
import { fakePage, fakeSegment, fakeWidget, runningBridge, samples } from '../bridge-page.ts'

const first = 'conversation:firstInteraction'
const named = (name: string) => `Drift Source Event: ${name}`

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
