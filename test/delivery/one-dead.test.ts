/**
 * One of an account's two destinations is dead for an hour, in whatever way and whenever: the other gets every event at the
 * moment at which it is received, as if it were alone; the dead one gets everything afterwards, each contact's in order; and
 * the outcomes hold for both.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addDestination } from '../../src/accounts/destination-actions.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { addsUp, outcomesByDestination } from '../../src/operations/totals.ts'
import type { SegmentAction } from '../../src/sim/index.ts'
import { org, type Stage, startStage, writeKey } from '../stage.ts'

const id = String(org)
const deadKey = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
const minute = 60_000

/** What a destination that is dead answers: nothing of it is an event's own fault. */
const answers: Readonly<Record<string, SegmentAction>> = {
  'an outage': { status: 503 },
  'a refused key': { status: 401 },
  'a redirect': { redirect: 'http://127.0.0.1:9/' },
  'the page of a sign-in': { status: 200, body: '<html>Sign in</html>' },
  'a limit': { status: 429, headers: { 'retry-after': '120' } },
  'a connection that is cut': { reset: 'before' },
  'an answer that is lost': { reset: 'after' },
}

interface Step {
  /** Events that arrive at once, by their contacts. */
  contacts: number[]
  answer: string | undefined
  minutes: number
}

const step: fc.Arbitrary<Step> = fc.record({
  contacts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
  answer: fc.option(fc.constantFrom(...Object.keys(answers)), { nil: undefined }),
  minutes: fc.integer({ min: 1, max: 20 }),
})

async function holds(stage: Stage, steps: readonly Step[]): Promise<void> {
  const { sims, clock, storage } = stage
  await stage.install()
  const added = { name: 'Dead', place: { region: 'us' }, writeKey: deadKey, who: 'the test' } as const
  assert.equal((await addDestination(stage, id, added)).is, 'done')
  let last = 0
  const sent = new Map<number, number[]>()
  const accepted = (key: string) => sims.segment.accepted.filter((one) => one.writeKey === key)
  for (const { contacts, answer, minutes } of steps) {
    sims.segment.forKey(deadKey, answer === undefined ? undefined : answers[answer])
    for (const contact of contacts) {
      const data = { endUserId: contact, timestamp: clock.now(), diff: [{ name: 'n', updated: ++last }] }
      await stage.arrive({ type: 'contact_updated', orgId: org, data })
      sent.set(contact, [...(sent.get(contact) ?? []), last])
    }
    await stage.run()
    assert.equal(accepted(writeKey).length, last, `after ${answer ?? 'nothing wrong'}`)
    clock.advance(minutes * minute)
  }
  sims.segment.forKey(deadKey, undefined)
  // A probe comes an hour later at the latest, and one message proves that the destination takes them again.
  for (let rounds = 0; rounds < 4; rounds++) {
    clock.advance(60 * minute)
    await stage.run()
  }
  const arrived = new Map<number, number[]>()
  for (const { message } of accepted(deadKey)) {
    const { contactId, n } = message.traits as JsonObject
    arrived.set(Number(contactId), [...(arrived.get(Number(contactId)) ?? []), Number(n)])
  }
  assert.deepEqual([...arrived].sort(), [...sent].sort())
  const { totals, backlog } = await storage.ledger.snapshotOfAll()
  const outcomes = outcomesByDestination(totals, backlog)
  assert.deepEqual(
    outcomes.map((one) => [one.destination, one.received, one.delivered, addsUp(one)]),
    [
      [1, last, last, true],
      [2, last, last, true],
    ],
  )
}

test('a dead destination neither slows nor holds another, and gets everything in order when it is well again', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
    const stage = await startStage()
    try {
      await holds(stage, steps)
    } finally {
      await stage.close()
    }
  })
  await fc.assert(property, { seed: 20_261_126, numRuns: 25, endOnFailure: true })
})
