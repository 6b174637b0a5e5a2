/** Options of what is sent, as a data engineer chooses them on the command line, beside the running service. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { optionsOf } from '../../src/accounts/options.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const id = String(org)
const contact = 21_760_538_950
const options = {
  userId: { attribute: 'externalId' },
  externalIds: true,
  safeNames: true,
  hash: ['email'],
  rename: { events: { new_conversation: 'Chat Started' } },
}

describe('options on the command line', () => {
  let rig: Rig
  before(async () => {
    rig = await startRig()
    rig.sims.drift.addOrg({ orgId: org, contacts: [{ id: contact, attributes: { externalId: 'a12-1234' } }] })
  })
  after(() => rig.close())

  const run = (name: string, given: Record<string, string | boolean>) => rig.command(name, { given })
  const post = (event: string | object, more: object = {}) =>
    rig.sims.drift.send(event as string, { to: rig.to, orgId: org, ...more })
  const problem = (said: Promise<unknown>) =>
    said.then(
      () => undefined,
      (error: { code: string; hint?: string }) => error,
    )

  test('that cannot be saved are refused with each reason, and those of an unknown account', async () => {
    const given = { org: id, set: '{"userId":{"attribute":"email"},"drop":["contactId"]}' }
    const refused = await problem(run('options', given))
    assert.equal(refused?.code, 'options_unusable')
    assert.match(refused!.hint!, /userId: .*needs the words.*; drop: contactId cannot be dropped/)
    assert.equal((await problem(run('options', { org: '1' })))?.code, 'not_installed')
    const unread = await problem(run('options', { org: id, set: 'safeNames' }))
    assert.match(String(unread), /--set is not JSON/)
    for (const alone of [{ dryRun: true }, { queuedAsBefore: true }])
      assert.equal((await problem(run('options', { org: id, ...alone })))?.code, 'options_unusable')
  })

  test('are of a destination that is named or numbered, and an unknown one is answered with those there are', async () => {
    const filled: Record<string, Record<string, string | boolean>> = {
      options: {},
      preview: { event: 'new_conversation' },
      events: { format: 'table' },
      redrive: { dryRun: true },
      inspect: { limit: '1' },
    }
    for (const [command, more] of Object.entries(filled)) {
      for (const destination of ['1', 'segment'])
        assert.equal((await run(command, { org: id, ...more, destination })).exitCode, 0, command)
      const unknown = await problem(run(command, { org: id, ...more, destination: 'Lake' }))
      assert.deepEqual(
        [unknown?.code, unknown?.hint],
        ['destination_unknown', 'give one of those it has, by its number or name: 1 (Segment)'],
        command,
      )
    }
    const ofNone = await problem(run('events', { format: 'table', destination: '1' }))
    assert.match(String(ofNone), /--destination needs --org/)
  })

  test('are previewed on the example of an event, and nothing is saved by it', async () => {
    const given = { org: id, event: 'new_conversation', options: JSON.stringify(options) }
    const { output } = await run('preview', given)
    assert.match(output, /^~ event: "Drift Source Event: new_conversation" → "Chat Started"$/m)
    assert.match(output, /^\+ properties\.conversationId: 3969707702$/m)
    assert.match(output, /^made up, since only Drift knows them: externalId$/m)
    assert.equal((await run('options', { org: id })).output, '{}')
  })

  test('say before they are saved how many of the last events would have been sent otherwise', async () => {
    await post('new_conversation', { vary: 7 })
    await settled(rig)
    const given = { org: id, set: '{"safeNames":true}', dryRun: true }
    assert.match(
      (await run('options', given)).output,
      /^Of the last 1 event of this account, 1 would have been sent differently\.$/m,
    )
    assert.equal((await run('options', { org: id })).output, '{}')
  })

  test('are what is sent from then on: as the preview says it', async () => {
    const saved = await run('options', { org: id, set: JSON.stringify(options) })
    assert.match(saved.output, /saved as version \d+: events that are received from now on are sent with it$/)
    assert.deepEqual(JSON.parse((await run('options', { org: id })).output), options)
    const { accounts } = rig.service.store
    await eventually(() => optionsOf(accounts.get(id)!, 1).safeNames === true)
    const began = rig.sims.segment.accepted.length
    const email = {
      endUserId: contact,
      timestamp: 1_714_419_330_000,
      diff: [{ name: 'attributes.email', updated: 'A@B.example ' }],
    }
    await post('new_conversation')
    await post({ type: 'contact_updated', orgId: org, data: email })
    await settled(rig)
    const [track, identify] = rig.sims.segment.accepted.slice(began).map(({ message }) => message as JsonObject)
    assert.deepEqual([track!.event, track!.userId, identify!.userId], ['Chat Started', 'a12-1234', 'a12-1234'])
    assert.equal((track!.properties as JsonObject).conversationId, 3_969_707_702)
    const hash = createHash('sha256').update('a@b.example').digest('hex')
    assert.equal((identify!.traits as JsonObject).email, hash)
    const message = String(track!.messageId)
    const { output } = await run('preview', { org: id, event: 'new_conversation', message, json: true })
    const previewed = JSON.parse(output) as { after: { messages: JsonObject[] }; examples: object }
    assert.deepEqual(previewed.after.messages, [track])
    assert.deepEqual(previewed.examples, {}, 'what is known of the contact is not made up')
  })

  test('are in the tracking plan that is printed for the account', async () => {
    const { output } = await run('events', { format: 'tracking-plan', org: id })
    const keys = (JSON.parse(output) as { rules: { key: string }[] }).rules.map(({ key }) => key)
    assert.ok(keys.includes('Chat Started') && !keys.includes('Drift Source Event: new_conversation'))
    const plain = await run('events', { format: 'tracking-plan' })
    assert.match(plain.output, /Drift Source Event: new_conversation/)
  })

  test('are saved in the audit by their names, and never by their values', async () => {
    const entries = await rig.service.store.storage.audit.list(id, 20)
    const saves = entries.filter(({ what }) => what === 'chose options of what is sent')
    assert.deepEqual(
      saves.map(({ about }) => about),
      ['destination 1: userId, externalIds, safeNames, hash, rename, also what waits'],
    )
  })
})
