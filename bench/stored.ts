/**
 * Stores with a history, made through the ports of the store and sealed as the service seals: what months of work leave in it,
 * and what an outage does where each event came alone.
 */
import { destinationsOf, firstOf } from '../src/accounts/destinations.ts'
import { changeSettings } from '../src/accounts/settings.ts'
import { sealWriteKey } from '../src/accounts/write-key.ts'
import { type Env, readConfig } from '../src/config.ts'
import { fixtureTypes, readFixture } from '../src/events/fixtures.ts'
import { systemRandom, timeOrderedId } from '../src/lib/random.ts'
import { bodyTextsMax, sealTexts, type Text } from '../src/pipeline/texts.ts'
import { openStore, type Store } from '../src/service.ts'
import type { Attempt, NewBody, NewEvent } from '../src/storage/ports/entry.ts'
import type { Lease, Settlement } from '../src/storage/ports/inbox.ts'
import { firstOrg, webhookOf, writeKeyOf } from './webhook.ts'

/** Events of one commit. */
const groupMax = 1_000
/** Groups that are kept before what they brought is delivered: a lease a lane is the same for many events as for few. */
const groupsBetween = 20
const dayMs = 24 * 3_600_000
/** Less than delivered events are kept for. */
const spreadMs = 6.5 * dayMs

/** Of every thousand events so many end otherwise than well. The others are delivered. */
const perThousand = { dead: 10, filtered: 5, quarantined: 3 }
/** Every so manieth event is a request for deletion. */
const requestEach = 20_000
/** Of the newest, one in so many still waits. */
const waitingShare = 200

/** A contact that far more events name than any other, such as one of a test tool. */
export const busyContact = 21_727_999_999
const deadFor = ['segment_400', 'conversation_missing', 'translation_failed']
const oddFor = ['shape_unknown', 'nobody_named']

export interface Made {
  event: Omit<NewEvent, 'body' | 'position' | 'bytes'>
  text: string
}

/**
 * Adds so many events of a week to accounts that are installed: six in ten to the first of them, which gets a second
 * destination towards the end, as every tenth account does. All states and types are among them; the newest wait.
 */
export async function addSpread(env: Env, entries: number, accountCount: number): Promise<void> {
  const store = await openStore(readConfig(env, 'store'), 'create')
  try {
    const types = await fixtureTypes()
    const samples = await Promise.all(types.map(async (type) => ({ type, data: (await readFixture(type)).drift.data })))
    const from = store.clock.now() - spreadMs
    const timeOf = (n: number) => Math.floor(from + (n * spreadMs) / entries)
    const secondFrom = Math.floor((entries * 5) / 6)
    const waitingFrom = entries - Math.ceil(entries / waitingShare)
    for (let n = 0, groups = 0; n < entries; groups++) {
      if (n <= secondFrom && n + groupMax > secondFrom) await addSecond(store, accountCount)
      const end = Math.min(n + groupMax, entries, n < waitingFrom ? waitingFrom : entries)
      const made: Made[] = []
      for (let at = n; at < end; at++) made.push(oneOf(store, samples, at, accountCount, timeOf(at), at >= waitingFrom))
      await keep(store, made, bodyTextsMax)
      n = end
      const at = timeOf(n - 1) + 1_000
      if (n < waitingFrom ? groups % groupsBetween === 0 : n === waitingFrom) await deliver(store, at)
    }
    await fail(store, timeOf(entries))
    await noteSeveral(store)
    // What people search by follows the entries.
    await store.storage.lookup.find({ message: 'none' }, { limit: 1 })
  } finally {
    await store.close()
  }
}

/** Adds so many events of one account, received within an hour, that all wait, each sealed by itself. */
export async function addWaitingAlone(env: Env, entries: number): Promise<void> {
  const store = await openStore(readConfig(env, 'store'), 'create')
  try {
    const now = store.clock.now()
    for (let n = 0; n < entries; n += groupMax) {
      const timeOf = (at: number) => now - Math.floor(((entries - at) * 3_600_000) / entries)
      const length = Math.min(groupMax, entries - n)
      const made = Array.from({ length }, (_, more) => clickOf(firstOrg, n + more, timeOf(n + more)))
      await keep(store, made, 1)
    }
    await store.storage.lookup.find({ message: 'none' }, { limit: 1 })
  } finally {
    await store.close()
  }
}

/** Events to be sent, as a webhook of a click brings them. */
export function clickOf(org: number, n: number, at: number): Made {
  const contact = String(21_727_000_000 + (n % 5_000))
  const event = { ...waiting(org, 'button_clicked', at), contact, conversation: String(n) }
  // The service keeps it without the token.
  return { text: webhookOf(org, n, at).replace(/"token":"[^"]*",/, ''), event }
}

function waiting(org: number, type: string, receivedAt: number): Made['event'] {
  const identity = systemRandom.bytes(16)
  // In front stands the time, as of an identity that the service makes.
  identity.writeUInt32BE(Math.floor(receivedAt / 1_000))
  return {
    state: 'waiting',
    org: String(org),
    type,
    messageId: `drift-${timeOrderedId(systemRandom, receivedAt)}`,
    receivedAt,
    identity,
    rememberMs: 30 * dayMs,
    mapping: 1,
  }
}

function oneOf(
  { keyring }: Store,
  samples: readonly { type: string; data: unknown }[],
  n: number,
  accountCount: number,
  at: number,
  isNew: boolean,
): Made {
  const isLarge = n % 5 < 3 || accountCount === 1
  const org = isLarge ? firstOrg : firstOrg + 1 + (n % (accountCount - 1))
  const { type, data } = samples[(n * 7) % samples.length]!
  const person = isLarge && n % 50 === 0 ? busyContact : 21_727_000_000 + ((n * 7_919) % 50_000)
  const named = { contact: String(person), conversation: String(3_969_000_000 + Math.floor(n / 3)) }
  const text = JSON.stringify({ data, orgId: org, type })
  const event = { ...waiting(org, type, at), ...named }
  if (n % requestEach === 0) {
    const request = { state: 'quarantined', reason: 'gdpr_delete_requested', type: 'gdpr_delete_requested' } as const
    return { text, event: { ...event, ...request } }
  }
  if (n % 1_000 < perThousand.quarantined)
    return { text, event: { ...event, state: 'quarantined', reason: oddFor[n % oddFor.length]! } }
  if (isNew && n % 7 === 0) return { text, event: { ...event, state: 'asking', dueAt: at + dayMs } }
  // One in a hundred begins a conversation or a meeting that no other does.
  return { text, event: n % 100 === 0 ? { ...event, once: keyring.identity(`bench ${n}`) } : event }
}

/** As the service keeps a group: one body for up to `textsMax` events of an account. */
export async function keep({ storage, keyring }: Store, made: readonly Made[], textsMax: number): Promise<void> {
  const all: { org: string; texts: Text[]; number: number }[] = []
  const open = new Map<string, (typeof all)[number]>()
  const arrivals = made.map(({ event, text }): NewEvent => {
    const found = open.get(event.org)
    const body = found && found.texts.length < textsMax ? found : { org: event.org, texts: [], number: all.length }
    if (body !== found) open.set(event.org, all[all.push(body) - 1]!)
    const position = body.texts.push({ messageId: event.messageId, text }) - 1
    return { ...event, body: body.number, position, bytes: Buffer.byteLength(text) }
  })
  const bodies: NewBody[] = await Promise.all(all.map(({ org, texts }) => sealTexts(keyring, org, texts)))
  const { is } = await storage.inbox.append(bodies, arrivals)
  if (is !== 'kept') throw new Error('an event of the store was known')
}

/** Another destination for the first account, and for every tenth. */
async function addSecond({ storage, accounts, keyring, clock }: Store, accountCount: number): Promise<void> {
  for (let org = firstOrg; org < firstOrg + accountCount; org += 10) {
    const id = String(org)
    const key = await sealWriteKey(keyring, id, 2, `second${writeKeyOf(org)}`.slice(0, 32))
    await storage.inbox.addDestination(id, 2)
    await accounts.change(id, clock.now(), ({ reason: _, ...known }) => {
      const destinations = [...destinationsOf(known), { ...firstOf(known), number: 2, name: 'Warehouse', key }]
      return changeSettings(known, { destinations, lastDestination: 2 })
    })
  }
}

/** Settles all that waits as the service does: 500 events a claim, of which a hundred had one request. */
async function deliver({ storage: { inbox } }: Store, at: number): Promise<void> {
  for (;;) {
    const { leases } = await inbox.claim('send', {
      now: at,
      leaseMs: 60_000,
      limit: 500,
      bytesMax: 2 ** 30,
      room: 8,
    })
    if (leases.length === 0) return
    for (const lease of leases)
      await inbox.settle(lease, settled(lease, at), { readyAt: at, failures: 0, tried: { at } })
  }
}

function settled({ entries }: Lease, at: number): Settlement[] {
  let attempt: Attempt = { at, ms: 80, status: 200, many: 0, tries: 1 }
  return entries.map(({ id }, nth): Settlement => {
    if (nth % 100 === 0) attempt = { ...attempt, many: Math.min(100, entries.length - nth) }
    const end = hashOf(id) % 1_000
    if (end < perThousand.dead) {
      const refused = { ...attempt, status: 400, many: 1, reason: 'segment_400' }
      return { id, at, to: 'dead', reason: deadFor[end % deadFor.length]!, attempt: refused }
    }
    if (end < perThousand.dead + perThousand.filtered) return { id, at, to: 'ignored', reason: 'filtered' }
    return { id, at, to: 'delivered', attempt }
  })
}

/** The same for the same id, and unlike that of its neighbours. */
function hashOf(id: number): number {
  return Number((BigInt(id) * 2_654_435_761n) % 4_294_967_296n) >>> 7
}

/** What is left waits for a Segment that answers 503. */
async function fail({ storage: { inbox }, clock }: Store, at: number): Promise<void> {
  const readyAt = clock.now() + dayMs
  const leases: Lease[] = []
  for (;;) {
    const claimed = await inbox.claim('send', { now: at, leaseMs: 60_000, limit: 1, bytesMax: 1, room: 8 })
    if (claimed.leases.length === 0) break
    leases.push(...claimed.leases)
  }
  for (const lease of leases)
    await inbox.settle(lease, [], { readyAt, failures: 5, tried: { at, lastError: 'segment_503' } })
}

/** Audit entries of a busy admin of the first account. */
async function noteSeveral({ storage: { audit }, clock }: Store): Promise<void> {
  const org = String(firstOrg)
  for (let n = 0; n < 5_000; n++)
    await audit.add({
      at: clock.now() - (5_000 - n) * 60_000,
      org,
      who: 'console',
      what: 'looked at data',
      about: 'drift-x',
    })
}
