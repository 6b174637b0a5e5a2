import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountReasons } from '../../../accounts/needs-attention.ts'
import { explain } from '../../../operations/reasons.ts'
import { settingNames } from '../../../settings/table.ts'
import { adviceOn, hasAdvice, namedReasons } from './reasons.ts'

const all = [...namedReasons, ...Object.keys(accountReasons)]

describe('what an admin reads about a reason', () => {
  test('every reason has a text of its own', () => {
    assert.deepEqual(
      all.filter((reason) => !hasAdvice(reason)),
      [],
    )
  })

  for (const reason of [...all, 'segment_503', 'drift_429', 'PROXY_407', 'ECONNREFUSED']) {
    test(`${reason}: whole sentences, with no command and no setting's name in them`, () => {
      const { short, happened, todo } = adviceOn(reason)
      for (const text of [happened, todo]) assert.match(text, /^[A-Z].*\.$/, text)
      assert.doesNotMatch(short, /\.$/)
      const text = `${short} ${happened} ${todo}`
      assert.doesNotMatch(text, /`|--|npx|docs\//)
      for (const name of settingNames) assert.doesNotMatch(text, new RegExp(`\\b${name}\\b`))
    })
  }

  test('what Segment refused is not said to be alone in that: it is known that it was sent by itself', () => {
    for (const reason of ['segment_400', 'segment_413']) {
      const texts = [adviceOn(reason).happened, explain(reason).means]
      for (const text of texts) {
        assert.match(text, /when it was sent by itself/)
        assert.doesNotMatch(text, /others|alone/)
      }
    }
  })

  test('a status has its name', () => {
    assert.equal(adviceOn('segment_503').happened, 'Segment returned 503 (service unavailable).')
  })
})
