/** The facts that the rules judge, gathered for many accounts with few queries. */
import { destinationsOf } from '../accounts/destinations.ts'
import { settingsOf } from '../accounts/settings.ts'
import { holdOf, isLeaving } from '../accounts/state.ts'
import { deletionType } from '../drift/envelope.ts'
import { stillMissing } from '../operations/history/daily.ts'
import { isSilent, knownMs } from '../operations/silence.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { BacklogRow, LaneShown, Total } from '../storage/ports/lookup.ts'
import type { Storage } from '../storage/ports/storage.ts'
import type { DestinationFacts, Facts, LaneFacts } from './rules.ts'

/** How long the answer to "is it silent?" is used again: a usual gap is hours, and an end should be noticed soon. */
const notSilentMs = 10 * 60_000
const silentMs = 60_000

/** Of these accounts, and of what belongs to no account. Remembers between calls which of them were silent. */
export function gathering({ ledger, lookup, jobs }: Pick<Storage, 'ledger' | 'lookup' | 'jobs'>) {
  const silences = new Map<Org, { at: number; isSilent: boolean }>()

  return async function gather(installs: readonly Install[], now: number): Promise<{ facts: Facts[]; ofNone: Facts }> {
    const { totals, backlog } = await ledger.snapshotOfAll()
    const backlogOf = Map.groupBy(backlog, ({ org }) => org)
    const totalsOf = Map.groupBy(totals, ({ org }) => org)
    const facts: Facts[] = []
    for (const install of installs) {
      const { org } = install
      const theirs = backlogOf.get(org) ?? []
      const counted = totalsOf.get(org) ?? []
      const waits = theirs.some(({ state }) => state === 'waiting' || state === 'asking')
      const lanes = waits ? await lookup.lanes(org) : []
      facts.push({
        ...factsOf(install, theirs, counted, lanes, now),
        isSilent: await silenceOf(org, counted, now),
        ...(await missingOf(install)),
      })
    }
    const ofNone = factsOf(none, backlogOf.get('') ?? [], totalsOf.get('') ?? [], [], now)
    return { facts, ofNone: { ...ofNone, destinations: [] } }
  }

  async function missingOf(install: Install): Promise<Pick<Facts, 'missing'>> {
    if (!settingsOf(install).dailyReconcile) return { missing: 'unknown' }
    const found = await stillMissing(jobs, install.org)
    return found ? { missing: { job: found.job.id, count: found.count } } : {}
  }

  async function silenceOf(org: Org, totals: readonly Total[], now: number): Promise<boolean> {
    const known = silences.get(org)
    const useMs = known?.isSilent ? silentMs : notSilentMs
    if (known && now >= known.at && now - known.at < useMs) return known.isSilent
    const wasHeardOf = totals.some(({ outcome }) => outcome === 'received')
    const timeBuckets = wasHeardOf ? await ledger.timeBuckets(org, now - knownMs, now + 1) : []
    const times = timeBuckets.filter(({ outcome }) => outcome === 'received').map(({ at }) => at)
    const silent = isSilent(times, wasHeardOf, now)
    silences.set(org, { at: now, isSilent: silent })
    return silent
  }
}

/** Webhooks whose account could not be read are kept under no account. */
const none: Install = {
  org: '',
  state: 'live',
  settings: '{"destinations":[{"number":1,"name":"Segment","key":"none"}]}',
  createdAt: 0,
  updatedAt: 0,
  generation: 1,
}

function factsOf(
  install: Install,
  backlog: readonly BacklogRow[],
  totals: readonly Total[],
  lanes: readonly LaneShown[],
  now: number,
): Facts {
  const { reason } = install
  const isHeldAll = isLeaving(install) || install.notAllowed || install.unreadable
  const hold = isHeldAll ? holdOf(install) : undefined
  const byReason = (state: BacklogRow['state'], isMeant: (reason: string) => boolean) => {
    const counts = new Map<string, number>()
    for (const { reason = 'unknown', count, ...backlogRow } of backlog)
      if (backlogRow.state === state && isMeant(reason)) counts.set(reason, (counts.get(reason) ?? 0) + count)
    return counts
  }
  const dead = backlog.filter(({ state }) => state === 'dead')
  const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((all, count) => all + count, 0)
  return {
    org: install.org,
    now,
    ...(hold === undefined ? {} : { hold }),
    ...(reason === undefined || isLeaving(install) ? {} : { refusal: reason }),
    destinations: destinationsOf(install).map(({ number, endpoint, reason: refusal }): DestinationFacts => {
      const held = isHeldAll ? undefined : holdOf(install, number)
      return {
        number,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(held === undefined ? {} : { hold: held }),
        ...(refusal === undefined ? {} : { refusal }),
        send: laneFacts(
          backlog.filter(({ state, destination }) => state === 'waiting' && destination === number),
          lanes.filter(({ lane, destination }) => lane === 'send' && destination === number),
        ),
      }
    }),
    ask: laneFacts(
      backlog.filter(({ state }) => state === 'asking'),
      lanes.filter(({ lane }) => lane === 'ask'),
    ),
    isSilent: false,
    failed: byReason('dead', () => true),
    failedAt: new Map(
      [...Map.groupBy(dead, ({ reason = 'unknown' }) => reason)].map(([reason, rows]) => [
        reason,
        rows.map(({ destination }) => destination),
      ]),
    ),
    unrecognized: byReason('quarantined', (reason) => reason !== deletionType),
    deletions: {
      open: sum(byReason('quarantined', (reason) => reason === deletionType)),
      ever: totals
        .filter(({ type, outcome }) => type === deletionType && outcome === 'received')
        .reduce((all, { count }) => all + count, 0),
    },
  }
}

function laneFacts(waiting: readonly BacklogRow[], lanes: readonly LaneShown[]): LaneFacts {
  const last = lanes.find(({ lastError }) => lastError !== undefined) ?? lanes[0]
  const oldest = waiting.map(({ oldestReceivedAt }) => oldestReceivedAt)
  return {
    waits: waiting.length > 0,
    ...(oldest.length > 0 ? { oldestAt: Math.min(...oldest) } : {}),
    ...(last?.triedAt === undefined ? {} : { triedAt: last.triedAt }),
    ...(last?.lastError === undefined ? {} : { lastError: last.lastError }),
  }
}
