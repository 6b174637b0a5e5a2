/**
 * What the tests of the promise stand on: the real service on a file between the simulators. The clock is turned by the
 * tests, so hours of backing off take no time. What Segment took, and all it was sent, is the oracle.
 */
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import type { JsonObject } from '../src/lib/json.ts'
import type { Received } from '../src/sim/server.ts'
import { type ManualClock, manualClock, timePasses } from './clock.ts'
import { closeCounted, org, type Rig, type RigOptions, startRig } from './rig.ts'

export const [minute, hour] = [60_000, 3_600_000]
export const options = { timeout: 60_000 }

/** Of the test that runs, once it has called `start`. */
export let rig: Rig
export let clock: ManualClock

export async function start(more: RigOptions = {}): Promise<void> {
  // Ahead of the system's clock, by which commands beside the service go.
  clock = manualClock(Date.now() + hour)
  rig = await startRig({ clock, ...more })
}

afterEach(() => closeCounted(rig))

/** A contact's n-th change; it needs no lookup. */
export function update(contact: number, n: number): JsonObject {
  const data = { endUserId: contact, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] }
  return { type: 'contact_updated', orgId: org, data }
}

/** The n-th change in a contact's conversation; Drift must be asked whose it is. */
export function joins(contact: number, n: number): JsonObject {
  const data = { conversationId: contact + 1_000_000, addedParticipants: [1], changedAt: n }
  return { type: 'conversation_participant_added', orgId: org, data }
}

export async function post(event: JsonObject | string, more: object = {}): Promise<void> {
  const { status } = await rig.sims.drift.send(event, { to: rig.to, orgId: org, ...more })
  assert.equal(status, 200)
}

/** The n-th change of each of the first contacts, at once. */
export async function postOfEach(contacts: number, n: number): Promise<void> {
  await Promise.all(Array.from({ length: contacts }, (_, at) => post(update(at + 1, n))))
}

/** So many looks, at least 3 ms apart, that show the same: what is under way waits for the clock, such as for a deadline. */
const looksAlike = { idle: 3, atWork: 50 }

/** Something is under way as long as a lane is leased or the partners get requests; then the clock stands. */
function busy(): () => Promise<boolean> {
  let [before, alike] = ['', 0]
  return async () => {
    const { segment, drift } = rig.sims
    const leased = await isAtWork()
    const now = `${segment.requests.length + drift.requests.length} ${leased}`
    alike = now === before ? alike + 1 : 0
    before = now
    return alike < (leased ? looksAlike.atWork : looksAlike.idle)
  }
}

async function isAtWork(): Promise<boolean> {
  const { storage, accounts } = rig.service.store
  // Answered after whatever a timer has just begun.
  await storage.inbox.nextDue('send')
  const lanes = await Promise.all(accounts.all().map((install) => storage.lookup.lanes(install.org)))
  return lanes.flat().some(({ leaseUntil }) => leaseUntil !== undefined && leaseUntil > clock.now())
}

export async function passTime(isSo: () => boolean | Promise<boolean>): Promise<number> {
  return timePasses(clock, isSo, busy(), () => rig.sims.segment.requests.length)
}

/** Lets so much time pass, in steps short enough that nothing is skipped. */
export async function pass(ms: number): Promise<void> {
  const end = clock.now() + ms
  await passTime(() => clock.now() >= end)
}

export async function delivered(many: number): Promise<void> {
  await passTime(async () => (await rig.outcomes()).delivered === many)
}

export async function backlogNow(): Promise<Record<string, number>> {
  const backlog = await rig.service.store.storage.ledger.backlog()
  return Object.fromEntries(
    backlog.flatMap(({ state, reason, count }) => (state === 'delivered' ? [] : [[`${state}: ${reason}`, count]])),
  )
}

export const installed = () => rig.service.store.accounts.get(String(org))

/** Every message of these requests as the text it was sent as. */
function messagesIn(requests: readonly Received[]): { messageId: string; text: string }[] {
  return requests.flatMap(({ body }) => {
    const { batch } = JSON.parse(body) as { batch: JsonObject[] }
    return batch.map((message) => {
      const text = JSON.stringify(message)
      assert.ok(body.includes(text))
      return { messageId: String(message.messageId), text }
    })
  })
}

/** Whatever was sent more than once was the same, byte for byte; returns how many different messages there were. */
export function sameEachTime(requests: readonly Received[]): number {
  const texts = new Map<string, string>()
  for (const { messageId, text } of messagesIn(requests)) {
    assert.equal(texts.get(messageId) ?? text, text)
    texts.set(messageId, text)
  }
  assert.equal(new Set(texts.values()).size, texts.size)
  return texts.size
}

/** The n of each contact's updates, in the order in which Segment first took them. */
export function updatesOf(accepted: readonly { message: JsonObject }[]): Record<string, number[]> {
  const seen: Record<string, number[]> = {}
  for (const { message } of accepted) {
    const { n } = (message.traits ?? {}) as { n?: number }
    const contact = String(message.anonymousId)
    if (n !== undefined) seen[contact] = [...(seen[contact] ?? []), n]
  }
  return seen
}
