/** The smaller ports in memory: ledger, installs, vault, conversations, audit. */
import { skewMsMax } from '../../lib/clock.ts'
import type { Audit, Conversations, Install, Installs, Ledger, Standing, Vault } from '../ports.ts'
import { held } from './inbox.ts'
import { laneState, type State } from './state.ts'

export function ledgerOf(state: State): Ledger {
  const totals = () => [...state.counts.values()].filter(({ count }) => count !== 0).map((total) => ({ ...total }))
  return {
    totals: async () => totals(),
    standings: async () => standingsOf(state),
    books: async () => ({ totals: totals(), standings: standingsOf(state) }),
    moments: async (org, from, to) =>
      [...state.moments.values()]
        .filter((moment) => moment.org === org && moment.at >= from && moment.at < to)
        .map(({ org: _, ...moment }) => moment)
        .sort((one, other) => one.at - other.at),
  }
}

function standingsOf(state: State): Standing[] {
  const groups = new Map<string, Standing>()
  const inLine = [...state.entries.values()].sort((one, next) => one.place - next.place)
  for (const { org, state: of, receivedAt, reason } of inLine) {
    if (of === 'delivered') continue
    const lane = of === 'waiting' ? 'send' : of === 'asking' ? 'ask' : undefined
    const kept = lane && laneState(state, org, lane)
    const why = kept ? (kept.hold ?? kept.trouble) : reason
    const key = JSON.stringify([org, of, why])
    const group = groups.get(key)
    if (group) {
      group.count++
      if (!lane) group.oldestReceivedAt = Math.min(group.oldestReceivedAt, receivedAt)
    } else {
      groups.set(key, { org, state: of, ...(why ? { reason: why } : {}), count: 1, oldestReceivedAt: receivedAt })
    }
  }
  return [...groups.values()]
}

export function installsOf(state: State): Installs {
  const copy = (install: Install | undefined) => install && { ...install }
  return {
    get: async (org) => copy(state.installs.get(org)),
    list: async () => [...state.installs.values()].map((install) => copy(install)!),
    save: async (install, entry) => {
      if ((state.installs.get(install.org)?.generation ?? 0) !== install.generation) return false
      state.installs.set(install.org, { ...copy(install)!, generation: install.generation + 1 })
      if (entry) state.deeds.push({ ...entry })
      return true
    },
    reserve: async (reservation, now) => {
      const until = state.reservations.get(reservation.org)?.until ?? now
      if (until > now && until <= reservation.until + skewMsMax) return false
      state.reservations.set(reservation.org, reservation)
      return true
    },
    release: async ({ org, holder }) => {
      if (state.reservations.get(org)?.holder === holder) state.reservations.delete(org)
    },
  }
}

export function vaultOf(state: State): Vault {
  const named = (prefix: string) => [...state.vault.keys()].filter((name) => name.startsWith(prefix)).sort()
  return {
    read: async (name) => state.vault.get(name),
    create: async (name, value) => {
      if (!state.vault.has(name)) state.vault.set(name, Uint8Array.from(value))
      return state.vault.get(name)!
    },
    replace: async (name, value) => {
      const isThere = state.vault.has(name)
      if (isThere) state.vault.set(name, Uint8Array.from(value))
      return isThere
    },
    list: async (prefix) => named(prefix).map((name) => ({ name, value: state.vault.get(name)! })),
    remove: async (prefix) => {
      for (const name of named(prefix)) state.vault.delete(name)
    },
  }
}

export function conversationsOf(state: State): Conversations {
  return {
    recall: async (org, ids) => {
      const known = state.conversations.get(org)
      return new Map(ids.flatMap((id) => (known?.has(id) ? [[id, known.get(id)!] as const] : [])))
    },
    of: async (org, contact) =>
      [...(state.conversations.get(org) ?? [])].filter(([, whose]) => whose === contact).map(([id]) => id),
    forget: async (org, contact) => {
      const known = state.conversations.get(org)
      for (const [id, whose] of [...(known ?? [])]) if (whose === contact) known?.delete(id)
    },
    remember: async (org, contactOf, lease) => {
      if (lease && !held(state, lease)) return
      const known = state.conversations.get(org) ?? new Map<string, string>()
      for (const [conversation, contact] of contactOf) if (!known.has(conversation)) known.set(conversation, contact)
      state.conversations.set(org, known)
    },
  }
}

export function auditOf(state: State): Audit {
  return {
    add: async (deed) => void state.deeds.push({ ...deed }),
    list: async (org, limit) =>
      state.deeds
        .filter((deed) => deed.org === org)
        .reverse()
        .slice(0, limit),
  }
}
