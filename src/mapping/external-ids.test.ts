import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentOf } from '../../test/mapped.ts'

test('the contactId is an external id of the type drift_contact_id, beside what the context had', async () => {
  const { call } = await sentOf('contact_updated', { externalIds: true })
  assert.deepEqual(call.context.externalIds, [
    { id: '21760551284', type: 'drift_contact_id', collection: 'users', encoding: 'none' },
  ])
  assert.equal(call.context.integration.name, 'drift-segment-source')
})
