/** Everything the memory engine holds. Nothing of it outlives the process: for tests and simulations only. */

import type { Job } from '../ports/jobs.ts'
import type {
  Answer,
  Deed,
  Entry,
  IgnoredReason,
  Install,
  Lane,
  Moment,
  Org,
  Outcome,
  Reservation,
  Ticket,
  Total,
} from '../ports.ts'

export interface Kept extends Entry {
  place: number
  reason?: string
  dueAt?: number
  settledAt?: number
  answer?: Answer
}

export interface LaneState {
  org: Org
  lane: Lane
  readyAt?: number
  leaseUntil?: number
  holder?: string
  token: number
  served: number
  failures: number
  crashes: number
  careful: number
  hold?: string
  trouble?: string
  triedAt?: number
  setback?: string
  retryAfterAt?: number
  askedAt?: number
  asked?: true
}

export interface State {
  entries: Map<number, Kept>
  /** Identity in hex to the moment it is forgotten. */
  identities: Map<string, number>
  lanes: Map<string, LaneState>
  counts: Map<string, Total>
  installs: Map<Org, Install>
  reservations: Map<Org, Reservation>
  vault: Map<string, Uint8Array>
  conversations: Map<Org, Map<string, string>>
  moments: Map<string, Moment & { org: Org }>
  deeds: Deed[]
  tickets: Map<string, Ticket>
  jobs: Map<string, Job & { token: number; leaseUntil?: number; keepUntil?: number }>
  lastPlace: number
}

export function emptyState(): State {
  return {
    entries: new Map(),
    identities: new Map(),
    lanes: new Map(),
    counts: new Map(),
    installs: new Map(),
    reservations: new Map(),
    vault: new Map(),
    conversations: new Map(),
    moments: new Map(),
    deeds: [],
    tickets: new Map(),
    jobs: new Map(),
    lastPlace: 0,
  }
}

export function count(state: State, org: Org, type: string, outcome: Outcome, by = 1, reason?: IgnoredReason): void {
  const key = JSON.stringify([org, type, outcome, reason])
  const kept = state.counts.get(key)
  if (kept) kept.count += by
  else state.counts.set(key, { org, type, outcome, ...(reason && { reason }), count: by })
}

const minuteMs = 60_000

export function note(
  state: State,
  { org, type }: Pick<Kept, 'org' | 'type'>,
  outcome: Moment['outcome'],
  time: number,
  reason?: IgnoredReason,
): void {
  const at = time - (time % minuteMs)
  const key = JSON.stringify([org, at, type, outcome, reason])
  const moment = state.moments.get(key)
  if (moment) moment.count++
  else state.moments.set(key, { org, at, type, outcome, ...(reason && { reason }), count: 1 })
}

export function laneState(state: State, org: Org, lane: Lane): LaneState {
  const key = `${lane} ${org}`
  const kept = state.lanes.get(key) ?? { org, lane, token: 0, served: 0, failures: 0, crashes: 0, careful: 0 }
  state.lanes.set(key, kept)
  return kept
}
