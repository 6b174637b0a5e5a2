import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachStage, org, type Stage } from '../../test/stage.ts'
import { catalogue } from '../events/index.ts'
import { erasePerson } from './erase.ts'
import { tell } from './inspect.ts'
import { redriveOne } from './redrive.ts'
import { happenedTo } from './timeline.ts'

const id = String(org)

describe("an event's timeline", () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const messages = async () => {
    const { entries } = await stage.storage.lookup.find({ org: id }, { limit: 20 })
    return entries.toReversed()
  }
  const told = async (nth = 0) => {
    const { lookup } = stage.storage
    const shown = (await messages())[nth]!
    const happened = await happenedTo({ lookup, keyring: stage.keyring }, shown.id)
    return tell(shown, stage.accounts.get(id), await lookup.lanes(id), stage.clock.now(), happened)
  }
  const attempts = async (nth = 0) => (await told(nth)).steps.flatMap(({ attempt }) => attempt ?? [])
  const words = async (nth = 0) => (await told(nth)).steps.map(({ what }) => what.replaceAll(/\d+ ms/g, 'N ms'))

  test('has each look-up and each attempt, with status, duration, what was said and what comes next', async () => {
    const { clock, sims } = stage
    sims.drift.script('/conversations/*', [{ status: 503, body: 'upstream is away' }])
    sims.segment.script([{ status: 500, body: 'try again' }])
    await stage.arrive('conversation_participant_added')
    const begun = clock.now()
    for (let second = 0; second < 10; second++) {
      await stage.run()
      clock.advance(1_000)
    }
    const all = await attempts()
    assert.deepEqual(
      all.map(({ partner, outcome, status, excerpt, reason }) => [partner, outcome, status, excerpt, reason]),
      [
        ['Drift', 'later', 503, 'upstream is away', 'drift_503'],
        ['Drift', 'answered', 200, undefined, undefined],
        ['Segment', 'later', 500, 'try again', 'segment_500'],
        ['Segment', 'delivered', 200, undefined, undefined],
      ],
    )
    assert.equal(all[0]?.at, begun)
    for (const { durationMs } of all) assert.ok(durationMs >= 0 && durationMs < 10_000)
    for (const nth of [0, 2]) {
      const next = all[nth]!.nextAt!
      assert.ok(next > all[nth]!.at && next <= all[nth + 1]!.at, 'the next one came when it was planned')
    }
    assert.match((await words()).join('\n'), /looked up, without success: Drift answered 503, after N ms; next attempt/)
    assert.match((await words()).at(-1)!, /^delivered: Segment answered 200, sent alone, at the account's 2nd try/)
  })

  test('has the requests that were refused because of another event in them', async () => {
    stage.sims.segment.script({ refuseIf: ({ anonymousId }) => anonymousId === '3' })
    const update = (endUserId: number) => ({
      type: 'contact_updated',
      orgId: org,
      data: { endUserId, timestamp: stage.clock.now(), diff: [{ name: 'attributes.n', updated: endUserId }] },
    })
    for (const contact of [1, 2, 3, 4]) await stage.arrive(update(contact))
    await stage.run()
    const shortly = async (nth: number) => (await attempts(nth)).map(({ events, status }) => [events, status])
    assert.deepEqual(await shortly(0), [
      [4, 400],
      [2, 200],
    ])
    assert.deepEqual(await shortly(2), [
      [4, 400],
      [2, 400],
      [1, 400],
    ])
    assert.match((await words(2)).at(-1)!, /^dead: Segment answered 400, sent alone/)
    assert.deepEqual((await shortly(3)).at(-1), [1, 200])
  })

  test('says who had an event sent again, and what became of it then', async () => {
    await stage.arrive('new_conversation')
    await stage.run()
    const { storage, keyring, accounts, clock } = stage
    const needs = { catalogue, keyring, accounts, lookup: storage.lookup, inbox: storage.inbox, clock }
    clock.advance(5_000)
    assert.equal(await redriveOne(needs, (await messages())[0]!, { mapping: 'today', who: 'an admin' }), true)
    assert.equal((await words()).at(-2), 'sent again by an admin')
    await stage.run()
    const { steps } = await told()
    assert.deepEqual(
      steps.slice(-3).map(({ at, what }) => [at, what.split(':')[0]]),
      [
        [clock.now() - 5_000, 'delivered'],
        [clock.now(), 'sent again by an admin'],
        [clock.now(), 'delivered'],
      ],
    )
  })

  test('of a long outage has the first five attempts, the last twenty, and the number of the others', async () => {
    stage.sims.segment.script({ status: 503 })
    await stage.arrive('new_conversation')
    for (let tries = 1; tries <= 30; tries++) {
      assert.equal(await stage.step('send'), true)
      stage.clock.advance(15 * 60_000)
    }
    const tries = (await attempts()).map((one) => one.try)
    assert.deepEqual(
      tries,
      [1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    )
    const at = (await words()).indexOf('5 more attempts, of which only the number is kept')
    assert.equal((await told()).steps[at - 1]?.attempt?.try, 5)
    stage.sims.segment.script(undefined)
    await stage.run()
    assert.match((await words()).at(-1)!, /^delivered/)
  })

  test('has nothing of an answer any more when one of the events that were sent together is erased', async () => {
    stage.sims.segment.script([{ status: 500, body: 'no room for that' }])
    const update = (endUserId: number) => ({
      type: 'contact_updated',
      orgId: org,
      data: { endUserId, timestamp: stage.clock.now(), diff: [{ name: 'attributes.n', updated: 1 }] },
    })
    await stage.arrive(update(8))
    await stage.arrive(update(9))
    await stage.step('send')
    assert.equal((await attempts(1))[0]?.excerpt, 'no room for that')
    await erasePerson({ ...stage.storage, keyring: stage.keyring, clock: stage.clock }, id, '8', false)
    const [left] = await attempts()
    assert.deepEqual([left?.status, left?.events, left?.excerpt], [500, 2, undefined])
    stage.clock.advance(1_000)
    await stage.run()
  })

  test('goes on without what an answer said where that does not open', async () => {
    stage.sims.segment.script([{ status: 500, body: 'no' }])
    await stage.arrive('new_conversation')
    await stage.step('send')
    const { history } = stage.storage.lookup
    const lookup = {
      ...stage.storage.lookup,
      history: async (one: number) => {
        const { steps, leftOut } = await history(one)
        const changed = steps.map((step) => ({ ...step, attempt: { ...step.attempt!, excerpt: Buffer.alloc(60, 1) } }))
        return { steps: changed, leftOut }
      },
    }
    const { steps } = await happenedTo({ lookup, keyring: stage.keyring }, (await messages())[0]!.id)
    assert.deepEqual([steps[0]?.attempt?.status, steps[0]?.attempt?.excerpt], [500, undefined])
    stage.clock.advance(1_000)
    await stage.run()
  })
})
