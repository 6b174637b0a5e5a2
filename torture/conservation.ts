/**
 * The conservation law, account by account, after every step of any sequence of steps, on every engine: whatever is
 * appended, leased, settled late or twice, redriven, taken away, erased, expired or claimed on install. SQLite in memory is
 * the model: the others answer the same and count the same.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { addsUp, outcomesOf } from '../src/operations/totals.ts'
import { type Alone, append, claimOne, type Ignored, laneOf } from '../src/storage/conformance.ts'
import { openStorage } from '../src/storage/open.ts'
import { ignoredReasons, type Lane, type State } from '../src/storage/ports/entry.ts'
import type { Lease, Settlement } from '../src/storage/ports/inbox.ts'
import type { TimeBucket, Total } from '../src/storage/ports/lookup.ts'
import type { Storage } from '../src/storage/ports/storage.ts'
import { openInMemory } from '../src/storage/sqlite/in-memory.ts'

const accounts = ['11', '22', ''] as const
const types = ['new_meeting', 'phone_captured'] as const
const minute = 60_000
const day = 24 * 60 * minute

/** One step: what it does to a store, and what that answers. Entries are named by their messageId, leases by number. */
type Step = (at: At) => Promise<unknown>

interface At {
  storage: Storage
  now: number
  /** Of this step alone. */
  step: number
  leases: Lease[]
}

const account = fc.constantFrom(...accounts)
const lane = fc.constantFrom<Lane>('send', 'ask')
const outcome = fc.constantFrom<Settlement['to']>(
  'delivered',
  'delivered',
  'delivered',
  'dead',
  'quarantined',
  'waiting',
  'asking',
  'ignored',
  'same',
)
function settlement(
  { id, nth, lane }: { id: number; nth: number; lane: Lane },
  wanted: Settlement['to'],
  now: number,
): Settlement {
  // What is to be sent does not wait again by itself, and Drift delivers nothing.
  const isOfOther = lane === 'ask' ? wanted === 'delivered' || wanted === 'same' : wanted === 'waiting'
  const to = isOfOther ? (lane === 'ask' ? 'waiting' : 'same') : wanted
  if (to === 'ignored') return { id, to, at: now, reason: ignoredReasons[nth]! }
  if (to === 'same') return { id, to, at: now }
  return { id, to, at: now, dueAt: now + minute, reason: 'said' }
}

/** Which of the entries that are there, whatever their state; counted from the newest. */
const some = fc.uniqueArray(fc.nat(12), { maxLength: 6 })

async function idsOf({ lookup }: Storage, which: readonly number[]): Promise<number[]> {
  const { entries } = await lookup.find({}, { limit: 1_000 })
  const inOrder = entries.sort((one, other) => (one.messageId < other.messageId ? 1 : -1))
  return which.flatMap((nth) => inOrder[nth]?.id ?? [])
}

const steps: { [name: string]: fc.Arbitrary<Step> } = {
  append: fc
    .array(
      fc.record({
        org: account,
        type: fc.constantFrom(...types),
        state: fc.constantFrom<(Alone | Ignored)['state']>(
          'waiting',
          'waiting',
          'asking',
          'unclaimed',
          'quarantined',
          'ignored',
        ),
        identity: fc.nat(30),
        reason: fc.constantFrom(...ignoredReasons),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((given) => ({ storage, now, step }) => {
      const arrivals = given.map(({ org, type, state, identity, reason }, nth): Alone | Ignored => {
        if (state === 'ignored') return { state, org, type, reason, receivedAt: now }
        const messageId = `${String(step).padStart(4, '0')}-${nth}`
        const sealed = Buffer.from('sealed')
        const known = { identity: Buffer.from(`${identity}`), rememberMs: 30 * minute }
        return { org, type, state, messageId, receivedAt: now, sealed, mapping: 1, ...known }
      })
      return append(storage, arrivals)
    }),
  claim: fc.record({ of: lane, limit: fc.integer({ min: 1, max: 4 }) }).map(({ of, limit }) => async (at) => {
    const lease = await claimOne(at.storage.inbox, of, { now: at.now, leaseMs: 2 * minute, limit, bytesMax: 1_000 })
    if (!lease) return undefined
    at.leases.push(lease)
    return [lease.org, lease.failures, lease.crashes, lease.blocked, lease.entries.map(({ messageId }) => messageId)]
  }),
  settle: fc
    .record({ which: fc.nat(3), to: fc.array(outcome, { maxLength: 4 }), ends: fc.boolean(), blocked: fc.boolean() })
    .map(({ which, to, ends, blocked }) => async ({ storage, now, leases }) => {
      // Also one that has been settled, or has run out, or whose entries have gone meanwhile.
      const lease = leases.at(-1 - which)
      if (!lease) return undefined
      const settlements = lease.entries.flatMap(({ id }, nth): Settlement[] =>
        to[nth] === undefined ? [] : [settlement({ id, nth, lane: lease.lane }, to[nth], now)],
      )
      const ending = {
        readyAt: now + minute,
        failures: blocked ? 1 : 0,
        ...(blocked ? { blocked: 'segment_401' } : {}),
      }
      return storage.inbox.settle(lease, settlements, ends ? ending : undefined)
    }),
  redrive: fc
    .record({ some, org: fc.option(account), type: fc.option(fc.constantFrom(...types)) })
    .map(({ some: which, org, type }) => async ({ storage, now }) => {
      const moves = (await idsOf(storage, which)).map((id) => ({
        id,
        ...(org === null ? {} : { org }),
        ...(type === null ? {} : { type }),
      }))
      return storage.inbox.redrive([...moves, ...moves.slice(0, 1)], now, 'an admin')
    }),
  take: fc.record({ some, org: account }).map(
    ({ some: which, org }) =>
      async ({ storage }) =>
        storage.inbox.take(org, await idsOf(storage, which)),
  ),
  erase: account.map(
    (org) =>
      ({ storage }) =>
        storage.inbox.erase(org),
  ),
  claimOnInstall: account.map(
    (org) =>
      ({ storage, now }) =>
        storage.inbox.claimOnInstall(org, now),
  ),
  expire: fc
    .record({
      notInstalled: fc.boolean(),
      bytes: fc.boolean(),
      delivered: fc.boolean(),
      failed: fc.boolean(),
      kept: fc.boolean(),
    })
    .map(({ notInstalled, bytes, delivered, failed, kept }) => ({ storage, now }) => {
      const before = (isMeant: boolean) => (isMeant ? now - 3 * minute : 0)
      return storage.inbox.expire({
        now,
        youngAfter: now - 10 * minute,
        notInstalledBefore: before(notInstalled),
        notInstalledBytesMax: bytes ? 12 : 1_000,
        deliveredBefore: before(delivered),
        failedBefore: before(failed),
        kept: kept ? ['said'] : [],
        minutesBefore: now - 10 * minute,
        hoursBefore: now - day,
      })
    }),
  hold: fc.record({ org: account, of: lane }).map(
    ({ org, of }) =>
      ({ storage }) =>
        storage.inbox.hold(laneOf(org, of), 'paused'),
  ),
  resume: fc.record({ org: account, of: lane }).map(
    ({ org, of }) =>
      ({ storage, now }) =>
        storage.inbox.resume(laneOf(org, of), now),
  ),
  retry: fc.record({ org: account, of: lane }).map(
    ({ org, of }) =>
      ({ storage, now }) =>
        storage.inbox.retry(laneOf(org, of), now),
  ),
}

const sequence = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: steps.append! },
    { weight: 5, arbitrary: steps.claim! },
    { weight: 5, arbitrary: steps.settle! },
    { weight: 3, arbitrary: steps.redrive! },
    ...['take', 'erase', 'claimOnInstall', 'expire', 'hold', 'resume', 'retry'].map((name) => ({
      weight: 1,
      arbitrary: steps[name]!,
    })),
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
)

/** How many of this outcome, by account, type and reason. */
function byReason(
  counted: readonly ((TimeBucket & { org: string }) | Total)[],
  of: Total['outcome'],
): [string, number][] {
  const outcomes = new Map<string, number>()
  for (const { org, type, outcome: is, reason, count } of counted)
    if (is === of) outcomes.set(`${org} ${type} ${reason}`, (outcomes.get(`${org} ${type} ${reason}`) ?? 0) + count)
  return [...outcomes].sort()
}

/** Totals and backlog, sorted; entries of accounts that are not installed belong to the account that counts them. */
async function countsOf({ ledger }: Storage) {
  const { totals, backlog } = await ledger.snapshotOfAll()
  const rows = [
    ...totals
      .filter(({ count }) => count !== 0)
      .map(({ org, type, outcome: of, reason, count }) => [org, type, of, reason, count].join(' ')),
    ...backlog.map(({ org, state, reason, count }) => [org, 'stands', state, reason, count].join(' ')),
  ]
  const owner = (org: string, state: State) => (state === 'unclaimed' ? '' : org)
  for (const org of accounts) {
    const outcomes = outcomesOf(
      totals.filter((total) => total.org === org),
      backlog.filter((backlogRow) => owner(backlogRow.org, backlogRow.state) === org),
    )
    assert.ok(addsUp(outcomes), `account "${org}": ${JSON.stringify(outcomes)}`)
    assert.ok(
      Object.values(outcomes).every((sum) => sum >= 0),
      `account "${org}": ${JSON.stringify(outcomes)}`,
    )
  }
  return rows.sort()
}

/** What was counted by the minute and hour: of what is ignored and repeated, as much as since the beginning. */
async function timeBucketsOf({ ledger }: Storage) {
  const each = accounts.map(async (org) =>
    (await ledger.timeBuckets(org, 0, 9e15)).map((bucket) => ({ org, ...bucket })),
  )
  const timeBuckets = (await Promise.all(each)).flat()
  const totals = await ledger.totals()
  // No step is a day later than another, so no time bucket has expired.
  for (const one of ['ignored', 'duplicate'] as const)
    assert.deepEqual(byReason(timeBuckets, one), byReason(totals, one), one)
  return timeBuckets
    .map(({ org, at, type, outcome: of, reason, count }) => [org, at, type, of, reason, count].join(' '))
    .sort()
}

/** Every lane has its turn once, so that whose turn is next is never a matter of taste. */
const opening: Step[] = (['waiting', 'asking'] as const).flatMap((state) =>
  accounts.map((org) => async ({ storage: { inbox }, now }) => {
    const messageId = `opening ${org} ${state}`
    const known = { identity: Buffer.from(messageId), rememberMs: minute, sealed: Buffer.from('sealed') }
    await append({ inbox }, [{ org, type: types[0], state, messageId, receivedAt: now, mapping: 1, ...known }])
    const options = { now, leaseMs: minute, limit: 1, bytesMax: 1_000 }
    const lease = (await claimOne(inbox, state === 'waiting' ? 'send' : 'ask', options))!
    const settled = { id: lease.entries[0]!.id, to: 'ignored', at: now, reason: 'empty' } as const
    await inbox.settle(lease, [settled], { readyAt: now, failures: 0 })
    return lease.org
  }),
)

async function holds(taken: readonly Step[], storage: Storage): Promise<void> {
  const model = openInMemory()
  const [modelLeases, leases]: [Lease[], Lease[]] = [[], []]
  for (const [step, take] of [...opening, ...taken].entries()) {
    const now = 1_800_000_000_000 + step * minute
    const wanted = await take({ storage: model, now, step, leases: modelLeases })
    const got = await take({ storage, now, step, leases })
    assert.deepEqual(got, wanted, `step ${step}`)
    assert.deepEqual(await countsOf(storage), await countsOf(model), `after step ${step}`)
  }
  assert.deepEqual(await timeBucketsOf(storage), await timeBucketsOf(model))
}

/**
 * So many sequences of steps, each on a store of its own that `fresh` names. Throws at the first that breaks the law,
 * with the seed and the shortest sequence that does.
 */
export async function walkStores(fresh: () => Promise<string>, seed: number, sequences: number): Promise<void> {
  const walk = fc.asyncProperty(sequence, async (taken) => {
    const storage = await openStorage(await fresh(), 'serve')
    try {
      await holds(taken, storage)
    } finally {
      await storage.close()
    }
  })
  await fc.assert(walk, { seed, numRuns: sequences })
}
