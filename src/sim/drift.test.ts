import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../lib/clock.ts'
import { type DriftSim, startDrift } from './drift.ts'
import { startSims } from './index.ts'

type Answer = Record<string, unknown>
const orgId = 5000883
const redirectUri = 'http://127.0.0.1:9/connect/callback'
let drift: DriftSim
let nowMs = 0

beforeEach(async () => {
  nowMs = 1_714_419_312_425
  drift = await startDrift({ redirectUri, clock: { ...systemClock, now: () => nowMs } })
  const conversation = { id: 3969707702, contactId: 21760538950, status: 'open' }
  drift.addOrg({ orgId, name: 'A & B', conversations: [conversation], contacts: [{ id: 21760538950, attributes: {} }] })
})
afterEach(() => drift.close())

async function answered(response: Response) {
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer }
}
const app = () => ({ client_id: drift.settings.clientId, client_secret: drift.settings.clientSecret })
const askToken = async (fields: Record<string, string>) =>
  answered(
    await fetch(`${drift.url}/oauth2/token`, { method: 'POST', body: new URLSearchParams({ ...app(), ...fields }) }),
  )
const refresh = (refreshToken: unknown) =>
  askToken({ grant_type: 'refresh_token', refresh_token: String(refreshToken) })
const get = async (path: string, accessToken?: unknown) =>
  answered(await fetch(drift.url + path, { headers: accessToken ? { authorization: `Bearer ${accessToken}` } : {} }))

function decide(decision: 'allow' | 'deny', more: Record<string, string> = {}) {
  const ask = { response_type: 'code', client_id: drift.settings.clientId, redirect_uri: redirectUri, state: 's & t' }
  const body = new URLSearchParams({ ...ask, orgId: String(orgId), decision, ...more })
  return fetch(drift.authorizeUrl, { method: 'POST', body, redirect: 'manual' })
}
const backFrom = (response: Response) => new URL(response.headers.get('location') ?? '')
const allow = async () => backFrom(await decide('allow')).searchParams.get('code') ?? ''

describe('the authorize page', () => {
  test('shows the accounts, Allow and Deny, and carries the parameters along', async () => {
    const ask = new URLSearchParams({
      response_type: 'code',
      client_id: app().client_id,
      redirect_uri: redirectUri,
      state: '"',
    })
    const page = await (await fetch(`${drift.authorizeUrl}?${ask}`)).text()
    assert.match(page, /<option value="5000883">A &#38; B \(5000883\)/)
    assert.match(page, /name="decision" value="allow">Allow<.*name="decision" value="deny">Deny</)
    assert.match(page, /name="state" value="&#34;"/)
  })

  test('Allow goes back with code and state, Deny with the error and state', async () => {
    const allowed = backFrom(await decide('allow'))
    assert.equal(allowed.origin + allowed.pathname, redirectUri)
    assert.deepEqual([...allowed.searchParams.keys()], ['code', 'state'])
    assert.equal(allowed.searchParams.get('state'), 's & t')
    assert.equal(backFrom(await decide('deny')).search, '?error=access_denied&state=s+%26+t')
  })

  test('another redirect URI, another client or another account goes nowhere', async () => {
    const wrong = [
      { redirect_uri: 'http://127.0.0.1:9/else' },
      { client_id: 'else' },
      { orgId: '1' },
      { response_type: 'token' },
    ]
    for (const more of wrong) assert.equal((await decide('allow', more)).status, 400)
  })
})

describe('tokens', () => {
  test('a code is exchanged once', async () => {
    const code = await allow()
    const { status, body } = await askToken({ grant_type: 'authorization_code', code, redirect_uri: redirectUri })
    assert.equal(status, 200)
    const { access_token, refresh_token, ...rest } = body
    assert.deepEqual(rest, { token_type: 'bearer', expires_in: 7200, orgId })
    assert.equal((await get('/contacts/21760538950', access_token)).status, 200)
    assert.notEqual(access_token, refresh_token)
    const again = await askToken({ grant_type: 'authorization_code', code })
    assert.deepEqual([again.status, again.body], [400, { error: 'invalid_request', error_description: 'Invalid code' }])
  })

  test('asked in JSON, it answers in camelCase; expires_in and orgId can be left out', async () => {
    drift.settings.omitExpiresIn = true
    drift.settings.omitOrgId = true
    const { clientId, clientSecret } = drift.settings
    const ask = { clientId, clientSecret, code: await allow(), grantType: 'authorization_code' }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${drift.url}/oauth2/token`, { method: 'POST', headers, body: JSON.stringify(ask) })
    assert.deepEqual(Object.keys((await answer.json()) as Answer), ['accessToken', 'refreshToken', 'tokenType'])
  })

  test('a refresh gives a new pair, and the old pair dies at once', async () => {
    const old = drift.issueToken(orgId)
    const { status, body } = await refresh(old.refreshToken)
    assert.equal(status, 200)
    assert.equal((await get('/contacts/21760538950', old.accessToken)).status, 401)
    assert.equal((await get('/contacts/21760538950', body.access_token)).status, 200)
    const late = await refresh(old.refreshToken)
    const invalid = { error: 'invalid_request', error_description: 'Invalid refresh_token' }
    assert.deepEqual([late.status, late.body], [400, invalid])
    assert.equal((await refresh(body.refresh_token)).status, 200)
    assert.equal(drift.count('/oauth2/token'), 3)
  })

  test('access tokens expire, idle refresh tokens after fourteen days, private tokens never', async () => {
    const { accessToken, refreshToken } = drift.issueToken(orgId, { expiresIn: 60 })
    const forEver = drift.privateToken(orgId)
    nowMs += 60_000
    assert.equal((await get('/contacts/21760538950', accessToken)).status, 401)
    nowMs += 14 * 86_400_000
    assert.equal((await refresh(refreshToken)).status, 400)
    assert.equal((await get('/contacts/21760538950', forEver)).status, 200)
  })

  test('a wrong client gets the error that says so', async () => {
    const { status, body } = await askToken({ client_secret: 'wrong', grant_type: 'refresh_token' })
    assert.deepEqual([status, body.error], [400, 'invalid_client'])
  })

  test('token_info tells the account and scopes; uninstall kills the tokens', async () => {
    const { accessToken, refreshToken } = drift.issueToken(orgId, { scopes: ['contact_read'] })
    const info = () =>
      fetch(`${drift.url}/app/token_info`, { method: 'POST', body: JSON.stringify({ access_token: accessToken }) })
    const { body } = await answered(await info())
    assert.deepEqual([body.authenticated_userid, body.scope, body.expires_in], ['orgId:5000883', 'contact_read', 7200])
    const headers = { authorization: `Bearer ${accessToken}` }
    const leave = async (secret: string) => {
      const query = new URLSearchParams({ clientId: drift.settings.clientId, clientSecret: secret })
      return answered(await fetch(`${drift.url}/app/uninstall?${query}`, { method: 'POST', headers }))
    }
    assert.equal((await leave('wrong')).status, 401)
    assert.deepEqual((await leave(drift.settings.clientSecret)).body, { result: 'OK', ok: true })
    assert.equal((await info()).status, 401)
    assert.equal((await refresh(refreshToken)).status, 400)
  })
})

describe('the page of apps', () => {
  const press = (what: string, of = orgId) =>
    fetch(`${drift.url}/settings/apps`, { method: 'POST', body: new URLSearchParams({ orgId: `${of}`, press: what }) })

  test('sends an event of the account, each time another one, and tells what came of it on the page for people', async () => {
    assert.doesNotMatch(await (await fetch(`${drift.url}/settings/apps`)).text(), /<button/)
    drift.settings.requestUrl = `${drift.url}/webhooks/drift`
    drift.issueToken(orgId)
    assert.match(await (await press('new_meeting')).text(), /The app is connected[\s\S]*value="new_meeting"/)
    await press('new_meeting')
    await press('no_event')
    await press('new_meeting', 7)
    await drift.waitFor(() => drift.count('/webhooks/drift') === 2)
    assert.deepEqual(
      drift.sent.map(({ type }) => type),
      ['new_meeting', 'new_meeting'],
    )
    assert.notEqual(drift.sent[0]?.body, drift.sent[1]?.body)
  })

  test('an app that is taken away loses every token of the account, and gets the webhook', async () => {
    drift.settings.requestUrl = `${drift.url}/webhooks/drift`
    const mine = drift.issueToken(orgId)
    const other = drift.issueToken(2)
    assert.match(await (await press('disconnect')).text(), /No app is connected/)
    await drift.waitFor(() => drift.count('/webhooks/drift') === 1)
    assert.equal(JSON.parse(drift.sent[0]!.body).type, 'app_disconnected')
    assert.equal((await refresh(mine.refreshToken)).status, 400)
    assert.equal((await refresh(other.refreshToken)).status, 200)
  })
})

describe('look-ups', () => {
  test('a conversation comes wrapped in data, only for its own account', async () => {
    const { accessToken } = drift.issueToken(orgId)
    const { status, body } = await get('/conversations/3969707702', accessToken)
    assert.deepEqual([status, body], [200, { data: { id: 3969707702, contactId: 21760538950, status: 'open' } }])
    assert.equal((await get('/conversations/3969707702', drift.issueToken(2).accessToken)).status, 404)
    assert.deepEqual([drift.count('/conversations/*'), drift.count('/contacts/*')], [2, 0])
  })

  test('401 as the gateway says it, 403 without the scope, 404 in either shape', async () => {
    const without = await get('/conversations/3969707702', 'dead')
    assert.equal(without.body.error, 'invalid_token')
    assert.match(without.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/)
    assert.equal((await get('/conversations/3969707702')).status, 401)
    const { accessToken } = drift.issueToken(orgId, { scopes: ['contact_read'] })
    assert.equal((await get('/conversations/3969707702', accessToken)).status, 403)
    const errors = (await get('/contacts/1', accessToken)).body.errors as Answer[]
    assert.deepEqual(Object.keys(errors[0] ?? {}), ['type', 'message', 'param'])
    drift.settings.notFoundShape = 'error'
    assert.deepEqual(((await get('/contacts/1', accessToken)).body.error as Answer).type, 'not_found')
  })

  test('faults by path', async () => {
    const token = drift.privateToken(orgId)
    drift.script('/conversations/*', [{ status: 429, headers: { 'retry-after': '7' } }, { reset: 'after' }])
    const limited = await fetch(`${drift.url}/conversations/3969707702`)
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '7'])
    assert.equal((await get('/contacts/21760538950', token)).status, 200)
    await assert.rejects(get('/conversations/3969707702', token))
    assert.equal((await get('/conversations/3969707702', token)).status, 200)
  })
})

describe('webhooks', () => {
  const received: { token: unknown; text: string }[] = []
  const endpoint = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    received.push({ token: request.headers['x-verification-token'], text })
    response.end('{"ok":true}')
  })
  const pushed = `{ "drift": { "orgId": 5000883, "token": "T", "type": "pushed",
    "data": { "conversationId": 9007199254740993, "pushedAt": 1714421087350, "updatedAt": 0, "userId": 2322756 } },
    "conversation": { "id": 9007199254740993, "contactId": 21760538950, "createdAt": 1714419312425 }, "segment": {} }`
  const clicked = `{ "drift": { "type": "clicked", "data": { "author": { "id": 7, "type": "contact" } }, "orgId": 1 }, "segment": {} }`
  let folder = ''
  let to = ''
  let sender: DriftSim

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fixtures-'))
    await writeFile(join(folder, 'pushed.json'), pushed)
    await writeFile(join(folder, 'clicked.json'), clicked)
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
    to = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/webhooks/drift`
  })
  after(async () => {
    endpoint.close()
    await rm(folder, { recursive: true })
  })
  beforeEach(async () => {
    received.length = 0
    sender = await startDrift({ fixtures: pathToFileURL(`${folder}/`) })
  })
  afterEach(() => sender.close())

  test('go out with the token in body and header, key order and digits kept, and can be looked up', async () => {
    assert.deepEqual(await sender.send('pushed', { to, orgId: 42 }), { status: 200, body: '{"ok":true}' })
    const { verificationToken } = sender.settings
    assert.equal(received[0]?.token, verificationToken)
    const data = '{"conversationId":9007199254740993,"pushedAt":1714421087350,"updatedAt":0,"userId":2322756}'
    assert.equal(received[0]?.text, `{"orgId":42,"token":"${verificationToken}","type":"pushed","data":${data}}`)
    const headers = { authorization: `Bearer ${sender.privateToken(42)}` }
    const found = await fetch(`${sender.url}/conversations/9007199254740993`, { headers })
    assert.equal(
      await found.text(),
      '{"data":{"id":9007199254740993,"contactId":21760538950,"createdAt":1714419312425}}',
    )
    assert.deepEqual(
      sender.sent.map(({ type, status }) => [type, status]),
      [['pushed', 200]],
    )
  })

  test('a wrong token, no token, a body of one’s own', async () => {
    await sender.send('clicked', { to, headerToken: null, bodyToken: 'wrong' })
    await sender.send({ type: 'app_disconnected', orgId: 1, data: {} }, { to, bodyToken: null })
    assert.deepEqual([received[0]?.token, JSON.parse(received[0]!.text).token], [undefined, 'wrong'])
    assert.equal(received[1]?.text, '{"type":"app_disconnected","orgId":1,"data":{}}')
  })

  test('one fixture makes many events, of many people', async () => {
    await sender.send('pushed', { to, vary: 2, contact: 3 })
    await sender.send('clicked', { to, vary: 2, contact: 3 })
    const { verificationToken: token } = sender.settings
    const data = '{"conversationId":9007199254740995,"pushedAt":1714421087352,"updatedAt":0,"userId":2322756}'
    assert.equal(received[0]?.text, `{"orgId":5000883,"token":"${token}","type":"pushed","data":${data}}`)
    assert.equal(sender.orgs.get(5000883)?.conversations.get('9007199254740995')?.contactId, 21760538953)
    assert.equal(JSON.parse(received[1]!.text).data.author.id, 10)
  })

  test('all of them, repeated and out of order', async () => {
    const answers = await sender.sendAll({ to, repeat: 3, shuffle: true })
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(6).fill(200),
    )
    const types = sender.sent.map(({ type }) => type).sort()
    assert.deepEqual(types, ['clicked', 'clicked', 'clicked', 'pushed', 'pushed', 'pushed'])
  })

  test('an app that is not there is a failure on the ledger, not an exception', async () => {
    const gone = await startSims()
    await gone.close()
    assert.equal((await sender.send('clicked', { to: gone.drift.url })).status, 0)
    assert.equal(sender.sent[0]?.answer, 'ECONNREFUSED')
    assert.match(await (await fetch(sender.url)).text(), /Webhooks sent \(1\).*ECONNREFUSED/s)
  })
})
