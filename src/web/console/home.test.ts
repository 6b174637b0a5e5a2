/** Home as a function: what it says of what it is given. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { catalogue } from '../../events/index.ts'
import { colourOf, showsOf } from './chart.ts'
import type { Pipeline } from './figures.ts'
import { type HomePage, homePage, stepsOf } from './home.ts'
import type { Facts } from './status-facts.ts'
import { ago, counted, lasting } from './ui/parts.ts'

const now = Date.UTC(2026, 10, 24, 12, 34, 56)
const minute = 60_000
const pipeline: Pipeline = {
  received: 1_234,
  broughtIn: 0,
  ignored: 4,
  queued: 0,
  blocked: 0,
  notRecognized: 0,
  deletion: 0,
  failed: 30,
  expired: 0,
  notGiven: 0,
  delivered: 1_200,
}
const shows = showsOf({ range: '1h' }, now)
const segment = { number: 1, name: 'Segment', region: 'us' } as const
const staging = { number: 2, name: 'Staging', region: 'us', endpoint: 'lake' } as const
const given: HomePage = {
  session: { org: '7', csrf: 'c', who: 'x', provenAt: 0 },
  now,
  shows,
  status: { word: 'Working', level: 'good', title: 'Events reach Segment', says: 'No action needed.' },
  steps: [{ title: 'Connect to Drift', isDone: true }],
  chosen: { all: [segment], shown: segment },
  pipeline,
  backlog: { queued: 0, blocked: 0, lookingUp: 0 },
  received: { from: shows.from, stepMs: shows.stepMs, steps: 60, series: [], total: 0 },
  times: [120, 900],
  last: { received: now - minute, delivered: undefined },
  problems: [],
  requests: 0,
  addsUp: true,
  hasAny: true,
  done: [],
}
const look = async (more: Partial<HomePage> = {}) => String(await homePage({ ...given, ...more }))

describe('Home', () => {
  test('shows each number of the pipeline with a link to the list of just these events', async () => {
    const text = await look()
    for (const [name, count] of Object.entries({
      received: '1,234',
      queued: '0',
      failed: '30',
      delivered: '1,200',
    }))
      assert.match(text, new RegExp(`<a href="[^"]+"><strong data-count="${name}">${count}<`), name)
    assert.match(text, /href="\/console\/events\?state=failed&amp;from=2026-11-24T11%3A35"/)
    assert.doesNotMatch(text, /data-count="(notRecognized|deletion|expired)"/)
    assert.match(await look({ pipeline: { ...pipeline, notRecognized: 1 } }), /state=not-recognized&amp;from=/)
  })

  test('shows what was brought in beside what was received, only where there is any, and counts it in the bar', async () => {
    assert.doesNotMatch(await look(), /[Bb]rought in/)
    const text = await look({ pipeline: { ...pipeline, broughtIn: 1_234, delivered: 2_434 } })
    assert.match(text, /Received, or brought in from history, in the last hour, and where these events are now</)
    assert.match(text, /<span><strong data-count="broughtIn">1,234<\/strong>Brought in<\/span>/)
    assert.match(text, /<rect class="good" x="[\d.]+" width="986.22"/)
  })

  test('never says that all arrived when one did not', async () => {
    assert.match(await look({ pipeline: { ...pipeline, failed: 1, delivered: 99_999 } }), /<dd>99\.9 %<\/dd>/)
    assert.match(await look({ pipeline: { ...pipeline, failed: 0 } }), /<dd>100 %<\/dd>/)
  })

  test('has the steps of the set-up until all of them are done', async () => {
    assert.doesNotMatch(await look(), /Setup:/)
    const steps = [...given.steps, { title: 'Save the write key', isDone: false }]
    assert.match(await look({ steps }), /Setup: 1 of 2 steps done[\s\S]*aria-current="step"/)
  })

  test('shows nothing but the status and the set-up before anything was received', async () => {
    assert.doesNotMatch(await look({ hasAny: false }), /data-count|class="figures"|Problems/)
  })

  test('groups problems by reason, each with its list, and Resend only where that can help', async () => {
    const problems = [
      { word: 'failed', reason: 'segment_400', count: 2, firstAt: now - 9 * minute, lastAt: now },
      { word: 'blocked', reason: 'segment_401', count: 5, firstAt: now - 9 * minute },
      { word: 'failed', reason: 'message_too_large', count: 1, firstAt: now - 9 * minute, lastAt: now },
      { word: 'notRecognized', reason: 'invalid_json', count: 1, firstAt: now - 9 * minute, lastAt: now },
      { word: 'notRecognized', reason: 'type_unknown', count: 1, firstAt: now - 9 * minute, lastAt: now },
    ] as const
    const text = await look({ problems })
    assert.match(text, /Segment refused this event \(400\)[\s\S]*state=failed&amp;reason=segment_400/)
    assert.equal(text.match(/>Resend<span/g)?.length, 1)
    assert.match(text, /href="\/console\/resend\?[^"]*preview=1"/)
  })

  test('says that people ask to be deleted, and that the totals are wrong, if so', async () => {
    assert.doesNotMatch(await look(), /asks to delete|do not add up/)
    assert.match(await look({ requests: 2 }), /Drift asks to delete 2 people/)
    assert.match(await look({ addsUp: false }), /do not add up/)
  })
})

describe('Home of an account with several destinations', () => {
  const both = { all: [segment, staging], shown: staging }
  test('says whose numbers it shows, and leads to those of the others by links that keep the time', async () => {
    const text = await look({ chosen: both })
    assert.match(text, /where these events are now at Staging</)
    assert.match(text, /<dt>Last delivered there<\/dt>/)
    assert.match(text, /<dt>Time to delivery there<\/dt>/)
    assert.match(text, /href="\/console\?range=1h&amp;destination=1">Segment<\/a>/)
    assert.match(text, /href="\/console\?range=1h&amp;destination=2" aria-current="true">Staging<\/a>/)
    assert.match(text, /href="\/console\?range=7d&amp;destination=2"/)
    assert.doesNotMatch(await look(), /aria-label="Destination"|at Segment</)
  })

  test('leads to lists and resends of the destination that it shows, and names who answered there', async () => {
    const problems = [{ word: 'failed', reason: 'segment_400', count: 2, firstAt: now, lastAt: now }] as const
    const text = await look({ chosen: both, problems })
    assert.match(text, /state=failed&amp;from=2026-11-24T11%3A35&amp;destination=2"/)
    assert.match(text, /Problems by reason at Staging<[\s\S]*lake refused this event \(400\)/)
    assert.match(text, /\/console\/resend\?state=failed&amp;reason=segment_400&amp;destination=2&amp;preview=1"/)
    assert.doesNotMatch(text, /Segment refused/)
  })

  test('says of what it never had that it was not given, and not that it expired', async () => {
    const text = await look({ chosen: both, pipeline: { ...pipeline, notGiven: 7 } })
    assert.match(text, /data-count="notGiven">7<\/strong>Not given or expired</)
  })

  test('does not say that nothing ever came or was delivered where all of it was erased', async () => {
    const erased = { last: { received: undefined, delivered: undefined }, times: [undefined, undefined] } as const
    const text = await look(erased)
    assert.match(text, /Last received<\/dt><dd>None stored<[\s\S]*Last delivered<\/dt><dd>None stored</)
    assert.match(text, /no delivered event is stored/)
    assert.match(await look({ ...erased, pipeline: { ...pipeline, delivered: 0 } }), /no delivery in this time/)
  })
})

describe('the steps of the set-up', () => {
  const facts = {
    install: undefined,
    connects: true,
    everReceived: false,
    everDelivered: false,
    isConfirmed: false,
  } as Facts
  const live = {
    org: '7',
    state: 'live',
    settings: '{"destinations":[{"number":1,"name":"Segment","key":"AAAA"}]}',
    createdAt: 0,
    updatedAt: 0,
    generation: 1,
  } as const
  const done = (more: Partial<Facts>) => stepsOf({ ...facts, ...more }).map(({ isDone }) => isDone)

  test('are five, each done by what happened and not by a click', () => {
    const keyless = { ...live, settings: '{}' }
    assert.deepEqual(done({}), [false, false, false, false, false])
    assert.deepEqual(done({ install: keyless }), [true, false, false, false, false])
    assert.deepEqual(done({ install: live }), [true, true, false, false, false])
    assert.deepEqual(done({ install: live, isConfirmed: true, everReceived: true }), [true, true, true, true, false])
    assert.deepEqual(
      done({ install: live, isConfirmed: true, everReceived: true, everDelivered: true }),
      new Array(5).fill(true),
    )
  })

  test('offer no test event before there is a write key, and no connecting where only the operator can', () => {
    const actions = (more: Partial<Facts>) => stepsOf({ ...facts, ...more }).map(({ action }) => action?.label)
    assert.deepEqual(actions({ connects: false }).slice(0, 3), [undefined, 'Enter write key', undefined])
    assert.deepEqual(actions({ install: live }).slice(0, 3), [
      'Reconnect to Drift',
      'Enter write key',
      'Send test event',
    ])
  })
})

describe('the time that Home shows', () => {
  test('ends now, in whole steps, for each range that has a name; the last day where none is asked for', () => {
    for (const [range, steps] of [
      ['1h', 60],
      ['24h', 24],
      ['7d', 42],
    ] as const) {
      const { from, to, stepMs, range: shown } = showsOf({ range }, now)
      assert.deepEqual([shown, (to - from) / stepMs], [range, steps])
      assert.ok(to > now && to - stepMs <= now && from % stepMs === 0)
    }
    assert.equal(showsOf({}, now).range, '24h')
    assert.equal(showsOf({ range: 'constructor' }, now).range, '24h')
  })

  test('can be any of the last eight days, in steps as fine as the store counts', () => {
    const custom = (from: string, to: string) => showsOf({ range: 'custom', from, to }, now)
    const day = custom('2026-11-23T08:00', '2026-11-23T20:00')
    assert.deepEqual([day.range, day.stepMs, day.from], ['custom', 60 * minute, Date.UTC(2026, 10, 23, 8)])
    assert.equal(custom('2026-11-24T11:40', '2026-11-24T12:00').stepMs, minute)
    assert.equal(custom('2020-01-01T00:00', '2026-11-24T12:00').stepMs, 240 * minute)
    assert.equal(custom('yesterday', '2026-11-23T20:00').range, 'custom')
  })

  test('that cannot be shown is the last day, says why, and keeps what was typed', async () => {
    for (const [from, to, says] of [
      ['2026-11-24T12:00', '2026-11-24T11:00', /^The first time must be earlier than the last one\./],
      ['2026-11-24T12:00', '2026-11-24T12:00', /^The first time must be earlier/],
      ['2026-11-25T12:00', '', /^The first time is still to come/],
      ['2026-11-25T12:00', '2026-11-26T12:00', /^The first time is still to come\./],
      ['2020-01-01T00:00', '2020-01-02T00:00', /^Home counts the last eight days\./],
    ] as const) {
      const made = showsOf({ range: 'custom', from, to }, now)
      assert.equal(made.range, '24h')
      assert.match(made.wrong!.says, says)
      const text = await look({ shows: made })
      assert.match(
        text,
        new RegExp(
          `<details class="drop" open>[\\s\\S]*value="${from}"[\\s\\S]*${made.wrong!.says}[\\s\\S]*value="${to}"`,
        ),
      )
    }
    assert.equal(showsOf({ range: '24h' }, now).wrong, undefined)
  })
})

test('every type of the catalogue has a colour of its own, and so has a request to delete; unknown ones share one', () => {
  const colours = [...catalogue.keys(), 'gdpr_delete_requested'].map(colourOf)
  assert.equal(new Set(colours).size, catalogue.size + 1)
  assert.ok(!colours.includes('cx'))
  assert.equal(colourOf('a type of later'), 'cx')
})

test('times and numbers in words', () => {
  assert.deepEqual(
    [0, 999, 1_000, 61_000, 7_200_000, 86_400_000 * 3].map((ms) => lasting(ms)),
    ['0 seconds', '0 seconds', '1 second', '1 minute', '2 hours', '3 days'],
  )
  assert.equal(ago(now, now), 'just now')
  assert.equal(ago(now - 5_000, now), '5 seconds ago')
  assert.deepEqual([counted(1, 'event'), counted(1_234, 'event')], ['1 event', '1,234 events'])
})
