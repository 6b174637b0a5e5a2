/** Drift's token endpoints: what is asked, and what an answer means. Judging needs no network. */
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import type { Answered, Outgoing } from '../lib/request.ts'

export interface App {
  clientId: string
  clientSecret: string
}

export interface Tokens {
  accessToken: string
  refreshToken?: string
  /** Two hours where Drift says nothing (its documented lifetime). */
  expiresInMs: number
  orgId?: string
}

export type TokenAnswer =
  | { is: 'granted'; tokens: Tokens }
  /** Drift will not say yes however often it is asked. */
  | { is: 'refused'; reason: string }
  | { is: 'later'; reason: string }

const deadlineMs = 15_000
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

/** `refused`: Drift does not accept the token, which may have run out. */
export function judgeUninstall({ status, body, failure }: Answered & { body?: string }): Uninstalled {
  if (status === 200) return { is: 'gone' }
  const said = body === undefined ? undefined : objectOf(body)
  if (said?.error === 'invalid_client') return { is: 'later', reason: 'drift_invalid_client' }
  return { is: status === 401 ? 'refused' : 'later', reason: failure ?? `drift_${status}` }
}

/** Reads snake_case and camelCase: Drift answers in the style it was asked in. */
export function judgeTokens(answer: Answered): TokenAnswer {
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const body = objectOf(answer.body)
  // A wrong client id or secret is the operator's to mend: the account's grant is as good as it was.
  if (body?.error === 'invalid_client') return { is: 'later', reason: 'drift_invalid_client' }
  // A dead refresh token is a 400 `invalid_request` (Kong's oauth2 plugin). What does not say so in JSON is somebody on
  // the way, and no word of Drift's: an account must not lose its grant for a proxy's page.
  const isNo = body?.error !== undefined || body?.errors !== undefined
  if (isNo && (answer.status === 400 || answer.status === 401))
    return { is: 'refused', reason: `drift_${answer.status}` }
  const accessToken = body?.access_token ?? body?.accessToken
  if (answer.status !== 200 || typeof accessToken !== 'string') return { is: 'later', reason: `drift_${answer.status}` }
  const refreshToken = body?.refresh_token ?? body?.refreshToken
  const seconds = Number(body?.expires_in ?? body?.expiresIn)
  const orgId = body?.orgId ?? body?.org_id
  return {
    is: 'granted',
    tokens: {
      accessToken,
      ...(typeof refreshToken === 'string' ? { refreshToken } : {}),
      expiresInMs: seconds > 0 ? seconds * 1_000 : lifetimeMs,
      ...(typeof orgId === 'number' || typeof orgId === 'string' ? { orgId: String(orgId) } : {}),
    },
  }
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
  /** `app`: which app Drift says the token was given to, if it says so. */
  | { is: 'valid'; orgId: string; scopes: string[]; app?: string }
  | { is: 'invalid' }
  /** Drift knows the token, and names no account that could be one. */
  | { is: 'unnamed' }
  | { is: 'later'; reason: string }

export function judgeTokenInfo(answer: Answered): TokenInfo {
  if (answer.failure !== undefined) return { is: 'later', reason: answer.failure }
  const isGateway = /no route matched/i.test(answer.body)
  if (answer.status === 400 || answer.status === 401 || (answer.status === 404 && !isGateway)) return { is: 'invalid' }
  const body = objectOf(answer.body)
  const orgId = /^orgId:([1-9][0-9]{0,18})$/.exec(String(body?.authenticated_userid))?.[1]
  if (answer.status !== 200 || body === undefined) return { is: 'later', reason: `drift_${answer.status}` }
  if (orgId === undefined) return { is: 'unnamed' }
  return {
    is: 'valid',
    orgId,
    ...(typeof body?.credential_id === 'string' && body.credential_id !== '' ? { app: body.credential_id } : {}),
    scopes: String(body?.scope ?? '')
      .split(' ')
      .filter(Boolean),
  }
}

function objectOf(text: string): JsonObject | undefined {
  const reading = readText(text)
  return reading.ok && isObject(reading.value) ? reading.value : undefined
}
