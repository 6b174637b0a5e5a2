import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { hostileJson } from '../../test/hostile-json.ts'
import { oddData } from '../../test/odd-data.ts'
import { openEnvelope, reopen, tokensOf } from './envelope.ts'

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

describe('a token that stands in the header and in the body', () => {
  const token = 'a-token-of-drift'
  const open = (inHeader: string, inBody: string) => {
    const tokens = tokensOf([token, 'another-of-drift'])
    const judge = mock.method(tokens, 'judge')
    const verdict = tokens.judge(inHeader)
    const text = `{"type":"new_meeting","orgId":5000883,"data":{},"token":"${inBody}"}`
    const judged = openEnvelope(Buffer.from(text), tokens, { verdict, token: inHeader })
    return [judged.token, judge.mock.callCount()]
  }

  test('is judged once where both are equal', () => assert.deepEqual(open(token, token), ['right', 1]))

  test('is judged in both where they differ: both must be right', () => {
    assert.deepEqual(open(token, 'another-of-drift'), ['right', 2])
    assert.deepEqual(open(token, 'a-token-of-drifT'), ['wrong', 2])
  })
})

describe('a body whose token stands in it alone', () => {
  const token = 'a-token-of-drift'
  const tokens = tokensOf([token])
  const open = (x: string, header: 'missing' | 'right' = 'missing') => {
    const text = `{"type":"new_meeting","orgId":5000883,"data":{"x":${x}},"token":"${token}"}`
    return openEnvelope(Buffer.from(text), tokens, { verdict: header })
  }
  const reasonOf = (judged: ReturnType<typeof openEnvelope>) =>
    judged.token === 'right' && judged.opened.as === 'unreadable' ? judged.opened.reason : judged.token
  const deep = (inside: string) => '['.repeat(40) + inside + ']'.repeat(40)
  const long = '1'.repeat(500)

  const json: [reason: string, x: string][] = [
    ['too_deep', deep('')],
    ['too_many_values', `[${'1,'.repeat(60_000)}1]`],
    ['number_too_long', long],
    ['number_out_of_range', '1e400'],
    ['number_out_of_range', `[12345678901234567891,${'9'.repeat(350)}]`],
    ['duplicate_key', '{"a":1,"a":2}'],
  ]
  for (const [reason, x] of json)
    test(`is kept under its account and type, though its data is ${reason}: ${x.slice(0, 12)}`, () => {
      const judged = open(x)
      assert.equal(reasonOf(judged), reason)
      const opened = judged.token === 'right' ? judged.opened : undefined
      assert.ok(opened?.as === 'unreadable')
      assert.deepEqual([opened.type, opened.orgId], ['new_meeting', '5000883'])
    })

  const notJson: [what: string, x: string][] = [
    ['brackets that do not close', '['.repeat(40)],
    ['brackets that cross', deep('{]}[')],
    ['a comma too many', deep('1,')],
    ['two values side by side', deep('1 2')],
    ['a key without a value', deep('{"a"}')],
    ['a word that JSON does not have', deep('NaN')],
    ['a line break in a string', deep('"\n"')],
    ['an escape that JSON does not have', deep('"\\x41"')],
    ['a number with leading zeros', `[0${long}]`],
    ['a number that ends with its point', `[${long}.]`],
    ['an exponent without digits', `[${long}e+]`],
    ['an escape that JSON does not have, beside a number that a double rounds', '["\\x41",12345678901234567891]'],
  ]
  for (const [what, x] of notJson)
    test(`is refused when it is not JSON, beyond the limits too, and kept with the header: ${what}`, () => {
      assert.equal(reasonOf(open(x)), 'wrong')
      assert.equal(reasonOf(open(x, 'right')), 'invalid_json')
    })

  test('belongs to no account where it names one twice, whatever else is wrong with it', () => {
    for (const x of ['1', deep('')]) {
      const text = `{"orgId":7,"type":"new_meeting","orgId":5000883,"data":{"x":${x}},"token":"${token}"}`
      const judged = openEnvelope(Buffer.from(text), tokens, { verdict: 'missing' })
      const opened = judged.token === 'right' ? judged.opened : undefined
      assert.equal(opened?.as === 'unreadable' && opened.orgId, '')
    }
  })

  test('gets nothing built of it, but the token itself, when that is not right', () => {
    const parse = mock.method(JSON, 'parse').mock
    for (const [name, shape] of Object.entries(hostileJson))
      for (const said of ['"of-a-stranger"', '1', 'null', `"${token}","token":"${token}"`]) {
        parse.resetCalls()
        const body = Buffer.from(`{"token":${said},"type":"new_meeting","orgId":5000883,"data":{"x":${shape(2_000)}}}`)
        assert.equal(openEnvelope(body, tokens, { verdict: 'missing' }).token, 'wrong', name)
        const built = parse.calls.map(({ arguments: [text] }) => text)
        assert.ok(built.length === 0 || (built.length === 1 && built[0] === said), `${name}: ${built}`)
      }
    parse.restore()
  })
})

describe('a token inside the data', () => {
  const tokens = tokensOf(['a-token-of-drift', 'another-token-of-drift'])
  const open = (data: string) => {
    const judged = openEnvelope(Buffer.from(`{"type":"new_meeting","orgId":5000883,"data":${data}}`), tokens, {
      verdict: 'right',
    })
    assert.ok(judged.token === 'right')
    return judged.opened
  }

  const several: [what: string, data: string][] = [
    ['two keys that spell it differently', '{"a-token-of-drift":1,"A-TOKEN-OF-DRIFT":2,"id":3}'],
    ['two keys that are the two accepted ones', '{"a-token-of-drift":1,"another-token-of-drift":2,"id":3}'],
    ['a key beside one that looks as if it had been blanked', '{"a-token-of-drift":1,"[token]":2,"id":3}'],
  ]
  for (const [what, data] of several)
    test(`is blanked, and the rest can still be read: ${what}`, () => {
      const opened = open(data)
      assert.ok(opened.as === 'envelope')
      const { text, data: kept } = opened.envelope
      assert.doesNotMatch(text, /token-of-drift/i)
      assert.deepEqual(reopen(text)?.data, kept)
      assert.deepEqual(Object.values(kept).sort(), [1, 2, 3])
      assert.equal(kept.id, 3)
    })

  test('is blanked also where the rest cannot be read then: it is kept with that reason', () => {
    const opened = open('{"a-token-of-drift":1,"[token]":2,"[token 1]":3}')
    assert.ok(opened.as === 'unreadable')
    assert.equal(opened.reason, 'duplicate_key')
    assert.doesNotMatch(String(opened.text), /token-of-drift/)
  })
})

describe('of a life-cycle event', () => {
  const tokens = tokensOf(['a-token-of-drift'])
  const open = (text: string) => {
    const judged = openEnvelope(Buffer.from(text), tokens, { verdict: 'right' })
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
