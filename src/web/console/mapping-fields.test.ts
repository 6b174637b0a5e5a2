import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { someOptions } from '../../../test/some-options.ts'
import { catalogue } from '../../events/index.ts'
import { canonical, type JsonObject } from '../../lib/json.ts'
import { knownNames } from '../../mapping/known.ts'
import { judgeOptions } from '../../mapping/options.ts'
import { fieldsFor, type MappingFields, optionsIn, wrongIn } from './mapping-fields.ts'

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

describe('what is wrong is said at its field, in the words of the form:', () => {
  const wrongs = (more: Partial<MappingFields>) => {
    const fields = { ...fieldsFor({}, types), ...more }
    const judged = judgeOptions(optionsIn(fields, types), knownNames(catalogue))
    return wrongIn(fields, judged.ok ? [] : judged.why).map(({ field, says }) => `${field}: ${says}`)
  }
  const cases: Record<string, readonly [given: Partial<MappingFields>, says: RegExp]> = {
    'a line without a new name': [
      { renameEvents: 'button_clicked Button' },
      /^renameEvents: “button_clicked Button” does not read as: old name = new name\.$/,
    ],
    'a property without a new name': [{ renameFields: 'status' }, /^renameFields: “status” does not read as/],
    'two lines of one event': [
      { renameEvents: 'button_clicked = A\nbutton_clicked = B' },
      /^renameEvents: button_clicked has two lines: keep one of them\.$/,
    ],
    'two lines of one property': [{ renameFields: 'status = a\nstatus = b' }, /^renameFields: status has two lines/],
    'an event that there is not': [
      { renameEvents: 'buton_clicked = Typo' },
      /^renameEvents: Drift sends no event "buton_clicked"; it sends .*button_clicked/,
    ],
    'consent without an attribute': [{ on: ['consent'] }, /^consentAttribute: Enter the name of the attribute\.$/],
    'a property that every event needs': [{ drop: 'ip\ncontactId' }, /^drop: contactId cannot be dropped\.$/],
    'a name that is too long': [
      { hash: 'x'.repeat(101) },
      /^hash: One of the lines: it has more than 100 characters\.$/,
    ],
    'an attribute that visitors can set': [
      { on: ['userId'], userIdAttribute: 'email' },
      /^confirmed: userId from email needs the words "visitors can type what they like there"\.$/,
    ],
    'a beginning of names that is not safe': [{ on: ['prefix'], prefix: ' a' }, /^prefix: .* is not a safe name/],
  }
  for (const [what, [given, says]] of Object.entries(cases))
    test(what, () => {
      const said = wrongs(given)
      assert.equal(said.length, 1, said.join('; '))
      assert.match(said[0]!, says)
    })

  test('nothing of a form that can be saved', () => {
    assert.deepEqual(wrongs({ renameEvents: 'button_clicked = Button = Clicked\nnew_meeting = Met' }), [])
  })
})
