/** The truth table of Home's banner: what is known of an account, and the one word, sentence and action that follow from it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  accountOf,
  blocked,
  failing,
  minute,
  now,
  pause,
  type Row,
  refused,
  table,
  waiting,
  works,
} from '../../../test/status-table.ts'
import { accountReasons } from '../../accounts/needs-attention.ts'
import { settingNames } from '../../settings/table.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import { statusOf } from './status.ts'
import type { DestinationFacts, Facts, Status } from './status-facts.ts'

const of = (facts: Partial<Facts>): Status => statusOf({ ...works, ...facts })

describe('the status of an account, when', () => {
  for (const [what, facts, word, title, action] of table)
    test(`${what}: ${word}${action === undefined ? '' : `, with “${action}”`}`, () => {
      const status = of(facts)
      assert.deepEqual([status.word, status.action?.label], [word, action])
      assert.match(status.title, title)
    })

  test('several things are wrong at once, is the one that stands in the way of all the others', () => {
    const worst: Partial<Facts> = {
      lanes: [refused('segment_401')],
      ...blocked(5),
      isSilent: true,
      wrong: { failed: 9, notRecognized: 0 },
    }
    assert.equal(of(worst).title, 'Segment refuses the write key')
    assert.equal(of({ ...worst, ...accountOf(pause) }).word, 'Paused')
    assert.equal(of({ ...worst, ...accountOf({ ...pause, reason: 'disconnecting' }) }).word, 'Disconnecting')
    assert.equal(of({ ...worst, lanes: [], queued: 0, blocked: 0 }).title, 'No events from Drift')
  })

  test('events wait, has their number and since when, and when the next attempt is made', () => {
    const { effect, nextAt } = of({
      lanes: [failing('segment_503')],
      ...waiting(312, 38),
      lookingUp: 1,
      oldestLookupAt: now,
    })
    assert.deepEqual(effect, { says: '312 events queued, 1 event to be looked up', at: now - 38 * minute })
    assert.equal(nextAt, now + minute)
    assert.deepEqual(of({ ...accountOf(pause) }).effect, { says: 'No events wait' })
  })

  test('single events failed, does not say that all others arrived', () => {
    assert.doesNotMatch(of({ wrong: { failed: 0, notRecognized: 1 }, queued: 3 }).says, /accepted|arrived/)
  })

  test('it was paused, emptied of types, without a key, or left alone, has since when', () => {
    const since = { paused: 1, choseEvents: 2, leaving: 3, gone: 4, connected: 5 }
    assert.equal(of({ ...accountOf({ state: 'waiting_for_key', settings: '{}', createdAt: 1 }), since }).since, 5)
    assert.equal(of({ ...accountOf(pause), since }).since, 1)
    assert.equal(of({ isAllOff: true, since }).since, 2)
    assert.equal(of({ ...accountOf({ reason: 'disconnecting' }), since }).since, 3)
    assert.equal(of({ ...accountOf({ state: 'disconnected' }), since }).since, 4)
    assert.equal(of({ isSilent: true }).since, works.lastReceivedAt)
  })
})

describe('the status of an account with several destinations', () => {
  const both = (first: object, second: object, more: Partial<Install> = {}) => {
    const destinations = [
      { number: 1, name: 'Segment', key: 'AAAA', ...first },
      { number: 2, name: 'Staging', key: 'BBBB', ...second },
    ]
    return accountOf({ settings: JSON.stringify({ destinations, lastDestination: 2 }), ...more })
  }

  const fine: DestinationFacts = {
    queued: 0,
    blocked: 0,
    wrong: { failed: 0, notRecognized: 0 },
    everDelivered: true,
    lastDeliveredAt: now,
    isConfirmed: true,
  }
  const second = (more: Partial<DestinationFacts>) => ({ others: new Map([[2, { ...fine, ...more }]]) })

  test('says that events reach every destination where they do, and not where one has had none', () => {
    assert.equal(of({ ...both({}, {}), ...second({}) }).title, 'Events reach every destination')
    const { title, says } = of({ ...both({}, {}), ...second({ everDelivered: false }) })
    assert.deepEqual([title, says], ['Events reach Segment', 'Staging: no event has been delivered there yet.'])
  })

  test('names the second one whose test event was not seen', () => {
    const { word, level, title, action } = of({ ...both({}, {}), ...second({ isConfirmed: false }) })
    assert.deepEqual([word, level, title], ['Working', 'info', 'Not yet confirmed: Staging'])
    assert.equal(action?.label, 'View destinations')
  })

  test('names the second one whose events are late, with why, though all is well with the first', () => {
    const late = second({ queued: 3, oldestAt: now - 9 * minute })
    const lanes = [{ ...failing('segment_503'), destination: 2 }]
    const { level, title, says } = of({ ...both({}, {}), ...late, lanes })
    assert.deepEqual([level, title], ['warn', 'Events to Staging are delayed'])
    assert.match(says, /^Staging: Segment returned 503 \(service unavailable\)\. Its events are kept/)
    assert.equal(
      of({ ...both({}, {}), ...second({ queued: 3, oldestAt: now }) }).title,
      'Events reach every destination',
    )
    const first = of({ ...both({}, {}), ...late, lanes: [failing('segment_429'), ...lanes], ...waiting(3, 2) })
    assert.match(first.title, /^Segment: Segment returned 429/)
    assert.match(first.says, /Staging: Segment returned 503/)
  })

  test('says that nothing is sent to the second one, before what went wrong with single events', () => {
    const { title, says } = of({ ...both({}, { reason: 'segment_401' }), wrong: { failed: 2, notRecognized: 0 } })
    assert.equal(title, 'Nothing is sent to Staging')
    assert.match(says, /Action needed: 2 events failed at Segment\.$/)
  })

  test('leads to what failed at the second one', () => {
    const { level, title, action } = of({ ...both({}, {}), ...second({ wrong: { failed: 2, notRecognized: 0 } }) })
    assert.deepEqual([level, title], ['warn', 'Action needed: 2 events failed at Staging'])
    assert.equal(action?.to, '/console/events?state=failed&destination=2')
  })

  test('counts what waits for each of them, by name', () => {
    const paused = accountOf({
      settings: JSON.stringify({
        destinations: [
          { number: 1, name: 'Segment', key: 'AAAA', paused: true },
          { number: 2, name: 'Staging', key: 'BBBB', paused: true },
        ],
        lastDestination: 2,
      }),
      state: 'paused',
    })
    const { effect } = of({ ...paused, ...blocked(4), ...second({ blocked: 2, oldestAt: now - 20 * minute }) })
    assert.deepEqual(effect, {
      says: '4 events blocked for Segment, 2 events blocked for Staging',
      at: now - 20 * minute,
    })
  })

  test('names the second one when it is refused, though all is well with the first', () => {
    const { word, level, title, says, action } = of(both({}, { reason: 'segment_401' }, { state: 'needs_attention' }))
    assert.deepEqual([word, level, title], ['Working', 'bad', 'Nothing is sent to Staging'])
    assert.match(says, /^Staging: Segment refuses the write key\. Its events are kept\./)
    assert.equal(action?.label, 'View destinations')
  })

  test('names the second one when its lane alone shows that it is refused', () => {
    const lanes = [{ ...refused('segment_401'), destination: 2 }]
    assert.equal(of({ ...both({}, {}), lanes }).title, 'Nothing is sent to Staging')
  })

  test('names the one that is paused, be it the first, and not the account', () => {
    assert.match(of(both({}, { paused: true })).says, /^Staging: Sending is paused\. Its events are kept\./)
    const { word, level, title } = of(both({ paused: true }, {}))
    assert.deepEqual([word, level, title], ['Working', 'warn', 'Nothing is sent to Segment'])
    assert.equal(of(both({ paused: true }, { paused: true }, { state: 'paused' })).title, 'Sending is paused')
  })

  test('names both where the first is refused and the second is paused', () => {
    const { word, title, says } = of(both({ reason: 'segment_401' }, { paused: true }, { state: 'needs_attention' }))
    assert.deepEqual([word, title], ['Stopped', 'Segment: Segment refuses the write key'])
    assert.match(says, /save them again.* Staging: Sending is paused\. Its events are kept\.$/)
  })

  test('says of an endpoint that it refuses, and not that Segment does', () => {
    const { says } = of(both({}, { endpoint: 'lake', reason: 'segment_401' }, { state: 'needs_attention' }))
    assert.match(says, /^Staging: lake refuses the write key\./)
  })

  test('is not that of the second: what Segment does not answer there delays nothing at the first', () => {
    const lanes = [{ ...failing('segment_503'), destination: 2 }]
    assert.equal(of({ ...both({}, {}), lanes, ...waiting(3, 9) }).title, 'Segment: Events wait longer than usual')
  })
})

describe('the status of an account whose destination is an endpoint', () => {
  const lake = {
    settings: JSON.stringify({ destinations: [{ number: 1, name: 'Segment', key: 'AAAA', endpoint: 'lake' }] }),
  }
  test('never speaks of Segment, whatever it says', () => {
    const wrong = { failed: 2, notRecognized: 0 }
    const some: Partial<Facts>[] = [{}, { isConfirmed: false }, { everDelivered: false }, { wrong }]
    const statuses = some.map((facts) => of({ ...accountOf(lake), ...facts }))
    for (const { title, says } of statuses) assert.doesNotMatch(`${title} ${says}`, /Segment/)
    assert.deepEqual(
      statuses.map(({ title }) => title),
      [
        'Events reach lake',
        'Accepted by lake, not yet confirmed',
        'No event has been delivered yet',
        'Action needed: 2 events failed',
      ],
    )
    const keyless = { destinations: [{ number: 1, name: 'Segment', endpoint: 'lake' }] }
    const { says } = of(accountOf({ settings: JSON.stringify(keyless), state: 'waiting_for_key' }))
    assert.match(says, /sent to lake once the write key is saved/)
  })
})

/** What a sentence tells an admin to do, and the button that must stand beside it. */
const told: readonly (readonly [says: RegExp, labels: readonly string[]])[] = [
  [/\bResume\b(?! to)|resume sending/, ['Resume']],
  [/^Reconnect to Drift\b|\. Reconnect to Drift\b/, ['Reconnect to Drift']],
  [/save (it|them|the write key) again/, ['Replace write key', 'Enter write key']],
  [/Send a test event/, ['Send test event']],
  [/Enable those/, ['Choose events']],
  [/still installed in Drift/, ['Open apps in Drift']],
]

/** Every account there can be, as far as the reasons go. */
const everyReason: readonly Row[] = Object.keys(accountReasons)
  .filter(
    (reason) =>
      !['not_installed', 'paused', 'no_write_key', 'disconnected', 'not_allowed', 'settings_unreadable'].includes(
        reason,
      ),
  )
  .flatMap((reason): Row[] =>
    [true, false].map((connects) => [
      reason,
      {
        ...accountOf({ state: reason.startsWith('disconnect') ? 'live' : 'needs_attention', reason }),
        connects,
        isFixed: !connects,
      },
      'Stopped',
      /./,
      undefined,
    ]),
  )

describe('the sentence of a status', () => {
  for (const [what, facts] of [...table, ...everyReason])
    test(`names no button that is not there, and nothing that only an operator knows (${what}${facts.isFixed ? ', ruled by settings' : ''})`, () => {
      const { title, says, action } = of(facts)
      for (const [which, labels] of told)
        if (which.test(says)) assert.ok(labels.includes(action?.label ?? ''), `${says} beside ${action?.label}`)
      assert.doesNotMatch(`${title} ${says}`, /`|--|npx|docs\//)
      for (const name of settingNames) assert.doesNotMatch(`${title} ${says}`, new RegExp(`\\b${name}\\b`))
      assert.match(says, /\.$/)
    })
})
