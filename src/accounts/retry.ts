/** "Retry now" and "Resume": one attempt at once, and what it brought. */
import { leftAlone } from '../lib/backoff.ts'
import { type Clock, pause } from '../lib/clock.ts'
import type { Install } from '../storage/ports/accounts.ts'
import { askLane, type Destination, type LaneKey, type Org, sendLane } from '../storage/ports/entry.ts'
import type { Asked } from '../storage/ports/inbox.ts'
import type { LaneShown } from '../storage/ports/lookup.ts'
import type { Storage } from '../storage/ports/storage.ts'
import type { Accounts } from './accounts.ts'
import { type Done, isResumable, resumeAccount } from './actions.ts'
import { record } from './audit.ts'
import { type DestinationDone, resumeDestination } from './destination-actions.ts'
import { destinationOf, destinationsOf } from './destinations.ts'
import type { Keyring } from './keyring.ts'
import { holdOf, isLeaving, isThere, leaving, resumedAt } from './state.ts'

interface Needs {
  accounts: Accounts
  storage: Pick<Storage, 'audit' | 'lookup' | 'inbox'>
  clock: Clock
  /** Looks at the lanes now, since no account has changed; a service beside this process notices by itself. */
  wake?(): void
}

/** Which of an account's lanes. */
export type LaneAt = Pick<LaneKey, 'lane' | 'destination'>

/** A lane that was left alone, and until when. */
export type Later = LaneAt & Pick<Extract<Asked, { is: 'later' }>, 'at' | 'why'>

/** The lanes in which an attempt is made, and those that wait for a later time all the same. None: nothing waits. */
export interface Attempt {
  asked: LaneAt[]
  later: Later[]
}

/** `held`: nothing of the account, or to the destination, is sent, so nothing was tried. */
export type Retried = ({ is: 'done' } & Attempt) | { is: 'gone' } | { is: 'held'; reason: string }

export type Resumed = Exclude<Done, { is: 'done' }> | ({ is: 'done'; install: Install } & Attempt)

/** A command waits so long for what an attempt brings. */
const patienceMs = 20_000
const lookMs = 100

/**
 * What waits for a later time is tried now, in any state in which something is sent: of one destination where it is named,
 * else of all that nothing holds, and what is asked of Drift.
 */
export async function retryNow(needs: Needs, org: Org, who: string, destination?: Destination): Promise<Retried> {
  const { accounts, storage, clock } = needs
  const install = accounts.get(org)
  if (!install || !isThere(install)) return { is: 'gone' }
  if (destination !== undefined && !destinationOf(install, destination)) return { is: 'gone' }
  const hold = holdOf(install, destination)
  if (hold !== undefined) return { is: 'held', reason: hold }
  const free = destinationsOf(install).filter(({ number }) => holdOf(install, number) === undefined)
  const numbers = destination === undefined ? free.map(({ number }) => number) : [destination]
  const lanes = [
    ...numbers.map((number) => sendLane(org, number)),
    ...(destination === undefined ? [askLane(org)] : []),
  ]
  const at = clock.now()
  const attempt: Attempt = { asked: [], later: [] }
  for (const key of lanes) {
    const where = { lane: key.lane, destination: key.destination }
    const answer = await storage.inbox.retry(key, at)
    // Another process has paused it meanwhile.
    if (answer.is === 'held' && key.lane === 'send' && numbers.length === 1) return answer
    if (answer.is === 'asked') attempt.asked.push(where)
    if (answer.is === 'later') attempt.later.push({ ...where, at: answer.at, why: answer.why })
  }
  if (attempt.asked.length > 0) {
    const about = destination === undefined ? {} : { about: `destination ${destination}` }
    await record({ ...storage, clock }, { org, who, act: 'retried', ...about })
    needs.wake?.()
  }
  return { is: 'done', ...attempt }
}

/** Ends a pause or a refusal, of the account with all its destinations; what waits is tried now. */
export async function resumeNow(needs: Needs, org: Org, who: string): Promise<Resumed> {
  const done = await resumeAccount(needs, org, who)
  return done.is === 'done' ? { ...done, ...(await triedBy(needs, done.install)) } : done
}

/** The same of one destination. */
export async function resumeDestinationNow(
  needs: Needs & { keyring: Keyring },
  org: Org,
  destination: Destination,
  who: string,
): Promise<DestinationDone & Partial<Attempt>> {
  const done = await resumeDestination(needs, org, destination, who)
  if (done.is !== 'done') return done
  const { asked, later } = await triedBy(needs, done.install)
  const isMeant = (one: LaneAt) => one.lane === 'ask' || one.destination === destination
  return { ...done, asked: asked.filter(isMeant), later: later.filter(isMeant) }
}

/** What the account's lanes do since it was saved so. */
async function triedBy({ storage }: Needs, { org, updatedAt: at }: Install): Promise<Attempt> {
  const lanes = (await storage.lookup.lanes(org)).filter(({ hold }) => hold === undefined)
  // By its time, since the attempt may be over already.
  const isAsked = ({ askedAt }: LaneShown) => askedAt === at
  const later = lanes.filter((lane) => !isAsked(lane)).flatMap((lane) => laterOf(lane, at) ?? [])
  return { asked: lanes.filter(isAsked).map(({ lane, destination }) => ({ lane, destination })), later }
}

/** Until when this lane is left alone although a person asks; undefined where an attempt would be made, or nothing waits. */
export function laterOf(shown: LaneShown, now: number): Later | undefined {
  if (shown.readyAt === undefined || shown.hold !== undefined) return undefined
  const later = leftAlone(shown, now)
  return later && { lane: shown.lane, destination: shown.destination, ...later }
}

/** These lanes once the attempt in each has ended, or when the time is up: one that is still `asked` has not ended. */
export async function afterAttempt(
  { storage, clock }: Pick<Needs, 'clock'> & { storage: Pick<Storage, 'lookup'> },
  org: Org,
  lanes: readonly LaneAt[],
  { waitMs = patienceMs, signal }: { waitMs?: number; signal?: AbortSignal } = {},
): Promise<LaneShown[]> {
  const until = clock.monotonic() + waitMs
  for (;;) {
    const shown = (await storage.lookup.lanes(org)).filter((one) => lanes.some((lane) => isSameLane(one, lane)))
    const isOver = shown.every(({ asked }) => !asked)
    if (isOver || clock.monotonic() >= until || signal?.aborted) return shown
    await pause(clock, lookMs, signal)
  }
}

export function isSameLane(one: LaneAt, other: LaneAt): boolean {
  return one.lane === other.lane && one.destination === other.destination
}

/** Whether "Retry now" would try something: something waits for a later time, and nothing holds the account or the named destination. */
export function canRetry(
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  number?: Destination,
): boolean {
  const waits = ({ hold, readyAt = now, leaseUntil = 0 }: LaneShown) =>
    hold === undefined && readyAt > now && leaseUntil <= now
  const isMeant = ({ lane, destination }: LaneShown) =>
    number === undefined || (lane === 'send' && destination === number)
  const isFree = install !== undefined && isThere(install) && holdOf(install, number) === undefined
  return isFree && lanes.some((lane) => isMeant(lane) && waits(lane))
}

/** Whether "Resume" would end something, of the account or of one destination: not what only Drift's answer or the operator ends. */
export function canResume(install: Install | undefined, number?: Destination): boolean {
  if (!install || install.notAllowed || install.unreadable) return false
  if (number !== undefined) return !isLeaving(install) && resumedAt(install, number) !== undefined
  return isResumable(install) && install.reason !== leaving
}
