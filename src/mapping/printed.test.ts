import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { callOf } from '../../test/mapped.ts'
import { someAttributes, someOptions } from '../../test/some-options.ts'
import { fixtureTypes } from '../events/fixtures.ts'
import { catalogue } from '../events/index.ts'
import { formats, type Printed, print, printCatalogue } from '../events/print.ts'
import type { Track } from '../segment/call.ts'
import { applyOptions } from './apply.ts'
import { fieldsOf } from './option.ts'
import type { Options } from './options.ts'
import { printedWith } from './printed.ts'

const printedFor = (type: string, options: Options) =>
  printedWith(catalogue, options).find(({ page }) => page.type === type)

const namesIn = (fields: Printed['fields'] | undefined) => Object.keys(fields ?? {})

describe('the catalogue with options', () => {
  test('is the catalogue itself with every option off', () => {
    for (const format of formats)
      assert.equal(print(printedWith(catalogue, {}), format), printCatalogue(catalogue, format))
  })

  test('names every event, property and part that comes with any options', async () => {
    const types = await fixtureTypes()
    await fc.assert(
      fc.asyncProperty(someOptions, fc.constantFrom(...types), someAttributes, async (options, type, attributes) => {
        const outcome = applyOptions(await callOf(type), catalogue.get(type)!, options, attributes)
        if ('leftOut' in outcome) return
        const { call, extra } = outcome
        const printed = printedFor(type, options)!
        assert.equal(printed.event, (call as Partial<Track>).event)
        if (!printed.isOpen)
          for (const name of Object.keys(fieldsOf(call))) assert.ok(name in printed.fields, `${type}: ${name}`)
        if (call.userId !== undefined) assert.ok(printed.hasUserId)
        for (const name of Object.keys(call.context))
          assert.ok(name === 'integration' || name in (printed.context ?? {}), name)
        if (!extra) return
        assert.equal(printed.extra?.event, extra.event)
        for (const name of Object.keys(extra.properties)) assert.ok(name in printed.extra!.fields, name)
      }),
      { numRuns: 200 },
    )
  })

  test('leaves out what is never sent, and says that a hash is a text', () => {
    const options = { only: { types: ['new_meeting'] }, drop: ['slug'], hash: ['agentId'] }
    assert.deepEqual(
      printedWith(catalogue, options).map(({ page }) => page.type),
      ['new_meeting'],
    )
    const { fields } = printedFor('new_meeting', options)!
    assert.ok(!('slug' in fields))
    assert.equal(fields.agentId!.schema.type, 'string')
  })

  test('is printed with its new names, a second event, and what a message has besides', () => {
    const options: Options = {
      userId: { attribute: 'externalId' },
      externalIds: true,
      consent: { attribute: 'consent', otherwise: 'send' },
      safeNames: true,
      liveChat: true,
      rename: { events: { new_conversation: "Bob's chat" }, fields: { inboxId: 'in box' } },
    }
    const all = printedWith(catalogue, options)
    const types = print(all, 'typescript')
    assert.match(types, /userId\?: string/)
    assert.match(types, /consent\?: \{ categoryPreferences\?: Record<string, boolean> \}/)
    assert.match(types, /event: "Bob's chat"/)
    assert.match(types, /'in box'\?: number/)
    assert.match(types, /export interface ConversationPushWith extends Message/)
    const { rules } = JSON.parse(print(all, 'tracking-plan')) as { rules: { key: string }[] }
    const keys = rules.map(({ key }) => key)
    for (const key of ["Bob's chat", 'Live Chat Conversation Started', 'Live Chat Conversation Ended'])
      assert.ok(keys.includes(key), key)
    assert.match(print(all, 'table'), /track Live Chat Conversation Ended/)
    assert.ok('new_conversation.with' in JSON.parse(print(all, 'json-schema')).$defs)
    assert.deepEqual(namesIn(printedFor('new_conversation', { safeNames: true })?.fields).slice(-1), ['conversationId'])
  })
})
