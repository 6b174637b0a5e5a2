/** Drift's OAuth: the page where an admin allows an app, the exchange of codes, tokens that rotate, and the way out. */
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import {
  bearer,
  type DriftState,
  type Grant,
  grantTo,
  kong,
  liveGrant,
  newToken,
  refreshableGrant,
  revoke,
} from './drift-state.ts'
import { html, page } from './page.ts'
import type { Received, Reply } from './server.ts'

/** `GET /authorize`: a plain form, so that a browser and a test use the same door. */
export function authorizePage(state: DriftState, { query }: Received): Reply {
  const refused = judgeAsk(state, query)
  if (refused) return refused
  const hidden = [...query].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)
  const orgs = [...state.orgs.values()].map(
    (org) => html`<option value="${org.orgId}">${org.name} (${org.orgId})</option>`,
  )
  const form = html`<p>An app asks for: ${state.settings.scopes.join(', ')}.</p>
<form method="post" action="/authorize">
${hidden}<p><label>Drift account <select name="orgId">${orgs}</select></label></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p>
</form>`
  return page('Simulated Drift: connect an app', form)
}

/** `POST /authorize`: back to the app, with a code that works once or with `error=access_denied`. */
export function decide(state: DriftState, { body }: Received): Reply {
  const form = new URLSearchParams(body)
  const orgId = Number(form.get('orgId'))
  const refused = judgeAsk(state, form)
  if (refused) return refused
  const redirectUri = form.get('redirect_uri') ?? ''
  const back = new URL(redirectUri)
  if (form.get('decision') === 'deny') back.searchParams.set('error', 'access_denied')
  else {
    if (!state.orgs.has(orgId))
      return page('This app cannot be connected', html`<p>Drift does not know this account.</p>`, 400)
    const code = newToken(state)
    state.codes.set(code, { orgId, redirectUri })
    back.searchParams.set('code', code)
  }
  const given = form.get('state')
  if (given !== null) back.searchParams.set('state', given)
  return { status: 302, headers: { location: back.href, 'cache-control': 'no-store' } }
}

/** `POST /oauth2/token`: asked in a form it answers in snake_case, asked in JSON (Drift's own sample) in camelCase. */
export function token(state: DriftState, request: Received): Reply {
  const isJson = (request.headers['content-type'] ?? '').includes('json')
  const ask = isJson ? camelAsk(request.body) : new URLSearchParams(request.body)
  const { clientId, clientSecret } = state.settings
  if (ask.get('client_id') !== clientId || ask.get('client_secret') !== clientSecret)
    return kong(400, 'invalid_client', 'Invalid client authentication')
  const granted = grantFor(state, ask)
  if ('status' in granted) return granted
  return {
    status: 200,
    headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
    body: answerFor(state, granted, isJson),
  }
}

/** `POST /app/token_info`. */
export function tokenInfo(state: DriftState, { body }: Received): Reply {
  const ask = readText(body).value
  const accessToken = isObject(ask) ? ask.access_token : undefined
  const grant = typeof accessToken === 'string' ? liveGrant(state, accessToken) : undefined
  if (!grant) return kong(401, 'invalid_token', 'The access token is invalid or has expired')
  const answer = {
    access_token: grant.accessToken,
    authenticated_userid: `orgId:${grant.orgId}`,
    credential_id: state.settings.clientId,
    token_type: 'bearer',
    expires_in: grant.expiresIn,
    created_at: grant.createdAt,
    scope: grant.scopes.join(' '),
    id: grant.id,
  }
  return { status: 200, body: answer }
}

/** `POST /app/uninstall?clientId&clientSecret` with the account's token: every token of that account dies. */
export function uninstall(state: DriftState, { query, headers }: Received): Reply {
  const grant = bearer(state, headers.authorization)
  if ('status' in grant) return grant
  const { clientId, clientSecret } = state.settings
  if (query.get('clientId') !== clientId || query.get('clientSecret') !== clientSecret)
    return kong(401, 'invalid_client', 'Invalid client authentication')
  for (const other of [...state.accessTokens.values(), ...state.refreshTokens.values()])
    if (other.orgId === grant.orgId) revoke(state, other)
  return { status: 200, body: { result: 'OK', ok: true } }
}

function judgeAsk({ settings }: DriftState, ask: URLSearchParams): Reply | undefined {
  const redirectUri = ask.get('redirect_uri') ?? ''
  const why =
    ask.get('response_type') !== 'code'
      ? 'The response_type must be code.'
      : ask.get('client_id') !== settings.clientId
        ? 'No app has this client_id.'
        : !URL.canParse(redirectUri) || (settings.redirectUri !== undefined && redirectUri !== settings.redirectUri)
          ? 'The redirect_uri does not match the one in the settings of the app.'
          : undefined
  return why === undefined ? undefined : page('This app cannot be connected', html`<p>${why}</p>`, 400)
}

function grantFor(state: DriftState, ask: URLSearchParams): Grant | Reply {
  const { scopes, expiresIn } = state.settings
  const kind = ask.get('grant_type')
  if (kind === 'authorization_code') {
    const code = state.codes.get(ask.get('code') ?? '')
    if (!code) return kong(400, 'invalid_request', 'Invalid code')
    const redirectUri = ask.get('redirect_uri')
    if (redirectUri !== null && redirectUri !== code.redirectUri)
      return kong(400, 'invalid_request', 'Invalid redirect_uri that does not match with the one of the code')
    state.codes.delete(ask.get('code') ?? '')
    return grantTo(state, code.orgId, scopes, expiresIn)
  }
  if (kind === 'refresh_token') {
    const old = refreshableGrant(state, ask.get('refresh_token') ?? '')
    if (!old) return kong(400, 'invalid_request', 'Invalid refresh_token')
    revoke(state, old)
    return grantTo(state, old.orgId, old.scopes, expiresIn)
  }
  return kong(400, 'unsupported_grant_type', 'Invalid grant_type')
}

function answerFor({ settings }: DriftState, grant: Grant, camel: boolean): object {
  const { accessToken, refreshToken, expiresIn, orgId } = grant
  const org = settings.omitOrgId ? {} : { orgId }
  if (camel) {
    const lifetime = settings.omitExpiresIn ? {} : { expiresIn }
    return { accessToken, refreshToken, tokenType: 'bearer', ...lifetime, ...org }
  }
  const lifetime = settings.omitExpiresIn ? {} : { expires_in: expiresIn }
  return { access_token: accessToken, refresh_token: refreshToken, token_type: 'bearer', ...lifetime, ...org }
}

/** `clientId` becomes `client_id`, and so on. */
function camelAsk(body: string): URLSearchParams {
  const read = readText(body).value
  const ask: JsonObject = isObject(read) ? read : {}
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return new URLSearchParams(
    Object.fromEntries(Object.entries(ask).map(([name, value]) => [snake(name), String(value)])),
  )
}
