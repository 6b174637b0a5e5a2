/** What is kept of a webhook: its identity, and nothing when its account leaves. What is received of others is test/webhook/bad-input.test.ts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import { tokensOf } from '../drift/envelope.ts'
import { catalogue } from '../events/index.ts'
import type { JsonObject } from '../lib/json.ts'
import { outcomesOf } from '../operations/totals.ts'
import { type Arriving, keeping } from './keep.ts'
import { naturalKey } from './natural-key.ts'
import { receiver, rememberMs } from './receive.ts'

describe('the identity of an event', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  for (const [title, data, seconds] of [
    ['begins with its own time in seconds', { id: 1, createdAt: 1_790_000_000_999 }, 1_790_000_000],
    ['begins with 0 where it names no time', { id: 1 }, 0],
    ['begins with 0 where its time is none of a year before 2106', { id: 1, createdAt: -5 }, 0],
    ['begins with 0 where its time fills more than four bytes', { id: 1, createdAt: 2 ** 32 * 1_000 }, 0],
  ] as const)
    test(title, async () => {
      const kept: Uint8Array[] = []
      const { inbox } = stage.storage
      const { append } = inbox
      inbox.append = (bodies, arrivals) => {
        for (const arrival of arrivals) if ('identity' in arrival) kept.push(arrival.identity)
        return append(bodies, arrivals)
      }
      await stage.arrive({ type: 'new_conversation', orgId: org, data: { ...data, contactId: 7 } })
      assert.deepEqual(
        kept.map((identity) => [identity.length, Buffer.from(identity).readUInt32BE(0)]),
        [[16, seconds]],
      )
    })
})

describe('a natural key', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })
  const begun = (more: JsonObject): JsonObject => {
    return { type: 'new_conversation', orgId: org, data: { id: 7, contactId: 7, ...more } }
  }

  test('makes one event of two webhooks that differ in what else they say, for each account', async () => {
    await stage.install(6_000_993)
    await stage.arrive(begun({ status: 'open' }))
    await stage.arrive(begun({ status: 'closed' }))
    await stage.arrive(begun({ status: 'open' }), { orgId: 6_000_993 })
    await stage.arrive({ type: 'contact_updated', orgId: org, data: { endUserId: 7, diff: [], timestamp: 1 } })
    const { received, duplicates } = outcomesOf(await stage.storage.ledger.totals(), [])
    assert.deepEqual([received, duplicates], [3, 1])
  })

  test('of an event that is never sent as it is does not stand for the one that could be', async () => {
    await stage.arrive(begun({ status: {} }))
    await stage.arrive(begun({ status: 'open' }))
    const met = (schedulerId: number) => ({ type: 'new_meeting', orgId: org, data: { eventId: 'm', schedulerId } })
    for (const scheduler of [0, 5]) await stage.arrive(met(scheduler))
    await stage.run()
    assert.deepEqual(
      stage.sims.segment.accepted.map(({ message }) => message.anonymousId),
      ['7', '5'],
    )
    const { duplicates } = outcomesOf(await stage.storage.ledger.totals(), [])
    assert.equal(duplicates, 0)
  })

  test('is the same whether a webhook brings the event or it is read at Drift, which is then not even counted', async () => {
    const { keyring, storage, clock } = stage
    const keep = keeping({ inbox: storage.inbox, keyring, clock })
    const backfilled = (id: number): Arriving => {
      const once = naturalKey(keyring, String(org), catalogue.get('new_conversation')!, { id })!
      const messageId = `drift-h-${once.toString('hex')}`
      const common = { org: String(org), type: 'new_conversation', mapping: 1, rememberMs, receivedAt: clock.now() }
      const identity = keyring.identity(messageId)
      return { ...common, state: 'waiting', messageId, identity, once, backfilled: true, text: JSON.stringify({ id }) }
    }
    await stage.arrive(begun({}))
    const kept = await Promise.all([7, 8, 8].map((id) => keep(backfilled(id))))
    assert.deepEqual(
      kept.map(({ outcome }) => outcome),
      ['duplicate', 'stored', 'duplicate'],
    )
    await stage.arrive(begun({ id: 8 }))
    const { received, backfilled: read, duplicates } = outcomesOf(await storage.ledger.totals(), [])
    assert.deepEqual([received, read, duplicates], [1, 1, 1])
  })
})

describe('a webhook of an account that', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  test('has left is ignored and not kept, readable or not', async () => {
    await stage.disconnect.leave(String(org), 'admin')
    await stage.arrive('new_conversation')
    await stage.arrive({ type: 'contact_updated', orgId: org, data: ['Ada'] })
    assert.deepEqual(await stage.backlog(), [])
  })

  test('is of a type outside the catalogue is ignored and not kept, whatever its data and however its name is spelt', async () => {
    for (const said of [{}, { data: [1] }, { data: 'x' }, { data: { orgId: 1 } }])
      await stage.arrive({ orgId: org, type: 'chat_to_call', ...said })
    for (const type of ['Chat', 'chat.to-call', '3d_chat']) await stage.arrive({ orgId: org, type, data: {} })
    const { ignored, held } = outcomesOf(await stage.storage.ledger.totals(), await stage.storage.ledger.backlog())
    assert.deepEqual([ignored, held], [7, 0])
  })

  test('sends unreadable bodies of ever new types grows the counts by one row, not by one for each type', async () => {
    const typesOf = async () => [...new Set((await stage.storage.ledger.totals()).map(({ type }) => type))].sort()
    for (const type of ['made_up_1', 'made_up_2', 'made_up_3', 'new_meeting', 'gdpr_delete_requested'])
      await stage.arrive({ type, orgId: type.startsWith('gdpr') ? 'none' : org, data: 'no object' })
    assert.deepEqual(await typesOf(), ['gdpr_delete_requested', 'new_meeting', 'other'])
    const { entries } = await stage.storage.lookup.find({ states: ['quarantined'] }, { limit: 10 })
    assert.equal(entries.length, 2, 'those of the catalogue, and requests for deletion, are kept')
  })

  test('leaves while the event is being stored does not stay behind', async () => {
    const { inbox } = stage.storage
    const { append } = inbox
    inbox.append = async (...given) => {
      inbox.append = append
      await stage.disconnect.leave(String(org), 'admin')
      return append(...given)
    }
    await stage.arrive('new_conversation')
    assert.deepEqual(await stage.backlog(), [])
  })

  test('is installed while the event is being stored claims it, and the lane hears of it', async () => {
    const { needs, storage, sims, install } = stage
    const { inbox } = storage
    const { append } = inbox
    inbox.append = async (...given) => {
      await install(777)
      return append(...given)
    }
    const woken: unknown[][] = []
    const { verificationToken: token } = sims.drift.settings
    const parts = { ...needs, inbox, tokens: tokensOf([token]) }
    const receive = receiver({ ...parts, wake: (...lane) => void woken.push(lane) })
    const event = { type: 'new_conversation', orgId: 777, data: { id: 1, contactId: 7, createdAt: 1 }, token }
    await receive(Buffer.from(JSON.stringify(event)), { verdict: 'missing' })
    assert.deepEqual(
      (await stage.backlog()).map(({ state }) => state),
      ['waiting'],
    )
    assert.deepEqual(woken, [['send', '777', true]])
  })

  test('has something due already wakes nothing but the lease that is under way for it', async () => {
    const { needs, storage, sims } = stage
    const woken: unknown[][] = []
    const { verificationToken: token } = sims.drift.settings
    const parts = { ...needs, inbox: storage.inbox, tokens: tokensOf([token]) }
    const receive = receiver({ ...parts, wake: (...lane) => void woken.push(lane) })
    for (const id of [1, 2]) {
      const event = { type: 'new_conversation', orgId: org, data: { id, contactId: 7, createdAt: 1 }, token }
      await receive(Buffer.from(JSON.stringify(event)), { verdict: 'missing' })
    }
    assert.deepEqual(woken, [
      ['send', String(org), true],
      ['send', String(org), false],
    ])
  })
})
