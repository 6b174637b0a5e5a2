import type { Lookup, Shown } from '../ports.ts'
import { byNewest, isBelow, matches } from '../query.ts'
import { type Kept, laneState, type State } from './state.ts'

export function lookupOf(state: State): Lookup {
  return {
    async find(query, { before, limit }) {
      const below = [...state.entries.values()]
        .map((kept) => shown(state, kept))
        .filter((entry) => isBelow(entry, before) && matches(entry, query))
        .sort(byNewest)
      const entries = below.slice(0, limit)
      const last = entries.at(-1)
      const more = below.length > limit && last ? { next: { receivedAt: last.receivedAt, id: last.id } } : {}
      return { entries, ...more }
    },
    async read(id) {
      const kept = state.entries.get(id)
      return kept && { ...shown(state, kept), body: kept.body, ...(kept.known ? { known: kept.known } : {}) }
    },
    lastReceivedAt: async () => [...state.entries.values()].at(-1)?.receivedAt,
    lanes: async (org) =>
      [...state.lanes.values()]
        .filter((lane) => lane.org === org)
        .map(({ org: _, token: _t, served: _s, crashes: _c, careful: _d, asked, ...lane }) => ({
          ...lane,
          ...(asked && lane.readyAt !== undefined ? { asked } : {}),
        })),
  }
}

function shown(state: State, kept: Kept): Shown {
  const { place: _, body, known: _k, reason, ...rest } = kept
  const lane = kept.state === 'waiting' ? 'send' : kept.state === 'asking' ? 'ask' : undefined
  const { hold, trouble } = lane ? laneState(state, kept.org, lane) : {}
  const why = hold ?? trouble ?? reason
  return { ...rest, bodyBytes: body.byteLength, ...(why === undefined ? {} : { reason: why }) }
}
