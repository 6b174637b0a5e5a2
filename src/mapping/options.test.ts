import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../events/index.ts'
import { knownNames } from './known.ts'
import { attributesTaken, judgeOptions, optionNames } from './options.ts'

const judge = (given: unknown) => judgeOptions(given, knownNames(catalogue))

test('they apply in this order, which documents name', () => {
  const order = 'only userId anonymousId externalIds consent safeNames liveChat drop hash prefix rename'
  assert.equal(optionNames.join(' '), order)
})

test('an unknown option, or one of another shape, is refused by its name', () => {
  assert.deepEqual(judge({ drop: 'ip' }).ok, false)
  const unknown = judge({ unheard: true })
  assert.ok(!unknown.ok && /unheard/.test(unknown.why.join()))
})

test('each option that is refused says why, all at once', () => {
  const judged = judge({ userId: { attribute: 'email' }, drop: ['contactId'], rename: { fields: { status: 'id' } } })
  assert.ok(!judged.ok)
  assert.deepEqual(
    judged.why.map((why) => why.split(':')[0]),
    ['userId', 'drop', 'rename'],
  )
})

test('options that are too long to be read with the account each time are refused', () => {
  const names = Array.from({ length: 200 }, (_, at) => `${at}`.padStart(100, 'x'))
  assert.deepEqual(judge({ drop: names }), { ok: false, why: ['options: they are too long'] })
})

test('the attributes that are looked up are those that some option takes, and no others', () => {
  const confirmed = 'visitors can type what they like there'
  const options = { userId: { attribute: 'email' }, anonymousId: { confirmed }, hash: ['phone'] }
  assert.deepEqual(attributesTaken(options), ['email', 'segment_anonymous_id'])
  assert.deepEqual(attributesTaken({ safeNames: true }), [])
})
