import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { applyToQueued, changeOptions } from '../../src/accounts/options.ts'
import { catalogue } from '../../src/events/index.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Options } from '../../src/mapping/options.ts'
import { openEntry } from '../../src/operations/inspect.ts'
import { previewRedrive, redriveOne } from '../../src/operations/redrive.ts'
import { firstDestination } from '../../src/storage/ports/entry.ts'
import { eachStage, org, type Stage } from '../stage.ts'

const id = String(org)

describe("a destination's options", () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const accepted = () => stage.sims.segment.accepted.map(({ message }) => message)
  const events = () => accepted().map(({ event, type }) => event ?? type)
  const choose = async (options: Options) => {
    const generation = String(stage.accounts.get(id)!.generation)
    const saved = { destination: firstDestination, options, generation, who: 'a test' }
    return changeOptions({ accounts: stage.accounts, clock: stage.clock }, id, saved)
  }
  const shown = async (type: string) => (await stage.storage.lookup.find({ org: id, type }, { limit: 1 })).entries[0]!
  const opened = async (type: string) => {
    const { keyring, accounts, storage } = stage
    return openEntry({ catalogue, keyring, accounts, lookup: storage.lookup }, await shown(type))
  }

  test('are those of the receipt of an event, also when others are saved before it is sent', async () => {
    await stage.arrive('new_conversation')
    await choose({ prefix: 'Then ' })
    await stage.arrive('new_conversation', { vary: 1 })
    await choose({ prefix: 'Now ' })
    await stage.arrive('new_conversation', { vary: 2 })
    await stage.run()
    assert.deepEqual(events(), [
      'Drift Source Event: new_conversation',
      'Then new_conversation',
      'Now new_conversation',
    ])
  })

  test('saved by another process after the account was read here are found in the store', async () => {
    const { accounts } = await stage.another()
    await choose({ prefix: 'Now ' })
    await stage.arrive('new_conversation')
    const old = { ...stage.needs, accounts }
    const { sendLease } = await import('../../src/pipeline/send-lane.ts')
    await sendLease(old, (await stage.claim('send'))!)
    assert.deepEqual(events(), ['Now new_conversation'])
  })

  test('drop and hash what waits as well when that is wanted, but for what a sender has had', async () => {
    await choose({ prefix: 'Then ' })
    await stage.arrive('button_clicked')
    stage.sims.segment.script({ status: 503 })
    await stage.step('send')
    await stage.arrive('button_clicked', { vary: 1 })
    await stage.arrive('conversation_push')
    const generation = String(stage.accounts.get(id)!.generation)
    const options = { prefix: 'Now ', drop: ['ip'], hash: ['source'] }
    const saved = { destination: firstDestination, options, generation, who: 'a test', alsoQueued: true }
    const changed = (await changeOptions({ accounts: stage.accounts, clock: stage.clock }, id, saved))!
    const needs = { inbox: stage.storage.inbox, clock: stage.clock }
    const applied = await applyToQueued(needs, id, firstDestination, changed)
    assert.deepEqual(applied, { changed: 2, given: 1, isBusy: false })
    stage.sims.segment.script(undefined)
    stage.clock.advance(15 * 60_000)
    await stage.arrive('button_clicked', { vary: 2 })
    await stage.run()
    const said = accepted().map(({ event, properties }) => [event, 'ip' in (properties as JsonObject)])
    assert.deepEqual(said.slice(0, 2), [
      ['Then button_clicked', true],
      ['Then button_clicked', false],
    ])
    const push = accepted().find(({ event }) => event === 'Then conversation_push')!
    assert.match(String((push.properties as JsonObject).source), /^[0-9a-f]{64}$/)
    assert.ok(said.some(([event, hasIp]) => event === 'Now button_clicked' && !hasIp))
  })

  test('are not saved over what another form has saved meanwhile', async () => {
    const generation = String(stage.accounts.get(id)!.generation)
    await choose({ safeNames: true })
    const saved = { destination: firstDestination, options: {}, generation, who: 'a test' }
    assert.equal(await changeOptions({ accounts: stage.accounts, clock: stage.clock }, id, saved), undefined)
    const audited = (await stage.storage.audit.list(id, 1))[0]!
    assert.deepEqual([audited.what, audited.about], ['chose options of what is sent', 'destination 1: safeNames'])
  })

  test('leave events out, which are kept with the reason, and are sent when they are driven with other options', async () => {
    await choose({ only: { types: ['new_conversation'] } })
    await stage.arrive('button_clicked')
    await stage.arrive('new_conversation')
    await stage.run()
    assert.deepEqual(events(), ['Drift Source Event: new_conversation'])
    const left = await shown('button_clicked')
    assert.deepEqual([left.state, left.reason], ['ignored', 'filtered'])
    await choose({})
    const { accounts, keyring, storage, clock } = stage
    const needs = { catalogue, accounts, keyring, lookup: storage.lookup, inbox: storage.inbox, clock }
    const query = { org: id, states: ['ignored'] } as const
    const then = await previewRedrive(needs, query, { mapping: 'then' })
    assert.deepEqual([then.moved, then.stays], [0, { filtered: 1 }], 'by the options of its receipt it stays left out')
    assert.ok(await redriveOne(needs, left, { mapping: 'today', who: 'an admin' }))
    await stage.run()
    assert.equal(events()[1], 'Drift Source Event: button_clicked')
  })

  test('send the Live Chat event in the same request, under a messageId of its own', async () => {
    await choose({ liveChat: true })
    await stage.arrive('new_conversation')
    await stage.run()
    assert.deepEqual(events(), ['Drift Source Event: new_conversation', 'Live Chat Conversation Started'])
    assert.equal(stage.sims.segment.requests.length, 1)
    assert.equal(accepted()[1]!.messageId, `${accepted()[0]!.messageId}.lc`)
  })

  test('let Segment refuse the Live Chat event alone: the event is delivered, its neighbours go, and it is said so', async () => {
    await choose({ liveChat: true })
    const isExtra = ({ event }: JsonObject) => String(event).startsWith('Live Chat')
    stage.sims.segment.script(() => ({ refuseIf: isExtra }))
    await stage.arrive('new_conversation')
    await stage.arrive('button_clicked')
    await stage.arrive('new_meeting')
    await stage.run()
    assert.deepEqual(
      events(),
      ['new_conversation', 'button_clicked', 'new_meeting'].map((type) => `Drift Source Event: ${type}`),
    )
    assert.equal((await shown('new_conversation')).state, 'delivered')
    assert.deepEqual((await opened('new_conversation'))?.notes, [
      'Segment refused the Live Chat event that was to go with it (segment_400), and took this one',
    ])
  })

  test('let an event die that Segment refuses itself, with or without the other', async () => {
    await choose({ liveChat: true })
    stage.sims.segment.script(() => ({ refuseIf: ({ event }) => /new_conversation|Live Chat/.test(String(event)) }))
    await stage.arrive('new_conversation')
    await stage.arrive('button_clicked')
    await stage.run()
    assert.deepEqual(events(), ['Drift Source Event: button_clicked'])
    assert.equal((await shown('new_conversation')).state, 'dead')
  })

  test('are seen where one looks at an event: what goes out, what goes with it, and what was left off', async () => {
    await choose({ liveChat: true, prefix: 'x'.repeat(100) })
    await stage.arrive('new_conversation')
    const seen = (await opened('new_conversation'))!
    assert.equal((seen.goesOut as { event?: string }).event, `${'x'.repeat(100)}new_conversation`)
    assert.equal((seen.goesWith as { event?: string }).event, 'Live Chat Conversation Started')
  })
})
