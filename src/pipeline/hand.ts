/** What one lease of the send lane has in hand: the entries that it took up and has not settled, and when it takes up more. */
import type { Clock } from '../lib/clock.ts'
import { type Given, isBehind, type Placed } from '../storage/ports/entry.ts'
import type { Inbox, Lease } from '../storage/ports/inbox.ts'
import { leaseBytesMax } from './prepare.ts'
import type { Turn } from './worker.ts'

export interface Hand {
  /**
   * The entries that come next, if it is time to read them and there is room in hand. `mayStart`: a request could start
   * at once, so that it makes sense to look for what has just come.
   */
  next(mayStart: boolean): Promise<Given> | undefined
  /** The line goes on behind what was read last. */
  isLong(): boolean
  /** It takes up what comes. */
  goesOn(): boolean
  /** It would, and has no room in hand. */
  isFull(): boolean
  /**
   * How long until `next` is worth a call although nothing has ended or come; infinite if it is not. `startInMs`: when a
   * request could start.
   */
  againInMs(startInMs: number): number
  /** These are being settled; what is returned is to be called when the store has it. */
  letGo(ids: readonly number[]): () => void
}

interface Needs {
  inbox: Pick<Inbox, 'more'>
  clock: Clock
  /** Messages in one request, and entries read in one go, at most. */
  messagesMax: number
  /** Whether the account is still as it was when the lease began. */
  isAsBegun(): boolean
  /** Called when something has come that may be read. */
  came(): void
}

/** Requests' worth of entries that a lease has in hand at most. */
const requestsMax = 8
/** The same where all that comes next was read at Drift: what webhooks bring meanwhile finds room beside it. */
const historyRequestsMax = 2
/** A read that gave fewer than this part of what was asked for has emptied the queue: the next one would give nothing. */
const worthMore = 1 / 5
/**
 * A lease that goes on reads its queue again from the beginning this often: events that were claimed on install, or whose
 * place was committed after a later one, stand before what was read last.
 */
const readAgainMs = 1_000
/**
 * Then a lease takes up nothing more and ends: what people see of a lane, such as what an attempt brought that they asked
 * for, is written at a lease's end, and they wait 20 s for it.
 */
const lastsMs = 15_000

export function openHand({ inbox, clock, messagesMax, isAsBegun, came }: Needs, lease: Lease, turn: Turn): Hand {
  // A probe, or whatever follows a failure or a crash, stays with what was claimed.
  const staysAlone = lease.asked || lease.blocked !== undefined || lease.crashes + lease.failures > 0
  const endsAt = clock.monotonic() + lastsMs
  const held = new Map<number, Pick<Placed, 'place'> & { bytes: number }>()
  let bytes = 0
  let last = 0
  let isLong = isMany(lease.entries.length)
  /** Something has come behind what was read last, or perhaps before it as well. */
  let comes: 'behind' | 'anywhere' | undefined
  let againAt = clock.monotonic() + readAgainMs
  /** Settled while entries are being read: what is read may be older than that. */
  let gone: (() => void)[] | undefined

  take(lease.entries)

  function isMany(count: number, most = messagesMax): boolean {
    return count >= Math.min(messagesMax * worthMore, most)
  }

  function take(entries: readonly Placed[]): void {
    for (const { id, place, bytes: length } of entries) {
      held.set(id, { place, bytes: length })
      bytes += length
      last = Math.max(last, place)
    }
  }

  function forget(id: number, place: number): void {
    const one = held.get(id)
    // Settled and driven again, it has another place by now.
    if (one?.place !== place) return
    held.delete(id)
    bytes -= one.bytes
  }

  function requests(): number {
    const goesOn = !staysAlone && clock.monotonic() < endsAt && isAsBegun()
    const most = isHistory() && comes === undefined ? historyRequestsMax : requestsMax
    return goesOn ? Math.min(most, turn.share()) : 0
  }

  /** Webhooks brought nothing more when the queue was read last. */
  function isHistory(): boolean {
    return isBehind(last)
  }

  /** How much more may be taken in hand; undefined: nothing now. */
  function roomLeft(): { entries: number; bytes: number } | undefined {
    const many = requests()
    const left = { entries: many * messagesMax - held.size, bytes: many * leaseBytesMax - bytes }
    return left.entries > 0 && left.bytes > 0 ? left : undefined
  }

  async function read(fromBeginning: boolean, many: number, bytesMax: number): Promise<Given> {
    gone = []
    try {
      const found = fromBeginning
        ? await inbox.more(lease, 0, { limit: held.size + many, bytesMax: bytes + bytesMax })
        : await inbox.more(lease, last, { limit: many, bytesMax })
      const entries = found.entries.filter(({ id, place }) => held.get(id)?.place !== place)
      isLong = entries.length > 0 && isMany(entries.length, many)
      take(entries)
      return { entries, bodies: found.bodies }
    } finally {
      for (const forgetIt of gone.splice(0)) forgetIt()
      gone = undefined
    }
  }

  turn.onWake((anywhere) => {
    if (anywhere || comes === undefined) comes = anywhere ? 'anywhere' : 'behind'
    came()
  })

  return {
    next(mayStart) {
      const left = roomLeft()
      if (!left) return undefined
      const isBefore = comes === 'anywhere' || (comes === 'behind' && isHistory())
      // mutant: never reads again what was committed behind it
      const fromBeginning = isBefore || clock.monotonic() >= againAt
      if (!fromBeginning && !isLong && !(comes === 'behind' && mayStart)) return undefined
      comes = undefined
      if (fromBeginning) againAt = clock.monotonic() + readAgainMs
      return read(fromBeginning, Math.min(messagesMax, left.entries), Math.min(leaseBytesMax, left.bytes))
    },
    isLong: () => isLong,
    goesOn: () => requests() > 0,
    isFull: () => requests() > 0 && roomLeft() === undefined,
    againInMs(startInMs) {
      if (!roomLeft()) return Number.POSITIVE_INFINITY
      const readAgainInMs = Math.max(againAt - clock.monotonic(), 0)
      return comes === undefined ? readAgainInMs : Math.min(readAgainInMs, startInMs)
    },
    letGo(ids) {
      const were = ids.map((id) => [id, held.get(id)?.place ?? 0] as const)
      const forgetThem = () => {
        for (const [id, place] of were) forget(id, place)
      }
      return () => (gone ? void gone.push(forgetThem) : forgetThem())
    },
  }
}
