import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readFixture } from '../../events/fixtures.ts'
import { catalogue } from '../../events/index.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import type { Call } from '../../segment/call.ts'
import { trace } from './trace.ts'

const said = (received: Json, sent: object, learnt?: Json) => {
  const { sent: fields, left } = trace(received, sent as Call, learnt)
  return {
    sent: Object.fromEntries(fields.map(({ field, from }) => [field.path, from && `${from.of} ${from.field.path}`])),
    left: left.map(({ path }) => path),
  }
}

describe('where a field that is sent comes from', () => {
  test('each field of the webhook that is sent has its source, and the others are left', () => {
    const received = {
      type: 'new_conversation',
      orgId: 7,
      data: { contactId: 8, status: 'open', createdAt: 1_600_000_000_000, secret: 'x' },
    }
    const sent = {
      type: 'track',
      anonymousId: '8',
      messageId: 'drift-1',
      timestamp: '2020-09-13T12:26:40.000Z',
      properties: { contactId: 8, status: 'open', createdAt: 1_600_000_000_000 },
    }
    assert.deepEqual(said(received, sent), {
      sent: {
        type: undefined,
        anonymousId: 'event data.contactId',
        messageId: undefined,
        timestamp: 'event data.createdAt',
        'properties.contactId': 'event data.contactId',
        'properties.status': 'event data.status',
        'properties.createdAt': 'event data.createdAt',
      },
      left: ['type', 'orgId', 'data.secret'],
    })
  })

  test('an attribute that changed is known by its name, also where another has the same value', () => {
    const received = {
      data: {
        diff: [
          { name: 'attributes.a', updated: 'x' },
          { name: 'b', previous: 'w', updated: 'x' },
        ],
      },
    }
    const { sent } = said(received, { traits: { b: 'x', a: 'x' } })
    assert.deepEqual(sent, { 'traits.b': 'event data.diff[1].updated', 'traits.a': 'event data.diff[0].updated' })
  })

  test('what Drift answered is marked apart from what the webhook said', () => {
    const { sent } = said(
      { data: { conversationId: 5 } },
      { properties: { contactId: 9, status: 'open' } },
      { contactId: '9', conversation: { status: 'open' } },
    )
    assert.deepEqual(sent, {
      'properties.contactId': 'lookup contactId',
      'properties.status': 'lookup conversation.status',
    })
  })

  for (const type of catalogue.keys()) {
    test(`every property of ${type} is found in what Drift documents`, async () => {
      const { drift, segment, conversation } = await readFixture(type)
      const sources = trace(drift as JsonObject, segment as unknown as Call, conversation as unknown as Json)
      const lost = sources.sent.filter(({ field, from }) => /^(properties|traits)\./.test(field.path) && !from)
      assert.deepEqual(
        lost.map(({ field }) => field.path),
        [],
      )
    })
  }
})
