import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ShownState } from '../../../storage/ports/lookup.ts'
import { wordOf, words } from './vocabulary.ts'

test('every state of the store has one of the nine words, and what waits for the account’s reason is Blocked', () => {
  const said: Readonly<Record<ShownState, readonly [word: string, withReason: string]>> = {
    waiting: ['Queued', 'Blocked'],
    asking: ['Looking up', 'Blocked'],
    unclaimed: ['Queued', 'Queued'],
    quarantined: ['Not recognized', 'Not recognized'],
    dead: ['Failed', 'Failed'],
    delivered: ['Delivered', 'Delivered'],
    ignored: ['Ignored', 'Ignored'],
    not_given: ['Ignored', 'Ignored'],
  }
  for (const [state, [plain, withReason]] of Object.entries(said) as [ShownState, readonly [string, string]][]) {
    assert.equal(words[wordOf({ state })].label, plain)
    assert.equal(words[wordOf({ state, reason: 'segment_401' })].label, withReason)
  }
  const labels = Object.values(words).map(({ label }) => label)
  assert.deepEqual(labels.sort(), [
    'Blocked',
    'Deletion request',
    'Delivered',
    'Expired',
    'Failed',
    'Ignored',
    'Looking up',
    'Not recognized',
    'Queued',
  ])
  assert.equal(words[wordOf({ state: 'quarantined', reason: 'gdpr_delete_requested' })].label, 'Deletion request')
  assert.equal(words[wordOf({ state: 'asking', reason: 'conversation_missing' })].label, 'Looking up')
})
