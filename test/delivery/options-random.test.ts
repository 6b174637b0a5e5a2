/** Whatever options are saved, whatever fails, and whichever process sends: what must hold of every event all the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { changeOptions } from '../../src/accounts/options.ts'
import { catalogue } from '../../src/events/index.ts'
import { isObject, type Json, type JsonObject, readText } from '../../src/lib/json.ts'
import { knownNames } from '../../src/mapping/known.ts'
import { judgeOptions } from '../../src/mapping/options.ts'
import { sendLease } from '../../src/pipeline/send-lane.ts'
import { firstDestination } from '../../src/storage/ports/entry.ts'
import { eventually } from '../clock.ts'
import { someOptions } from '../some-options.ts'
import { org, type Parts, type Stage, startStage } from '../stage.ts'

const id = String(org)
const minute = 60_000
const contacts = [21, 22, 23]
const begins = 'new_conversation'

type Step =
  | { does: 'arrive' | 'update' | 'know'; contact: number; value: Json }
  | { does: 'choose'; options: object }
  | { does: 'drift' | 'segment'; status: number | undefined }
  | { does: 'send'; as: 'one' | 'other' }
  | { does: 'wait'; ms: number }

const contact = fc.constantFrom(...contacts)
const value = fc.constantFrom<Json>('a12-1234', 'b', 'someone@example.com', '0', null, 7)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constantFrom('arrive' as const, 'update' as const), contact, value }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('know' as const), contact, value }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('choose' as const), options: someOptions }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constantFrom('drift' as const, 'segment' as const),
      status: fc.constantFrom(502, 429, undefined),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('send' as const), as: fc.constantFrom('one', 'other') }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 5 * minute }) }),
  },
) as fc.Arbitrary<Step>

/** Lets time pass until it has ended. */
async function inTime(stage: Stage, work: Promise<unknown>): Promise<void> {
  let isDone = false
  const ending = work.finally(() => {
    isDone = true
  })
  ending.catch(() => {})
  await eventually(() => {
    if (!isDone) stage.clock.advance(200)
    return isDone
  })
  await ending
}

async function send(stage: Stage, parts: Parts): Promise<boolean> {
  const lease = await stage.claim('send')
  if (lease) await inTime(stage, sendLease(parts.needs, lease))
  return lease !== undefined
}

async function take(stage: Stage, other: Parts, one: Step, n: number): Promise<void> {
  switch (one.does) {
    case 'arrive': {
      const data = { id: 1_000 + n, contactId: one.contact, createdAt: stage.clock.now(), status: 'open' }
      return stage.arrive({ type: begins, orgId: org, data })
    }
    case 'update': {
      const diff = [
        { name: 'attributes.email', updated: one.value },
        { name: 'attributes.n', updated: n },
      ]
      const data = { endUserId: one.contact, timestamp: stage.clock.now(), diff }
      return stage.arrive({ type: 'contact_updated', orgId: org, data })
    }
    case 'know': {
      const attributes = { externalId: one.value, email: one.value, consent: '{"Analytics":true}' }
      stage.sims.drift.addOrg({ orgId: org, contacts: [{ id: one.contact, attributes }] })
      return
    }
    case 'choose': {
      const judged = judgeOptions(one.options, knownNames(catalogue))
      assert.ok(judged.ok)
      const generation = String(stage.accounts.get(id)!.generation)
      const saved = { destination: firstDestination, options: judged.options, generation, who: 'a test' }
      await changeOptions({ accounts: stage.accounts, clock: stage.clock }, id, saved)
      return
    }
    case 'drift':
      return stage.sims.drift.script('/contacts/*', one.status === undefined ? undefined : { status: one.status })
    case 'segment':
      return stage.sims.segment.script(one.status === undefined ? undefined : { status: one.status })
    case 'send':
      return void (await send(stage, one.as === 'one' ? stage : other))
    case 'wait':
      stage.clock.advance(one.ms)
  }
}

function messagesOf(body: string): JsonObject[] {
  const reading = readText(body)
  const batch = reading.ok && isObject(reading.value) ? reading.value.batch : []
  return batch as JsonObject[]
}

test('every event is sent the same on each attempt, in the order of its contact, and none is dead', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const stage = await startStage()
      try {
        await stage.install()
        const other = await stage.another()
        for (const [n, one] of steps.entries()) await take(stage, other, one, n)
        stage.sims.drift.script('/contacts/*', undefined)
        stage.sims.segment.script(undefined)
        for (let turn = 0; turn < 40; turn++) {
          stage.clock.advance(minute)
          if (!(await send(stage, turn % 2 ? stage : other))) stage.clock.advance(15 * minute)
        }
        const { entries } = await stage.storage.lookup.find({ org: id }, { limit: 500 })
        const left = entries.filter(({ state }) => state !== 'delivered' && state !== 'ignored')
        assert.deepEqual(left, [], 'what is neither delivered nor left out by an option')

        const sent = new Map<string, string>()
        for (const { body } of stage.sims.segment.requests)
          for (const message of messagesOf(body)) {
            const text = JSON.stringify(message)
            const before = sent.get(String(message.messageId))
            assert.equal(before ?? text, text, 'an attempt is not as the one before it')
            sent.set(String(message.messageId), text)
          }
        const accepted = stage.sims.segment.accepted.map(({ message }) => String(message.messageId))
        for (const who of contacts) {
          const arrived = entries.filter((one) => one.contact === String(who) && one.state === 'delivered')
          const inOrder = arrived.map(({ messageId }) => messageId).reverse()
          assert.deepEqual([...new Set(accepted.filter((message) => inOrder.includes(message)))], inOrder)
        }
      } finally {
        await stage.close()
      }
    }),
    { numRuns: 25, endOnFailure: true },
  )
})
