/**
 * Every reason that an event, a lane or an account can show: what it means in plain words, and what to do. Those of an
 * account, and what ends them, are in src/accounts/needs-attention.ts.
 */
import { accountReasons, isAccountReason, type Owner, owners } from '../accounts/needs-attention.ts'
import type { WithoutReason } from '../pipeline/contacts.ts'
import type { IgnoredReason } from '../storage/ports/entry.ts'
import { saidAt } from './at-endpoint.ts'

export interface Explained {
  means: string
  todo: string
  /** Who brought it about, where it is an account's reason. */
  owner?: Owner
  /** The same in words. */
  comesFrom?: string
}

const nothing = 'nothing: it goes on by itself'
const oddBody = 'look at what came in (`inspect --message … --data`); redrive it when a newer version can read it'
type Table = Readonly<Record<string, readonly [means: string, todo: string]>>

/** Why one event waits, is quarantined or is dead. */
export const ofEvents: Table = {
  asking: ['Drift is asked whose conversation it is', nothing],
  conversation_missing: [
    'Drift does not know the conversation (404)',
    'nothing: it is asked again for three days; then it is dead, and can be redriven',
  ],
  conversation_without_contact: ['Drift names no contact for the conversation yet', nothing],
  disconnect_unconfirmed: ['Drift has not yet said whether the account has left', nothing],
  grant_refreshing: ['another replica is getting the account’s new grant from Drift', nothing],
  lease_lost: ['another process went on with it', nothing],
  message_too_large: [
    'the message is over 32,000 bytes, the limit at every destination',
    'nothing can be done: it is too large to be sent to this destination',
  ],
  segment_400: [
    'Segment refused this message when it was sent by itself (400)',
    'look at what went out (`--data`); redrive it',
  ],
  segment_413: [
    'Segment refused this message as too large when it was sent by itself (413)',
    'nothing can be done: Segment would not take it',
  ],
  crashes: ['the process ended ten times while it worked on this event', 'report it; redrive it after an upgrade'],
  translation_failed: [
    'the page of this event type (src/events) failed on it',
    'report it; redrive it after an upgrade',
  ],
  shape_unknown: ['the data of this event has another shape than Drift documents', oddBody],
  type_unknown: ['no page of the catalogue has this type', oddBody],
  nobody_named: ['it names neither a contact nor a conversation', oddBody],
  gdpr_delete_requested: [
    'Drift says that a person wants their data deleted; the service does not delete the person in Segment',
    'delete the person in Segment, and here with `erase --org N --contact ID`; if it is still listed then, `handled` takes it off',
  ],
  content_encoding: ['the body came in a content encoding that is not known here, or not in the one it names', oddBody],
  invalid_utf8: ['the body is not UTF-8', oddBody],
  invalid_json: ['the body is not JSON', oddBody],
  too_deep: ['the body nests deeper than 32 levels', oddBody],
  too_many_values: ['the body has more than 50,000 values', oddBody],
  number_too_long: ['a number of the body has more than 400 digits', oddBody],
  duplicate_key: ['an object of the body has the same key twice', oddBody],
  number_out_of_range: ['a number of the body is larger than a program can hold (about 1.8 × 10^308)', oddBody],
  not_an_object: ['the body is not a JSON object', oddBody],
  type_unusable: ['the webhook has no usable type', oddBody],
  org_unusable: ['the webhook has no usable orgId', oddBody],
  data_unusable: ['the webhook has no data', oddBody],
  org_contradicts: ['the webhook names two different accounts', oddBody],
  key_forgotten: [
    'the account disconnected since, and its key is erased: this cannot be read any more',
    'nothing can be done',
  ],
  sealed_unreadable: ['the stored bytes were changed', 'restore a backup: see docs/backup.md'],
}

/** Why an event is only counted, and nothing of it kept; or why one destination does not get it, which is said there. */
export const ofIgnored: Readonly<Record<IgnoredReason, Table[string]>> = {
  switched_off: [
    'the account has switched this type off',
    'switch it on in the console, under Connection; what came before that is not kept',
  ],
  empty: ['it says nothing that could be sent, such as an update without a change', 'nothing'],
  unknown_type: ['Drift’s page about Segment does not have this type; all of these are counted together', 'nothing'],
  disconnected: [
    'the account has disconnected; or the event was Drift’s message that it disconnects, which the service acts on and does not send',
    'connect it again; what came before that is not kept',
  ],
  not_allowed: [
    'DRIFT_ORG_IDS_ALLOWED does not list the account, and it is not installed',
    'list it there and restart the service; what came before that is not kept',
  ],
  filtered: [
    'the options of the destination leave it out there',
    'nothing; to send it there all the same, change the option `only` and redrive it with today’s options: it is kept',
  ],
  no_consent: [
    'the options of the destination send nothing there without consent, and the contact has none that can be read',
    'nothing; once the contact has it, redrive the event with today’s options: it is kept',
  ],
}

/** Why an event was sent without what its options take of its contact. */
export const ofWithout: Readonly<Record<WithoutReason, readonly [means: string, todo: string]>> = {
  contact_missing: [
    'Drift does not know the contact',
    'nothing; redrive the event with today’s options to ask again: Segment then keeps what it has',
  ],
  contact_forbidden: [
    'Drift does not let this account’s grant read contacts',
    'give the Drift app the scope contact_read, and connect the account again',
  ],
  contact_grant_dead: ['the grant of the account has ended', 'connect the account again'],
  contact_unanswered: ['Drift did not answer for ten minutes', 'nothing: look at Drift’s status if it goes on'],
  contact_crowded: [
    'too many events waited for their contacts while Drift did not answer',
    'nothing: look at Drift’s status if it goes on',
  ],
}

/** What passes by itself: the lane tries again. */
export const attemptErrors: Table = {
  'segment_<status>': ['Segment answered with this status', nothing],
  'drift_<status>': ['Drift answered with this status', nothing],
  drift_other_account: [
    "Drift renewed this account's grant with another account's, which was not used",
    'nothing; if it stays so, connect the account to Drift again',
  ],
  drift_unreadable: ["Drift's answer could not be read", nothing],
  drift_invalid_client: ['Drift does not know the app', 'check DRIFT_CLIENT_ID and DRIFT_CLIENT_SECRET'],
  'PROXY_<status>': [
    'the outgoing proxy (HTTPS_PROXY or HTTP_PROXY) refused to connect; the number is its answer',
    'look whether the proxy lets this service out to the address, and whether its user and password are right (407)',
  ],
  TLS_UNTRUSTED: [
    'the certificate at the other side is not signed by an authority that is trusted here',
    'if a proxy of yours inspects TLS, name its authority in NODE_EXTRA_CA_CERTS; otherwise another machine may be answering in its place; nothing was sent to it',
  ],
  TLS_EXPIRED: [
    'the certificate at the other side has run out, or is not valid yet',
    'look at the clock of this machine first; then at what answers at that address',
  ],
  TLS_REVOKED: [
    'the certificate at the other side was revoked by the authority that signed it',
    'nothing can be done here: the operator of that address must replace it; nothing was sent to it',
  ],
  TLS_WRONG_HOST: [
    'the certificate at the other side is another host’s',
    'look at the address in the settings, and at what answers there (a proxy, a captive portal)',
  ],
  TLS_NOT_SPOKEN: [
    'what answers at that address does not speak TLS, or only an old version of it',
    'check the address and its port in the settings, and any proxy on the way',
  ],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: ['the answer is longer than a MiB, and was not read to its end', nothing],
  TIMEOUT: ['no whole answer came in time', nothing],
  '<CODE>': ['the other side could not be reached, or hung up; the code is the system’s', nothing],
}

/** `endpoint`: what stands in Segment's place at the destination that the reason is about, by its name. */
export function explain(reason: string, endpoint?: string): Explained {
  const { means, todo, owner } = inTables(reason)
  const said = { means: saidAt(endpoint, means), todo: saidAt(endpoint, todo) }
  return owner === undefined ? said : { ...said, owner, comesFrom: saidAt(endpoint, owners[owner]) }
}

function inTables(reason: string): Explained {
  if (isAccountReason(reason)) return accountReasons[reason]
  const exact = ofEvents[reason] ?? attemptErrors[reason] ?? ofIgnored[reason as IgnoredReason]
  const status = /^(segment|drift)_(\d+)$/.exec(reason)
  const found = exact ?? (status ? attemptErrors[`${status[1]}_<status>`] : undefined)
  if (found) return { means: status ? found[0].replace('with this status', status[2]!) : found[0], todo: found[1] }
  if (/^PROXY_\d+$/.test(reason)) return inTables('PROXY_<status>')
  if (/^[A-Z0-9_]+$/.test(reason)) return { means: attemptErrors['<CODE>']![0], todo: attemptErrors['<CODE>']![1] }
  return { means: reason, todo: 'see docs/errors.md' }
}
