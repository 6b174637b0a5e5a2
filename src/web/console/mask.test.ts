/** What is shown of an event before a person asks for what it says of a contact. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFixture } from '../../events/fixtures.ts'
import { catalogue } from '../../events/index.ts'
import type { Json, JsonObject } from '../../lib/json.ts'
import { Covered, mask, maskMessage } from './mask.ts'

/** Every text of a value that is not covered. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value instanceof Covered || typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(texts)
}

const personal = /@|\d+\.\d+\.\d+\.\d+|https?:|\+\d|Angeles|United States|en-US/

test('no fixture shows a name, an address, a place or a message', async () => {
  let covered = 0
  for (const type of catalogue.keys()) {
    const { drift, conversation, segment } = await readFixture(type)
    for (const shown of [mask(drift), mask((conversation ?? null) as Json), maskMessage(segment)]) {
      const open = texts(shown).filter((text) => personal.test(text))
      assert.deepEqual(open, [], type)
      covered += JSON.stringify(shown).split('"length"').length - 1
    }
  }
  assert.ok(covered > 40, 'something was there to cover')
})

test("Drift's own context is covered, ours is not", () => {
  const said = { data: { context: { ip: '1.2.3.4', location: { latitude: 1.5 } } } }
  const { data } = mask(said) as { data: { context: { ip: unknown; location: { latitude: unknown } } } }
  assert.ok(data.context.ip instanceof Covered)
  assert.ok(data.context.location.latitude instanceof Covered)
  const message: JsonObject = { context: { integration: { name: 'us' } }, properties: { name: 'Ada' } }
  const shown = maskMessage(message) as { context: unknown; properties: { name: unknown } }
  assert.deepEqual(shown.context, { integration: { name: 'us' } })
  assert.ok(shown.properties.name instanceof Covered)
})

test('ids and times stay, and so do words of Drift; a text that stands under an id does not', () => {
  const said = { contactId: 7, createdAt: 8, status: 'open', externalId: 'ada@example.com', phoneId: '+44' }
  const shown = mask(said) as Record<string, unknown>
  assert.deepEqual([shown.contactId, shown.createdAt, shown.status], [7, 8, 'open'])
  assert.ok(shown.externalId instanceof Covered)
  assert.ok(shown.phoneId instanceof Covered)
})

test('the contact id that Drift answered with is shown as digits, as it is shown where it was sent', () => {
  const shown = mask({ contactId: '60001', phoneId: '447700900123', conversation: { contactId: 'ada' } })
  const { contactId, phoneId, conversation } = shown as Record<string, { contactId?: unknown }>
  assert.equal(contactId, '60001')
  assert.ok(phoneId instanceof Covered)
  assert.ok(conversation!.contactId instanceof Covered)
})

test("a person's own fields are covered, however their site calls them; so is a sentence under a word of Drift's", () => {
  const fields = { status: 'single', taxId: 123, bornAt: 456, source: 'ada', isIll: true, contactId: 7 }
  const attributes = Object.entries(fields).map(([name, updated]) => ({ name, updated, event: 'x' }))
  const said = { data: { diff: attributes, status: 'ada@example.com', reason: 'Call Ada' }, traits: fields }
  const open = JSON.stringify(mask(said)).replaceAll(/"length":\d+/g, '')
  assert.doesNotMatch(open, /single|123|456|ada|true|Ada|"x"/)
  assert.equal((mask(said) as { traits: { contactId: unknown } }).traits.contactId, 7)
  const { event } = maskMessage({ event: 'Drift Source Event: new_meeting' }) as { event: unknown }
  assert.equal(event, 'Drift Source Event: new_meeting')
})
