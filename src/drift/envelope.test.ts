import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { oddData } from '../../test/odd-data.ts'
import { openEnvelope, tokensOf } from './envelope.ts'

test('a token is blanked in each of the spellings that JSON has for it', () => {
  const token = 'a/b+"c\\d=e-0123'
  const { blank } = tokensOf([token])
  const quoted = JSON.stringify(token).slice(1, -1)
  const escaped = [...token].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  for (const spelling of [
    token,
    quoted,
    quoted.replaceAll('/', '\\/'),
    escaped,
    escaped.toUpperCase().replaceAll('U', 'u'),
  ])
    assert.equal(blank(`{"token":"${spelling}"`), '{"token":"[token]"', spelling)
})

describe('of a life-cycle event', () => {
  const tokens = tokensOf(['a-token-of-drift'])
  const open = (text: string) => {
    const judged = openEnvelope(Buffer.from(text), tokens, 'right')
    assert.equal(judged.token, 'right')
    return judged.token === 'right' ? judged.opened : undefined
  }

  for (const type of ['app_disconnected', 'gdpr_delete_requested']) {
    for (const [what, member] of oddData)
      test(`${type} the envelope is enough, where its data is ${what}`, () => {
        for (const orgId of ['5000883', '"5000883"']) {
          const opened = open(`{"token":"a-token-of-drift","type":"${type}","orgId":${orgId}${member}}`)
          assert.ok(opened?.as === 'envelope', opened?.as)
          const { envelope } = opened
          assert.deepEqual([envelope.type, envelope.orgId, envelope.identity], [type, '5000883', undefined])
          assert.doesNotMatch(envelope.text, /a-token-of-drift/)
        }
      })

    test(`${type} nothing is guessed where its account, its type or its JSON is not certain`, () => {
      for (const text of [
        `{"type":"${type}"}`,
        `{"type":"${type}","orgId":0}`,
        `{"type":"${type}","orgId":null}`,
        `{"type":"${type}","orgId":-5}`,
        `{"type":"${type}","orgId":[5000883]}`,
        `{"type":"${type}","orgId":5000883,"orgId":7}`,
        `{"type":"new_meeting","type":"${type}","orgId":5000883}`,
        `{"type":["${type}"],"orgId":5000883}`,
        `{"type":"${type.toUpperCase()}","orgId":5000883}`,
        `{"type":"${type}","orgId":5000883`,
        `[{"type":"${type}","orgId":5000883}]`,
      ])
        assert.equal(open(text)?.as, 'unreadable', text)
    })
  }

  test('another event is not read like that: its data must be an object of its own account', () => {
    for (const member of ['', ',"data":null', ',"data":{"orgId":7}'])
      assert.equal(open(`{"type":"new_meeting","orgId":5000883${member}}`)?.as, 'unreadable')
  })
})
