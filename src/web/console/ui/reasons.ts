/**
 * What an admin reads about a reason: what happened, and what to do. No command and no setting's name stands here: where
 * only the operator can act, the admin is sent there with the code. Operators read the table of operations/reasons.ts.
 */
import { STATUS_CODES } from 'node:http'
import { isAccountReason } from '../../../accounts/needs-attention.ts'
import { attemptErrors, ofEvents, ofIgnored } from '../../../operations/reasons.ts'

export interface Advice {
  /** For a line of a list. */
  short: string
  /** Whole sentences. */
  happened: string
  todo: string
}

/** What goes on by itself. */
export const none = 'No action needed.'
const nothing = 'Nothing can be done about it.'
const operator = (code: string) => `Contact the operator of this service, mention ${code}.`
const saveKey = 'Check the write key and the region in Segment, then save them again under Connection.'
const ifNew = (code: string) =>
  `Look at the payload below. Resend it once an update of this service recognizes it; the operator can report it, mention ${code}.`

type Row = readonly [short: string, happened: string, todo: string]

const unreadable = (code: string, what: string): Row => [
  'Could not be read',
  `The webhook could not be read: ${what}.`,
  ifNew(code),
]

const rows: Readonly<Record<string, Row>> = {
  asking: ['Drift is asked for the contact', 'Drift is asked which contact this event belongs to.', none],
  conversation_missing: [
    'Drift does not know the conversation',
    'Drift answered that it does not know this conversation (404).',
    'Drift is asked again for three days, no action needed. Once the event has failed, resend it if the conversation exists in Drift.',
  ],
  conversation_without_contact: [
    'The conversation has no contact yet',
    'Drift names no contact for this conversation yet.',
    'No action needed: Drift is asked again.',
  ],
  disconnect_unconfirmed: [
    'Drift is asked about a disconnect',
    'Drift said that this account disconnected, and is asked whether that is so.',
    none,
  ],
  grant_refreshing: ['Authorization is being renewed', 'The authorization at Drift is being renewed.', none],
  lease_lost: ['Another process continued', 'Another process of this service continued with it.', none],
  message_too_large: [
    'Too large for Segment',
    'The event is larger than 32 kB, which is the most that Segment accepts.',
    nothing,
  ],
  segment_400: [
    'Segment refused this event (400)',
    'Segment refused this event when it was sent by itself (400, bad request).',
    'Compare the payload below with what Segment expects. Resending helps only if something has changed since.',
  ],
  segment_413: [
    'Segment refused this event (413)',
    'Segment refused this event as too large when it was sent by itself (413).',
    nothing,
  ],
  crashes: [
    'The service stopped on this event',
    'The service stopped ten times while it worked on this event.',
    `${operator('crashes')} Resend the event after an update.`,
  ],
  translation_failed: [
    'Could not be converted',
    'This service could not convert the event into a Segment call.',
    `${operator('translation_failed')} Resend the event after an update.`,
  ],
  shape_unknown: [
    'Not as Drift documents it',
    'The event does not look as Drift documents it, so it was not sent.',
    ifNew('shape_unknown'),
  ],
  type_unknown: ['Unknown type', 'This service does not know this type of event.', ifNew('type_unknown')],
  nobody_named: [
    'No contact and no conversation',
    'The event names neither a contact nor a conversation, so it is not known who it is about.',
    ifNew('nobody_named'),
  ],
  gdpr_delete_requested: [
    'Drift asks to delete a person',
    'Drift says that a person wants their data deleted. This service does not delete the person in Segment.',
    'Delete the person in Segment, then erase them here under Privacy and audit.',
  ],
  content_encoding: unreadable('content_encoding', 'it is compressed in a way that is not known here'),
  invalid_utf8: unreadable('invalid_utf8', 'it is not text'),
  invalid_json: unreadable('invalid_json', 'it is not JSON'),
  too_deep: unreadable('too_deep', 'it is nested more than 32 levels deep'),
  too_many_values: unreadable('too_many_values', 'it has more than 50,000 values'),
  number_too_long: unreadable('number_too_long', 'it has a number of more than 400 digits'),
  duplicate_key: unreadable('duplicate_key', 'it has the same field twice'),
  number_out_of_range: unreadable('number_out_of_range', 'it has a number that is too large'),
  not_an_object: unreadable('not_an_object', 'it is not a JSON object'),
  type_unusable: unreadable('type_unusable', 'it has no type'),
  org_unusable: unreadable('org_unusable', 'it names no account'),
  data_unusable: unreadable('data_unusable', 'it has no data'),
  org_contradicts: unreadable('org_contradicts', 'it names two different accounts'),
  key_forgotten: [
    'Erased by a disconnect',
    'The account disconnected after this event came, and its data was erased then.',
    nothing,
  ],
  sealed_unreadable: ['Damaged in the store', 'The stored event is damaged.', operator('sealed_unreadable')],

  switched_off: [
    'Disabled',
    'This type of event is disabled, so it is not sent and not stored.',
    'Enable it to send what comes from then on.',
  ],
  empty: ['Nothing to send', 'The event says nothing that could be sent, such as an update without a change.', none],
  filtered: [
    'Left out by an option',
    'The options of what is sent leave this event out. It is kept.',
    'To send it, change the options, and resend it with today’s.',
  ],
  no_consent: [
    'No consent',
    'The options of what is sent let nothing pass without consent, and this contact has none. The event is kept.',
    'Once the contact has consented, resend the event with today’s options.',
  ],
  unknown_type: [
    'Not one of the ten events',
    'Drift sends this type of event, but its integration with Segment does not include it.',
    none,
  ],
  disconnected: [
    'Account disconnected',
    'The account had disconnected when the event came, or the event was Drift’s message that it disconnects.',
    'Connect it again to receive events.',
  ],
  endpoint_not_allowed: [
    'Endpoint not offered',
    'The operator of this service no longer offers the endpoint that this destination sends to.',
    operator('endpoint_not_allowed'),
  ],
  not_allowed: [
    'Account not allowed',
    'The operator of this service does not list this account among those that may use it.',
    operator('not_allowed'),
  ],

  not_installed: ['Account not connected', 'No account with this number is connected.', 'Connect it to Drift.'],
  no_write_key: [
    'No write key',
    'The Segment write key is missing.',
    'Save the write key under Connection: what is kept is sent then.',
  ],
  settings_unreadable: [
    'Settings cannot be read',
    'Another version of this service saved the settings of this account, and this one cannot read them.',
    operator('settings_unreadable'),
  ],
  paused: ['Sending is paused', 'Sending is paused. Events are received and kept.', 'Resume sending.'],
  disconnecting: [
    'Drift says it disconnected',
    'Drift said that this account disconnected, and is asked whether that is so.',
    'No action needed: it ends when Drift answers, or after a day.',
  ],
  disconnect_unproven: [
    'Disconnected at Drift?',
    'Drift said that this account disconnected, and did not confirm it.',
    'If the app was removed in Drift, disconnect the account. If it was not, resume sending.',
  ],
  write_key_unreadable: [
    'Write key damaged',
    'The stored write key is damaged.',
    'Save the write key again under Connection.',
  ],
  write_key_refused: ['Segment refuses the write key', 'Segment answered that the write key is not valid.', saveKey],
  segment_401: ['Segment refuses the write key', 'Segment does not accept the write key (401, unauthorized).', saveKey],
  segment_403: ['Segment refuses this source', 'Segment refuses this source (403, forbidden).', saveKey],
  segment_404: [
    'Segment is not at this address',
    'Segment does not answer at the address that this service uses (404).',
    operator('segment_404'),
  ],
  segment_redirect: [
    'Segment’s address redirects',
    'The address of Segment led elsewhere. It was not followed, since that would give the write key away.',
    operator('segment_redirect'),
  ],
  segment_success_false: ['Segment did not take it', 'Segment answered that it did not take the events.', saveKey],
  not_segment: [
    'Something else answered',
    'Something other than Segment answered, such as a sign-in page on the way.',
    `${operator('not_segment')} Events are sent again under the same message ids, so none is counted twice.`,
  ],
  segment_refuses_all: ['Segment refuses all events', 'Segment refused every event of a request.', saveKey],
  segment_request_invalid: [
    'Write key cannot be sent',
    'The write key has a character that no request can carry.',
    'Save the write key again under Connection.',
  ],
  drift_request_invalid: [
    'Authorization cannot be sent',
    'The authorization at Drift has a character that no request can carry.',
    'Reconnect to Drift.',
  ],
  grant_dead: [
    'Drift’s authorization ended',
    'The authorization at Drift has expired or was revoked.',
    'Reconnect to Drift.',
  ],
  drift_token_refused: [
    'Drift refuses the authorization',
    'Drift refuses the authorization that it has just given.',
    'Reconnect to Drift.',
  ],
  drift_forbidden: [
    'Drift forbids reading conversations',
    'Drift forbids reading conversations (403).',
    'Reconnect to Drift. If it stays so, the operator must add the permission to read conversations to the Drift app.',
  ],

  drift_other_account: [
    'Drift answered for another account',
    'Drift renewed the authorization with another account’s, which was not used.',
    'If it stays so, reconnect to Drift.',
  ],
  drift_unreadable: ['Drift’s answer was not readable', 'Drift’s answer could not be read.', none],
  drift_invalid_client: [
    'Drift does not know the app',
    'Drift does not know the app of this service.',
    operator('drift_invalid_client'),
  ],
  TLS_UNTRUSTED: [
    'Certificate not trusted',
    'The certificate of the other side is not trusted here.',
    operator('TLS_UNTRUSTED'),
  ],
  TLS_EXPIRED: ['Certificate expired', 'The certificate of the other side has expired.', operator('TLS_EXPIRED')],
  TLS_REVOKED: ['Certificate revoked', 'The certificate of the other side was revoked.', operator('TLS_REVOKED')],
  TLS_WRONG_HOST: [
    'Certificate of another host',
    'The certificate of the other side is another host’s.',
    operator('TLS_WRONG_HOST'),
  ],
  TLS_NOT_SPOKEN: [
    'No secure connection',
    'The other side does not offer a secure connection.',
    operator('TLS_NOT_SPOKEN'),
  ],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: [
    'Answer too long',
    'The answer was longer than a MiB, and was not read to its end.',
    none,
  ],
  TIMEOUT: ['No answer in time', 'No whole answer came in time.', none],
}

/** For every reason that an event or an account can show; one that is not known here stands for itself. */
export function adviceOn(reason: string): Advice {
  const [short, happened, todo] = Object.hasOwn(rows, reason) ? rows[reason]! : byPattern(reason)
  return { short, happened, todo }
}

function byPattern(reason: string): Row {
  const status = /^(segment|drift)_(\d{3})$/.exec(reason)
  if (status) {
    const partner = status[1] === 'segment' ? 'Segment' : 'Drift'
    const [said, name] = [`${partner} returned ${status[2]}`, STATUS_CODES[status[2]!]?.toLowerCase()]
    return [said, `${said}${name ? ` (${name})` : ''}.`, none]
  }
  if (/^PROXY_\d+$/.test(reason)) return ['Refused by the proxy', 'The operator’s proxy refused it.', operator(reason)]
  return /^[A-Z0-9_]+$/.test(reason)
    ? ['Could not be reached', `The other side could not be reached, or hung up (${reason}).`, none]
    : [reason, `The reason is ${reason}.`, operator(reason)]
}

/** Whether nothing can be done about it, so that resending fails again. */
export function isFinal(reason: string): boolean {
  return adviceOn(reason).todo === nothing
}

/** Whether it fails again at every resend until this service is updated. */
export function needsUpdate(reason: string): boolean {
  return adviceOn(reason).todo === ifNew(reason)
}

/** Whether there is a text for it, for the test that there is one for each reason. */
export function hasAdvice(reason: string): boolean {
  return Object.hasOwn(rows, reason)
}

/** Every reason by its name; what stands for many, such as each status, is not among them. */
export const namedReasons: readonly string[] = [
  ...Object.keys(ofEvents),
  ...Object.keys(ofIgnored),
  ...Object.keys(attemptErrors),
].filter((name) => !name.includes('<'))

/** Whether the account or destination is what keeps an event back, and not the event. */
export function isOfAccount(reason: string | undefined): boolean {
  return reason !== undefined && isAccountReason(reason)
}
