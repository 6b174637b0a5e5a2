import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changeOptions } from '../../src/accounts/options.ts'
import { catalogue } from '../../src/events/index.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Options } from '../../src/mapping/options.ts'
import { openEntry } from '../../src/operations/inspect.ts'
import { previewRedrive, redriveOne } from '../../src/operations/redrive.ts'
import { sendLease } from '../../src/pipeline/send-lane.ts'
import { firstDestination } from '../../src/storage/ports/entry.ts'
import { eventually } from '../clock.ts'
import { eachStage, org, type Stage } from '../stage.ts'

const id = String(org)
const minute = 60_000
const userId = { attribute: 'externalId' }

describe('events whose options take attributes of their contact', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const accepted = () => stage.sims.segment.accepted.map(({ message }) => message)
  const sent = () => accepted().map(({ event, type, userId }) => [String(event ?? type).replace(/.*: /, ''), userId])
  const looks = () => stage.sims.drift.count('/contacts/*')
  const choose = (options: Options) => {
    const generation = String(stage.accounts.get(id)!.generation)
    const saved = { destination: firstDestination, options, generation, who: 'a test' }
    return changeOptions({ accounts: stage.accounts, clock: stage.clock }, id, saved)
  }
  const knows = (contact: number, attributes: JsonObject) =>
    stage.sims.drift.addOrg({ orgId: org, contacts: [{ id: contact, attributes }] })
  const opened = async (type: string) => {
    const { keyring, accounts, storage } = stage
    const [shown] = (await storage.lookup.find({ org: id, type }, { limit: 1 })).entries
    return openEntry({ catalogue, keyring, accounts, lookup: storage.lookup }, shown!)
  }
  const begins = (contactId: number, n: number) =>
    stage.arrive({
      type: 'new_conversation',
      orgId: org,
      data: { id: 100 + n, contactId, createdAt: 1_714_000_000_000 },
    })
  const changes = (endUserId: number) => {
    const data = { endUserId, timestamp: stage.clock.now(), diff: [{ name: 'attributes.alias', updated: 'Al' }] }
    return stage.arrive({ type: 'contact_updated', orgId: org, data })
  }
  const isAway = () => stage.sims.drift.script('/contacts/*', { status: 502 })
  const isBack = () => stage.sims.drift.script('/contacts/*', undefined)

  test('have them, by one request for each contact', async () => {
    await choose({ userId })
    knows(11, { externalId: 'eleven' })
    knows(12, { externalId: 'twelve' })
    for (const [vary, contact] of [11, 12, 11, 11].entries()) await begins(contact, vary)
    await stage.run()
    assert.deepEqual(sent().sort(), [
      ['new_conversation', 'eleven'],
      ['new_conversation', 'eleven'],
      ['new_conversation', 'eleven'],
      ['new_conversation', 'twelve'],
    ])
    assert.equal(looks(), 2)
  })

  test('are as they were on every attempt, also with a restart and an update of the contact between two', async () => {
    await choose({ userId })
    knows(11, { externalId: 'before' })
    await begins(11, 0)
    stage.sims.segment.script({ status: 503 })
    await stage.step('send')
    knows(11, { externalId: 'after' })
    await changes(11)
    stage.sims.segment.script(undefined)
    stage.clock.advance(15 * minute)
    const after = await stage.another()
    await sendLease(after.needs, (await stage.claim('send'))!)
    assert.deepEqual(sent(), [
      ['new_conversation', 'before'],
      ['identify', 'after'],
    ])
    const batches = stage.sims.segment.requests.map(({ body }) => JSON.parse(body).batch[0])
    assert.deepEqual(batches[1], batches[0])
  })

  test('are sent with what an update of the contact has changed, from that update on', async () => {
    await choose({ userId })
    knows(11, { externalId: 'before' })
    await begins(11, 0)
    await stage.run()
    knows(11, { externalId: 'after' })
    stage.clock.advance(1_000)
    await begins(11, 1)
    await changes(11)
    await begins(11, 2)
    await stage.run()
    assert.deepEqual(
      sent().map(([, userId]) => userId),
      ['before', 'before', 'after', 'after'],
    )
    assert.equal(looks(), 2)
  })

  test('go without where Drift does not know the contact, and say so', async () => {
    await choose({ userId })
    await begins(11, 0)
    await stage.run()
    assert.deepEqual(sent(), [['new_conversation', undefined]])
    assert.match((await opened('new_conversation'))!.notes!.join(), /Drift does not know the contact/)
  })

  test('wait for an outage with all behind them of the same contact, and let others pass', async () => {
    await choose({ userId })
    knows(11, { externalId: 'eleven' })
    knows(12, { externalId: 'twelve' })
    await begins(12, 0)
    await stage.run()
    isAway()
    await begins(11, 1)
    await changes(11)
    await begins(12, 2)
    const sending = stage.step('send')
    await eventually(() => accepted().length === 2 && looks() === 2)
    isBack()
    let done = false
    sending.then(() => {
      done = true
    })
    await eventually(() => {
      if (!done) stage.clock.advance(500)
      return done
    })
    await stage.run()
    assert.deepEqual(sent(), [
      ['new_conversation', 'twelve'],
      ['new_conversation', 'twelve'],
      ['new_conversation', 'eleven'],
      ['identify', 'eleven'],
    ])
  })

  test('keep those behind them waiting whose own options take nothing: the order of a contact stays', async () => {
    await choose({ userId })
    knows(11, { externalId: 'eleven' })
    isAway()
    await begins(11, 0)
    await choose({})
    await changes(11)
    await begins(12, 1)
    const sending = stage.stepInTime('send')
    await eventually(() => accepted().length >= 1 && looks() >= 1)
    isBack()
    await sending
    await stage.stepInTime('send')
    assert.deepEqual(sent(), [
      ['new_conversation', undefined],
      ['new_conversation', 'eleven'],
      ['identify', undefined],
    ])
  })

  test('go without after ten minutes of an outage, and are never dead or held', async () => {
    await choose({ userId })
    isAway()
    await begins(11, 0)
    const begun = stage.clock.now()
    let done = false
    let over = false
    await eventually(async () => {
      if (!over) {
        over = true
        done = false
        stage.step('send').then(() => {
          done = true
        })
      }
      if (!done) stage.clock.advance(1_000)
      else over = false
      return accepted().length === 1
    })
    const waited = stage.clock.now() - begun
    assert.ok(waited >= 10 * minute && waited < 11 * minute, `${waited} ms`)
    await eventually(() => done)
    assert.deepEqual(sent(), [['new_conversation', undefined]])
    assert.match((await opened('new_conversation'))!.notes!.join(), /did not answer for ten minutes/)
    assert.equal(stage.accounts.get(id)!.state, 'live')
  })

  test('that are left out whatever their contact is are not asked about', async () => {
    await choose({ userId, only: { types: ['new_meeting'] } })
    await begins(11, 0)
    await stage.run()
    assert.deepEqual([accepted().length, looks()], [0, 0])
  })

  test('without consent are kept, and sent with the consent that the contact has when they are driven again', async () => {
    await choose({ consent: { attribute: 'consent', otherwise: 'leave_out' } })
    knows(11, {})
    await begins(11, 0)
    await stage.run()
    assert.equal(accepted().length, 0)
    knows(11, { consent: '{"Analytics":true}' })
    stage.clock.advance(6 * minute)
    const { accounts, keyring, storage, clock } = stage
    const needs = { catalogue, accounts, keyring, lookup: storage.lookup, inbox: storage.inbox, clock }
    const then = await previewRedrive(needs, { org: id, states: ['ignored'] }, { mapping: 'then' })
    assert.deepEqual([then.moved, then.stays], [0, { no_consent: 1 }], 'as its contact was then')
    const [left] = (await storage.lookup.find({ org: id }, { limit: 1 })).entries
    assert.ok(await redriveOne(needs, left!, { mapping: 'today', who: 'an admin' }))
    await stage.run()
    assert.deepEqual((accepted()[0]!.context as JsonObject).consent, { categoryPreferences: { Analytics: true } })
  })
})
