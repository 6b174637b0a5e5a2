/** Drift's token endpoints: what is asked, and what an answer means. Judging needs no network. */
import type { Json } from '../lib/json.ts'
import type { Answered, Outgoing } from '../lib/request.ts'
import { orgIdOf } from './envelope.ts'
import { objectOf, ownErrorOf } from './own-error.ts'

export interface App {
  clientId: string
  clientSecret: string
}

export interface Tokens {
  accessToken: string
  refreshToken?: string
  /** Undefined: good until Drift refuses it. */
  expiresInMs?: number
  orgId?: string
}

export type TokenAnswer =
  | { is: 'granted'; tokens: Tokens }
  /** Drift itself says that this code or refresh token is worth nothing. */
  | { is: 'refused'; reason: string }
  | { is: 'later'; reason: string }

const deadlineMs = 15_000
/** Where Drift does not say how long a token that can be renewed is good: Drift's usual lifetime, two hours. */
const lifetimeMs = 7_200_000
const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }

export function refreshRequest(apiUrl: string, app: App, refreshToken: string): Outgoing {
  const body = new URLSearchParams({
    client_id: app.clientId,
    client_secret: app.clientSecret,
    refresh_token: refreshToken,
    grant_type: 'refresh_token',
  })
  return { method: 'POST', url: `${apiUrl}/oauth2/token`, headers: form, body: body.toString(), deadlineMs }
}

/** The documented four fields; the redirect URI is not among them. */
export function exchangeRequest(apiUrl: string, app: App, code: string): Outgoing {
  const body = new URLSearchParams({
    client_id: app.clientId,
    client_secret: app.clientSecret,
    code,
    grant_type: 'authorization_code',
  })
  return { method: 'POST', url: `${apiUrl}/oauth2/token`, headers: form, body: body.toString(), deadlineMs }
}

/** Ends the grant at Drift. The secret stands in the address because Drift wants it there: it must never be logged. */
export function uninstallRequest(apiUrl: string, app: App, accessToken: string): Outgoing {
  const query = new URLSearchParams({ clientId: app.clientId, clientSecret: app.clientSecret })
  return {
    method: 'POST',
    url: `${apiUrl}/app/uninstall?${query}`,
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json', accept: 'application/json' },
    deadlineMs,
  }
}

export type Uninstalled = { is: 'gone' } | { is: 'refused' | 'later'; reason: string }

/** `refused`: Drift itself does not accept the token, which may have run out. */
export function judgeUninstall(answer: Answered): Uninstalled {
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const error = ownErrorOf(answer)
  if (blamesTheApp(answer)) return { is: 'later', reason: 'drift_invalid_client' }
  if (answer.status === 401 && error !== undefined) return { is: 'refused', reason: `drift_${answer.status}` }
  if (answer.status !== 200) return { is: 'later', reason: `drift_${answer.status}` }
  // Documented as `{ "result": "OK", "ok": true }`; a portal's page with 200 has ended nothing.
  const { result, ok } = objectOf(answer.body) ?? {}
  return result === 'OK' || ok === true ? { is: 'gone' } : { is: 'later', reason: 'drift_unreadable' }
}

/** An error about our app: it is the operator's to mend, and every account's grant is as good as it was. */
function blamesTheApp(answer: Answered & { body: string }): boolean {
  const error = ownErrorOf(answer) ?? objectOf(answer.body)?.error
  return typeof error === 'string' && /^(invalid|unauthorized)_client$/.test(error)
}

/** What Drift says of a code or a refresh token that is dead: `invalid_request` (Kong), elsewhere the other two. */
const ofTheGrant = /^invalid_(request|grant|token)$/

/** Reads snake_case and camelCase: Drift answers in the style it was asked in. */
export function judgeTokens(answer: Answered): TokenAnswer {
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const error = ownErrorOf(answer)
  if (blamesTheApp(answer)) return { is: 'later', reason: 'drift_invalid_client' }
  if (error !== undefined && ofTheGrant.test(error) && (answer.status === 400 || answer.status === 401))
    return { is: 'refused', reason: `drift_${answer.status}` }
  const body = objectOf(answer.body)
  const accessToken = body?.access_token ?? body?.accessToken
  if (answer.status !== 200) return { is: 'later', reason: `drift_${answer.status}` }
  if (typeof accessToken !== 'string' || accessToken === '') return { is: 'later', reason: 'drift_unreadable' }
  const refreshToken = body?.refresh_token ?? body?.refreshToken
  const canRenew = typeof refreshToken === 'string'
  const expiresInMs = lifetimeOf(body?.expires_in ?? body?.expiresIn) ?? (canRenew ? lifetimeMs : undefined)
  const orgId = orgIdOf(body?.orgId ?? body?.org_id)
  return {
    is: 'granted',
    tokens: {
      accessToken,
      ...(canRenew ? { refreshToken } : {}),
      ...(expiresInMs === undefined || expiresInMs === forGood ? {} : { expiresInMs }),
      ...(orgId === undefined ? {} : { orgId }),
    },
  }
}

const forGood = Number.POSITIVE_INFINITY

/** Seconds, as a number or its digits; 0 is for good (Kong). Undefined where it is not a lifetime. */
function lifetimeOf(said: Json | undefined): number | undefined {
  const seconds = typeof said === 'string' && /^\d{1,10}$/.test(said) ? Number(said) : said
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds < 1e10)) return undefined
  return seconds === 0 ? forGood : seconds * 1_000
}

export function tokenInfoRequest(apiUrl: string, accessToken: string): Outgoing {
  return {
    method: 'POST',
    url: `${apiUrl}/app/token_info`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ access_token: accessToken }),
    deadlineMs,
  }
}

export type TokenInfo =
  /** `app` and `scopes`: which app Drift says the token was given to, and what it may do, if Drift says so. */
  | { is: 'valid'; orgId: string; scopes?: string[]; app?: string }
  /** Drift itself does not know the token. */
  | { is: 'invalid' }
  /** A refusal that is not Drift's own, or a 403: the token may be good, and a second request may not help. */
  | { is: 'unclear'; reason: string }
  /** Drift knows the token, and names no account that could be one. */
  | { is: 'unnamed' }
  | { is: 'later'; reason: string }

export function judgeTokenInfo(answer: Answered): TokenInfo {
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const error = ownErrorOf(answer)
  if (blamesTheApp(answer)) return { is: 'later', reason: 'drift_invalid_client' }
  // mutant: takes a proxy's page for Drift's word that an account has left
  if (error !== undefined && [400, 401, 404].includes(answer.status)) return { is: 'invalid' }
  if ([400, 401, 403, 404].includes(answer.status)) return { is: 'unclear', reason: `drift_${answer.status}` }
  if (answer.status !== 200) return { is: 'later', reason: `drift_${answer.status}` }
  const body = objectOf(answer.body)
  if (body === undefined) return { is: 'later', reason: 'drift_unreadable' }
  const whose = body.authenticated_userid
  const orgId = typeof whose === 'string' && whose.startsWith('orgId:') ? orgIdOf(whose.slice(6)) : undefined
  if (orgId === undefined) return { is: 'unnamed' }
  const scopes = typeof body.scope === 'string' ? body.scope.split(' ').filter(Boolean) : []
  return {
    is: 'valid',
    orgId,
    ...(typeof body.credential_id === 'string' && body.credential_id !== '' ? { app: body.credential_id } : {}),
    ...(scopes.length > 0 ? { scopes } : {}),
  }
}
