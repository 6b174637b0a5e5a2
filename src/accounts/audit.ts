/**
 * The audit of an account: who did what, and when. Every entry of it is made here, in these words. The entry of a change of
 * an account is saved with it by `Accounts.change`; `record` writes the others: what leaves the account itself as it is.
 */
import type { Clock } from '../lib/clock.ts'
import type { Audit, AuditEntry } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Keyring } from './keyring.ts'

/** What can be done. The texts are what people read in the audit. */
const acts = {
  configured: 'configured the account',
  connected: 'connected the account',
  reconnected: 'connected the account again',
  paused: 'paused',
  resumed: 'resumed',
  retried: 'retried',
  setKey: 'set the write key',
  changedPlace: 'changed where events are sent',
  testedKey: 'tested a write key',
  confirmedTest: 'confirmed the test event',
  addedDestination: 'added a destination',
  removedDestination: 'removed a destination',
  renamedDestination: 'renamed a destination',
  choseEvents: 'chose the events',
  choseOptions: 'chose options of what is sent',
  erasedPerson: 'erased a person',
  handledRequest: 'handled a request for deletion',
  lookedAtData: 'looked at data',
  exportedEvents: 'exported events',
  exportedAudit: 'exported the audit',
  startedRedrive: 'started a redrive',
  redrove: 'redrove',
  cancelledJob: 'cancelled a job',
  startedEstimate: 'started to estimate history',
  estimated: 'estimated history',
  startedBackfill: 'started to bring in history',
  backfilled: 'brought in history',
  startedReconcile: 'started to compare with Drift',
  reconciled: 'compared with Drift',
  startedMissing: 'started to send what was missing',
  sentMissing: 'sent what was missing',
  allowedPerson: 'let history bring in an erased person again',
  choseDaily: 'chose whether to compare with Drift every day',
  rotatedKeys: 'rotated keys',
  madeLink: 'made a sign-in link',
  signedInByDrift: 'signed in through Drift',
  signedInByLink: 'signed in by a one-time link',
  signedOut: 'signed out',
  signedOutEverywhere: 'signed out everywhere',
  addedRecipient: 'added where alerts go',
  confirmedRecipient: 'confirmed that alerts are wanted',
  removedRecipient: 'removed where alerts went',
  retiredRecipient: 'removed an address for alerts that was never confirmed',
  testedAlerts: 'sent a test alert',
  choseAlerts: 'chose the alerts',
  disconnected: 'disconnected',
  disconnectedNoGrant: 'disconnected; no grant was kept, so none was ended at Drift',
  disconnectedUnrevoked: 'disconnected; Drift did not confirm that its grant has ended',
  driftAsked: 'said that the account disconnected: nothing is sent until it is known whether that is so',
  driftConfirmed: 'disconnected the account',
  driftDenied: 'said that the account disconnected, but its grant lives: sending goes on',
  driftSilent:
    'said that the account disconnected, and gave no clear answer for a day: sending is paused until a person decides',
  driftCannotSay:
    'said that the account disconnected, and cannot be asked whether it did: sending is paused until a person decides',
} as const

export type Act = keyof typeof acts

/** How the store has it; a page shows an act in words of its own. */
export function storedAct(act: Act): string {
  return acts[act]
}

const byText: ReadonlyMap<string, Act> = new Map(Object.entries(acts).map(([act, text]) => [text, act as Act]))

/** Undefined when another version of this service wrote it. */
export function actOf({ what }: Pick<AuditEntry, 'what'>): Act | undefined {
  return byText.get(what)
}

/** `about` names no person but by `contactDigest`, and nothing secret. */
export interface NewAuditEntry {
  who: string
  act: Act
  about?: string | undefined
}

/** `org` is empty where it concerns no single account. */
export async function record(
  { audit, clock }: { audit: Audit; clock: Clock },
  { org, ...entry }: NewAuditEntry & { org: Org },
): Promise<void> {
  await audit.add(entryOf(org, clock.now(), entry))
}

export function entryOf(org: Org, at: number, { who, act, about }: NewAuditEntry): AuditEntry {
  return { at, org, who, what: acts[act], ...(about === undefined ? {} : { about }) }
}

/** When one of these was done last, of an account's newest entries. */
export function lastOf(auditEntries: readonly AuditEntry[], ...wanted: readonly Act[]): number | undefined {
  const texts: readonly string[] = wanted.map((act) => acts[act])
  return auditEntries.find(({ what }) => texts.includes(what))?.at
}

/** What the audit calls a contact: the same each time, and without the store and its keys it does not say who that is. */
export function contactDigest(keyring: Pick<Keyring, 'identity'>, org: Org, contact: string): string {
  return keyring.identity(`contact\n${org}\n${contact}`).toString('hex')
}
