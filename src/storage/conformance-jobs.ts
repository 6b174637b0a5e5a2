/** The promises about jobs: long work that goes on after a crash, in whichever process. */
import assert from 'node:assert/strict'
import { append, arrival, conserved, one, other, type Promised } from './conformance.ts'
import type { Job, JobEnd, Jobs, NewJob } from './ports/jobs.ts'
import type { Storage } from './ports/storage.ts'

let made = 0

function job(said: Partial<NewJob> = {}): NewJob {
  const id = `job-${++made}`
  return { id, kind: 'a_kind', org: one, who: 'an admin', input: '{ "all" : true }', createdAt: 1_000, ...said }
}

const kinds = ['a_kind', 'another_kind']
const done: JobEnd = { state: 'done', counts: '{ "moved": 7 }', at: 3_000, keepUntil: 9_000 }
const entry = { at: 3_000, org: one, who: 'an admin', what: 'did it', about: '7 of them' }

async function claimed({ jobs }: Storage, now = 2_000, until = now + 10_000) {
  const lease = await jobs.claim(kinds, now, until)
  assert.ok(lease, 'a job is due')
  return lease
}

const plain = (found: Job | undefined) => found && { ...found }

export const jobPromises: readonly Promised[] = [
  {
    promise: 'a job is found whole by its id, and waits to be begun',
    async check({ jobs }) {
      const [first, second] = [job({ only: 'one at a time' }), job({ org: '' })]
      assert.equal(await jobs.create(first), 'created')
      assert.equal(await jobs.create(second), 'created')
      const begins = { state: 'waiting', counts: '{}', changedAt: 1_000 }
      assert.deepEqual(plain(await jobs.get(first.id)), { ...first, ...begins })
      assert.deepEqual(plain(await jobs.get(second.id)), { ...second, ...begins })
      assert.equal(await jobs.get('unknown'), undefined)
    },
  },
  {
    promise: 'a job that is made twice is one, also when it has ended',
    async check(storage) {
      const { jobs } = storage
      const first = job()
      const made = await Promise.all(Array.from({ length: 5 }, () => jobs.create(first)))
      assert.deepEqual(made.sort(), ['created', 'there', 'there', 'there', 'there'])
      await jobs.end(await claimed(storage), done)
      assert.equal(await jobs.create(first), 'there')
      assert.equal(await jobs.claim(kinds, 4_000, 5_000), undefined)
    },
  },
  {
    promise: 'of the jobs that exclude each other one is unfinished at a time, however many are made at once',
    async check(storage) {
      const { jobs } = storage
      const make = () => jobs.create(job({ only: 'redrive 1' }))
      const made = await Promise.all(Array.from({ length: 5 }, make))
      assert.deepEqual(made.sort(), ['created', 'other', 'other', 'other', 'other'])
      assert.equal(await jobs.create(job({ only: 'redrive 2', createdAt: 1_500 })), 'created')
      const lease = await claimed(storage)
      assert.equal(await make(), 'other')
      await jobs.end(lease, done)
      assert.equal(await make(), 'created')
    },
  },
  {
    promise: 'a job has one holder at a time: the oldest that is free of the kinds asked for, however many ask at once',
    async check({ jobs }) {
      const [late, early, odd] = [job({ createdAt: 1_500 }), job(), job({ kind: 'a_third', createdAt: 500 })]
      for (const one of [late, early, odd]) await jobs.create(one)
      const leases = await Promise.all(Array.from({ length: 5 }, () => jobs.claim(kinds, 2_000, 12_000)))
      const ids = leases.flatMap((lease) => (lease ? [lease.job.id] : []))
      assert.deepEqual(ids.sort(), [late.id, early.id].sort())
      assert.equal(await jobs.claim(kinds, 11_999, 21_999), undefined)
      assert.equal((await jobs.claim(['a_third'], 2_000, 12_000))?.job.id, odd.id)
      assert.deepEqual([(await jobs.get(early.id))?.state, (await jobs.get(early.id))?.startedAt], ['running', 2_000])
    },
  },
  {
    promise: 'a lease that has run out lets another go on from the last cursor and counts; the first is refused',
    async check(storage) {
      const { jobs } = storage
      await jobs.create(job())
      const lost = await claimed(storage)
      assert.equal(await jobs.advance(lost, { cursor: 'page 2', counts: '{ "moved": 3 }', at: 2_500 }, 13_000), 'held')
      assert.equal(await jobs.claim(kinds, 12_999, 22_999), undefined)
      const next = await claimed(storage, 13_000)
      assert.deepEqual([next.job.cursor, next.job.counts, next.job.startedAt], ['page 2', '{ "moved": 3 }', 2_000])
      const late = { cursor: 'page 9', counts: '{ "moved": 9 }', at: 13_500 }
      assert.equal(await jobs.advance(lost, late, 90_000), 'lost')
      assert.equal(await jobs.giveBack(lost, 13_500), false)
      assert.equal(await jobs.end(lost, done, entry), false)
      const kept = await jobs.get(next.job.id)
      assert.deepEqual([kept?.cursor, kept?.counts, kept?.state], ['page 2', '{ "moved": 3 }', 'running'])
      assert.deepEqual(await storage.audit.list(one, 5), [])
    },
  },
  {
    promise: 'a job that is given back goes on at once in any process, from its cursor',
    async check(storage) {
      const { jobs } = storage
      await jobs.create(job())
      const first = await claimed(storage)
      await jobs.advance(first, { cursor: 'page 2', counts: '{ "moved": 3 }', at: 2_500 }, 13_000)
      assert.equal(await jobs.giveBack(first, 2_600), true)
      assert.equal((await jobs.get(first.job.id))?.state, 'waiting')
      assert.equal(await jobs.advance(first, { cursor: '', counts: '{}', at: 2_700 }, 90_000), 'lost')
      assert.equal((await claimed(storage, 2_700)).job.cursor, 'page 2')
    },
  },
  {
    promise: 'who cancels a job is seen by everybody at once, and by its holder at its next step, which is kept',
    async check(storage) {
      const { jobs } = storage
      const wanted = job()
      await jobs.create(wanted)
      const lease = await claimed(storage)
      assert.equal(await jobs.cancel(wanted.id, 'another admin', 2_200), true)
      assert.equal(await jobs.cancel(wanted.id, 'a third', 2_300), false)
      assert.equal((await jobs.get(wanted.id))?.cancelledBy, 'another admin')
      assert.equal(await jobs.advance(lease, { cursor: 'x', counts: '{ "moved": 1 }', at: 2_500 }, 13_000), 'cancelled')
      assert.equal((await jobs.get(wanted.id))?.counts, '{ "moved": 1 }')
      assert.equal(await jobs.end(lease, { ...done, state: 'cancelled' }), true)
      assert.equal(await jobs.cancel(wanted.id, 'a fourth', 4_000), false)
      assert.equal(await jobs.cancel('unknown', 'a fifth', 4_000), false)
    },
  },
  {
    promise: 'a job that is cancelled before it is begun says so to the process that claims it',
    async check(storage) {
      const wanted = job()
      await storage.jobs.create(wanted)
      await storage.jobs.cancel(wanted.id, 'an admin', 1_500)
      assert.equal((await claimed(storage)).job.cancelledBy, 'an admin')
    },
  },
  {
    promise: 'a job ends once, with its entry in the audit, and what it was to do goes with its end',
    async check(storage) {
      const { jobs, audit } = storage
      const [first, second] = [job(), job({ createdAt: 1_001 })]
      await jobs.create(first)
      await jobs.create(second)
      const lease = await claimed(storage)
      await jobs.advance(lease, { cursor: 'x', counts: '{ "moved": 1 }', at: 2_500 }, 13_000)
      const ended = await Promise.all(Array.from({ length: 3 }, () => jobs.end(lease, done, entry)))
      assert.deepEqual(ended.sort(), [false, false, true])
      assert.deepEqual(await audit.list(one, 5), [entry])
      const left = { ...first, input: '', state: 'done', counts: '{ "moved": 7 }' }
      const times = { startedAt: 2_000, changedAt: 3_000, endedAt: 3_000 }
      assert.deepEqual(plain(await jobs.get(first.id)), { ...left, ...times })
      const failing = await claimed(storage, 4_000)
      await jobs.end(failing, { ...done, state: 'failed', reason: 'a_reason' })
      assert.deepEqual(
        [(await jobs.get(second.id))?.state, (await jobs.get(second.id))?.reason],
        ['failed', 'a_reason'],
      )
      assert.equal((await audit.list(one, 5)).length, 1)
    },
  },
  {
    promise: 'a lease is prolonged without saying how far the job is; it tells that the job was cancelled, or is lost',
    async check(storage) {
      const { jobs } = storage
      const wanted = job()
      await jobs.create(wanted)
      const lease = await claimed(storage)
      await jobs.advance(lease, { cursor: 'page 2', counts: '{ "moved": 3 }', at: 2_500 }, 13_000)
      assert.equal(await jobs.renew(lease, 20_000), 'held')
      const kept = await jobs.get(wanted.id)
      assert.deepEqual([kept?.cursor, kept?.counts, kept?.changedAt], ['page 2', '{ "moved": 3 }', 2_500])
      assert.equal(await jobs.claim(kinds, 19_999, 30_000), undefined)
      await jobs.cancel(wanted.id, 'an admin', 3_000)
      assert.equal(await jobs.renew(lease, 20_000), 'cancelled')
      await claimed(storage, 20_000)
      assert.equal(await jobs.renew(lease, 90_000), 'lost')
    },
  },
  {
    promise: 'one job is claimed by its id, and no other in its place',
    async check({ jobs }) {
      const [first, second] = [job(), job({ createdAt: 1_001 })]
      await jobs.create(first)
      await jobs.create(second)
      assert.equal((await jobs.claim(kinds, 2_000, 12_000, second.id))?.job.id, second.id)
      assert.equal(await jobs.claim(kinds, 2_000, 12_000, second.id), undefined)
      assert.equal((await jobs.claim(kinds, 2_000, 12_000))?.job.id, first.id)
    },
  },
  {
    promise: 'an abandoned job is taken from its process: its input is gone, and what that process does is refused',
    async check(storage) {
      const { jobs } = storage
      const wanted = job()
      await jobs.create(wanted)
      const lease = await claimed(storage)
      const abandoned: JobEnd = { ...done, state: 'cancelled', reason: 'person_erased' }
      assert.equal(await jobs.abandon(wanted.id, abandoned), true)
      assert.equal(await jobs.abandon(wanted.id, abandoned), false)
      assert.equal(await jobs.advance(lease, { cursor: 'x', counts: '{}', at: 3_000 }, 13_000), 'lost')
      const { input, state, reason, cursor } = (await jobs.get(wanted.id))!
      assert.deepEqual([input, state, reason, cursor], ['', 'cancelled', 'person_erased', undefined])
      assert.equal(await jobs.claim(kinds, 90_000, 99_000), undefined)
    },
  },
  {
    promise: 'what a job sends again and how far it is are one write: a holder that has lost it moves nothing',
    async check(storage) {
      const { jobs, inbox } = storage
      await append(storage, [arrival({ state: 'quarantined', reason: 'odd' }), arrival({ state: 'quarantined' })])
      const { entries } = await storage.lookup.find({ states: ['quarantined'] }, { limit: 2 })
      const [first, second] = entries.map(({ id }) => ({ id }))
      const wanted = job()
      await jobs.create(wanted)
      const lost = await claimed(storage)
      const step = { lease: lost, cursor: 'page 2', counts: '{"found":2,"moved":5}', at: 2_500, until: 13_000 }
      assert.deepEqual(await inbox.redriveStep([first!, first!], 2_500, step), { moved: 1, job: 'held' })
      const kept = await jobs.get(wanted.id)
      assert.deepEqual([kept?.cursor, JSON.parse(kept!.counts)], ['page 2', { found: 2, moved: 6 }])
      const next = await claimed(storage, 13_000)
      const late = { ...step, cursor: 'page 9' }
      assert.deepEqual(await inbox.redriveStep([second!], 13_500, late), { moved: 0, job: 'lost' })
      assert.equal((await storage.lookup.find({ states: ['quarantined'] }, { limit: 2 })).entries.length, 1)
      assert.equal((await jobs.get(wanted.id))?.cursor, 'page 2')
      await jobs.cancel(wanted.id, 'an admin', 13_600)
      const last = { ...step, lease: next, until: 30_000 }
      assert.deepEqual(await inbox.redriveStep([second!], 13_700, last), { moved: 1, job: 'cancelled' })
      await conserved(storage)
      assert.deepEqual(await storage.examine(), [])
    },
  },
  {
    promise: 'jobs are listed newest first, all of them or those of one account',
    async check({ jobs }) {
      const wanted = [job({ createdAt: 1 }), job({ createdAt: 3, org: other }), job({ createdAt: 2 })]
      for (const one of wanted) await jobs.create(one)
      const [first, second, third] = wanted.map(({ id }) => id)
      const ids = async (...asked: Parameters<typeof jobs.list>) => (await jobs.list(...asked)).map(({ id }) => id)
      assert.deepEqual(await ids(10), [second, third, first])
      assert.deepEqual(await ids(2), [second, third])
      assert.deepEqual(await ids(10, one), [third, first])
    },
  },
  {
    promise: 'a job that has ended stays listed until its time is over; one that has not stays for good',
    async check(storage) {
      const { jobs } = storage
      const [ended, unfinished] = [job(), job({ createdAt: 1_001 })]
      await jobs.create(ended)
      await jobs.create(unfinished)
      await jobs.end(await claimed(storage), done)
      assert.equal(await jobs.sweep(8_999), 0)
      assert.equal((await jobs.get(ended.id))?.state, 'done')
      assert.equal(await jobs.sweep(9_000), 1)
      assert.equal(await jobs.get(ended.id), undefined)
      assert.equal(await jobs.sweep(1e15), 0)
      assert.equal((await jobs.get(unfinished.id))?.state, 'waiting')
    },
  },
  {
    promise: 'a job whose lease was made by a clock that has been set back since is over soon',
    async check(storage) {
      const hourMs = 3_600_000
      await storage.jobs.create(job())
      const before = await claimed(storage, hourMs)
      assert.equal(await storage.jobs.claim(kinds, hourMs - 60_000, hourMs - 50_000), undefined)
      const after = await claimed(storage, 2_000)
      assert.equal(after.job.id, before.job.id)
      assert.equal(await storage.jobs.giveBack(before, 2_000), false)
    },
  },
]

/** Engines that break one of these promises on purpose; each must be caught. */
export const jobSabotages: Readonly<Record<string, (jobs: Jobs) => Partial<Jobs>>> = {
  'gives a job to two at once': (jobs) => ({ claim: (kinds, now, until) => jobs.claim(kinds, now + 3_600_000, until) }),
  'gives a job to none but its first holder': (jobs) => ({
    claim: (kinds, _now, until) => jobs.claim(kinds, 0, until),
  }),
  'lets a job be advanced by a holder that lost it': (jobs) => ({
    advance: async (lease, progress, until) => {
      const answer = await jobs.advance(lease, progress, until)
      return answer === 'lost' ? 'held' : answer
    },
  }),
  'forgets how far a job is': (jobs) => ({
    advance: (lease, progress, until) => jobs.advance(lease, { ...progress, cursor: '' }, until),
  }),
  'does not say that a job was cancelled': (jobs) => ({
    advance: async (lease, progress, until) => {
      const answer = await jobs.advance(lease, progress, until)
      return answer === 'cancelled' ? 'held' : answer
    },
  }),
  'makes two equal jobs': (jobs) => ({ create: ({ only: _only, ...job }) => jobs.create(job) }),
  'ends a job without its entry in the audit': (jobs) => ({ end: (lease, end) => jobs.end(lease, end) }),
  'keeps an ended job for good': () => ({ sweep: async () => 0 }),
  'waits for a lease that a clock made which was ahead': (jobs) => ({
    claim: (kinds, now, until) => jobs.claim(kinds, now, Math.max(until, 1e12)),
  }),
}
