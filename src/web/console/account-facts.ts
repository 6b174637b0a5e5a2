/** Gathers what is known of an account, for the status that Home and Connection show alike. */
import { lastOf } from '../../accounts/audit.ts'
import { type Destination, destinationsOf } from '../../accounts/destinations.ts'
import { noSettings, settingsOf } from '../../accounts/settings.ts'
import { type KeyShown, shownKey } from '../../accounts/write-key.ts'
import { catalogue } from '../../events/index.ts'
import { isSilent, knownMs } from '../../operations/silence.ts'
import { eventsIn, type Outcomes, outcomesOf } from '../../operations/totals.ts'
import type { Period, Snapshot, TimeBucket, Total } from '../../storage/ports/lookup.ts'
import { type ConsoleNeeds, connectsHere } from '../needs.ts'
import { backlogOf, wrongSince } from './figures.ts'
import { lastDeliveredAt, lastReceivedAt } from './last-times.ts'
import type { DestinationFacts, Facts } from './status-facts.ts'

/** All of it as of `now`; the snapshot's time buckets are those of the period, `counted` those of the time before now that is looked at. */
export async function gather(
  needs: ConsoleNeeds,
  org: string,
  period: Period,
  now: number,
): Promise<{ facts: Facts; snapshot: Snapshot; counted: readonly TimeBucket[]; outcomes: Outcomes }> {
  const { storage, accounts, keyring, config } = needs
  const install = accounts.get(org)
  const destinations = install ? destinationsOf(install) : []
  const [snapshot, lanes, counted, auditEntries, keys] = await Promise.all([
    storage.ledger.snapshot(org, period),
    storage.lookup.lanes(org),
    storage.ledger.timeBuckets(org, now - knownMs, now + 1),
    storage.audit.list(org, 200),
    Promise.all(destinations.map((one) => shownKey(keyring, install, one))),
  ])
  const outcomes = outcomesOf(snapshot.totals, snapshot.backlog)
  const [first, ...others] = destinations.map((one, at) => factsOf(snapshot, counted, one, keys[at], now))
  const everReceived = eventsIn(snapshot.totals) > 0
  const heardAt = counted.filter(({ outcome }) => outcome === 'received').map(({ at }) => at)
  const { offTypes } = settingsOf(install ?? { org, settings: noSettings })
  const facts: Facts = {
    now,
    install,
    lanes,
    ...backlogOf(snapshot),
    ...(first ?? { ...ofNone, everDelivered: outcomes.delivered > 0 }),
    others: new Map(others.map((one, at) => [destinations[at + 1]!.number, one])),
    everReceived,
    lastReceivedAt: lastReceivedAt(snapshot, counted),
    isSilent: isSilent(heardAt, everReceived, now),
    isAllOff: [...catalogue.keys()].every((type) => offTypes.includes(type)),
    since: {
      connected: lastOf(auditEntries, 'connected'),
      paused: lastOf(auditEntries, 'paused'),
      choseEvents: lastOf(auditEntries, 'choseEvents'),
      leaving: lastOf(auditEntries, 'driftAsked', 'driftSilent', 'driftCannotSay'),
      gone: lastOf(auditEntries, 'disconnected', 'disconnectedNoGrant', 'disconnectedUnrevoked', 'driftConfirmed'),
    },
    connects: connectsHere(config, org),
    isFixed: config.single?.org === org,
    appsUrl: config.drift.settingsUrl,
  }
  return { facts, snapshot, counted, outcomes }
}

const ofNone = { wrong: { failed: 0, notRecognized: 0 }, everDelivered: false, isConfirmed: false }

function factsOf(
  snapshot: Snapshot,
  counted: readonly TimeBucket[],
  one: Destination,
  key: KeyShown | undefined,
  now: number,
): DestinationFacts {
  const { number } = one
  const { queued, blocked, oldestAt } = backlogOf(snapshot, number)
  const isDelivered = ({ destination, outcome }: Total) => destination === number && outcome === 'delivered'
  return {
    queued,
    blocked,
    oldestAt,
    wrong: wrongSince(snapshot, now - dayMs, number),
    everDelivered: snapshot.totals.some(isDelivered),
    lastDeliveredAt: lastDeliveredAt(snapshot, counted, number),
    isConfirmed: isConfirmedKey(one, key),
  }
}

/** Whether an admin has seen the test event of the key that is saved now. */
export function isConfirmedKey(destination: Destination | undefined, key: KeyShown | undefined): boolean {
  return destination !== undefined && key !== undefined && destination.confirmedKey === key.fingerprint
}

const dayMs = 24 * 3_600_000
