import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answered } from '../lib/request.ts'
import { unmakeable } from '../lib/request.ts'
import { judge, type Verdict } from './verdict.ts'

const now = Date.UTC(2025, 5, 1)

function answer(status: number, body = '', headers: Record<string, string> = {}): Answered {
  return { status, body, headers }
}

/** What the whole range of statuses means, with a body that says nothing. */
function expected(status: number): Verdict {
  if (status < 300) return { is: 'done' }
  if (status < 400) return { is: 'held', reason: 'segment_redirect' }
  if (status === 401 || status === 403 || status === 404) return { is: 'held', reason: `segment_${status}` }
  if ([400, 413].includes(status)) return { is: 'refused', reason: `segment_${status}` }
  return { is: 'later', reason: `segment_${status}` }
}

describe("what Segment's answer means", () => {
  for (const body of ['', 'OK', '{"success": true}']) {
    test(`every status from 200 to 599 with the body ${JSON.stringify(body)}`, () => {
      for (let status = 200; status <= 599; status++) {
        assert.deepEqual(judge(answer(status, body), now), expected(status), `${status}`)
      }
    })
  }

  test('no answer at all is to be tried again', () => {
    for (const failure of ['ECONNREFUSED', 'TIMEOUT', 'UND_ERR_SOCKET'])
      assert.deepEqual(judge({ status: 0, failure }, now), { is: 'later', reason: failure })
  })

  const successes: [what: string, bodies: string[], verdict: Verdict][] = [
    [
      'that says no holds the account',
      [
        '{"success":false}',
        ' { "message": "no", "success" : false } ',
        '{"ok":false}',
        '{"error":"invalid"}',
        '{"error":{"code":1}}',
        '{"error":false}',
        '{"error":0}',
        '{"success":true,"error":"half of it"}',
        '{"ok":true,"success":false}',
      ],
      { is: 'held', reason: 'segment_success_false' },
    ],
    [
      'that says yes is a yes',
      ['{"success":true}', '{"ok":true}', '{"success":true,"error":null}', 'OK', ' ok\n', 'Ok', '', ' \r\n'],
      { is: 'done' },
    ],
    [
      'that says something else is not Segment\u2019s, and holds the account',
      [
        '<html><body>Sign in</body></html>',
        'OK!',
        'true',
        '"OK"',
        'null',
        '[]',
        '{}',
        '{"success":null}',
        '{"success":"true"}',
        '{"data":{"success":true}}',
        '{"success":true',
        '{"success":true,"success":true}',
        '{"__proto__":{"success":true}}',
      ],
      { is: 'held', reason: 'not_segment' },
    ],
  ]
  for (const [what, bodies, verdict] of successes)
    test(`a 2xx ${what}`, () => {
      for (const status of [200, 201, 202, 204, 299])
        for (const body of bodies) assert.deepEqual(judge(answer(status, body), now), verdict, body)
    })

  test('a 2xx that goes on beyond what is read is not Segment’s, whatever it begins with', () => {
    for (const body of ['', 'OK', '{"success":true}', '{"success":false}'])
      assert.deepEqual(judge({ status: 200, headers: {}, body, isCut: true }, now), {
        is: 'held',
        reason: 'not_segment',
      })
  })

  test('a 400 that names the write key is about the key, in whichever spelling', () => {
    for (const name of ['write key', 'writeKey', 'Write Key', 'write_key', 'write-key', 'WRITEKEY']) {
      const body = JSON.stringify({ success: false, message: `An invalid ${name} was provided` })
      assert.deepEqual(judge(answer(400, body), now), { is: 'held', reason: 'write_key_refused' }, name)
    }
    assert.equal(judge(answer(413, 'write key'), now).is, 'refused')
  })

  test('a 400 that says success:false and names no key is about what was sent', () => {
    const body = '{"success":false,"message":"Exceed payload limit"}'
    assert.deepEqual(judge(answer(400, body), now), { is: 'refused', reason: 'segment_400' })
  })

  const retryAfter: [string, number | undefined][] = [
    ['5', 5_000],
    ['0', 1_000],
    ['-5', undefined],
    ['999999999999999999999', 3_600_000],
    [new Date(now + 90_000).toUTCString(), 90_000],
    [new Date(now - 90_000).toUTCString(), 1_000],
    ['soon', undefined],
    ['', undefined],
  ]
  for (const [header, afterMs] of retryAfter) {
    test(`Retry-After: ${header || '(empty)'}`, () => {
      for (const status of [429, 503]) {
        const verdict = judge(answer(status, '', { 'retry-after': header }), now)
        assert.deepEqual(verdict, {
          is: 'later',
          reason: `segment_${status}`,
          ...(afterMs === undefined ? {} : { afterMs }),
        })
      }
    })
  }

  test('a request that could not even be made holds the account: the same again would fail as well', () => {
    const verdict = judge({ status: 0, failure: unmakeable }, now)
    assert.deepEqual(verdict, { is: 'held', reason: 'segment_request_invalid' })
  })
})
