import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, hasEarlierMappings } from '../../../events/index.ts'
import { mappingChoice } from './mapping-choice.ts'

test('which mapping an event is sent with is asked only where a page has an earlier one', async () => {
  assert.equal(
    hasEarlierMappings,
    [...catalogue.values()].some(({ earlier }) => earlier !== undefined),
  )
  assert.match(String(await mappingChoice('then', true)), /value="then" checked[\s\S]*The mapping of its receipt/)
  assert.doesNotMatch(String(await mappingChoice('today', false)), /mapped/)
  assert.match(String(await mappingChoice('today', false)), /type="hidden" name="mapping" value="today"/)
})
