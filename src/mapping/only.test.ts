import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftOutOf, sentOf } from '../../test/mapped.ts'

test('types that are not listed are left out, and the others are as they were', async () => {
  const options = { only: { types: ['new_conversation'] } }
  assert.equal(await leftOutOf('button_clicked', options), 'filtered')
  const { call } = await sentOf('new_conversation', options)
  assert.deepEqual(call, (await sentOf('new_conversation', {})).call)
})

test('of a changed contact only the listed attributes are sent, and contactId', async () => {
  const { traits } = await sentOf('contact_updated', { only: { attributes: ['seats', 'alias'] } })
  assert.deepEqual({ ...traits }, { contactId: 21760551284, alias: 'nadine', seats: 12 })
})

test('an update of none of the listed attributes is left out', async () => {
  assert.equal(await leftOutOf('contact_updated', { only: { attributes: ['unheard_of'] } }), 'filtered')
})

test('a list of attributes says nothing about other events', async () => {
  const { traits } = await sentOf('phone_captured', { only: { attributes: ['unheard_of'] } })
  assert.ok('phone' in traits)
})
