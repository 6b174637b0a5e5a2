import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { callOf, sentOf } from '../../test/mapped.ts'
import { someAttributes, someEvent, someOptions } from '../../test/some-options.ts'
import { fixtureTypes } from '../events/fixtures.ts'
import { catalogue } from '../events/index.ts'
import { messageBytesMax, textOf } from '../segment/batch.ts'
import { applyOptions } from './apply.ts'
import { knownNames } from './known.ts'
import { fieldsOf } from './option.ts'
import { judgeOptions } from './options.ts'

const pageOf = (type: string) => catalogue.get(type)!

test('with every option off not one byte of any event changes', async () => {
  for (const type of await fixtureTypes()) {
    const call = await callOf(type)
    const outcome = applyOptions(call, pageOf(type), {}, { externalId: 'a' })
    assert.ok('call' in outcome && !outcome.extra)
    assert.equal(textOf(outcome.call), textOf(call))
  }
})

describe('any set of options and any event', () => {
  const judged = (given: object) => judgeOptions(given, knownNames(catalogue))

  test('that may be saved: a valid call within the limits, or none, and the same each time', async () => {
    await fc.assert(
      fc.asyncProperty(someOptions, someEvent, someAttributes, async (options, { type, data }, attributes) => {
        assert.ok(judged(options).ok)
        const call = await callOf(type, data)
        fc.pre(Buffer.byteLength(textOf(call)) <= messageBytesMax)
        const before = textOf(call)
        const outcome = applyOptions(call, pageOf(type), options, attributes)
        assert.deepEqual(applyOptions(call, pageOf(type), options, attributes), outcome)
        assert.equal(textOf(call), before, 'what it was given is not changed')
        if ('leftOut' in outcome) return
        for (const one of [outcome.call, ...(outcome.extra ? [outcome.extra] : [])]) {
          assert.ok(Buffer.byteLength(textOf(one)) <= messageBytesMax, 'it is too large because of an option')
          assert.equal(typeof one.anonymousId, 'string')
          assert.ok(one.anonymousId.length > 0 && one.messageId.length <= 100)
          if (one.userId !== undefined) assert.ok(one.userId.length > 0 && one.userId.length <= 255)
          if (one.type === 'track') assert.ok(one.event.length > 0)
        }
        assert.deepEqual(fieldsOf(outcome.call).contactId, fieldsOf(call).contactId)
        assert.equal(outcome.call.messageId, call.messageId)
        assert.equal(outcome.call.timestamp, call.timestamp)
      }),
      { numRuns: 300 },
    )
  })

  test('nothing that is dropped or hashed gets out under any name', async () => {
    const secret = 'Secret-Value-of-a-Person'
    await fc.assert(
      fc.asyncProperty(someOptions, fc.constantFrom('drop', 'hash'), async (options, how) => {
        const { userId: _u, ...others } = options
        const diff = [
          { name: 'attributes.email', updated: secret },
          { name: 'attributes.seats', updated: 1 },
        ]
        const outcome = applyOptions(
          await callOf('contact_updated', { diff }),
          pageOf('contact_updated'),
          { ...others, [how]: ['email'] },
          {},
        )
        if ('leftOut' in outcome) return
        assert.doesNotMatch(textOf(outcome.call), /secret-value/i)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a message that is too large with what options add', () => {
  const note = (length: number) => ({ diff: [{ name: 'attributes.note', updated: 'n'.repeat(length) }] })
  const room = async (length: number) =>
    messageBytesMax - Buffer.byteLength(textOf(await callOf('contact_updated', note(length))))
  const options = { userId: { attribute: 'externalId' }, externalIds: true } as const
  const attributes = { externalId: 'u'.repeat(200) }

  test('is sent without the first of them, and says so', async () => {
    const length = 31_000 + (await room(31_000)) - 150
    const { call, leftOff } = await sentOf('contact_updated', options, attributes, note(length))
    assert.deepEqual(leftOff, ['userId'])
    assert.ok(!call.userId && call.context.externalIds)
  })

  test('is sent without any of them where they do not fit', async () => {
    const length = 31_000 + (await room(31_000))
    const { call, leftOff } = await sentOf('contact_updated', options, attributes, note(length))
    assert.deepEqual(leftOff, ['userId', 'externalIds'])
    assert.equal(Buffer.byteLength(textOf(call)), messageBytesMax)
  })

  test('leaves values out that it would have to hash, and never sends them as they are', async () => {
    const diff = Array.from({ length: 900 }, (_, at) => ({ name: `attributes.a${at}`, updated: `v${at}` }))
    const hash = Array.from({ length: 150 }, (_, at) => `a${at}`)
    const many = await callOf('contact_updated', { diff: [...diff, ...note(14_000).diff] })
    const outcome = applyOptions(many, pageOf('contact_updated'), { hash }, undefined)
    assert.ok('call' in outcome)
    assert.deepEqual(outcome.leftOff, ['hash'])
    const traits = fieldsOf(outcome.call)
    assert.ok(!('a0' in traits) && traits.a899 === 'v899')
  })

  test('is not sent at all where nothing goes without consent', async () => {
    const length = 31_000 + (await room(31_000)) - 10
    const consent = { attribute: 'consent', otherwise: 'leave_out' } as const
    const outcome = applyOptions(
      await callOf('contact_updated', note(length)),
      pageOf('contact_updated'),
      { consent },
      { consent: { Analytics: true } },
    )
    assert.deepEqual(outcome, { leftOut: 'no_consent' })
  })

  test('fits when what is dropped makes room', async () => {
    const call = await callOf('contact_updated', {
      diff: [...note(40_000).diff, { name: 'attributes.a', updated: 1 }],
    })
    const outcome = applyOptions(call, pageOf('contact_updated'), { drop: ['note'], externalIds: true }, undefined)
    assert.ok('call' in outcome && outcome.leftOff.length === 0)
  })
})
