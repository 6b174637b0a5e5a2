import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accountReasons } from '../accounts/needs-attention.ts'
import { type Facts, type LaneFacts, type RuleName, ruleNames, rules } from './rules.ts'

const now = 1e12
const minuteMs = 60_000
const options = { delayMs: 15 * minuteMs, raisedSince: (_: string): number | undefined => undefined }
const at = (send: LaneFacts, more = {}) => [{ number: 1, send, ...more }]
const well: Facts = {
  org: '12345',
  now,
  destinations: [{ number: 1, send: { waits: false } }],
  ask: { waits: false },
  isSilent: false,
  failed: new Map(),
  unrecognized: new Map(),
  deletions: { open: 0, ever: 0 },
}
const find = (rule: RuleName, said: Partial<Facts>, more = {}) =>
  rules[rule]({ ...well, ...said }, { ...options, ...more })
const is = (rule: RuleName, said: Partial<Facts>, more = {}) => find(rule, said, more)[0]?.is

test('of an account that is well nothing is found', () => {
  for (const rule of ruleNames) assert.deepEqual(find(rule, {}), [], rule)
})

test('missing: each comparison that finds something is found, with how much, until one finds nothing', () => {
  assert.deepEqual(find('missing', { missing: { job: 'a', count: 3 } }), [
    { subject: '', is: 'found', count: 3, marks: ['a'] },
  ])
  assert.deepEqual(find('missing', {}), [])
  assert.equal(is('missing', { missing: 'unknown' }), 'lasts')
})

describe('stopped', () => {
  const ofAccount = ['disconnecting', 'disconnect_unproven', 'not_allowed', 'settings_unreadable']
  const admins = ['paused', 'no_write_key', 'not_installed', 'disconnected']
  for (const [reason, { endedBy }] of Object.entries(accountReasons)) {
    const isDrifts = (endedBy as readonly string[]).includes('lookup')
    const isHold = admins.includes(reason) || reason === 'endpoint_not_allowed'
    const destination = isHold ? { hold: reason } : { refusal: reason }
    const facts = ofAccount.includes(reason)
      ? { hold: reason }
      : isDrifts
        ? { refusal: reason }
        : { destinations: at({ waits: false }, destination) }
    const wanted = admins.includes(reason) ? 'lasts' : 'found'
    test(`${reason} ${wanted === 'found' ? 'stops' : 'is what the admin did, and changes nothing'}`, () => {
      const found = find('stopped', facts).find((finding) => finding.is === wanted)
      assert.ok(found)
      if (wanted === 'found') assert.equal(found.reason, reason)
    })
  }

  test('of one destination says nothing of another', () => {
    const destinations = [
      ...at({ waits: true, triedAt: now }),
      { number: 2, send: { waits: true }, refusal: 'segment_401' },
    ]
    assert.deepEqual(find('stopped', { destinations }), [
      { subject: 'destination 2', is: 'found', reason: 'segment_401', marks: ['segment_401'] },
    ])
  })

  test('lasts after a resume until what waits was accepted, and is over then', () => {
    const since = now - 10 * minuteMs
    const over = (send: LaneFacts, ask: LaneFacts = { waits: false }) =>
      find('stopped', { destinations: at(send), ask }, { raisedSince: () => since }).map(({ subject }) => subject)
    const both = ['', 'destination 1']
    assert.deepEqual(over({ waits: true }), both)
    assert.deepEqual(over({ waits: true, triedAt: now, lastError: 'segment_401' }), both)
    assert.deepEqual(over({ waits: true, triedAt: since - 1 }), both)
    assert.deepEqual(over({ waits: true, triedAt: now }), [])
    assert.deepEqual(over({ waits: false }), [])
    assert.deepEqual(over({ waits: false }, { waits: true, triedAt: now, lastError: 'drift_503' }), [''])
  })
})

describe('delayed', () => {
  const late = { waits: true, oldestAt: now - 16 * minuteMs }
  const failing = { ...late, triedAt: now, lastError: 'segment_503' }
  const of = (send: LaneFacts, more = {}) => ({ destinations: at(send, more) })

  test('is found when the first event of the queue is late and the last attempt has failed', () => {
    const found = { subject: 'destination 1', is: 'found', afterMs: minuteMs, reason: 'segment_503' }
    assert.deepEqual(find('delayed', of(failing)), [found])
    assert.equal(is('delayed', of(late)), 'found')
    assert.equal(is('delayed', of({ ...late, triedAt: now - 16 * minuteMs })), 'found')
  })

  test('lasts while what has waited is being sent, and is over when the first of the queue is young', () => {
    assert.equal(is('delayed', of({ ...late, triedAt: now })), 'lasts')
    assert.equal(is('delayed', of({ waits: true, oldestAt: now - minuteMs, triedAt: now })), undefined)
  })

  test('is found when Drift answers no lookup for as long', () => {
    const ask = { waits: true, oldestAt: now - minuteMs, triedAt: now, lastError: 'drift_503' }
    assert.deepEqual(find('delayed', { ask }), [
      { subject: '', is: 'found', afterMs: 15 * minuteMs, reason: 'drift_503' },
    ])
  })

  test('is not found for a conversation that Drift does not know, which is asked about for days', () => {
    assert.equal(is('delayed', { ask: { waits: true, oldestAt: now - 2 * 86_400_000, triedAt: now } }), undefined)
  })

  test('is not found where sending is stopped or paused, and does not recover by it', () => {
    assert.equal(is('delayed', of(failing, { refusal: 'segment_401' })), 'lasts')
    assert.equal(is('delayed', of(failing, { hold: 'paused' })), 'lasts')
    assert.equal(is('delayed', { ...of(failing), hold: 'disconnecting' }), 'lasts')
  })

  test('goes by the minutes that the account has chosen', () => {
    assert.equal(is('delayed', of(failing), { delayMs: 20 * minuteMs }), undefined)
  })
})

test('silence is found of an account that is silent', () => assert.equal(is('silence', { isSilent: true }), 'found'))

test('failed is a subject for each reason', () => {
  const failed = new Map([
    ['segment_400', 2],
    ['message_too_large', 1],
  ])
  assert.deepEqual(find('failed', { failed }), [
    { subject: 'segment_400', is: 'found', reason: 'segment_400', count: 2 },
    { subject: 'message_too_large', is: 'found', reason: 'message_too_large', count: 1 },
  ])
})

test('what was not recognized is one subject, marked by its reasons', () => {
  const unrecognized = new Map([
    ['shape_unknown', 2],
    ['invalid_json', 3],
  ])
  assert.deepEqual(find('unrecognized', { unrecognized }), [
    { subject: '', is: 'found', count: 5, marks: ['invalid_json', 'shape_unknown'] },
  ])
})

test('a request for deletion is marked by how many there ever were, so that another one is said', () => {
  assert.deepEqual(find('deletion_request', { deletions: { open: 1, ever: 3 } }), [
    { subject: '', is: 'found', count: 1, marks: ['3'] },
  ])
  assert.deepEqual(find('deletion_request', { deletions: { open: 0, ever: 3 } }), [])
})
