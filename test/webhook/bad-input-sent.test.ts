/** Odd but readable webhooks, as tables: what Segment gets of them, to the letter, or why it gets nothing. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { limitsAt } from '../../src/operations/maintenance.ts'
import { outcomesOf } from '../../src/operations/totals.ts'
import { eachStage, org, type Stage } from '../stage.ts'

const [minute, day] = [60_000, 24 * 3_600_000]
let stage: Stage
eachStage((made) => {
  stage = made
})

const outcomes = async () => outcomesOf(await stage.storage.ledger.totals(), await stage.storage.ledger.backlog())
const backlogNow = async () => (await stage.backlog()).map(({ state, reason }) => [state, reason])
const at = 1_714_419_312_000

/** What Segment got of this one webhook, beside contactId: the properties of a Track, the traits of an Identify. */
async function sent(type: string, data: JsonObject): Promise<JsonObject | undefined> {
  const before = stage.sims.segment.accepted.length
  await stage.arrive({ type, orgId: org, data })
  await stage.run()
  const { message } = stage.sims.segment.accepted[before] ?? {}
  if (!message) return undefined
  const { contactId: _, ...rest } = (message.properties ?? message.traits) as JsonObject
  return rest
}

const joined = (more: JsonObject) => ({ contactId: 7, conversationId: 9, changedAt: at, ...more })
const clicked = (more: JsonObject) => ({ contactId: 7, conversationId: 9, id: 1, createdAt: at, ...more })
const changed = (diff: Json[]) => ({ endUserId: 7, timestamp: at, diff })

describe('values', () => {
  const many = Array.from({ length: 3_000 }, (_, n) => n + 1)
  const script = `<script>alert(1)</script>\u001b[31m\r\nSet-Cookie: a=b {{7*7}} =cmd|' /C calc'!A0 '; DROP TABLE x; --`
  const href = (address: string) => clicked({ context: { href: address } })
  const rows: [row: string, type: string, data: JsonObject, sent: JsonObject][] = [
    [
      'no list where the participants are null',
      'conversation_participant_added',
      joined({ addedParticipants: null }),
      {},
    ],
    [
      'an empty list of participants as it is',
      'conversation_participant_added',
      joined({ addedParticipants: [] }),
      { addedParticipants: [] },
    ],
    [
      'a list of one null as it is',
      'conversation_participant_added',
      joined({ addedParticipants: [null] }),
      { addedParticipants: [null] },
    ],
    [
      '3,000 participants as they are',
      'conversation_participant_added',
      joined({ addedParticipants: many }),
      { addedParticipants: many },
    ],
    [
      'a latitude that is a text as it is',
      'button_clicked',
      clicked({ location: { latitude: '34' } }),
      { location: { latitude: '34' } },
    ],
    [
      'a location without its latitude that is null',
      'button_clicked',
      clicked({ location: { latitude: null, city: '' } }),
      { location: { city: '' } },
    ],
    [
      'a script in place of an address as it is',
      'button_clicked',
      href('javascript:alert(1)'),
      { href: 'javascript:alert(1)' },
    ],
    ['an address with a password as it is', 'button_clicked', href('https://a:b@c/'), { href: 'https://a:b@c/' }],
    [
      'an address of 8 KB as it is',
      'button_clicked',
      href(`data:,${'x'.repeat(8_000)}`),
      { href: `data:,${'x'.repeat(8_000)}` },
    ],
    [
      'a text with a trap for every interpreter as it is',
      'button_clicked',
      clicked({ body: script }),
      { body: script },
    ],
    [
      'an absurd phone number as it is',
      'phone_captured',
      { authorType: 'contact', authorId: 7, phoneNumber: `☎${script}` },
      { phone: `☎${script}` },
    ],
    [
      'an empty phone number as it is',
      'phone_captured',
      { authorType: 'contact', authorId: 7, phoneNumber: '' },
      { phone: '' },
    ],
    [
      'attributes of any name as they are',
      'contact_updated',
      changed(
        ['__proto__', 'constructor', 'email', 'id', 'userId', 'a b.c'].map((name) => ({
          name: `attributes.${name}`,
          updated: name,
        })),
      ),
      Object.fromEntries(['__proto__', 'constructor', 'email', 'id', 'userId', 'a b.c'].map((name) => [name, name])),
    ],
    [
      'no attribute called contactId, but the one beside it',
      'contact_updated',
      changed([
        { name: 'contactId', updated: 8 },
        { name: 'a', updated: 1 },
      ]),
      { a: 1 },
    ],
  ]
  for (const [row, type, data, wanted] of rows)
    test(`Segment gets ${row}`, async () => {
      const got = await sent(type, data)
      const names = new Set(['changedAt', 'conversationId'])
      const beside = Object.fromEntries(Object.entries(got ?? {}).filter(([name]) => !names.has(name)))
      assert.deepEqual(beside, wanted)
      assert.equal(({} as { polluted?: number }).polluted, undefined)
      assert.equal(stage.sims.segment.accepted.at(-1)!.message.anonymousId, '7')
    })

  const kept: [row: string, type: string, data: JsonObject, backlogNow: [string, string]][] = [
    [
      'a list inside the list of participants',
      'conversation_participant_added',
      joined({ addedParticipants: [[1]] }),
      ['quarantined', 'shape_unknown'],
    ],
    [
      'an object for a latitude',
      'button_clicked',
      clicked({ location: { latitude: {} } }),
      ['quarantined', 'shape_unknown'],
    ],
    ['true for its contact', 'playbook_goal_met', { contactId: true }, ['quarantined', 'nobody_named']],
    ['the contact -5', 'new_conversation', { contactId: -5, createdAt: at }, ['quarantined', 'nobody_named']],
    [
      'a contact called null',
      'new_conversation',
      { contactId: 'null', createdAt: at },
      ['quarantined', 'nobody_named'],
    ],
    [
      'a phone number of 40 KB',
      'phone_captured',
      { authorType: 'contact', authorId: 7, phoneNumber: '5'.repeat(40_000) },
      ['dead', 'message_too_large'],
    ],
    [
      '10,001 attributes',
      'contact_updated',
      changed(Array.from({ length: 10_001 }, (_, n) => ({ name: `a${n}`, updated: n }))),
      ['dead', 'message_too_large'],
    ],
  ]
  for (const [row, type, data, wanted] of kept)
    test(`nothing is sent of an event with ${row}, which is kept as ${wanted[1]}`, async () => {
      assert.equal(await sent(type, data), undefined)
      assert.deepEqual(await backlogNow(), [wanted])
      assert.equal(stage.sims.segment.requests.length, 0)
    })

  test('a contact update is sent with what is good of it: entries without a name are left out, one without a value is cleared', async () => {
    const diff = [null, 7, {}, { name: 5, updated: 1 }, { name: '', updated: 1 }, { name: 'attributes.', updated: 1 }]
    assert.deepEqual(
      await sent('contact_updated', changed([...diff, { name: 'a', updated: 1 }, { name: 'attributes.b' }] as never)),
      {
        a: 1,
        b: null,
      },
    )
    assert.equal(
      await sent('contact_updated', changed([...diff, { name: 'contactId', updated: 8 }] as never)),
      undefined,
    )
    assert.deepEqual(await backlogNow(), [], 'a diff with nothing usable is ignored')
  })

  for (const orgId of [0, '0', null])
    test(`an orgId of ${JSON.stringify(orgId)} inside the data names no account, and contradicts none`, async () => {
      const got = await sent('new_conversation', { contactId: 7, id: 1, createdAt: at, orgId })
      assert.deepEqual(got, { id: 1, createdAt: at })
    })

  test('a time in digits is used as one, and the field itself stays as it is', async () => {
    await sent('new_conversation', { contactId: 7, id: 1, createdAt: `${at}` })
    const { message } = stage.sims.segment.accepted.at(-1)!
    assert.equal(message.timestamp, new Date(at).toISOString())
    assert.equal((message.properties as { createdAt: unknown }).createdAt, `${at}`)
  })

  test('a message over 32,000 bytes dies alone; those beside it go, and none is cut', async () => {
    const note = (n: number, bytes: number) => ({
      type: 'contact_updated',
      orgId: org,
      data: { endUserId: 7, timestamp: at + n, diff: [{ name: 'note', updated: 'ß'.repeat(bytes / 2) }] },
    })
    for (const [n, bytes] of [1_000, 40_000, 31_000].entries()) await stage.arrive(note(n, bytes))
    await stage.run()
    assert.deepEqual(await backlogNow(), [['dead', 'message_too_large']])
    const lengths = stage.sims.segment.accepted.map(({ message }) => (message.traits as { note: string }).note.length)
    assert.deepEqual(lengths, [500, 15_500])
  })

  const times: [row: string, createdAt: Json][] = [
    ['in seconds', 1_714_419_312],
    ['in the year 9999', 253_370_764_800_000],
    ['two days ahead', Date.UTC(2025, 5, 3)],
    ['negative', -1],
    ['a fraction', 1_714_419_312_000.5],
    ['a date in words', '2024-04-29'],
  ]
  for (const [row, createdAt] of times)
    test(`an event whose time is ${row} is sent with the time of its receipt, and the field as it came`, async () => {
      const got = await sent('new_conversation', { contactId: 7, id: 1, createdAt })
      assert.equal(got?.createdAt, createdAt)
      const { timestamp } = stage.sims.segment.accepted.at(-1)!.message
      assert.equal(timestamp, new Date(stage.clock.now()).toISOString())
    })
})

describe('the same again', () => {
  const bare = { type: 'button_clicked', orgId: org, data: { contactId: 7, body: 'Yes' } }
  const own = { type: 'button_clicked', orgId: org, data: clicked({ body: 'Yes' }) }

  test('an event without an id or a time of its own is one event for ten minutes from the first, then another', async () => {
    for (const waitMs of [0, 5_000, 10 * minute - 5_001]) {
      stage.clock.advance(waitMs)
      await stage.arrive(bare)
    }
    assert.deepEqual([(await outcomes()).received, (await outcomes()).duplicates], [1, 2])
    stage.clock.advance(1)
    await stage.storage.inbox.expire(limitsAt(stage.clock.now(), 7))
    await stage.arrive(bare)
    assert.equal((await outcomes()).received, 2)
    await stage.run()
    assert.equal(new Set(stage.sims.segment.accepted.map(({ message }) => message.messageId)).size, 2)
  })

  test('an event with an id is one event for 30 days, also when it was delivered and deleted long ago', async () => {
    await stage.arrive(own)
    await stage.run()
    for (const waitMs of [day, 28 * day, day - 1]) {
      stage.clock.advance(waitMs)
      await stage.storage.inbox.expire(limitsAt(stage.clock.now(), 7))
      await stage.arrive(own)
      assert.equal((await outcomes()).received, 1)
    }
    assert.equal((await outcomes()).duplicates, 3)
  })
})
