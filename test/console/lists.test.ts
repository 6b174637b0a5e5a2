/** What is not sent, and why; and what an admin takes along of a list. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { optionsOf } from '../../src/accounts/options.ts'
import { settingsOf } from '../../src/accounts/settings.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { countRedrivable } from '../../src/operations/redrive.ts'
import { settingNames } from '../../src/settings/table.ts'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

for (const engine of engines) {
  describe(`lists on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    const look = (path: string) => admin.get(admin.at(`/console/${path}`))
    const offTypes = () => settingsOf(rig.service.store.accounts.get(String(org))!).offTypes
    const audit = async (what: string) =>
      (await rig.service.store.storage.audit.list(String(org), 100)).filter((one) => one.what === what)

    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
      await admin.connect(org)
      for (const _ of [1, 2]) await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
      await settled(rig)
    })
    after(async () => {
      await admin.close()
      await rig.close()
      await stores.close()
    })

    test('why an event did not arrive is said by type and reason: empty, unknown, twice', async () => {
      const empty = { type: 'contact_updated', orgId: org, data: { endUserId: 7, timestamp: 1, diff: [] } }
      await rig.sims.drift.send(empty, { to: rig.to })
      await rig.sims.drift.send({ type: 'never_heard_of', orgId: org, data: {} }, { to: rig.to })
      await eventually(async () => (await rig.outcomes()).ignored === 2)
      const { body } = await look('not-sent')
      const row = (type: string) => new RegExp(`<tr><th scope="row">${type}</th>[\\s\\S]*?</tr>`).exec(body)?.[0] ?? ''
      assert.match(row('contact_<wbr>updated'), /Nothing to send[\s\S]*data-label="Total" class="number">1</)
      assert.match(row('Other types'), /Not one of the ten events[\s\S]*>1</)
      assert.match(row('new_<wbr>conversation'), /Duplicate[\s\S]*>1</)
      assert.doesNotMatch(body, /never_heard_of/)
      assert.match(body, /what a destination’s options leave out is kept, and can be resent/)
    })

    test('two times in the wrong order are not searched, and are kept as they were typed', async () => {
      const times = 'from=2026-11-24T12:00&to=2026-11-24T11:00'
      for (const path of [`events?${times}`, `resend?preview=1&${times}`]) {
        const { status, body } = await look(path)
        assert.equal(status, 400)
        assert.match(body, /The first time must be earlier than the last one\./)
        assert.match(body, /value="2026-11-24T12:00"[\s\S]*value="2026-11-24T11:00"/)
      }
    })

    test('what an id can be is said where something else was typed, in every field that takes one', async () => {
      for (const path of ['events?q=Ann', 'resend?preview=1&q=Ann'])
        assert.match((await look(path)).body, /Enter a contact id, a conversation id or a message id/)
    })

    test('a disabled type says since when and by whom, and is enabled there', async () => {
      const connection = await look('connection')
      const csrf = /name="csrf" value="([^"]+)"/.exec(connection.body)![1]!
      const generation = /name="generation" value="(\d+)"/.exec(connection.body)![1]!
      const saved = await admin.post(admin.at('/console/connection/events'), { csrf, generation, on: 'new_meeting' })
      assert.equal(saved.status, 303)
      await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary: 9 })
      await eventually(async () => (await rig.outcomes()).ignored === 3)
      const before = await look('not-sent')
      const row = /<tr><th scope="row">new_<wbr>conversation<\/th>[\s\S]*?<\/tr>/.exec(before.body)![0]
      assert.match(row, /Disabled <time[^>]*>[^<]*<\/time> by Drift admin[^<]*, session/)
      assert.match(row, /"Last seen">(less than a minute ago|<time[^>]*>1 minute ago)/, 'no sooner than it is known')
      assert.match(
        (await look('events?type=playbook_goal_met')).body,
        /playbook_goal_met is disabled[\s\S]*Not sent<\/a>/,
      )
      assert.doesNotMatch((await look('events?type=new_meeting')).body, /is disabled/)
      const enabled = await admin.post(admin.at('/console/not-sent/enable'), {
        csrf,
        generation: /name="generation" value="(\d+)"/.exec(row)![1]!,
        type: 'new_conversation',
      })
      assert.equal(enabled.headers.location, '/console/not-sent?enabled=new_conversation')
      assert.equal(offTypes().includes('new_conversation'), false)
      assert.match((await look('not-sent?enabled=new_conversation')).body, /new_conversation is enabled/)
      assert.doesNotMatch((await look('not-sent?enabled=button_clicked')).body, /button_clicked is enabled/)
    })

    test('a type is not enabled by a page that shows what has changed since', async () => {
      const page = await look('not-sent')
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)![1]!
      const before = offTypes()
      const late = await admin.post(admin.at('/console/not-sent/enable'), { csrf, generation: '1', type: before[0]! })
      assert.equal(late.status, 409)
      assert.match(late.body, /The settings were changed meanwhile/)
      assert.deepEqual(offTypes(), before)
    })

    test('no page shows a command, a setting’s name or a back-tick to an admin', async () => {
      await rig.sims.drift.send({ type: 'new_meeting', orgId: org, data: { schedulerId: {} } }, { to: rig.to })
      await settled(rig, ({ held }) => held === 1)
      const { entries } = await rig.service.store.storage.lookup.find({ org: String(org) }, { limit: 100 })
      const events = entries.map(({ messageId }) => `events/${messageId}`)
      const paths = ['events', 'events?q=x', 'not-sent', 'resend?preview=1', 'privacy', 'privacy?contact=7', 'audit']
      const names = settingNames.map((name) => `\\b${name}\\b`)
      for (const path of [...paths, ...events]) {
        const text = (await look(path)).body.replace(/<pre[\s\S]*?<\/pre>/g, '').replace(/<[^>]*>/g, ' ')
        assert.doesNotMatch(text, new RegExp(`\`|npx|(?<![\\w-])--\\w|${names.join('|')}`), path)
      }
    })

    test('what is exported is what the list finds, without payloads, and is noted in the audit', async () => {
      const list = await look('events?type=new_conversation')
      const form = { ...formOf(list.body), format: 'json' }
      const json = await admin.post(admin.at('/console/events/export'), form)
      assert.equal(json.headers['content-disposition'], `attachment; filename="drift-events-${org}.json"`)
      const rows = JSON.parse(json.body) as Record<string, string>[]
      assert.deepEqual(
        rows.map(({ type, state, reason }) => [type, state, reason]),
        [['new_conversation', 'Delivered', '']],
      )
      assert.deepEqual(Object.keys(rows[0]!), [
        'received_at',
        'type',
        'state',
        'reason',
        'reason_text',
        'contact',
        'conversation',
        'message_id',
        'delivered_at',
        'destination',
        'origin',
      ])
      const csv = await admin.post(admin.at('/console/events/export'), { ...form, format: 'csv' })
      assert.match(csv.headers['content-type']!, /^text\/csv/)
      const lines = csv.body.trimEnd().split('\r\n')
      assert.equal(lines[0], Object.keys(rows[0]!).join(','))
      assert.deepEqual(lines.slice(1), [Object.values(rows[0]!).join(',')])
      assert.deepEqual(
        (await audit('exported events')).map(({ about }) => about),
        ['CSV', 'JSON'],
      )
    })

    test('an export that finds nothing is an empty list', async () => {
      const form = { ...formOf((await look('events')).body), type: 'phone_captured', format: 'json' }
      assert.deepEqual(JSON.parse((await admin.post(admin.at('/console/events/export'), form)).body), [])
    })

    test('an export in a form that there is not, or of a filter that cannot be read, is refused and not noted', async () => {
      const before = (await audit('exported events')).length
      const form = formOf((await look('events')).body)
      for (const wrong of [{ format: 'xml' }, { format: 'csv', state: 'odd' }, { format: 'csv', q: 'a b' }])
        assert.equal((await admin.post(admin.at('/console/events/export'), { ...form, ...wrong })).status, 400)
      assert.equal((await audit('exported events')).length, before)
    })
  })

  describe(`lists of an account with several destinations on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    const look = async (path: string) => (await admin.get(admin.at(`/console/${path}`))).body
    const given = { org: String(org), name: 'Staging' }
    const send = (event: string, vary = 0) => rig.sims.drift.send(event, { to: rig.to, orgId: org, vary })
    const refusedAtStaging = { refuseIf: ({ messageId }: JsonObject) => String(messageId).endsWith('.2') }

    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
      await admin.connect(org)
      const stdin = JSON.stringify({ writeKey: 'StAgInGsTaGiNgStAgInGsTaGiNg0123' })
      assert.equal((await rig.command('destinations add', { given, stdin })).exitCode, 0)
      await rig.service.store.accounts.reload(Date.now())
    })
    after(async () => {
      await admin.close()
      await rig.close()
      await stores.close()
    })

    test('what the first has and another refused is resent, to that one alone', async () => {
      rig.sims.segment.script(refusedAtStaging)
      await send('button_clicked')
      // One that is quarantined at each, and one that is given over to none.
      await rig.sims.drift.send({ type: 'new_meeting', orgId: org, data: { schedulerId: {} } }, { to: rig.to })
      await rig.sims.drift.send({ type: 'new_meeting', orgId: org, data: 5 }, { to: rig.to })
      await settled(rig, ({ dead, held, waiting }) => dead === 1 && held === 3 && waiting === 0)
      rig.sims.segment.script(undefined)
      assert.match(await look('events?type=button_clicked'), /Resend matching/)
      const preview = await look('resend?preview=1')
      assert.match(preview, />1 event would be resent<[\s\S]*>3 events would fail again, and stay</)
      const { messageId } = (await rig.service.store.storage.lookup.find({ type: 'button_clicked' }, { limit: 1 }))
        .entries[0]!
      const page = await admin.get(admin.at(`/console/events/${messageId}`))
      assert.match(page.body, />Resend to Staging</)
      await admin.submit(page, {}, `/console/events/${messageId}/resend`)
      await settled(rig, ({ dead, waiting }) => dead === 0 && waiting === 0)
      assert.equal(rig.sims.segment.duplicates.length, 0, 'the first one is not sent it again')
      const again = await look(`events/${messageId}?done=resent`)
      assert.match(again, /Resent: every destination has it[\s\S]*Resend to chosen destinations/)
    })

    test('more than a hundred at all of them together are confirmed once more, and counted once each', async () => {
      for (let vary = 1; vary <= 51; vary++) await send('new_conversation', vary)
      await settled(rig)
      const page = await admin.get(admin.at('/console/resend?state=delivered&type=new_conversation&preview=1'))
      assert.match(page.body, />Yes, resend 102 events</)
      const unconfirmed = await admin.submit(page, {}, '/console/resend')
      assert.equal(unconfirmed.status, 422)
      assert.match(unconfirmed.body, /Tick the box to confirm that 102 events are meant/)
      const { lookup } = rig.service.store.storage
      const both = { accounts: rig.service.store.accounts, lookup }
      assert.deepEqual(await countRedrivable(both, { org: String(org) }), { total: 3, isCut: false })
    })

    test('what waits for the first is listed as queued, though another one is paused', async () => {
      assert.equal((await rig.command('destinations pause', { given: { ...given, destination: '2' } })).exitCode, 0)
      await rig.service.store.accounts.reload(Date.now())
      rig.sims.segment.script({ status: 503 })
      await send('phone_captured')
      const { lookup } = rig.service.store.storage
      await eventually(async () => (await lookup.lanes(String(org))).some(({ failures }) => failures > 0))
      const list = await look('events?state=queued')
      assert.match(list, /Queued <span class="count">1</)
      assert.match(list, /<tr id="e\d+">[\s\S]*phone_<wbr>captured/)
      assert.doesNotMatch(await look('events?state=blocked'), /<tr id="e\d+">/)
      rig.sims.segment.script(undefined)
    })

    test('what is sent is previewed and saved of no destination but the one that the form names', async () => {
      const mapping = async (query: string) => admin.get(admin.at(`/console/mapping${query}`))
      const form = await mapping('?destination=2')
      const previewed = await admin.submit(form, { on: 'safeNames' }, '/console/mapping/preview')
      assert.match(previewed.body, /name="destination" value="2"/)
      const removed = await rig.command('destinations remove', {
        given: { org: String(org), destination: '2', yes: true },
      })
      assert.equal(removed.exitCode, 0, removed.output)
      await rig.service.store.accounts.reload(Date.now())
      for (const late of [
        await admin.submit(form, { on: 'safeNames' }, '/console/mapping/preview'),
        await admin.submit(previewed, {}, '/console/mapping/save'),
        await mapping('?destination=2'),
      ]) {
        assert.equal(late.status, 409)
        assert.match(late.body, /The settings were changed meanwhile/)
        assert.doesNotMatch(late.body, /id="preview"/)
      }
      assert.deepEqual(optionsOf(rig.service.store.accounts.get(String(org))!, 1), {})
    })
  })
}

/** What stands in the form of the export. */
function formOf(body: string): Record<string, string> {
  const form = /<form method="post" action="\/console\/events\/export"[\s\S]*?<\/form>/.exec(body)![0]
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
  )
}
