import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountReasons } from '../../../accounts/needs-attention.ts'
import { adviceAt } from './advice-at.ts'
import { adviceOn, namedReasons } from './reasons.ts'

test('what an endpoint answered is never said to be Segment’s answer, nor mended in Segment or by a region', () => {
  for (const reason of [...namedReasons, ...Object.keys(accountReasons), 'segment_503']) {
    const { short, happened, todo } = adviceAt(reason, 'lake')
    assert.doesNotMatch(`${short} ${happened} ${todo.replace(/mention \w+/, '')}`, /Segment|region|save them/, reason)
  }
  assert.equal(adviceAt('segment_401', 'lake').short, 'lake refuses the write key')
})

test('what Segment answered is said in the words of every other page', () => {
  for (const reason of namedReasons) assert.deepEqual(adviceAt(reason, undefined), adviceOn(reason))
})
