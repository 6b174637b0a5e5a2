/** What a store keeps and hands out, in a few maps: what steps.ts does to an engine, and what the engine must then show. */
import type { Destination } from '../../src/storage/ports/entry.ts'
import type { Lease } from '../../src/storage/ports/inbox.ts'
import type { Storage } from '../../src/storage/ports/storage.ts'

export const orgs = ['11', '22'] as const
/** Natural keys: few, so that they come again. */
export const keys = ['key 1...........', 'key 2...........'] as const

export interface Event {
  messageId: string
  org: string
  /** Of the append: later ones are larger. */
  born: number
  /** Where it stands before any destination, if it does. */
  before?: 'asking' | 'unclaimed' | 'quarantined' | 'dead'
  at: Map<Destination, There>
  /** A destination has taken it, or left it out and kept it: it does not go because others ignore it. */
  isKept: boolean
  /** Texts that lie together. */
  body: string
  once?: string
  mapping: number
  /** What was chosen when it was sent again, by destination. */
  chosen: Map<Destination, { mapping?: number; sending: number }>
}

interface There {
  state: 'waiting' | 'dead' | 'quarantined' | 'delivered' | 'asking' | 'ignored'
  /** In the queue, of `waiting`. */
  place: number
}

interface Held {
  lease: Lease
  isOurs: boolean
}

const isOver = ({ state }: There) => state === 'delivered' || state === 'ignored'

export class Model {
  events = new Map<string, Event>()
  destinations = new Map<string, Map<Destination, { since: number; removed: boolean }>>()
  held: Held[] = []
  /** Natural keys that each destination has had, by account. */
  occurred = new Map<string, Set<string>>()
  clock = 0

  had(org: string): Set<string> {
    const had = this.occurred.get(org) ?? new Set()
    this.occurred.set(org, had)
    return had
  }

  /** Those of the destinations that have had none with this natural key; from now on they have. */
  claim(org: string, once: string | undefined, among: readonly Destination[]): Destination[] {
    if (once === undefined) return [...among]
    const had = this.had(org)
    const free = among.filter((one) => !had.has(`${once} ${one}`))
    for (const one of free) had.add(`${once} ${one}`)
    return free
  }

  live(org: string): Destination[] {
    const all = this.destinations.get(org) ?? new Map()
    return [...all].flatMap(([number, { removed }]) => (removed ? [] : [number])).sort((one, other) => one - other)
  }

  /** As an engine does when something comes for an account that has nowhere to send to. */
  ensure(org: string): void {
    if (this.live(org).length > 0) return
    const last = Math.max(0, ...(this.destinations.get(org) ?? new Map()).keys())
    this.add(org, last + 1)
  }

  add(org: string, number: Destination): void {
    const all = this.destinations.get(org) ?? new Map()
    if (!all.has(number)) all.set(number, { since: ++this.clock, removed: false })
    this.destinations.set(org, all)
  }

  queue(org: string, destination: Destination): Event[] {
    return [...this.events.values()]
      .filter((event) => event.org === org && event.at.get(destination)?.state === 'waiting')
      .sort((one, other) => one.at.get(destination)!.place - other.at.get(destination)!.place)
  }

  /** Last in the queue of this destination. */
  wait({ at }: Event, destination: Destination): void {
    at.set(destination, { state: 'waiting', place: ++this.clock })
  }

  /** Every lease of the account is over, or those of one destination. */
  end(org: string, destination?: Destination): void {
    for (const held of this.held) {
      const { lease } = held
      if (lease.org === org && (destination ?? lease.destination) === lease.destination) held.isOurs = false
    }
  }

  remove(event: Event): void {
    this.events.delete(event.messageId)
  }

  /** Nothing waits or is held of it anywhere. */
  isFinal({ before, at }: Event): boolean {
    return before === undefined && [...at.values()].every(isOver)
  }
}

export interface World {
  model: Model
  storage: Storage
  now: number
}

export type Step = (world: World) => Promise<void>
