import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'
import { prefix } from './prefix.ts'

test('events begin with the other text, and an Identify has no name', async () => {
  const { call } = await sentOf('new_conversation', { prefix: 'Drift ' })
  assert.equal(call.type === 'track' && call.event, 'Drift new_conversation')
  assert.ok(!('event' in (await sentOf('contact_updated', { prefix: 'Drift ' })).call))
})

test('it may be empty, and holds no character that cannot be seen', () => {
  const known = { types: [], tracks: [], fields: [] }
  assert.equal(prefix.refusal!('', {}, known), undefined)
  assert.match(String(prefix.refusal!('a\u0000', {}, known)), /not a safe name/)
  assert.match(String(prefix.refusal!(' a', {}, known)), /not a safe name/)
})
