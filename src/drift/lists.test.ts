import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonical, type JsonObject, numberOf, readText } from '../lib/json.ts'
import type { Answered } from '../lib/request.ts'
import { conversationIn, judgeList, judgeReport, meetingIn, sendable } from './lists.ts'

const told = (body: unknown, status = 200, headers: Record<string, string> = {}): Answered => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const own = { errors: [{ type: 'validation_error', message: 'no' }] }

describe('an answer of a list', () => {
  test('of the address of a next page only the token is taken, on whichever host it is', () => {
    for (const link of [
      'https://api.drift.com/conversations/list?page_token=abc',
      '//evil.example/?page_token=abc',
      '/x?page_token=abc',
    ])
      assert.deepEqual(judgeList(told({ data: [], links: { next: link } })), {
        is: 'page',
        records: [],
        next: { by: 'page_token', token: 'abc' },
      })
  })

  test('goes on by position where it says no link, and ends where it says neither', () => {
    const next = (more: object) => {
      const page = judgeList(told({ data: [1], ...more }))
      return page.is === 'page' ? page.next : page
    }
    assert.deepEqual(next({ pagination: { more: true, next: '4' } }), { by: 'next', token: '4' })
    assert.deepEqual(next({ pagination: { more: true, next: 4 } }), { by: 'next', token: '4' })
    for (const end of [
      {},
      { links: {} },
      { links: { next: '' } },
      { links: { next: null } },
      { links: 7 },
      { pagination: { more: false, next: '4' } },
      { links: { next: 'http://[' } },
      { links: { next: `/x?page_token=${'a'.repeat(2_001)}` } },
    ])
      assert.equal(next(end), undefined, JSON.stringify(end))
  })

  test('only Drift says that a grant is not good or does not reach; any other answer that is not a list may be one later', () => {
    const is = (answer: Answered) => judgeList(answer).is
    assert.equal(is(told(own, 401)), 'unauthorised')
    assert.equal(is(told(own, 403)), 'forbidden')
    assert.equal(is(told('<html>', 403)), 'unclear')
    assert.equal(is(told(own, 400)), 'refused')
    assert.equal(is(told('<html>', 400)), 'later')
    for (const body of ['<html>', '[]', '{"data":{}}', '{"data":[', 'null']) assert.equal(is(told(body)), 'later', body)
    assert.equal(is({ status: 0, failure: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' }), 'too_large')
    assert.deepEqual(judgeList(told(own, 429, { 'retry-after': '7' })), {
      is: 'later',
      reason: 'drift_429',
      retryAfter: '7',
    })
  })

  test('a report is its count', () => {
    assert.deepEqual(judgeReport(told({ count: 48, data: [] })), { is: 'count', count: 48 })
    for (const body of [{}, { count: -1 }, { count: '48' }, { count: 1.5 }])
      assert.equal(judgeReport(told(body)).is, 'later')
  })
})

describe('a record of a list', () => {
  const conversation = {
    id: 5,
    contactId: 7,
    createdAt: 1_714_419_312_425,
    status: 'open',
    updatedAt: 1_714_419_312_429,
  }

  test('is a conversation with the fields that a webhook has, and nothing else', () => {
    const found = conversationIn({ ...conversation, conversationTags: [{ name: 'x' }], other: 1 })
    assert.deepEqual(found, {
      id: '5',
      contactId: '7',
      conversationId: '5',
      at: conversation.createdAt,
      updatedAt: conversation.updatedAt,
      data: {
        contactId: 7,
        createdAt: conversation.createdAt,
        id: 5,
        status: 'open',
        updatedAt: conversation.updatedAt,
      },
    })
  })

  test('numbers that came as texts are numbers, and ids keep every digit', () => {
    const found = conversationIn({ ...conversation, id: '9007199254740993', contactId: '7' })
    assert.equal(found?.id, '9007199254740993')
    assert.equal(canonical(found!.data), canonical({ ...conversation, id: numberOf('9007199254740993') }))
  })

  test('without an id or the time at which it began it is not one', () => {
    const { id: _, ...nameless } = conversation
    const { createdAt: __, ...timeless } = conversation
    for (const odd of [
      null,
      'a',
      7,
      [],
      {},
      nameless,
      timeless,
      { ...conversation, id: -5 },
      { ...conversation, id: 1.5 },
      { ...conversation, createdAt: 'yesterday' },
      { ...conversation, createdAt: 0 },
    ])
      assert.equal(conversationIn(odd), undefined, JSON.stringify(odd))
  })

  test('is a meeting when it has an eventId and the time of its booking', () => {
    const found = meetingIn({
      eventId: 'm-1',
      scheduledAt: 1_714_422_076_000,
      schedulerId: 7,
      updatedAt: 0,
      meetingNotes: 'private',
    })
    assert.deepEqual(found, {
      id: 'm-1',
      contactId: '7',
      at: 1_714_422_076_000,
      data: { eventId: 'm-1', scheduledAt: 1_714_422_076_000, schedulerId: 7, updatedAt: 0 },
    })
    assert.equal(meetingIn({ eventId: 'm-1' }), undefined)
    assert.equal(meetingIn({ eventId: 7, scheduledAt: 1_714_422_076_000 }), undefined)
  })

  test('of a contact the scalar attributes count, none that is null or begins with an underscore', () => {
    const attributes =
      '{"email":"a@b.example","_END_USER_VERSION":87,"tags":[],"socialProfiles":{},"phone":null,"score":0,"vip":false,"note":"","__proto__":"x","big":12345678901234567890}'
    const read = readText(attributes)
    const kept = sendable(read.value as JsonObject)
    assert.equal(
      canonical({ ...kept }),
      '{"big":12345678901234567890,"email":"a@b.example","note":"","score":0,"vip":false}',
    )
    assert.deepEqual({ ...sendable({}) }, {})
  })
})
