/** What a simulated Drift knows: accounts, grants and codes, in plain maps that a test may look into and change. */
import type { Clock } from '../lib/clock.ts'
import { isExactNumber, type Json, type JsonObject } from '../lib/json.ts'
import type { Random } from '../lib/random.ts'
import type { Reply } from './server.ts'

export interface Org {
  readonly orgId: number
  readonly name: string
  /** By the digits of their id. */
  readonly conversations: Map<string, JsonObject>
  readonly contacts: Map<string, JsonObject>
  /** By their `eventId`. */
  readonly meetings: Map<string, JsonObject>
}

/** One row of the table behind Drift's OAuth: an access token and, unless private, its refresh token. */
export interface Grant {
  readonly id: string
  readonly orgId: number
  readonly accessToken: string
  readonly refreshToken?: string
  scopes: string[]
  readonly createdAt: number
  /** Seconds; 0: until revoked. */
  expiresIn: number
}

/** The app as it is set up in Drift's developer portal, and what this Drift does where public sources disagree. */
export interface DriftSettings {
  clientId: string
  clientSecret: string
  /** Sent with every webhook, in the body and in `X-Verification-Token`. */
  verificationToken: string
  /** The registered redirect URI; undefined: any. */
  redirectUri: string | undefined
  /** Where the settings page sends webhooks; undefined: it sends none. */
  requestUrl?: string | undefined
  scopes: string[]
  /** Lifetime of an access token in seconds. */
  expiresIn: number
  /** Leaves `expires_in` out of token answers. */
  omitExpiresIn: boolean
  /** Leaves `orgId` out of token answers. */
  omitOrgId: boolean
  /** Which of the two documented shapes a 404 has: `{ errors: [ … ] }` or `{ error: { … } }`. */
  notFoundShape: 'errors' | 'error'
  /** How Drift's lists behave, see drift-lists.ts. */
  lists: ListSettings
}

/** What the lists do where public sources disagree, and what may go wrong with them. */
export interface ListSettings {
  /**
   * `links`: `links.next`, an address whose token says up to which update and id the next page goes, as in answers of 2023.
   * `pagination`: `pagination.next`, the position of the next record, as an older page of Drift's documentation has it: what
   * is updated or goes meanwhile moves every record behind it. `both`: as one answer of 2022 that was published.
   */
  paging: 'links' | 'pagination' | 'both'
  /** Records of a page of conversations at most. */
  limitMax: number
  /** Records that a list of meetings has at most. */
  meetingsMax: number
  /** What a grant needs to list meetings; no public source says it. */
  meetingScopes: string[]
  /** Calls of the reports that an account has in a minute. */
  reportsAMinute: number
  /** Other requests that an account has in a minute and in a second; no public source says how many. undefined: any. */
  requestsAMinute: number | undefined
  requestsASecond: number | undefined
  /** Says with a 429 when to come again. */
  retryAfter: boolean
  odd: Set<ListOddity>
}

/**
 * `records`: between the records stand null, a text, one without an id, one whose numbers are texts. `repeats`: a page begins
 * with the last record of the one before, and a list of meetings has its first one twice. `empty_pages`: every third page is empty and has a next, where links say where one is. `loop`: the last
 * page names itself as the next. `foreign_next`: the next page is said to be on another host. `no_times`: every fifth record
 * has no `updatedAt`. `no_contact`: every seventh conversation, and meeting of a conversation, names no contact.
 */
export type ListOddity = 'records' | 'repeats' | 'empty_pages' | 'loop' | 'foreign_next' | 'no_times' | 'no_contact'

/** As Drift's documentation has them, with nothing odd. */
export function listSettings(chosen: Partial<ListSettings> = {}): ListSettings {
  return {
    paging: 'links',
    limitMax: 100,
    meetingsMax: 1_000,
    meetingScopes: ['user_read'],
    reportsAMinute: 60,
    requestsAMinute: undefined,
    requestsASecond: undefined,
    retryAfter: true,
    odd: new Set(),
    ...chosen,
  }
}

export interface DriftState {
  readonly clock: Clock
  readonly random: Random
  readonly settings: DriftSettings
  readonly orgs: Map<number, Org>
  readonly accessTokens: Map<string, Grant>
  readonly refreshTokens: Map<string, Grant>
  /** Authorization codes that were not exchanged yet. */
  readonly codes: Map<string, { orgId: number; redirectUri: string }>
  /** When the requests of an account came that its limits count, by the name of the limit and the account. */
  readonly taken: Map<string, number[]>
}

/** Kong's default, counted from the last refresh: an idle refresh token dies after fourteen days. */
const refreshTokenTtlMs = 1_209_600_000

export function newToken({ random }: DriftState): string {
  return random.bytes(24).toString('base64url')
}

/** The account, made empty when it is not there. */
export function orgOf({ orgs }: DriftState, orgId: number): Org {
  const known = orgs.get(orgId)
  if (known) return known
  const org: Org = {
    orgId,
    name: `Account ${orgId}`,
    conversations: new Map(),
    contacts: new Map(),
    meetings: new Map(),
  }
  orgs.set(orgId, org)
  return org
}

/** Adds or replaces by `id`, or by another field. */
export function remember(into: Map<string, JsonObject>, record: JsonObject, by = 'id'): void {
  const digits = digitsOf(record[by])
  if (digits !== undefined) into.set(digits, record)
}

/** A new pair; without a refresh token when it is a private one. */
export function grantTo(
  state: DriftState,
  orgId: number,
  scopes: string[],
  expiresIn: number,
  isPrivate = false,
): Grant {
  const grant: Grant = {
    id: newToken(state),
    orgId,
    accessToken: newToken(state),
    ...(isPrivate ? {} : { refreshToken: newToken(state) }),
    scopes: [...scopes],
    createdAt: state.clock.now(),
    expiresIn,
  }
  orgOf(state, orgId)
  state.accessTokens.set(grant.accessToken, grant)
  if (grant.refreshToken !== undefined) state.refreshTokens.set(grant.refreshToken, grant)
  return grant
}

/** Both tokens of the pair die at once. */
export function revoke(state: DriftState, grant: Grant): void {
  state.accessTokens.delete(grant.accessToken)
  if (grant.refreshToken !== undefined) state.refreshTokens.delete(grant.refreshToken)
}

export function liveGrant(state: DriftState, accessToken: string): Grant | undefined {
  const grant = state.accessTokens.get(accessToken)
  const isOver = grant && grant.expiresIn > 0 && grant.createdAt + grant.expiresIn * 1_000 <= state.clock.now()
  return isOver ? undefined : grant
}

export function refreshableGrant(state: DriftState, refreshToken: string): Grant | undefined {
  const grant = state.refreshTokens.get(refreshToken)
  return grant && grant.createdAt + refreshTokenTtlMs > state.clock.now() ? grant : undefined
}

/** The grant of a request's Bearer token, or Kong's answer to those who have none. */
export function bearer(state: DriftState, authorization: string | undefined): Grant | Reply {
  const realm = 'Bearer realm="service"'
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined)
    return kong(401, 'invalid_request', 'The access token is missing', { 'www-authenticate': realm })
  const why = 'The access token is invalid or has expired'
  const challenge = `${realm} error="invalid_token" error_description="${why}"`
  return liveGrant(state, token) ?? kong(401, 'invalid_token', why, { 'www-authenticate': challenge })
}

/** An error as the gateway in front of Drift (Kong's oauth2 plugin) writes it: two strings. */
export function kong(status: number, error: string, description: string, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'cache-control': 'no-store', ...headers },
    body: { error, error_description: description },
  }
}

export function digitsOf(id: Json | undefined): string | undefined {
  if (isExactNumber(id)) return id.rawJSON
  return typeof id === 'number' || typeof id === 'string' ? String(id) : undefined
}
