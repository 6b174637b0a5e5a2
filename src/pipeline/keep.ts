/** Keeping events together: what arrives at once is sealed by account and committed in one go. */
import type { Keyring } from '../accounts/keyring.ts'
import type { Clock } from '../lib/clock.ts'
import { inGroups } from '../lib/groups.ts'
import type { Arrival, IgnoredReason, LaneKey, NewBody, NewEvent, Org } from '../storage/ports/entry.ts'
import type { Inbox } from '../storage/ports/inbox.ts'
import { bodyBytesMax, bodyTextsMax, sealTexts, type Text } from './texts.ts'

export type Arriving =
  | (Omit<NewEvent, 'body' | 'position' | 'bytes'> & { text: string | Buffer })
  | { state: 'ignored'; org: Org; type: string; reason: IgnoredReason; receivedAt: number }

export interface Kept {
  outcome: 'stored' | 'duplicate' | 'ignored'
  /** Lanes that had nothing due before, of all that was kept together. */
  woke: readonly LaneKey[]
}

/** Resolves when the event would survive a power loss, or is counted; rejects when it is not kept. */
export type Keep = (arriving: Arriving) => Promise<Kept>

/** So many at once leave room for other processes: on PostgreSQL each account of a group takes a lock of the server's. */
const groupMax = 1_000

interface Needs {
  inbox: Pick<Inbox, 'append'>
  keyring: Keyring
  clock: Clock
}

/** One group under way at a time: what arrives meanwhile is the next, so a group is as large as the load makes it. */
export function keeping({ inbox, keyring, clock }: Needs): Keep {
  const fits = (group: readonly Arriving[]) => group.length < groupMax
  const groups = inGroups({ work: (group: Arriving[]) => keepAll({ inbox, keyring }, group), fits, clock })
  // mutant: keeps a queue in memory behind the 200
  return (arriving) => groups.add(arriving)
}

/**
 * Events that turn out to be known are left out of what is sealed, so a body holds exactly what is stored. A webhook that
 * is known is counted; what was read at Drift is passed over.
 */
async function keepAll(
  { inbox, keyring }: Pick<Needs, 'inbox' | 'keyring'>,
  group: readonly Arriving[],
): Promise<Kept[]> {
  const repeats = repeatsOf(group)
  const outcomes = group.map((): Kept['outcome'] => 'duplicate')
  for (;;) {
    const rest = [...group.keys()].filter((at) => !(repeats.has(at) && isBackfilled(group[at]!)))
    if (rest.length === 0) return outcomes.map((outcome) => ({ outcome, woke: [] }))
    const { bodies, arrivals } = await sealed(
      keyring,
      rest.map((at) => ({ arriving: group[at]!, isRepeat: repeats.has(at) })),
    )
    const appended = await inbox.append(bodies, arrivals)
    if (appended.is === 'kept') {
      for (const [nth, at] of rest.entries()) outcomes[at] = appended.outcomes[nth]!
      return outcomes.map((outcome) => ({ outcome, woke: appended.woke }))
    }
    for (const nth of appended.known) repeats.add(rest[nth]!)
  }
}

function isBackfilled(arriving: Arriving): boolean {
  return arriving.state !== 'ignored' && arriving.backfilled === true
}

/** Equal events of one group are one: they differ by milliseconds. */
function repeatsOf(group: readonly Arriving[]): Set<number> {
  const seen = new Set<string>()
  const repeats = new Set<number>()
  for (const [at, arriving] of group.entries()) {
    if (arriving.state === 'ignored') continue
    const { identity, once, state } = arriving
    // A natural key counts for the accounts that are installed: what it differs by, one may choose between later.
    const known = [identity, ...(once && state !== 'unclaimed' ? [once] : [])]
    const names = known.map((bytes) => Buffer.from(bytes).toString('latin1'))
    if (names.some((name) => seen.has(name))) repeats.add(at)
    for (const name of names) seen.add(name)
  }
  return repeats
}

interface Open {
  org: Org
  texts: Text[]
  bytes: number
  /** Its number among the bodies. */
  number: number
}

async function sealed(
  keyring: Keyring,
  group: readonly { arriving: Arriving; isRepeat: boolean }[],
): Promise<{ bodies: NewBody[]; arrivals: Arrival[] }> {
  const all: Open[] = []
  const open = new Map<Org, Open>()

  function bodyFor(org: Org, bytes: number, alone: boolean): Open {
    const found = alone ? undefined : open.get(org)
    if (found && found.texts.length < bodyTextsMax && found.bytes + bytes <= bodyBytesMax) return found
    const body = { org, texts: [], bytes: 0, number: all.length }
    all.push(body)
    if (!alone) open.set(org, body)
    return body
  }

  const arrivals = group.map(({ arriving, isRepeat }): Arrival => {
    if (arriving.state === 'ignored') return arriving
    const { text, ...event } = arriving
    // An account that is not installed has no key: its events are sealed under the service's own key, each in a body of its own.
    const owner = event.state === 'unclaimed' ? '' : event.org
    if (isRepeat) return { state: 'duplicate', org: owner, type: event.type, receivedAt: event.receivedAt }
    const bytes = Buffer.byteLength(text)
    const body = bodyFor(owner, bytes, owner === '')
    body.bytes += bytes
    const position = body.texts.push({ messageId: event.messageId, text }) - 1
    return { ...event, bytes, body: body.number, position }
  })
  const bodies = await Promise.all(all.map(({ org, texts }) => sealTexts(keyring, org, texts)))
  return { bodies, arrivals }
}
