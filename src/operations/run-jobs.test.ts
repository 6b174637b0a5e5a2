import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually, type ManualClock, manualClock } from '../../test/clock.ts'
import { Problem } from '../lib/errors.ts'
import { silentLog } from '../lib/log.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { addJob, cancelJob, type JobKind, shownJobById, shownJobs } from './jobs.ts'
import { type JobRunner, startJobs } from './run-jobs.ts'

const org = '11'
let storage: Storage
let clock: ManualClock
let runners: JobRunner[]
let warned: string[]

beforeEach(() => {
  storage = openInMemory()
  clock = manualClock()
  runners = []
  warned = []
})
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()))
})

function run(...kinds: JobKind<never>[]): JobRunner {
  const log = { ...silentLog, warn: (event: string) => void warned.push(event) }
  const runner = startJobs({ jobs: storage.jobs, kinds, clock, log })
  runners.push(runner)
  return runner
}

/** Counts to the number that its job says; `step` is called before each. */
function counting(step: (n: number, signal: AbortSignal) => unknown = () => {}): JobKind<{ to: number }> {
  return {
    kind: 'count',
    async step({ input: { to }, cursor, signal }) {
      const n = Number(cursor ?? 0) + 1
      await step(n, signal)
      return n > to ? { is: 'done', counts: { n: to } } : { is: 'on', cursor: String(n), counts: { n } }
    },
    ended: ({ who, counts }, state) => ({ who, act: 'redrove', about: `${counts.n}, ${state}` }),
  }
}

const add = (id: string, to = 3, kind = 'count') =>
  addJob({ jobs: storage.jobs, clock }, { id, kind, org, who: 'an admin', input: { to } })
const stateOf = async (id: string) => (await shownJobById(storage.jobs, id))?.state
const ends = (id: string, state: string) => eventually(async () => (await stateOf(id)) === state)

describe('a job', () => {
  test('is begun at once, goes step by step to its end, and the audit says what came of it', async () => {
    const runner = run(counting())
    await add('one')
    runner.wake()
    await ends('one', 'done')
    const [job] = await shownJobs(storage.jobs, 5, org)
    assert.deepEqual([job?.counts, job?.hasEnded, job?.who], [{ n: 3 }, true, 'an admin'])
    const [entry] = await storage.audit.list(org, 5)
    assert.deepEqual([entry?.what, entry?.about, entry?.who], ['redrove', '3, done', 'an admin'])
  })

  test('shows how far it is and how fast, to whichever process looks', async () => {
    const runner = run(
      counting(async (n) => {
        if (n <= 2) clock.step(30_000)
        else await new Promise(() => {})
      }),
    )
    runners.pop()
    await add('one', 9)
    runner.wake()
    await eventually(async () => (await shownJobById(storage.jobs, 'one'))?.counts.n === 2)
    assert.deepEqual((await shownJobById(storage.jobs, 'one'))?.perMinute, { n: 2 })
  })

  test('whose holder has gone goes on from its cursor in another process, fifteen seconds later', async () => {
    await add('one', 5)
    const lost = (await storage.jobs.claim(['count'], clock.now(), clock.now() + 15_000))!
    await storage.jobs.advance(lost, { cursor: '3', counts: '{"n":3}', at: clock.now() }, clock.now() + 15_000)
    const taken: number[] = []
    run(counting((n) => taken.push(n)))
    clock.advance(14_000)
    await eventually(() => clock.untilNext() !== undefined)
    assert.deepEqual(taken, [])
    await eventually(async () => {
      clock.advance(1_000)
      return (await stateOf('one')) === 'done'
    })
    assert.deepEqual(taken, [4, 5, 6])
  })

  test('is worked on by one of several processes at a time', async () => {
    const taken: number[] = []
    const both = [run(counting((n) => taken.push(n))), run(counting((n) => taken.push(n)))]
    await add('one', 20)
    for (const runner of both) runner.wake()
    await ends('one', 'done')
    assert.deepEqual(
      taken,
      Array.from({ length: 21 }, (_, n) => n + 1),
    )
  })

  test('is kept for as long as a step of it lasts, and ends within a second of being cancelled', async () => {
    let began = false
    const runner = run(
      counting((_, signal) => {
        began = true
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
      }),
    )
    await add('one')
    runner.wake()
    await eventually(() => began && clock.untilNext() !== undefined)
    for (let second = 0; second < 60; second++) {
      const until = clock.now() + 1_000
      clock.advance(1_000)
      assert.equal(await storage.jobs.claim(['count'], clock.now(), until), undefined, `second ${second}`)
      await eventually(() => (clock.untilNext() ?? 5_000) <= 1_000)
    }
    const needs = { jobs: storage.jobs, audit: storage.audit, clock }
    assert.equal(await cancelJob(needs, 'one', 'another admin'), true)
    clock.advance(1_000)
    await ends('one', 'cancelled')
    assert.equal(await cancelJob(needs, 'one', 'a third'), false)
    const job = await shownJobById(storage.jobs, 'one')
    assert.deepEqual([job?.cancelledBy, job?.endedAt], ['another admin', clock.now()])
    const said = (await storage.audit.list(org, 5)).map(({ who, what }) => `${who} ${what}`)
    assert.deepEqual(said.sort(), ['an admin redrove', 'another admin cancelled a job'])
  })

  test('of a kind that a process does not know is left to those that do', async () => {
    const older = run(counting())
    await add('new', 1, 'of a newer version')
    older.wake()
    await add('one')
    older.wake()
    await ends('one', 'done')
    assert.equal(await stateOf('new'), 'waiting')
  })

  test('is given back when its process stops, and goes on at once in another', async () => {
    let release = () => {}
    const first = run(counting((n) => (n === 3 ? new Promise<void>((resolve) => (release = resolve)) : undefined)))
    await add('one', 5)
    first.wake()
    await eventually(async () => (await shownJobById(storage.jobs, 'one'))?.counts.n === 2)
    const stopping = first.stop()
    release()
    await stopping
    assert.equal(await stateOf('one'), 'waiting')
    const taken: number[] = []
    run(counting((n) => taken.push(n)))
    await ends('one', 'done')
    assert.deepEqual(taken, [4, 5, 6])
  })

  test('is tried again where a step throws, and fails with the code of what it threw five times in a row', async () => {
    let throws = 2
    const kind = counting(() => {
      if (throws-- > 0) throw new Problem('odd_thing', 'something is odd')
    })
    const runner = run(kind)
    await add('one')
    runner.wake()
    await eventually(async () => {
      clock.advance(1_000)
      return (await stateOf('one')) === 'done'
    })
    throws = 5
    await add('two')
    runner.wake()
    await eventually(async () => {
      clock.advance(1_000)
      return (await stateOf('two')) === 'failed'
    })
    assert.equal((await shownJobById(storage.jobs, 'two'))?.reason, 'odd_thing')
    assert.deepEqual(warned, Array(7).fill('job_step_failed'))
  })

  test('does not fail because the store is away: it goes on from its cursor when the store is back', async () => {
    const { renew, advance } = storage.jobs
    const away = () => Promise.reject(new Problem('store_unreachable', 'away'))
    const taken: number[] = []
    const runner = run(
      counting((n) => {
        taken.push(n)
        if (n === 2 && taken.length === 2) Object.assign(storage.jobs, { renew: away, advance: away })
      }),
    )
    await add('one')
    runner.wake()
    await eventually(() => taken.length === 2)
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000)
      await new Promise(setImmediate)
    }
    Object.assign(storage.jobs, { renew, advance })
    await eventually(async () => {
      clock.advance(1_000)
      return (await stateOf('one')) === 'done'
    })
    assert.deepEqual(taken.slice(0, 2), [1, 2])
    assert.deepEqual(taken.slice(-3), [2, 3, 4])
    assert.deepEqual([...new Set(warned)], [])
  })

  test('of one kind does not keep those of another waiting, however many there are', async () => {
    const stuck: JobKind<never> = {
      kind: 'stuck',
      step: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ends')))),
      ended: ({ who }) => ({ who, act: 'redrove' }),
    }
    const runner = run(stuck, counting())
    for (const id of ['a', 'b', 'c', 'd']) await add(id, 1, 'stuck')
    await add('one')
    runner.wake()
    await ends('one', 'done')
    const states = await Promise.all(['a', 'b', 'c', 'd'].map(stateOf))
    assert.deepEqual(states.sort(), ['running', 'running', 'waiting', 'waiting'])
  })
})
