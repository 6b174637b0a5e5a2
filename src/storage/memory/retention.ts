import type { Limits } from '../ports.ts'
import { count, type Kept, type State } from './state.ts'

export function expire(state: State, limits: Limits): number {
  ageMoments(state, limits)
  for (const [identity, until] of state.identities) if (until <= limits.now) state.identities.delete(identity)
  const old = [...state.entries.values()].filter(
    (kept) =>
      (kept.state === 'unclaimed' && kept.receivedAt < limits.unclaimedBefore) ||
      (kept.state === 'delivered' && kept.settledAt! < limits.deliveredBefore) ||
      ((kept.state === 'dead' || kept.state === 'quarantined') &&
        kept.receivedAt < limits.failedBefore &&
        !limits.kept.includes(kept.reason ?? '')),
  )
  return remove(state, old) + remove(state, unclaimedBeyond(state, limits.unclaimedBytesMax))
}

export function erase(state: State, org: string): number {
  endLeases(state, org)
  for (const lane of state.lanes.values()) if (lane.org === org) delete lane.readyAt
  state.conversations.delete(org)
  return remove(
    state,
    [...state.entries.values()].filter((kept) => kept.org === org),
  )
}

export function take(state: State, org: string, ids: readonly number[]): number {
  endLeases(state, org)
  return remove(
    state,
    ids.flatMap((id) => state.entries.get(id) ?? []).filter((kept) => kept.org === org),
  )
}

function endLeases(state: State, org: string): void {
  for (const lane of state.lanes.values()) {
    if (lane.org !== org) continue
    lane.token++
    delete lane.leaseUntil
  }
}

function ageMoments(state: State, { minutesBefore, hoursBefore }: Limits): void {
  for (const [key, moment] of [...state.moments]) {
    const { org, type, outcome, reason, at, count: by } = moment
    const hour = at - (at % 3_600_000)
    if (at >= minutesBefore || (at === hour && at >= hoursBefore)) continue
    state.moments.delete(key)
    if (hour < hoursBefore) continue
    const sum = JSON.stringify([org, hour, type, outcome, reason])
    state.moments.set(sum, { ...moment, at: hour, count: by + (state.moments.get(sum)?.count ?? 0) })
  }
}

function unclaimedBeyond(state: State, bytesMax: number): Kept[] {
  const unclaimed = [...state.entries.values()].filter((kept) => kept.state === 'unclaimed')
  let excess = unclaimed.reduce((sum, kept) => sum + kept.body.byteLength, 0) - bytesMax
  return unclaimed.filter((kept) => {
    const goes = excess > 0
    excess -= kept.body.byteLength
    return goes
  })
}

function remove(state: State, gone: Kept[]): number {
  for (const kept of gone) {
    state.entries.delete(kept.id)
    const owner = kept.state === 'unclaimed' ? '' : kept.org
    if (kept.state !== 'delivered') count(state, owner, kept.type, kept.state === 'dead' ? 'dead' : 'expired')
  }
  return gone.length
}
