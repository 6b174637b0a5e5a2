import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, hasEarlierMappings } from '../../../events/index.ts'
import type { Install } from '../../../storage/ports/accounts.ts'
import { hasMappingChoice, mappingChoice } from './mapping-choice.ts'

test('which options an event is sent with is asked only where there may be others than today’s', async () => {
  assert.equal(
    hasEarlierMappings,
    [...catalogue.values()].some(({ earlier }) => earlier !== undefined),
  )
  assert.match(String(await mappingChoice('then', true)), /value="then" checked[\s\S]*The options of then/)
  const install = { org: '7', settings: '{}' } as Install
  assert.equal(hasMappingChoice(undefined), hasEarlierMappings)
  assert.equal(hasMappingChoice(install), hasEarlierMappings)
  const optionVersions = { first: 1, sets: [{ safeNames: true }], list: [{ 1: 0 }] }
  assert.equal(hasMappingChoice({ ...install, settings: JSON.stringify({ optionVersions }) }), true)
  assert.match(String(await mappingChoice('today', false)), /type="hidden" name="mapping" value="today"/)
})
