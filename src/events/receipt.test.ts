/** What is asked of every page when an event comes in, before anybody has looked at the shape of its data. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../lib/json.ts'
import { catalogue } from './index.ts'

const pages = [...catalogue.values()]

/** Frozen: what came before a change of one of these, and comes again after it, would be another event. */
const identityTimes = {
  button_clicked: 'createdAt',
  contact_updated: 'timestamp',
  conversation_participant_added: 'changedAt',
  conversation_participant_removed: 'changedAt',
  conversation_push: 'pushedAt',
  meeting_updated: 'scheduledAt',
  new_conversation: 'createdAt',
  new_meeting: 'scheduledAt',
}

test('an event page keeps the time that an identity begins with, whatever becomes of the time that is sent', () => {
  for (const [type, field] of Object.entries(identityTimes)) {
    const { identityAt, at } = catalogue.get(type)!
    assert.equal(identityAt ?? at, field, type)
  }
})

test('an event page says whose an event is of any data at all, and never throws', () => {
  const names = pages.flatMap(({ data }) => Object.keys(data.shape))
  const data = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue({ maxDepth: 2 }))
  fc.assert(
    fc.property(fc.constantFrom(...pages), data as fc.Arbitrary<JsonObject>, (one, said) => {
      one.distinct(said)
      one.needsConversation?.(said)
      for (const id of Object.values(one.whose(said) ?? { contactId: '1' })) assert.match(id, /^[1-9][0-9]{0,18}$/)
    }),
    { numRuns: 1_000 },
  )
})
