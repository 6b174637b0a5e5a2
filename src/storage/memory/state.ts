/** Everything the memory engine holds. Nothing of it outlives the process: for tests and simulations only. */
import type { Entry, Install, Lane, Org, Outcome } from '../ports.ts'

export interface Kept extends Entry {
  place: number
  reason?: string
  dueAt?: number
  settledAt?: number
  contact?: string
  conversation?: string
}

export interface LaneState {
  org: Org
  lane: Lane
  readyAt?: number
  leaseUntil?: number
  token: number
  served: number
  failures: number
  crashes: number
  hold?: string
  trouble?: string
}

export interface State {
  entries: Map<number, Kept>
  /** Identity in hex to the moment it is forgotten. */
  identities: Map<string, number>
  lanes: Map<string, LaneState>
  counts: Map<string, { org: Org; type: string; outcome: Outcome; count: number }>
  installs: Map<Org, Install>
  vault: Map<string, Uint8Array>
  conversations: Map<Org, Map<string, string>>
  lastPlace: number
}

export function emptyState(): State {
  return {
    entries: new Map(),
    identities: new Map(),
    lanes: new Map(),
    counts: new Map(),
    installs: new Map(),
    vault: new Map(),
    conversations: new Map(),
    lastPlace: 0,
  }
}

export function count(state: State, org: Org, type: string, outcome: Outcome, by = 1): void {
  const key = JSON.stringify([org, type, outcome])
  const kept = state.counts.get(key)
  if (kept) kept.count += by
  else state.counts.set(key, { org, type, outcome, count: by })
}

export function laneState(state: State, org: Org, lane: Lane): LaneState {
  const key = `${lane} ${org}`
  const kept = state.lanes.get(key) ?? { org, lane, token: 0, served: 0, failures: 0, crashes: 0 }
  state.lanes.set(key, kept)
  return kept
}
