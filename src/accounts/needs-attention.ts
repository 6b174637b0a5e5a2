/**
 * Why an account needs attention, or its events are kept and not sent for another reason: who brought it about, what it
 * means, what to do, and what ends it. The transitions in state.ts ask this table and nothing else.
 */

/** What can end a reason. */
export const reliefs = {
  delivered: 'Segment accepts an event',
  lookup: 'Drift answers a lookup',
  renewed_grant: 'Drift renews the grant',
  drift_answer: 'Drift says that the account is still connected',
  new_key: 'a write key or another region is saved',
  connect: 'the admin connects the account to Drift',
  new_grant: 'the settings or `installs add` give another grant',
  configure: 'the service starts in single-account mode, or `installs add` runs',
  resume: 'a person resumes the account',
  listed: 'the operator lists the account in DRIFT_ORG_IDS_ALLOWED',
  endpoint_listed: 'the operator lists the endpoint in DESTINATION_ENDPOINTS',
  newer_version: 'the operator starts a version of the service that can read the account’s settings',
} as const

export type Relief = keyof typeof reliefs

/** Who brought it about, in words: `inspect` and `installs list` say where a reason comes from. */
export const owners = {
  drift: 'what Drift answered or said',
  segment: 'what Segment answered',
  admin: "what the account's admin did, or has still to do",
  operator: 'the settings, or what was given on the command line',
  environment: 'the store, or what stands between this service and Segment',
} as const

export type Owner = keyof typeof owners

interface Row {
  owner: Owner
  /** In plain words. */
  means: string
  /** What a person should do. */
  todo: string
  endedBy: readonly Relief[]
}

const checkKey =
  'check the write key and the region in Segment, save them again (in single-account mode, set them in SEGMENT_WRITE_KEY and SEGMENT_REGION, and restart the service), or resume sending'
const connectAgain =
  'connect the account to Drift again; in single-account mode, set another DRIFT_ACCESS_TOKEN and restart the service'
/** What ends a refusal by Segment, and one by Drift. */
const sending = ['delivered', 'new_key', 'resume', 'configure'] as const
const lookingUp = ['lookup', 'connect', 'resume', 'configure'] as const

const rows = {
  not_installed: {
    owner: 'admin',
    means: 'no account with this number is installed here',
    todo: 'install it within a day of the first event; after that its events are counted as expired',
    endedBy: ['connect', 'configure'],
  },
  no_write_key: {
    owner: 'admin',
    means: 'no Segment write key has been saved yet',
    todo: 'save the write key; what waits is sent then',
    endedBy: ['new_key', 'configure'],
  },
  not_allowed: {
    owner: 'operator',
    means: 'the operator of this service lists the accounts that may use it, and this one is not among them',
    todo: 'the operator lists it in DRIFT_ORG_IDS_ALLOWED and restarts the service; what was kept is sent then',
    endedBy: ['listed'],
  },
  endpoint_not_allowed: {
    owner: 'operator',
    means: 'the operator of this service no longer offers the endpoint that this destination sends to',
    todo: 'choose another place for the destination, or have the operator list the endpoint in DESTINATION_ENDPOINTS and restart the service; what was kept is sent then',
    endedBy: ['endpoint_listed', 'new_key'],
  },
  settings_unreadable: {
    owner: 'operator',
    means: 'the settings of this account cannot be read by this version of the service: another version saved them',
    todo: 'the operator starts that version, or a newer one; what was kept is sent then',
    endedBy: ['newer_version'],
  },
  paused: {
    owner: 'admin',
    means: 'a person paused the account, or this destination of it',
    todo: 'resume it; what waits is sent then',
    endedBy: ['resume'],
  },
  disconnecting: {
    owner: 'drift',
    means: 'Drift said that the account disconnected, and Drift is being asked whether that is so',
    todo: 'nothing: it ends when Drift answers, or after a day, when a person is asked',
    // mutant: resumes an account while Drift is asked whether it has left
    endedBy: ['drift_answer', 'connect', 'new_grant'],
  },
  disconnect_unproven: {
    owner: 'drift',
    means:
      'Drift said that the account disconnected, and Drift cannot be asked whether that is so, or has not answered for a day',
    todo: 'if the app was removed in Drift, disconnect the account in the console; if it was not, resume the account',
    endedBy: ['resume', 'drift_answer', 'connect', 'new_grant'],
  },
  disconnected: {
    owner: 'admin',
    means: 'the account has disconnected',
    todo: 'install it again; what came meanwhile was ignored',
    endedBy: ['connect', 'configure'],
  },
  write_key_unreadable: {
    owner: 'environment',
    means: 'the stored write key does not open: its bytes were changed',
    todo: 'save the write key again (in single-account mode, restart the service); what waits is sent then',
    endedBy: sending,
  },
  write_key_refused: {
    owner: 'segment',
    means: "Segment's answer names the write key as what is wrong",
    todo: checkKey,
    endedBy: sending,
  },
  segment_401: {
    owner: 'segment',
    means: 'Segment does not accept the write key (401)',
    todo: checkKey,
    endedBy: sending,
  },
  segment_403: { owner: 'segment', means: 'Segment forbids this source (403)', todo: checkKey, endedBy: sending },
  segment_404: {
    owner: 'segment',
    means: 'Segment does not answer at this address (404)',
    todo: 'check the region and SEGMENT_API_URL_US or _EU',
    endedBy: sending,
  },
  segment_redirect: {
    owner: 'segment',
    means: 'Segment answered with a redirect, which is never followed: it would carry the write key elsewhere',
    todo: 'check the region and SEGMENT_API_URL_US or _EU',
    endedBy: sending,
  },
  segment_success_false: {
    owner: 'segment',
    means: 'Segment answered 2xx but said that it did not take the batch',
    todo: checkKey,
    endedBy: sending,
  },
  not_segment: {
    owner: 'environment',
    means:
      'something else than Segment answered: a success that does not say what Segment says, such as the page of a sign-in',
    todo: 'look at what stands between this service and Segment (a proxy, a captive portal), and at SEGMENT_API_URL_US or _EU; events are sent again under the same messageIds, so none is there twice',
    endedBy: sending,
  },
  segment_refuses_all: {
    owner: 'segment',
    means: 'Segment refused every single message of a batch, so it is the account, not a message',
    todo: checkKey,
    endedBy: sending,
  },
  segment_request_invalid: {
    owner: 'admin',
    means: 'a request to Segment cannot even be made: the stored write key has a character that none can carry',
    todo: 'save the write key again; what waits is sent then',
    endedBy: sending,
  },
  drift_request_invalid: {
    owner: 'operator',
    means: 'a request to Drift cannot even be made: the stored token has a character that none can carry',
    todo: connectAgain,
    endedBy: lookingUp,
  },
  grant_dead: {
    owner: 'drift',
    means: 'Drift no longer accepts the grant of this account, or it has none',
    todo: connectAgain,
    endedBy: ['renewed_grant', ...lookingUp],
  },
  drift_token_refused: {
    owner: 'drift',
    means: 'Drift refuses a token that it has just given',
    todo: connectAgain,
    endedBy: lookingUp,
  },
  drift_forbidden: {
    owner: 'drift',
    means:
      'Drift forbids reading conversations (403), also with a new token; where it forbids one alone, that one waits',
    todo: `give the Drift app the scope conversation_read; then ${connectAgain}`,
    endedBy: lookingUp,
  },
} as const satisfies Readonly<Record<string, Row>>

export type AccountReason = keyof typeof rows

export const accountReasons: Readonly<Record<AccountReason, Row>> = rows

export function isAccountReason(word: string): word is AccountReason {
  return Object.hasOwn(rows, word)
}

/**
 * Whether this ends that reason. One that the table does not have was written by another version of the service: anything
 * ends it, and if it still stands, the next request finds it again.
 */
export function isEndedBy(reason: string | undefined, relief: Relief): boolean {
  return reason === undefined || !isAccountReason(reason) || accountReasons[reason].endedBy.includes(relief)
}
