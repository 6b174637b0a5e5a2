import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountReasons } from '../accounts/needs-attention.ts'
import { attemptErrors, explain, ofEvents, ofIgnored } from './reasons.ts'

const named = [...Object.keys(accountReasons), ...Object.keys(ofEvents), ...Object.keys(attemptErrors), 'segment_503']
/** What is only counted is never at a destination. */
const isCounted = (reason: string) => Object.hasOwn(ofIgnored, reason)

test('what an endpoint answered is explained by its name: never as Segment’s, a region’s or by its settings', () => {
  for (const reason of named.filter((one) => !isCounted(one))) {
    const { means, todo, comesFrom = '' } = explain(reason, 'lake')
    assert.doesNotMatch(`${means} ${todo} ${comesFrom}`, /Segment|SEGMENT_|the region|save them/, reason)
  }
  assert.deepEqual(explain('segment_401', 'lake'), {
    means: 'lake does not accept the write key (401)',
    todo: 'check the write key with those who run lake, save it again, or resume sending',
    owner: 'segment',
    comesFrom: 'what lake answered',
  })
  assert.match(explain('segment_404', 'lake').todo, /^check the address of lake in DESTINATION_ENDPOINTS$/)
  assert.match(explain('not_segment', 'lake').todo, /and at the address of lake in DESTINATION_ENDPOINTS;/)
  assert.equal(explain('segment_503', 'lake').means, 'lake answered 503')
})

test('what another write key or connecting again ends says what that is in single-account mode', () => {
  // The settings have a key before it is installed, and take none that cannot be sent.
  const isNeverSo = (reason: string) => ['no_write_key', 'segment_request_invalid'].includes(reason)
  const mended = Object.keys(accountReasons).filter(
    (reason) => /\b(save|connect)\b.* again/.test(explain(reason).todo) && !isNeverSo(reason),
  )
  assert.ok(mended.length > 8)
  for (const reason of mended) assert.match(explain(reason).todo, /in single-account mode/, reason)
})

test('what Segment answered is explained as Segment’s', () => {
  assert.equal(explain('segment_503').means, 'Segment answered 503')
  assert.equal(explain('segment_401').comesFrom, 'what Segment answered')
})
