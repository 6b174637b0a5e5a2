import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { someOptions } from '../../../test/some-options.ts'
import { catalogue } from '../../events/index.ts'
import { canonical, type JsonObject } from '../../lib/json.ts'
import { knownNames } from '../../mapping/known.ts'
import { judgeOptions } from '../../mapping/options.ts'
import { fieldsFor, optionsIn } from './mapping-fields.ts'

const types = [...catalogue.keys()]

test('a form that is sent as it was shown changes nothing', () => {
  fc.assert(
    fc.property(someOptions, (options) => {
      // An empty list of names, or none of events, is said by nothing at all.
      const isSaid = ([, setting]: [string, unknown]) => setting === true || Object.keys(setting as object).length > 0
      const expected = Object.fromEntries(Object.entries(options).filter((one) => one[0] === 'prefix' || isSaid(one)))
      const judged = judgeOptions(optionsIn(fieldsFor(options, types), types), knownNames(catalogue))
      assert.ok(judged.ok)
      assert.equal(canonical(judged.options as JsonObject), canonical(expected as JsonObject))
    }),
  )
})

test('a form in which nothing is chosen is every option off', () => {
  assert.deepEqual(optionsIn(fieldsFor({}, types), types), {})
})

test('a line without a new name is refused', () => {
  const fields = { ...fieldsFor({}, types), renameFields: 'status' }
  const judged = judgeOptions(optionsIn(fields, types), knownNames(catalogue))
  assert.ok(!judged.ok && /rename/.test(judged.why.join()))
})
