import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { batchRequest, bodyBytesMax, fill, messagesMax, type Packed, roomOf, textOf } from './batch.ts'
import { type Call, context, integrations } from './call.ts'

const now = Date.UTC(2025, 5, 1)
const key = 'AbCdEfGhIjKlMnOpQrStUvWxYz012345'

function packed(id: number, text: string): Packed {
  return { id, whose: String(id % 3), text, bytes: Buffer.byteLength(text) }
}

function call(properties: Record<string, string>): Call {
  const message = { anonymousId: '1', messageId: 'm', timestamp: new Date(now).toISOString(), context, integrations }
  return { type: 'track', event: 'e', ...message, properties }
}

function bodyOf(run: readonly Packed[], writeKey = key): string {
  return batchRequest({ apiUrl: 'http://segment', writeKey }, run, now).body!
}

/** As many requests as these take, one after the other. */
function pack(messages: readonly Packed[], writeKey: string): Packed[][] {
  const runs: Packed[][] = []
  for (let left = messages; left.length > 0; ) {
    const { run, rest, isFull } = fill(left, roomOf(writeKey))
    assert.equal(isFull, rest.length > 0 || run.length === messagesMax)
    runs.push(run)
    left = rest
  }
  return runs
}

describe('a batch', () => {
  test('of nothing is not a request', () => {
    assert.deepEqual(pack([], key), [])
  })

  test('at most 500 messages a request, in order', () => {
    const all = Array.from({ length: 1_201 }, (_, id) => packed(id, '{}'))
    const runs = pack(all, key)
    assert.deepEqual(
      runs.map(({ length }) => length),
      [500, 500, 201],
    )
    assert.deepEqual(runs.flat(), all)
    assert.equal(messagesMax, 500)
  })

  test('a contact that must wait does so with all its messages, and what is left keeps its order', () => {
    const all = Array.from({ length: 9 }, (_, id) => packed(id, '{}'))
    const { run, rest, isFull } = fill(all, roomOf(key, 4), (whose) => whose === '1')
    const ids = (some: readonly Packed[]) => some.map(({ id }) => id)
    assert.deepEqual([ids(run), ids(rest), isFull], [[0, 2, 3, 5], [1, 4, 6, 7, 8], true])
  })

  for (const [what, piece] of [
    ['plain letters', 'x'],
    ['two bytes each', 'ß'],
    ['four bytes each', '🦊'],
  ] as const) {
    test(`at most 480,000 bytes of UTF-8 the whole body, of ${what}, and no request emptier than it must be`, () => {
      for (const writeKey of [key, 'k'.repeat(200), '"ß\\'.repeat(20)]) {
        const all = Array.from({ length: 100 }, (_, id) => packed(id, JSON.stringify(piece.repeat(2_000 + id * 53))))
        const runs = pack(all, writeKey)
        assert.deepEqual(runs.flat(), all)
        for (const [at, run] of runs.entries()) {
          assert.ok(Buffer.byteLength(bodyOf(run, writeKey)) <= 480_000)
          const [first] = runs[at + 1] ?? []
          if (first) assert.ok(Buffer.byteLength(bodyOf([...run, first], writeKey)) > 480_000)
        }
      }
    })
  }

  test('to the byte', () => {
    for (const [over, requests] of [
      [-1, 1],
      [0, 1],
      [1, 2],
    ] as const) {
      const full = Array.from({ length: 14 }, (_, id) => packed(id, 'x'.repeat(32_000)))
      const last = bodyBytesMax - Buffer.byteLength(bodyOf([...full, packed(14, '')])) + over
      const runs = pack([...full, packed(14, 'y'.repeat(last))], key)
      assert.equal(runs.length, requests)
      assert.ok(runs.every((run) => Buffer.byteLength(bodyOf(run)) <= bodyBytesMax))
    }
  })
})

describe('the body of a batch', () => {
  test('is the frame, the messages as they are, and the time of this attempt', () => {
    const messages = [call({ a: '1' }), call({ b: 'ß🦊\u2028' })].map((one, id) => packed(id, textOf(one)))
    const early = JSON.parse(bodyOf(messages))
    assert.deepEqual(Object.keys(early), ['writeKey', 'batch', 'sentAt'])
    assert.deepEqual(
      early.batch,
      messages.map(({ text }) => JSON.parse(text)),
    )
    assert.equal(early.sentAt, new Date(now).toISOString())
    const later = batchRequest({ apiUrl: 'http://segment', writeKey: key }, messages, now + 1_000).body!
    assert.equal(later.replace(new Date(now + 1_000).toISOString(), early.sentAt), bodyOf(messages))
  })

  test('a lone surrogate becomes U+FFFD in values and in names, and what only looks like one stays', () => {
    const cases: [Record<string, string>, Record<string, string>][] = [
      [{ a: 'x\ud800y' }, { a: 'x\ufffdy' }],
      [{ a: '\udfff\ud800' }, { a: '\ufffd\ufffd' }],
      [{ 'name\ud800': 'x' }, { 'name\ufffd': 'x' }],
      [{ a: '🦊' }, { a: '🦊' }],
      [{ a: '\\ud800' }, { a: '\\ud800' }],
      [{ a: '\\\ud800' }, { a: '\\\ufffd' }],
      [{ a: '\\\\ud800' }, { a: '\\\\ud800' }],
    ]
    for (const [given, sent] of cases) {
      const text = textOf(call(given))
      assert.ok(text.isWellFormed())
      assert.deepEqual(JSON.parse(text).properties, sent, JSON.stringify(given))
      assert.equal(text, JSON.stringify(call(sent)))
    }
  })
})
