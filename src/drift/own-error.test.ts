import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorPages } from '../../test/error-pages.ts'
import { judgeConversation } from './conversation.ts'
import { judgeTokenInfo, judgeTokens, judgeUninstall } from './oauth.ts'
import { ownErrorOf } from './own-error.ts'

const statuses = [400, 401, 403, 404, 407, 410, 418, 451, 500, 502, 511]
const answer = (status: number, body: string | object) => ({
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

describe("an error is Drift's own", () => {
  for (const [shape, body] of [
    ['in a list', { errors: [{ type: 'not_found', message: 'no', param: 'id' }] }],
    ['in an object', { error: { type: 'not_found', message: 'no' } }],
    ["in the gateway's two strings", { error: 'not_found', error_description: 'no' }],
  ] as const)
    test(`${shape}, in any 4xx, and in no other status`, () => {
      for (const status of [400, 401, 403, 404, 499]) assert.equal(ownErrorOf(answer(status, body)), 'not_found')
      for (const status of [200, 302, 399, 500, 503]) assert.equal(ownErrorOf(answer(status, body)), undefined)
    })
})

describe('what answers in the place of Drift', () => {
  for (const [who, body] of errorPages)
    test(`${who}: is not its own word, ends nothing, and confirms nothing`, () => {
      for (const status of [200, 204, 302, ...statuses]) {
        const page = answer(status, body)
        assert.equal(ownErrorOf(page), undefined)
        assert.match(judgeConversation(page).is, /^(later|unclear)$/)
        assert.match(judgeTokenInfo(page).is, /^(later|unclear|unnamed)$/)
        assert.equal(judgeTokens(page).is, 'later')
        assert.equal(judgeUninstall(page).is, 'later')
      }
    })
})

describe("of Drift's own errors", () => {
  const own = (status: number, type: string) => answer(status, { error: type, error_description: 'no' })

  test('only not_found says that the conversation does not exist', () => {
    assert.equal(judgeConversation(own(404, 'not_found')).is, 'missing')
    assert.equal(judgeConversation(own(404, 'validation_error')).is, 'later')
  })

  test('only one about the refresh token ends a grant', () => {
    for (const type of ['invalid_request', 'invalid_grant', 'invalid_token'])
      for (const status of [400, 401]) assert.equal(judgeTokens(own(status, type)).is, 'refused')
    for (const type of ['unsupported_grant_type', 'server_error', 'validation_error', 'rate_limited'])
      for (const status of [400, 401]) assert.equal(judgeTokens(own(status, type)).is, 'later')
    for (const status of [402, 403, 404, 429]) assert.equal(judgeTokens(own(status, 'invalid_request')).is, 'later')
  })

  test('one about our app is the operator’s to mend, whatever was asked', () => {
    for (const type of ['invalid_client', 'unauthorized_client'])
      for (const page of [own(401, type), own(400, type), answer(401, { error: type })])
        for (const judged of [judgeTokens(page), judgeTokenInfo(page), judgeUninstall(page)])
          assert.deepEqual(judged, { is: 'later', reason: 'drift_invalid_client' })
  })

  test('a grant is ended at Drift when Drift says so in its own words', () => {
    for (const body of [{ result: 'OK', ok: true }, { ok: true }, { result: 'OK' }])
      assert.equal(judgeUninstall(answer(200, body)).is, 'gone')
    assert.equal(judgeUninstall(own(401, 'invalid_token')).is, 'refused')
  })
})
