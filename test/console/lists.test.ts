/** What is not sent, and why; and what an admin takes along of a list. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { settingsOf } from '../../src/accounts/settings.ts'
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
      await eventually(async () => (await rig.sums()).ignored === 2)
      const { body } = await look('not-sent')
      const row = (type: string) => new RegExp(`<tr><th scope="row">${type}</th>[\\s\\S]*?</tr>`).exec(body)?.[0] ?? ''
      assert.match(row('contact_<wbr>updated'), /Nothing to send[\s\S]*data-label="Total" class="number">1</)
      assert.match(row('Other types'), /Not one of the ten events[\s\S]*>1</)
      assert.match(row('new_<wbr>conversation'), /Duplicate[\s\S]*>1</)
      assert.doesNotMatch(body, /never_heard_of/)
    })

    test('a disabled type says since when and by whom, and is enabled there', async () => {
      const connection = await look('connection')
      const csrf = /name="csrf" value="([^"]+)"/.exec(connection.body)![1]!
      const generation = /name="generation" value="(\d+)"/.exec(connection.body)![1]!
      const saved = await admin.post(admin.at('/console/connection/events'), { csrf, generation, on: 'new_meeting' })
      assert.equal(saved.status, 303)
      await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary: 9 })
      await eventually(async () => (await rig.sums()).ignored === 3)
      const before = await look('not-sent')
      const row = /<tr><th scope="row">new_<wbr>conversation<\/th>[\s\S]*?<\/tr>/.exec(before.body)![0]
      assert.match(row, /Disabled <time[^>]*>[^<]*<\/time> by Drift admin[^<]*, session/)
      const enabled = await admin.post(admin.at('/console/not-sent/enable'), {
        csrf,
        generation: /name="generation" value="(\d+)"/.exec(row)![1]!,
        type: 'new_conversation',
      })
      assert.equal(enabled.headers.location, '/console/not-sent?enabled=new_conversation')
      assert.equal(offTypes().includes('new_conversation'), false)
      assert.match((await look('not-sent?enabled=new_conversation')).body, /new_conversation is enabled/)
      assert.doesNotMatch((await look('not-sent?enabled=button_clicked')).body, /is enabled/, 'it is not')
    })

    test('a type is not enabled by a page that shows what is no longer so', async () => {
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
}

/** What stands in the form of the export. */
function formOf(body: string): Record<string, string> {
  const form = /<form method="post" action="\/console\/events\/export"[\s\S]*?<\/form>/.exec(body)![0]
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
  )
}
