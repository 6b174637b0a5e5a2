import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { judgeTokenInfo, judgeTokens, judgeUninstall } from './oauth.ts'

describe("Drift's answer to a refresh", () => {
  const answer = (body: object) => judgeTokens({ status: 200, headers: {}, body: JSON.stringify(body) })
  const tokens = { accessToken: 'a', refreshToken: 'r', expiresInMs: 3_600_000, orgId: '7' }

  test('is read in snake_case and in camelCase', () => {
    const snake = { access_token: 'a', refresh_token: 'r', expires_in: 3_600, orgId: 7, token_type: 'bearer' }
    const camel = { accessToken: 'a', refreshToken: 'r', expiresIn: '3600', orgId: '7' }
    for (const body of [snake, camel]) assert.deepEqual(answer(body), { is: 'granted', tokens })
  })

  test('that can be renewed, with a lifetime of nonsense or without one: after two hours; with 0 for good', () => {
    for (const expires_in of [undefined, null, -1, 'soon', '', '1e9', {}, 1e300, true]) {
      const judged = answer({ access_token: 'a', refresh_token: 'r', expires_in })
      const tokens = { accessToken: 'a', refreshToken: 'r', expiresInMs: 7_200_000 }
      assert.deepEqual(judged, { is: 'granted', tokens }, JSON.stringify(expires_in))
    }
    for (const expires_in of [0, '0'])
      assert.deepEqual(answer({ access_token: 'a', refresh_token: 'r', expires_in }), {
        is: 'granted',
        tokens: { accessToken: 'a', refreshToken: 'r' },
      })
  })

  test('names its account as a number or in digits, exactly; what is not an account is passed over', () => {
    const named = (orgId: string) => {
      const judged = judgeTokens({ status: 200, headers: {}, body: `{"access_token":"a","orgId":${orgId}}` })
      return judged.is === 'granted' ? judged.tokens.orgId : judged
    }
    assert.deepEqual(['7', '"7"', '9007199254740993'].map(named), ['7', '7', '9007199254740993'])
    for (const odd of ['0', '""', 'null', '-7', '[7]', '{}']) assert.equal(named(odd), undefined)
  })

  test('that has no access token cannot be read, and does not take the place of a good grant', () => {
    for (const access_token of [undefined, null, '', 7, {}])
      assert.deepEqual(answer({ access_token, refresh_token: 'r' }), { is: 'later', reason: 'drift_unreadable' })
  })

  test('that refuses is a refusal, in all three shapes of its errors', () => {
    for (const body of [
      { error: 'invalid_request', error_description: 'Invalid refresh_token' },
      { error: { type: 'invalid_request', message: 'no' } },
      { errors: [{ type: 'invalid_request', message: 'no' }] },
    ])
      assert.equal(judgeTokens({ status: 400, headers: {}, body: JSON.stringify(body) }).is, 'refused')
  })
})

describe("Drift's answer to what a token is", () => {
  const info = (body: object) => judgeTokenInfo({ status: 200, headers: {}, body: JSON.stringify(body) })
  const mine = { authenticated_userid: 'orgId:7' }

  test('that is not a JSON object cannot be read', () => {
    for (const body of ['', 'OK', '[]', '<html>', '{"authenticated_userid":"orgId:7"'])
      assert.deepEqual(judgeTokenInfo({ status: 200, headers: {}, body }), { is: 'later', reason: 'drift_unreadable' })
  })

  test('says what the app may do only where Drift says so: of a scope that is absent nothing is guessed', () => {
    for (const scope of [undefined, null, '', ' ', [], 7])
      assert.deepEqual(info({ ...mine, scope }), { is: 'valid', orgId: '7' })
    const scopes = ['contact_read', 'conversation_read']
    assert.deepEqual(info({ ...mine, scope: scopes.join(' ') }), { is: 'valid', orgId: '7', scopes })
  })

  test('says that Drift does not know it only in Drift’s own words and with a status that can mean so', () => {
    const own = JSON.stringify({ error: 'invalid_token', error_description: 'No.' })
    for (const status of [400, 401, 404]) assert.equal(judgeTokenInfo({ status, headers: {}, body: own }).is, 'invalid')
    assert.equal(judgeTokenInfo({ status: 403, headers: {}, body: own }).is, 'unclear')
    for (const status of [200, 302, 429, 500])
      assert.notEqual(judgeTokenInfo({ status, headers: {}, body: own }).is, 'invalid')
  })
})

describe('an answer of Drift with any value in any field', () => {
  /** Most of these cannot be made a text: an exact number, and objects whose own `toString` is not a function. */
  const values = [
    '12345678901234567890',
    '1e-400',
    '{"toString":1,"valueOf":1}',
    '[[{"toString":1}]]',
    '{"__proto__":null}',
  ]
  const fields = ['error', 'errors', 'error_description', 'access_token', 'expires_in', 'orgId', 'result', 'scope']
  const ofToken = ['authenticated_userid', 'credential_id']

  for (const judge of [judgeTokens, judgeTokenInfo, judgeUninstall])
    test(`is judged, and never thrown: ${judge.name}`, () => {
      for (const status of [200, 400, 401, 403, 404, 500])
        for (const field of [...fields, ...ofToken])
          for (const value of values) {
            const body = `{"${field}":${value}}`
            assert.notEqual(judge({ status, headers: {}, body }).is, 'granted', `${status} ${body}`)
          }
    })
})
