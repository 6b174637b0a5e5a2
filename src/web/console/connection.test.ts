import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failing, minute, now, waiting, works } from '../../../test/status-table.ts'
import type { Destination } from '../../accounts/destinations.ts'
import { connectionPage } from './connection.ts'
import { statusOf } from './status.ts'
import type { DestinationFacts, Facts } from './status-facts.ts'

const one = { number: 1, name: 'Segment', region: 'us', key: 'AAAA' } as const

/** Of an account that has these destinations, as text. */
function pageOf(state: 'live' | 'needs_attention', ...destinations: Destination[]): string {
  return pageWith({}, state, ...destinations)
}

function pageWith(facts: Partial<Facts>, state: 'live' | 'needs_attention', ...destinations: Destination[]): string {
  const settings = JSON.stringify({ destinations, lastDestination: destinations.length })
  const shown = destinations.map((destination) => ({
    destination,
    key: { fingerprint: 'abcdef01' },
    isConfirmed: true,
    isFixed: false,
  }))
  const install = { org: '1', state, settings, createdAt: 0, updatedAt: 0, generation: 1, unlisted: ['lake'] }
  return String(
    connectionPage({
      session: { org: '1', who: 'admin', csrf: '', provenAt: 0 },
      install,
      facts: { ...works, install, ...facts },
      destinations: shown,
      places: { us: '', eu: '' },
      scopes: undefined,
    }),
  )
}

test('an only destination that is refused is not said to be sent to', () => {
  assert.match(pageOf('live', one), /Events are sent as they come\./)
  const page = pageOf('needs_attention', { ...one, reason: 'segment_401' })
  assert.doesNotMatch(page, /Events are sent as they come/)
  assert.match(page, /Segment does not accept the write key \(401/)
})

test('the form for another write key stands open where the saved one is refused, and nowhere else', () => {
  const isOpen = /<details open><summary>Replace write key/
  assert.match(pageOf('needs_attention', { ...one, reason: 'segment_401' }), isOpen)
  assert.doesNotMatch(pageOf('live', one), isOpen)
  assert.doesNotMatch(pageOf('needs_attention', { ...one, reason: 'segment_503' }), isOpen)
})

test('ten destinations have no way to an eleventh', () => {
  const many = (length: number) =>
    Array.from({ length }, (_, at) => ({ ...one, number: at + 1, name: `Number ${at + 1}` }))
  assert.match(pageOf('live', ...many(9)), /href="\/console\/connection\/add"/)
  const full = pageOf('live', ...many(10))
  assert.doesNotMatch(full, /href="\/console\/connection\/add"/)
  assert.match(full, /An account has at most 10 destinations\./)
})

test('an endpoint that is not offered any more is blocked, and the operator is named as who can mend it', () => {
  const page = pageOf('live', one, { ...one, number: 2, name: 'Lake', endpoint: 'lake' })
  assert.match(page, /id="destination-2"[\s\S]*Blocked[\s\S]*no longer offers the endpoint[\s\S]*Contact the operator/)
})

test('what delays or stops events is said on Connection as on Home: no badge says that they are sent', () => {
  const late = { lanes: [failing('segment_503')], ...waiting(1, 2) }
  assert.equal(statusOf({ ...works, ...late }).word, 'Delayed')
  const page = pageWith(late, 'live', one)
  assert.match(page, /id="segment"[\s\S]*?Delayed[\s\S]*?Waits<\/dt><dd>1 event queued, since [\s\S]*?next attempt/)
  assert.match(page, /id="sending"[\s\S]*?Segment returned 503 \(service unavailable\)\. Events are kept/)
  const off = pageWith({ isAllOff: true }, 'live', one)
  assert.match(off, /id="segment"[\s\S]*?Stopped/)
  assert.match(off, /id="sending"[\s\S]*?Every event type is disabled/)
  const refused = pageWith({ lanes: [{ ...failing('segment_401'), blocked: 'segment_401' }] }, 'live', one)
  assert.match(refused, /id="segment"[\s\S]*?Blocked/)
  const silent = pageWith({ isSilent: true }, 'live', one)
  assert.match(silent, /id="sending"[\s\S]*?No events from Drift, since <time[\s\S]*?much longer than usual/)
  for (const shown of [page, off, refused]) assert.doesNotMatch(shown, />Sending<\/span>|sent as they come/)
  assert.match(pageOf('live', one), />Sending<\/span>[\s\S]*No events wait/)
  assert.doesNotMatch(pageWith({ everReceived: false }, 'live', one), /appears here/)
})

test('of several destinations the one that is late says so, with the reason and what waits; the others are sent to', () => {
  const late: DestinationFacts = {
    queued: 76,
    blocked: 0,
    oldestAt: now - 2 * minute,
    wrong: { failed: 0, notRecognized: 0 },
    everDelivered: true,
    isConfirmed: true,
  }
  const lanes = [{ ...failing('segment_503'), destination: 2 }]
  const staging = { ...one, number: 2, name: 'Staging' }
  const page = pageWith({ others: new Map([[2, late]]), lanes }, 'live', one, staging)
  assert.match(page, /id="segment"[\s\S]*?>Sending<\/span>[\s\S]*?No events wait/)
  assert.match(page, /id="destination-2"[\s\S]*?Delayed[\s\S]*?returned 503[\s\S]*?76 events queued, since/)
})

test('events that wait for an answer of Drift stand on its card', () => {
  const page = pageWith({ lookingUp: 3, oldestLookupAt: now }, 'live', one)
  assert.match(page, /id="drift"[\s\S]*?3 events to be looked up, since/)
})
