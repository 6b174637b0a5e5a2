import { skewMsMax } from '../../lib/clock.ts'
import type { Job, JobLease, Jobs } from '../ports/jobs.ts'
import type { State } from './state.ts'

export function jobsOf({ jobs, deeds }: State): Jobs {
  type Kept = State['jobs'] extends Map<string, infer Value> ? Value : never
  const shown = ({ token: _t, leaseUntil: _l, keepUntil: _k, ...job }: Kept): Job => structuredClone(job)
  const heldOf = ({ job, token }: JobLease) => {
    const kept = jobs.get(job.id)
    return kept?.token === token && kept.leaseUntil !== undefined ? kept : undefined
  }
  const inOrder = () =>
    [...jobs.values()].sort((a, b) => a.createdAt - b.createdAt || Number(a.id > b.id) - Number(a.id < b.id))
  return {
    async create(job) {
      if (jobs.has(job.id)) return 'there'
      const isOther = ({ only, endedAt }: Kept) => only !== undefined && only === job.only && endedAt === undefined
      if ([...jobs.values()].some(isOther)) return 'other'
      jobs.set(job.id, { ...job, state: 'waiting', counts: '{}', changedAt: job.createdAt, token: 0 })
      return 'created'
    },
    async claim(kinds, now, until) {
      const isFree = ({ leaseUntil }: Kept) =>
        leaseUntil === undefined || leaseUntil <= now || leaseUntil > until + skewMsMax
      const kept = inOrder().find((job) => job.endedAt === undefined && kinds.includes(job.kind) && isFree(job))
      if (!kept) return undefined
      const startedAt = kept.startedAt ?? now
      Object.assign(kept, { state: 'running', token: kept.token + 1, leaseUntil: until, startedAt, changedAt: now })
      return { job: shown(kept), token: kept.token }
    },
    async advance(lease, { cursor, counts, at }, until) {
      const kept = heldOf(lease)
      if (!kept) return 'lost'
      Object.assign(kept, { cursor, counts, changedAt: at, leaseUntil: until })
      return kept.cancelledBy === undefined ? 'held' : 'cancelled'
    },
    async giveBack(lease, now) {
      const kept = heldOf(lease)
      if (!kept) return false
      delete kept.leaseUntil
      Object.assign(kept, { state: 'waiting', changedAt: now })
      return true
    },
    async end(lease, { state, counts, reason, at, keepUntil }, entry) {
      const kept = heldOf(lease)
      if (!kept) return false
      delete kept.leaseUntil
      delete kept.cursor
      const more = reason === undefined ? {} : { reason }
      Object.assign(kept, { state, counts, ...more, input: '', changedAt: at, endedAt: at, keepUntil })
      if (entry) deeds.push(entry)
      return true
    },
    async cancel(id, by, now) {
      const kept = jobs.get(id)
      if (!kept || kept.endedAt !== undefined || kept.cancelledBy !== undefined) return false
      Object.assign(kept, { cancelledBy: by, changedAt: now })
      return true
    },
    async get(id) {
      const kept = jobs.get(id)
      return kept && shown(kept)
    },
    list: async (limit, org) =>
      inOrder()
        .reverse()
        .filter((job) => org === undefined || job.org === org)
        .slice(0, limit)
        .map(shown),
    async sweep(now) {
      const gone = [...jobs.values()].filter(({ keepUntil }) => keepUntil !== undefined && keepUntil <= now)
      for (const { id } of gone) jobs.delete(id)
      return gone.length
    },
  }
}
