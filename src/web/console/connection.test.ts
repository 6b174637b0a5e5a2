import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Destination } from '../../accounts/destinations.ts'
import { connectionPage } from './connection.ts'

const one = { number: 1, name: 'Segment', region: 'us', key: 'AAAA' } as const

/** Of an account that has these destinations, as text. */
function pageOf(state: 'live' | 'needs_attention', ...destinations: Destination[]): string {
  const settings = JSON.stringify({ destinations, lastDestination: destinations.length })
  const shown = destinations.map((destination) => ({
    destination,
    key: { fingerprint: 'abcdef01' },
    isConfirmed: true,
    isFixed: false,
  }))
  return String(
    connectionPage({
      session: { org: '1', who: 'admin', csrf: '', provenAt: 0 },
      install: { org: '1', state, settings, createdAt: 0, updatedAt: 0, generation: 1, unlisted: ['lake'] },
      destinations: shown,
      places: { us: '', eu: '' },
      now: 1,
      lanes: [],
      scopes: undefined,
      connects: true,
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
