import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import { catalogue } from '../events/index.ts'
import { changesSaid, preview, wouldChange } from './preview.ts'

const id = String(org)

describe('a preview of options', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })
  const needs = () => ({ catalogue, keyring: stage.keyring, lookup: stage.storage.lookup })
  const messageId = async () => (await stage.storage.lookup.find({ org: id }, { limit: 1 })).entries[0]!.messageId

  test('of a fixture shows the call before and after, and each difference by its place', async () => {
    const change = { before: { externalIds: true }, after: { drop: ['ip'], hash: ['body'], safeNames: true } } as const
    const found = (await preview(needs(), { org: id, type: 'button_clicked' }, change))!
    assert.equal(found.of, 'fixture')
    const places = found.differences.map(({ at, before, after }) => [at, before !== undefined, after !== undefined])
    assert.deepEqual(places, [
      ['context.externalIds', true, false],
      ['properties.body', true, true],
      ['properties.ip', true, false],
    ])
  })

  test('says which attributes were made up, and shows what would be made of them', async () => {
    const change = { before: {}, after: { userId: { attribute: 'externalId' } } }
    const found = (await preview(needs(), { org: id, type: 'new_meeting' }, change))!
    assert.deepEqual(found.examples, { externalId: 'a12-1234' })
    assert.deepEqual(found.differences, [{ at: 'userId', after: 'a12-1234' }])
  })

  test('of an event of the account is what is sent when it is saved', async () => {
    await stage.arrive('new_conversation')
    const after = { safeNames: true, rename: { events: { new_conversation: 'Chat Started' } } } as const
    const found = (await preview(needs(), { org: id, type: '', message: await messageId() }, { before: {}, after }))!
    await stage.run()
    const { message } = stage.sims.segment.accepted[0]!
    assert.deepEqual(found.before.messages, [message], 'what it was received with')
    assert.deepEqual(
      found.differences.map(({ at }) => at),
      ['event', 'properties.conversationId'],
    )
  })

  test('of what a destination does not get says why', async () => {
    const change = { before: {}, after: { only: { types: [] } } }
    const found = (await preview(needs(), { org: id, type: 'new_meeting' }, change))!
    assert.deepEqual(found.after, { messages: [], why: 'the options of the destination leave it out there' })
  })

  test('of an event of another account, or of none, is nothing', async () => {
    await stage.arrive('new_conversation')
    const change = { before: {}, after: {} }
    assert.equal(await preview(needs(), { org: '1', type: '', message: await messageId() }, change), undefined)
    assert.equal(await preview(needs(), { org: id, type: 'no_such_type' }, change), undefined)
  })

  test('counts how many of the last events would change, and looks at no more than the limit', async () => {
    for (let vary = 0; vary < 5; vary++) await stage.arrive('new_conversation', { vary })
    await stage.arrive('new_meeting')
    const change = { before: {}, after: { safeNames: true } } as const
    const none = { mayChange: 0, leftOut: 0, mayBeLeftOut: 0 }
    assert.deepEqual(await wouldChange(needs(), id, change), { looked: 6, changed: 5, ...none })
    assert.deepEqual(await wouldChange(needs(), id, change, 3), { looked: 3, changed: 2, ...none })
    assert.deepEqual(await wouldChange(needs(), id, { before: {}, after: {} }), { looked: 6, changed: 0, ...none })
  })

  test('does not say that events change where an attribute decides that was not looked up', async () => {
    await stage.arrive('new_conversation')
    const after = { userId: { attribute: 'externalId' } }
    const counts = await wouldChange(needs(), id, { before: {}, after })
    assert.deepEqual(counts, { looked: 1, changed: 0, mayChange: 1, leftOut: 0, mayBeLeftOut: 0 })
    assert.equal(
      changesSaid(counts),
      'Of the last 1 event of this account, 0 would have been sent differently, and 1 may have been: that depends on attributes of their contacts, which only Drift knows.',
    )
    // With another option as well each is sent otherwise, whatever its contact has.
    const both = await wouldChange(needs(), id, { before: {}, after: { ...after, safeNames: true } })
    assert.deepEqual([both.changed, both.mayChange], [1, 0])
  })

  test('counts what would not be sent any more, and what would not where the contact has no consent', async () => {
    await stage.arrive('new_conversation')
    await stage.arrive('new_meeting')
    const consent = { attribute: 'consent', otherwise: 'leave_out' } as const
    const byConsent = await wouldChange(needs(), id, { before: {}, after: { consent } })
    assert.deepEqual(byConsent, { looked: 2, changed: 2, mayChange: 0, leftOut: 0, mayBeLeftOut: 2 })
    assert.match(
      changesSaid(byConsent),
      / 2 of them would not have been sent where their contact lacks the attribute\.$/,
    )
    const only = await wouldChange(needs(), id, { before: {}, after: { only: { types: ['new_meeting'] } } })
    assert.deepEqual([only.changed, only.leftOut, only.mayBeLeftOut], [1, 1, 0])
    assert.match(changesSaid(only), / 1 of them would not have been sent at all\.$/)
  })
})
