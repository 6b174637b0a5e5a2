import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { isObject, type Json, type JsonObject, readText } from '../lib/json.ts'
import type { Known } from './define.ts'
import { readFixture } from './fixtures.ts'
import { catalogue, loadCatalogue } from './index.ts'
import { formats, printCatalogue } from './print.ts'

const pages = [...catalogue.values()]
const page = (type: string) => catalogue.get(type)!

function readData(text: string): JsonObject {
  const reading = readText(text)
  assert.ok(reading.ok && isObject(reading.value))
  return reading.value
}

describe('a natural key', () => {
  for (const [type, data, key] of [
    ['new_conversation', '{"id":12345678901234567890,"status":"open"}', 'new_conversation:12345678901234567890'],
    ['new_conversation', '{"id":"3969749002"}', 'new_conversation:3969749002'],
    ['new_conversation', '{"id":3969749002,"status":"closed"}', 'new_conversation:3969749002'],
    ['new_conversation', '{"createdAt":1}', undefined],
    ['new_meeting', '{"eventId":"a-b"}', 'new_meeting:a-b'],
    ['new_meeting', '{"eventId":""}', undefined],
  ] as const)
    test(`of ${type} with ${data} is ${key}`, () => assert.equal(page(type).once!(readData(data)), key))

  test('is what conversations and meetings have, and no other event', () => {
    const with_ = pages.flatMap(({ type, once }) => (once ? [type] : []))
    assert.deepEqual(with_.sort(), ['new_conversation', 'new_meeting'])
  })
})

describe('the catalogue', () => {
  test('holds the ten events of the integration, two of which are Identify calls', () => {
    const calls = Object.fromEntries(pages.map(({ type, call }) => [type, call]))
    const documented = {
      button_clicked: 'track',
      contact_updated: 'identify',
      conversation_participant_added: 'track',
      conversation_participant_removed: 'track',
      conversation_push: 'track',
      meeting_updated: 'track',
      new_conversation: 'track',
      new_meeting: 'track',
      phone_captured: 'identify',
      playbook_goal_met: 'track',
    }
    assert.deepEqual({ ...calls, ...documented }, calls)
  })

  for (const { type, call } of pages) {
    test(`${type}: its page makes of its fixture's webhook exactly what the fixture says`, async () => {
      const { drift, conversation, segment } = await readFixture(type)
      const data = drift.data as JsonObject
      assert.ok(page(type).data.safeParse(data).success)
      const whose = page(type).whose(data)
      assert.ok(whose)
      const contactId = 'contactId' in whose ? whose.contactId : String(conversation?.contactId)
      if ('conversationId' in whose) assert.equal(whose.conversationId, String(conversation?.id))
      assert.equal(segment.anonymousId, contactId)
      assert.equal(segment.type, call)
      const known: Known = { contactId, ...(conversation ? { conversation } : {}) }
      const said = { contactId: Number(contactId), ...page(type).fields(data, known) }
      assert.deepEqual(said, segment[call === 'track' ? 'properties' : 'traits'])
    })

    test(`${type}: no two values of its fixture are alike, so that a crossed wire shows`, async () => {
      const { segment } = await readFixture(type)
      const said = (segment.properties ?? segment.traits) as JsonObject
      // These are one and the same thing under two names, in Drift's own samples as well.
      const twins = new Set(['schedulerId', 'id', 'isOrgSlug', 'isPrivate', 'isRecurring'])
      const values = Object.entries(said).filter(([name]) => !twins.has(name))
      assert.equal(new Set(values.map(([, value]) => JSON.stringify(value))).size, values.length)
    })

    test(`${type}: an object where a value should stand is an unknown shape, another scalar is not`, async () => {
      const { drift } = await readFixture(type)
      const data = drift.data as JsonObject
      const [scalar] = Object.keys(page(type).data.shape).filter((name) => typeof data[name] === 'number')
      assert.ok(scalar)
      assert.ok(page(type).data.safeParse({ ...data, [scalar]: 'as text' }).success)
      assert.ok(!page(type).data.safeParse({ ...data, [scalar]: { deep: 1 } }).success)
    })
  }

  test('a list of fifty thousand participants of a wrong shape is judged by the first of them', () => {
    let looks = 0
    const participants = new Proxy(Array(50_000).fill({}), {
      get(list, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looks++
        return Reflect.get(list, name)
      },
    })
    const { success } = page('conversation_participant_added').data.safeParse({ addedParticipants: participants })
    assert.equal(success, false)
    assert.equal(looks, 1)
  })

  test('whatever arrives, a Track sends no name that is not its own, no null, and never a contactId of the fields', () => {
    const anything = fc.jsonValue() as fc.Arbitrary<Json>
    for (const { type, call, data, sends, fields } of pages) {
      if (call !== 'track') continue
      const shaped = fc.record(Object.fromEntries(Object.keys(data.shape).map((name) => [name, anything])), {
        requiredKeys: [],
      })
      fc.assert(
        fc.property(shaped, shaped, (webhook, conversation) => {
          const said = fields(webhook as JsonObject, { contactId: '1', conversation: conversation as JsonObject }) ?? {}
          for (const [name, value] of Object.entries(said)) {
            assert.ok(sends.includes(name), `${type} sends ${name}`)
            assert.notEqual(value, null)
          }
        }),
        { numRuns: 50 },
      )
    }
  })
})

describe('contact_updated', () => {
  const { fields } = page('contact_updated')
  const traitsOf = (diff: Json) => fields({ diff }, { contactId: '1' })

  test('loses a leading "attributes." only, and keeps what comes after it whole', () => {
    assert.equal(
      JSON.stringify(
        traitsOf([
          { name: 'attributes.a.b', updated: 1 },
          { name: 'x.attributes.y', updated: 2 },
        ]),
      ),
      '{"a.b":1,"x.attributes.y":2}',
    )
  })

  test('sends a cleared attribute as null, and takes any name for plain data', () => {
    const traits = traitsOf([
      { name: 'attributes.__proto__', updated: { polluted: true } },
      { name: 'then', updated: null },
    ])
    assert.equal(JSON.stringify(traits), '{"__proto__":{"polluted":true},"then":null}')
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  test('says nothing when nothing changed', () => {
    assert.equal(traitsOf([]), undefined)
  })
})

describe('whose event it is', () => {
  const cases: [type: string, data: string, expected: unknown][] = [
    ['button_clicked', '{"contactId":1,"author":{"type":"contact","id":2},"conversationId":3}', { contactId: '1' }],
    ['button_clicked', '{"author":{"type":"contact","id":2},"conversationId":3}', { contactId: '2' }],
    ['button_clicked', '{"author":{"type":"user","id":2},"conversationId":3}', { conversationId: '3' }],
    ['button_clicked', '{"contactId":-5,"author":{"type":"user","id":2}}', undefined],
    ['phone_captured', '{"authorId":2,"authorType":"contact","conversationId":3}', { contactId: '2' }],
    ['phone_captured', '{"authorId":2,"authorType":"user","conversationId":3}', { conversationId: '3' }],
    ['phone_captured', '{"authorId":null,"authorType":"contact","contactId":4,"conversationId":3}', { contactId: '4' }],
    ['phone_captured', '{"authorId":0,"authorType":"contact","conversationId":3}', { conversationId: '3' }],
    ['new_meeting', '{"schedulerId":7,"contactId":8}', { contactId: '7' }],
    ['new_meeting', '{"contactId":8}', { contactId: '8' }],
    ['conversation_participant_added', '{"contactId":8,"conversationId":3}', { contactId: '8' }],
    ['new_conversation', '{"contactId":9007199254740993}', { contactId: '9007199254740993' }],
    ['new_conversation', '{"contactId":21760538950.0}', { contactId: '21760538950' }],
    ['new_conversation', '{"contactId":"21760538950"}', { contactId: '21760538950' }],
    ['new_conversation', '{"contactId":0}', undefined],
    ['new_conversation', '{"contactId":0,"id":3}', { conversationId: '3' }],
    ['new_meeting', '{"conversationId":3}', { conversationId: '3' }],
    ['meeting_updated', '{"conversationId":3}', { conversationId: '3' }],
    ['playbook_goal_met', '{"conversationId":3}', { conversationId: '3' }],
    ['new_conversation', '{"contactId":null}', undefined],
    ['new_conversation', '{"contactId":true}', undefined],
    ['new_conversation', '{"contactId":1.5}', undefined],
    ['new_conversation', '{"contactId":"null"}', undefined],
    ['new_conversation', '{}', undefined],
  ]
  for (const [type, data, expected] of cases) {
    test(`${type} ${data}`, () => assert.deepEqual(page(type).whose(readData(data)), expected))
  }

  test('a conversation_push that carries the conversation whole need not ask for it', async () => {
    const { drift, conversation } = await readFixture('conversation_push')
    const data = drift.data as JsonObject
    assert.equal(page('conversation_push').needsConversation?.(data), true)
    assert.equal(page('conversation_push').needsConversation?.({ ...conversation, ...data }), false)
  })

  test('in a conversation_push the webhook wins over what Drift answers', () => {
    const known = { contactId: '1', conversation: { status: 'open', inboxId: 5 } }
    assert.deepEqual(page('conversation_push').fields({ status: 'closed' }, known), { status: 'closed', inboxId: 5 })
  })
})

test('digits above 2^53 pass through a page unchanged', () => {
  const said = page('new_conversation').fields(readData('{"id":9007199254740993}'), { contactId: '1' })
  assert.equal(JSON.stringify(said), '{"id":9007199254740993}')
})

describe('adding an event', () => {
  const define = new URL('./define.ts', import.meta.url).href

  async function folderWith(files: Record<string, string>): Promise<{ url: URL; remove(): Promise<void> }> {
    const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-events-'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    return { url: pathToFileURL(`${folder}/`), remove: () => rm(folder, { recursive: true }) }
  }

  const pageText = `
    import { track } from '${define}'
    export default track({
      type: 'chat_to_call', when: 'a call from the chat ends', data: { shape: {} }, from: 'data.contactId',
      whose: (data) => ({ contactId: String(data.contactId) }), at: 'receipt', distinct: () => undefined, sends: ['duration'],
    })`

  test('takes the two files that CONTRIBUTING shows, and no edit anywhere', async () => {
    const text = await readFile(join(import.meta.dirname, '../../CONTRIBUTING.md'), 'utf8')
    const shown = (kind: string) => new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(text)![1]!
    const { url, remove } = await folderWith({
      'chat_to_call.ts': shown('ts')
        .replace('./define.ts', define)
        .replace("'zod'", `'${import.meta.resolve('zod')}'`),
      'chat_to_call.json': shown('json'),
    })
    const loaded = await loadCatalogue(url)
    assert.deepEqual([...loaded.keys()], ['chat_to_call'])
    const page = loaded.get('chat_to_call')!
    const { drift, segment } = await readFixture('chat_to_call', url)
    const data = drift.data as JsonObject
    assert.ok(page.data.safeParse(data).success)
    const whose = page.whose({ ...data, secret: 1 })
    assert.deepEqual(whose, { contactId: segment.anonymousId })
    const { contactId: _, ...beside } = segment.properties as JsonObject
    assert.deepEqual(page.fields({ ...data, secret: 1 }, { contactId: String(segment.anonymousId) }), beside)
    assert.equal(new Date(Number(data[page.at])).toISOString(), segment.timestamp)
    for (const format of formats) assert.match(printCatalogue(loaded, format), /chat_to_call|ChatToCall/)
    await remove()
  })

  test('is refused when the page is not what its file is called', async () => {
    const { url, remove } = await folderWith({ 'other_name.ts': pageText, 'other_name.json': '{}' })
    await assert.rejects(loadCatalogue(url), /other_name\.ts must export .*"other_name"/)
    await remove()
  })

  test('is refused when the fixture has no page', async () => {
    const { url, remove } = await folderWith({ 'lonely.json': '{}' })
    await assert.rejects(loadCatalogue(url), /lonely\.json has no page/)
    await remove()
  })
})

describe('the tracking plan', () => {
  interface Rule {
    type: string
    key: string
    version: number
    jsonSchema: {
      $schema: string
      type: string
      properties: { properties: { type: string; properties: Record<string, object>; required: string[] } }
    }
  }
  const { rules } = JSON.parse(printCatalogue(catalogue, 'tracking-plan')) as { rules: Rule[] }

  test("has the shape of Segment's Public API: a rule for every Track, one for Identify, one for all", () => {
    for (const rule of rules) {
      assert.deepEqual(Object.keys(rule).sort(), ['jsonSchema', 'key', 'type', 'version'])
      assert.equal(rule.version, 1)
      assert.equal(rule.jsonSchema.$schema, 'http://json-schema.org/draft-07/schema#')
      assert.equal(rule.jsonSchema.type, 'object')
    }
    assert.deepEqual(
      rules.map(({ type }) => type),
      [...pages.filter(({ call }) => call === 'track').map(() => 'TRACK'), 'IDENTIFY', 'COMMON'],
    )
  })

  for (const rule of rules.filter(({ type }) => type === 'TRACK')) {
    test(`${rule.key}: names what the fixture sends, with the types it sends`, async () => {
      const { segment } = await readFixture(rule.key.replace('Drift Source Event: ', ''))
      assert.equal(segment.event, rule.key)
      const inner = rule.jsonSchema.properties.properties
      assert.deepEqual(Object.keys(inner.properties).sort(), Object.keys(segment.properties as object).sort())
      for (const [name, value] of Object.entries(segment.properties as JsonObject)) {
        const { type } = inner.properties[name] as { type: string | string[] }
        const found = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value
        assert.ok([type].flat().includes(found), `${name} is ${found}, planned as ${type}`)
      }
    })
  }
})
