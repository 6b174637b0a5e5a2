/** A redrive that is killed between any two things it does moves each event once, and goes on to its end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { eachStage, org, type Stage, startStage } from '../../test/stage.ts'
import { catalogue } from '../events/index.ts'
import { silentLog } from '../lib/log.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { erasePerson } from './erase.ts'
import { shownJobById } from './jobs.ts'
import { cancelRedrive, lastRedrive, redriveKind, soFarOf, startRedrive } from './redrive-job.ts'
import { startJobs } from './run-jobs.ts'

const id = 'a-redrive'
const many = 5

describe('a redrive', () => {
  let stage: Stage
  eachStage((made) => {
    stage = made
  })

  const needsOf = ({ storage, keyring, accounts, clock }: Stage) => {
    return { catalogue, keyring, accounts, lookup: storage.lookup, inbox: storage.inbox, clock }
  }
  const runOn = (on: Stage, wake = () => {}) => {
    const kinds = [redriveKind(needsOf(on), wake)]
    return startJobs({ jobs: on.storage.jobs, kinds, clock: on.clock, log: silentLog })
  }
  const start = (on: Stage, query = {}) => {
    const { jobs, audit } = on.storage
    const wanted = { states: ['delivered'] as const, org: String(org), to: on.clock.now() + 1, ...query }
    const common = { id, org: String(org), who: 'an admin', mapping: 'today' } as const
    return startRedrive({ jobs, audit, clock: on.clock }, { ...common, query: wanted })
  }

  test('moves what it finds, says how many and why others stay, and wakes the lanes', async () => {
    for (let vary = 0; vary < many; vary++) await stage.arrive('new_conversation', { vary })
    await stage.run()
    await stage.arrive({ type: 'new_meeting', orgId: org, data: 'odd' })
    assert.equal(await start(stage, { states: ['delivered', 'quarantined'] }), true)
    assert.equal(await start(stage), true, 'the same one again')
    let woken = 0
    const runner = runOn(stage, () => woken++)
    await eventually(async () => (await lastRedrive(stage.storage.jobs, String(org)))?.state === 'done')
    await runner.stop()
    const job = (await lastRedrive(stage.storage.jobs, String(org)))!
    assert.deepEqual(soFarOf(job), { found: 6, moved: 5, stays: { data_unusable: 1 } })
    assert.equal(woken, 1)
    const said = (await stage.storage.audit.list(String(org), 9)).map(({ what, about }) => `${what}: ${about}`)
    assert.deepEqual(said.slice(0, 2), [
      "redrove: 5 events, today's options, done",
      "started a redrive: today's options",
    ])
  })

  test('of an account excludes another one until it has ended, and is cancelled by any process that asks', async () => {
    const { jobs, audit } = stage.storage
    const needs = { jobs, audit, clock: stage.clock }
    assert.equal(await start(stage), true)
    const other = { id: 'another', org: String(org), who: 'an admin', mapping: 'today', query: {} } as const
    assert.equal(await startRedrive(needs, other), false)
    await cancelRedrive(needs, String(org), 'another admin')
    const runner = runOn(stage)
    await eventually(async () => (await shownJobById(jobs, id))?.state === 'cancelled')
    await runner.stop()
    assert.equal(await startRedrive(needs, other), true)
  })

  test('that looks for a person ends when the person is erased, and nothing names them afterwards', async () => {
    await stage.arrive('new_conversation', { contact: 3 })
    await stage.run()
    const { jobs } = stage.storage
    const [entry] = (await stage.storage.lookup.find({}, { limit: 1 })).entries
    assert.equal(await start(stage, { contact: entry!.contact! }), true)
    const other = { id: 'another', org: '7', who: 'an admin', mapping: 'today', query: { type: 'x' } } as const
    await startRedrive({ ...stage.storage, clock: stage.clock }, other)
    assert.ok((await jobs.get(id))!.input.includes(entry!.contact!))
    await erasePerson(
      { ...stage.storage, keyring: stage.keyring, clock: stage.clock },
      String(org),
      entry!.contact!,
      false,
    )
    const { state, reason, input } = (await jobs.get(id))!
    assert.deepEqual([state, reason, input], ['cancelled', 'person_erased', ''])
    assert.equal((await jobs.get('another'))?.state, 'waiting')
    assert.doesNotMatch(JSON.stringify(await jobs.list(10)), new RegExp(entry!.contact!))
  })

  test('killed before or after any write of its own sends each event again once', async () => {
    for (let vary = 0; vary < many; vary++) await stage.arrive('new_conversation', { vary })
    await stage.run()
    await start(stage)
    const image = (stage.storage as Storage & { image(): Uint8Array }).image()
    let kills = 0
    for (let at = 0; ; at++) {
      const after = await killedAt(image, at)
      if (!after) break
      kills++
      const sent = await resumed(after)
      assert.deepEqual(
        [...sent.values()],
        Array(many).fill(2),
        `killed at write ${at}: each was delivered once, and once more by the redrive`,
      )
    }
    // Claim, three steps of two events and the end, each before and after it, and the beats between.
    assert.ok(kills >= 10, `${kills} kills`)
  })
})

/** The store as a process left it that was killed at its nth write: before an even one, after an odd one. */
async function killedAt(image: Uint8Array, nth: number): Promise<Uint8Array | undefined> {
  const stage = await startStage(openInMemory(image))
  const storage = stage.storage as Storage & { image(): Uint8Array }
  let writes = 0
  let left: Uint8Array | undefined
  const dies = new Promise<never>(() => {})
  const watched = (port: object, methods: readonly string[]) => {
    for (const method of methods) {
      const real = Reflect.get(port, method) as (...args: unknown[]) => Promise<unknown>
      Reflect.set(port, method, async (...args: unknown[]) => {
        if (left) return dies
        if (writes++ === nth) {
          left = storage.image()
          return dies
        }
        const answer = await real(...args)
        if (left) return dies
        if (writes++ === nth) {
          left = storage.image()
          return dies
        }
        return answer
      })
    }
  }
  watched(storage.jobs, ['claim', 'advance', 'renew', 'end'])
  watched(storage.inbox, ['redrive', 'redriveStep'])
  const { lookup, inbox } = storage
  // Two events a page, so that there is a step between.
  const find: typeof lookup.find = (query, page) => lookup.find(query, { ...page, limit: 2 })
  const needs = { catalogue, keyring: stage.keyring, accounts: stage.accounts, inbox, clock: stage.clock }
  const kind = redriveKind({ ...needs, lookup: { ...lookup, find } }, () => {})
  startJobs({ jobs: storage.jobs, kinds: [kind], clock: stage.clock, log: silentLog })
  const hasEnded = async () => (await storage.jobs.get(id))?.state === 'done'
  await eventually(async () => left !== undefined || (await hasEnded()))
  await stage.close()
  return left
}

/** Everything that waits is delivered, and only then the redrive goes on; how often each event was delivered in all. */
async function resumed(image: Uint8Array): Promise<Map<string, number>> {
  const storage = openInMemory(image)
  const stage = await startStage(storage)
  try {
    await stage.run()
    const needs = { catalogue, keyring: stage.keyring, accounts: stage.accounts, clock: stage.clock }
    const kind = redriveKind({ ...needs, lookup: storage.lookup, inbox: storage.inbox }, () => {})
    const runner = startJobs({ jobs: storage.jobs, kinds: [kind], clock: stage.clock, log: silentLog })
    await eventually(async () => {
      stage.clock.advance(1_000)
      return (await storage.jobs.get(id))?.state === 'done'
    })
    await runner.stop()
    await stage.run()
    const sent = new Map<string, number>()
    for (const { message } of [...stage.sims.segment.accepted, ...stage.sims.segment.duplicates]) {
      const { messageId } = message as { messageId: string }
      // Once before the redrive, which this Segment has not seen.
      sent.set(messageId, (sent.get(messageId) ?? 1) + 1)
    }
    return sent
  } finally {
    await stage.close()
  }
}
