import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actionsRow, replaceKey, resume, retry } from './actions.ts'
import { keyQuestion } from './key-question.ts'

const primaries = (page: unknown) =>
  [...String(page).matchAll(/class="(?:button )?primary"[^>]*>([^<]*)/g)].map(([, name]) => name)

test('the first of a row of actions stands out alone, and Resume and Retry now say for what each is where both are there', () => {
  const row = String(actionsRow([replaceKey, resume, retry], 'c'))
  assert.deepEqual(primaries(row), ['Replace write key'])
  assert.match(row, /Retry now tries one event; if it is accepted, the rest follows\. Resume sends all that waits\./)
  assert.doesNotMatch(String(actionsRow([replaceKey, retry], 'c')), /tries one event/)
})

test('between the saved write key and a new one neither answer stands out; the tested one does', () => {
  const [given, other] = [
    { held: 'new', fingerprint: 'n' },
    { held: 'old', fingerprint: 'o' },
  ]
  const form = { action: '', csrf: 'c', fields: {}, back: '' }
  const asked = (word: 'saved' | 'tested') =>
    keyQuestion({ given, known: { ...other, word }, warning: undefined }, form)
  assert.deepEqual(primaries(asked('saved')), [])
  assert.match(String(asked('saved')), /value="new"><button[^>]*>Replace it with the new key/)
  assert.deepEqual(primaries(asked('tested')), ['Save the tested key'])
})
