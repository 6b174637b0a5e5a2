import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantity } from './quantity.ts'

test('one is said in the singular, none and more in the plural', () => {
  assert.deepEqual(
    [0, 1, 2].map((many) => quantity(many, 'event')),
    ['0 events', '1 event', '2 events'],
  )
  assert.equal(quantity(2, 'person', 'people'), '2 people')
})
