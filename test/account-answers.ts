/**
 * What Segment and Drift can answer, and what each answer means for the account: a part of the table of
 * test/accounts/states.test.ts.
 */
import { failed, json, org, own, type Partners, page, pair, type Said, well } from './account-stage.ts'

/** What it means for the account, and what a person is told who asked for the attempt. */
export type Line = [answer: string, says: Partial<Partners>, means: string, told: string]

/** What a person is told where it does not depend on more than its meaning. */
const tells = {
  accepted: 'Segment accepted',
  write_key_refused: "Segment's answer names the write key as what is wrong",
  segment_401: 'Segment does not accept the write key (401)',
  segment_403: 'Segment forbids this source (403)',
  segment_404: 'Segment does not answer at this address (404)',
  segment_redirect: 'Segment answered with a redirect, which is never followed: it would carry the write key elsewhere',
  segment_success_false: 'Segment answered 2xx but said that it did not take the batch',
  not_segment:
    'something else than Segment answered: a success that does not say what Segment says, such as the page of a sign-in',
  segment_refuses_all: 'Segment refused every single message of a batch, so it is the account, not a message',
  segment_request_invalid:
    'a request to Segment cannot even be made: the stored write key has a character that none can carry',
  answered: 'Drift answered',
  drift_token_refused: 'Drift refuses a token that it has just given',
  grant_dead: 'Drift no longer accepts the grant of this account, or it has none',
  drift_forbidden:
    'Drift forbids reading conversations (403), also with a new token; where it forbids one alone, that one waits',
  drift_request_invalid: 'a request to Drift cannot even be made: the stored token has a character that none can carry',
}
const line = (answer: string, says: Partial<Partners>, means: keyof typeof tells): Line => [
  answer,
  says,
  means,
  tells[means],
]

const silent = failed('TIMEOUT')
const noAnswerInTime = 'no whole answer came in time (TIMEOUT)'
/** Segment refuses one of several events, and takes the others. */
const oneRefused: Said = ({ body = '' }) => (body.includes('"n":2') ? page(400) : json(200, { success: true }))
const keyRefused = json(400, { message: 'An invalid write key was provided' })
const noConnection = 'the other side could not be reached, or hung up; the code is the system’s (ECONNREFUSED)'

/** Segment's answer to events. `accepted` ends a refusal by Segment, a reason is one, and `later` is neither. */
export const segmentSays: readonly Line[] = [
  line('200 {"success":true}', {}, 'accepted'),
  line('200 without a body', { batch: { status: 200, headers: {}, body: '' } }, 'accepted'),
  line('400 for one event, 200 for the others', { batch: oneRefused }, 'accepted'),
  line('400 for every event', { batch: page(400) }, 'segment_refuses_all'),
  line('413 for every event', { batch: page(413) }, 'segment_refuses_all'),
  line('400 that names the key', { batch: keyRefused }, 'write_key_refused'),
  line('401', { batch: page(401) }, 'segment_401'),
  line('403', { batch: page(403) }, 'segment_403'),
  line('404', { batch: page(404) }, 'segment_404'),
  line('302', { batch: page(302) }, 'segment_redirect'),
  line('200 {"success":false}', { batch: json(200, { success: false }) }, 'segment_success_false'),
  line('200 with a page that is not Segment’s', { batch: page(200) }, 'not_segment'),
  line('nothing, since no request can carry the key', { batch: failed('REQUEST_INVALID') }, 'segment_request_invalid'),
  ['429', { batch: page(429) }, 'later', 'Segment answered 429'],
  ['500', { batch: page(500) }, 'later', 'Segment answered 500'],
  ['503', { batch: page(503) }, 'later', 'Segment answered 503'],
  ['nothing in time', { batch: silent }, 'later', noAnswerInTime],
  ['nothing, since no connection is made', { batch: failed('ECONNREFUSED') }, 'later', noConnection],
]

const [refused, forbidden] = [own(401, 'invalid_token'), own(403, 'insufficient_scope')]
const [code, client] = [own(400, 'invalid_request'), own(401, 'invalid_client')]
const conversation = json(200, { data: { id: 1, contactId: 8 } })

/**
 * Drift's answer to whose a conversation is. `answered` ends a refusal by Drift; `renewed`: the grant was renewed on the
 * way, which ends that it was dead.
 */
export const lookupSays: readonly Line[] = [
  line('200 with its contact', {}, 'answered'),
  line('200 without a contact', { lookup: json(200, { data: { id: 1 } }) }, 'answered'),
  line('404 of its own', { lookup: own(404, 'not_found') }, 'answered'),
  line('401 until the grant is renewed', { lookup: [refused, conversation] }, 'answered'),
  line('401, and renews the grant, and 401', { lookup: refused }, 'drift_token_refused'),
  line('401, and refuses to renew the grant', { lookup: refused, refresh: code }, 'grant_dead'),
  ['401, and is then down', { lookup: refused, refresh: page(503) }, 'later', 'Drift answered 503'],
  line('403, and renews the grant, and 403', { lookup: forbidden }, 'drift_forbidden'),
  ['401 with a page of a proxy', { lookup: page(401) }, 'renewed', 'Drift answered 401'],
  ['403 with a page of a proxy', { lookup: page(403) }, 'renewed', 'Drift answered 403'],
  ['404 with a page of a proxy', { lookup: page(404) }, 'later', 'Drift answered 404'],
  ['200 with a page of a proxy', { lookup: page(200) }, 'later', "Drift's answer could not be read"],
  ['429', { lookup: page(429) }, 'later', 'Drift answered 429'],
  ['500', { lookup: page(500) }, 'later', 'Drift answered 500'],
  ['nothing in time', { lookup: silent }, 'later', noAnswerInTime],
  line('nothing, since no request can carry the token', { lookup: failed('REQUEST_INVALID') }, 'drift_request_invalid'),
]

const tokenOf = (whose: string, ofApp = '') =>
  json(200, { authenticated_userid: `orgId:${whose}`, credential_id: ofApp })

/** Drift's answer to what a token is. */
export const tokenSays: readonly [
  answer: string,
  says: Said,
  means: 'it lives' | 'another app' | 'of another' | 'unnamed' | 'dead' | 'unclear' | 'later',
][] = [
  ['200 that names the account', well.tokenInfo, 'it lives'],
  ['200 that names another app', tokenOf(org, 'another'), 'another app'],
  ['200 that names another account', tokenOf('77'), 'of another'],
  ['200 that names no account', json(200, { scope: 'contact_read' }), 'unnamed'],
  ['400 of its own', own(400, 'invalid_request'), 'dead'],
  ['401 of its own', refused, 'dead'],
  ['404 of its own', own(404, 'not_found'), 'dead'],
  ['403 of its own', forbidden, 'unclear'],
  ['401 with a page of a proxy', page(401), 'unclear'],
  ['404 with a page of a proxy', page(404), 'unclear'],
  ['401 that does not know our app', client, 'later'],
  ['200 with a page of a proxy', page(200), 'later'],
  ['429', page(429), 'later'],
  ['500', page(500), 'later'],
  ['nothing in time', silent, 'later'],
]

/** Drift's answer to a code or to a refresh token. */
export const grantSays: readonly [
  answer: string,
  says: Said,
  means: 'given' | 'refused' | 'our app' | 'later' | 'of another',
][] = [
  ['200 with a new pair', pair(), 'given'],
  ['400 of its own', code, 'refused'],
  ['401 of its own', own(401, 'invalid_grant'), 'refused'],
  ['401 that does not know our app', client, 'our app'],
  ['403 of its own', forbidden, 'later'],
  ['400 with a page of a proxy', page(400), 'later'],
  ['200 with a page of a proxy', page(200), 'later'],
  ['404', page(404), 'later'],
  ['429', page(429), 'later'],
  ['500', page(500), 'later'],
  ['nothing in time', silent, 'later'],
  ['200 with the pair of another account', pair('77'), 'of another'],
]

/** Drift's answer to ending a grant. */
export const endingSays: readonly [answer: string, says: Said, means: 'ended' | 'refused' | 'later'][] = [
  ['200 of its own', well.uninstall, 'ended'],
  ['401 of its own', refused, 'refused'],
  ['401 that does not know our app', client, 'later'],
  ['401 with a page of a proxy', page(401), 'later'],
  ['200 with a page of a proxy', page(200), 'later'],
  ['403 of its own', forbidden, 'later'],
  ['404', page(404), 'later'],
  ['429', page(429), 'later'],
  ['500', page(500), 'later'],
  ['nothing in time', silent, 'later'],
]

/** One answer of each meaning. */
export function eachMeaning<Answer extends readonly [answer: string, says: unknown, means: string, ...unknown[]]>(
  answers: readonly Answer[],
): Answer[] {
  return [...new Map(answers.toReversed().map((one) => [one[2], one])).values()].toReversed()
}
