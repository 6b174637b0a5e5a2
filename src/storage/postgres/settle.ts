/** What became of the entries of leases, all of it in one statement: see settle_all_2 in functions/. */
import { type Clock, systemClock } from '../../lib/clock.ts'
import { codeOf } from '../../lib/errors.ts'
import { inGroups } from '../../lib/groups.ts'
import type { Attempt, Lane, LaneKey } from '../ports/entry.ts'
import type { Ending, Lease, Settlement } from '../ports/inbox.ts'
import { shorten } from './attempts.ts'
import { columns } from './counts.ts'
import { type Database, prepared } from './database.ts'
import { takeBack } from './given.ts'
import { keyOf } from './lanes.ts'

export interface Settled {
  /** Whether the lease was its holder's. */
  held: boolean
  /** When its lane is ready again, if the lease was given back and something is in the lane. */
  readyAt: number | undefined
  /** Lanes that have woken up. */
  woke: LaneKey[]
}

interface Settling {
  lease: Lease
  settlements: readonly Settlement[]
  ending: Ending | undefined
}

/** In one statement: where it waits for a lock, all of them wait. */
const leasesMax = 16
const settlementsMax = 2_000

/** Settles together what comes while an earlier statement is under way. */
export function openSettling(db: Database, clock: Clock = systemClock) {
  const groups = inGroups({
    work: (group: Settling[]) => settleApart(db, group),
    fits: (group, { settlements }) =>
      group.length < leasesMax &&
      group.reduce((sum, one) => sum + one.settlements.length, settlements.length) <= settlementsMax,
    clock,
  })
  return async (lease: Lease, settlements: readonly Settlement[], ending?: Ending): Promise<Settled> => {
    const settled = await groups.add({ lease, settlements, ending })
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  }
}

/** What the server refuses for one of them is settled without it: each by itself. */
async function settleApart(db: Database, group: readonly Settling[]): Promise<PromiseSettledResult<Settled>[]> {
  try {
    return (await settleAll(db, group)).map((value) => ({ status: 'fulfilled', value }))
  } catch (error) {
    // mutant: lets what one account's settlement is refused for keep others from settling
    if (group.length === 1 || codeOf(error) !== 'store_statement_failed') throw error
    return Promise.allSettled(group.map(async (one) => (await settleAll(db, [one]))[0]!))
  }
}

const settling = prepared(
  `SELECT * FROM settle_all_2(${Array.from({ length: 34 }, (_, at) => `$${at + 1}`).join(', ')})`,
)

async function settleAll(db: Database, group: readonly Settling[]): Promise<Settled[]> {
  const inOrder = group.toSorted((one, other) => compare(nameOf(one.lease), nameOf(other.lease)))
  const leases = inOrder.map(leaseOf)
  const rows = await db.alone(
    settling,
    leases.filter(({ isSharing }) => isSharing).map(({ org }) => org),
    ...columns(leases, ['org', 'destination', 'lane', 'token', 'holder', 'settlements', 'attempts']),
    ...columns(leases, ['ends', 'readyAt', 'failures', 'blocked', 'triedAt', 'last_error', 'retryAfterAt', 'crashed']),
    ...columns(
      leases.flatMap(({ settled }) => settled),
      ['id', 'to', 'at', 'reason', 'dueAt', 'contact', 'conversation', 'known', 'nth', 'earlier'],
    ),
    ...columns<Attempt>(
      leases.flatMap(({ made }) => made),
      ['at', 'ms', 'status', 'many', 'tries', 'reason', 'nextAt', 'excerpt'],
    ),
  )
  const results = new Map(
    inOrder.map((one): [Settling, Settled] => [one, { held: false, readyAt: undefined, woke: [] }]),
  )
  for (const { nth, held, ready, woke_org, woke_destination, woke_lane } of rows) {
    const result = results.get(inOrder[Number(nth) - 1]!)!
    result.held = held === true
    if (ready !== null) result.readyAt = Number(ready)
    if (woke_org !== null)
      result.woke.push({ org: woke_org as string, destination: Number(woke_destination), lane: woke_lane as Lane })
  }
  for (const [{ lease, settlements }, { held }] of results) {
    const gone = settlements.flatMap(({ id, to }) => (to === 'same' ? [] : [id]))
    if (held) takeBack(lease, gone)
  }
  await shorten(db, [...new Set(rows.flatMap(({ long }) => (long ?? []) as unknown[]))])
  return group.map((one) => results.get(one)!)
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function nameOf(lease: Lease): string {
  return keyOf(lease).join(' ')
}

/** One lease's part of the statement. */
function leaseOf({ lease, settlements, ending }: Settling) {
  const nths = new Map<Attempt, number>()
  const nthOf = (attempt: Attempt) => nths.get(attempt) ?? nths.set(attempt, nths.size + 1).size
  const settled = settlements.map((settlement) => ({
    ...settlement,
    reason: 'reason' in settlement ? settlement.reason : undefined,
    earlier: settlement.earlier?.map(nthOf).join(','),
    nth: settlement.attempt && nthOf(settlement.attempt),
  }))
  const { org, destination, lane, token, holder } = lease
  const { tried, ...ended } = ending ?? {}
  return {
    ...{ org, destination, lane, token, holder },
    isSharing: lane === 'ask' || settlements.some(({ to }) => to === 'asking'),
    settlements: settled.length,
    attempts: nths.size,
    ends: ending !== undefined,
    ...{
      readyAt: undefined,
      failures: undefined,
      blocked: undefined,
      retryAfterAt: undefined,
      crashed: false,
      ...ended,
    },
    triedAt: tried?.at,
    last_error: tried?.lastError,
    settled,
    made: [...nths.keys()],
  }
}
