/** Erasing a person in the console, Drift's requests for it, and what the audit says of both. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const contact = '21760599001'
const conversationOf = (contactId: string, id: number) => ({
  type: 'new_conversation',
  orgId: org,
  data: { contactId: Number(contactId), id, status: 'open', createdAt: 1_714_423_000_000 + id },
})
const request = (contactId: string) => ({
  type: 'gdpr_delete_requested',
  orgId: org,
  data: { contactId: Number(contactId) },
})

for (const engine of engines) {
  describe(`privacy on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    const look = (path: string) => admin.get(admin.at(`/console/${path}`))
    const find = async (person: string) =>
      (await rig.service.store.storage.lookup.find({ org: String(org), contact: person }, { limit: 100 })).entries
    const audited = async () => {
      const auditEntries = await rig.service.store.storage.audit.list(String(org), 100)
      return auditEntries.filter(({ what }) => /person|request/.test(what))
    }

    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
      await admin.connect(org)
      for (const id of [1, 2]) await rig.sims.drift.send(conversationOf(contact, id), { to: rig.to })
      await rig.sims.drift.send(conversationOf('8', 3), { to: rig.to })
      await settled(rig)
      await admin.submit(await look('connection'), {}, '/console/pause')
      await rig.sims.drift.send(conversationOf(contact, 4), { to: rig.to })
      await eventually(async () => (await find(contact)).length === 3)
    })
    after(async () => {
      await admin.close()
      await rig.close()
      await stores.close()
    })

    test('what would go is shown first, by state, and nothing is changed', async () => {
      const { body } = await look(`privacy?contact=${contact}`)
      assert.match(body, />3 events<\/a> \(1 blocked, 2 delivered\)/)
      assert.match(body, /1 event of these has not been sent, and will not be\./)
      assert.equal((await find(contact)).length, 3)
    })

    test('a person is found by the address of their page in Drift too', async () => {
      const address = encodeURIComponent(`https://app.drift.com/contacts/details/${contact}`)
      assert.match((await look(`privacy?contact=${address}`)).body, new RegExp(`type the contact id: ${contact}`))
    })

    test('of a person who is not known it says so, and offers nothing', async () => {
      const { body } = await look('privacy?contact=999')
      assert.match(body, /Nothing of contact 999 is stored/)
      assert.doesNotMatch(body, /action="\/console\/privacy\/erase"/)
    })

    for (const typed of ['ann@example.com', '1 OR 1=1', '0', 'drift-abc', 'https://app.drift.com/conversations/7'])
      test(`“${typed}” names no contact: the page says what does`, async () => {
        const { body, status } = await look(`privacy?contact=${encodeURIComponent(typed)}`)
        assert.equal(status, 200)
        assert.match(body, /id="contact-error">[A-Z][^<]+\.</)
        assert.doesNotMatch(body, /action="\/console\/privacy\/erase"/)
      })

    for (const typed of ['', 'abc', '-1', 'https://app.drift.com/settings'])
      test(`“${typed}” is answered with what this field takes, and nothing else`, async () => {
        const { body } = await look(`privacy?contact=${encodeURIComponent(typed)}`)
        assert.match(body, /id="contact-error">Enter a contact id, or the address of the contact’s page in Drift\.</)
        assert.doesNotMatch((await look('privacy')).body, /id="contact-error"/)
      })

    test('Drift’s requests for deletion are a list of their own, and are not called not recognized', async () => {
      for (const person of [contact, '8']) await rig.sims.drift.send(request(person), { to: rig.to })
      await eventually(async () => (await find('8')).length === 2)
      const { body } = await look('privacy')
      assert.match(body, /href="\/console\/privacy\?contact=21760599001#erase">Erase</)
      assert.match(body, /href="\/console\/privacy\?contact=8#erase">Erase</)
      const list = (await look('events')).body
      assert.match(list, /Deletion request <span class="count">2</)
      assert.match(list, /Not recognized <span class="count">0</)
    })

    test('nothing is erased until the id is typed to confirm it', async () => {
      const page = await look(`privacy?contact=${contact}`)
      const seen = await admin.submit(page, { confirm: '21760599002' }, '/console/privacy/erase')
      assert.equal(seen.status, 422)
      assert.match(seen.body, /Nothing was erased: this is not 21760599001\./)
      assert.equal((await find(contact)).length, 4)
      assert.deepEqual(await audited(), [])
    })

    test('an erased person is gone with their request, others stay, and the audit does not say who it was', async () => {
      const page = await look(`privacy?contact=${contact}`)
      const sent = await admin.submit(page, { confirm: ` ${contact} ` }, '/console/privacy/erase')
      assert.match(sent.headers.location!, /^\/console\/privacy\?done=(erased|pending)$/)
      const { body } = await look(sent.headers.location!.slice('/console/'.length))
      assert.match(body, /The person is erased[\s\S]*4 events and \d conversations? of theirs are gone/)
      assert.deepEqual(await find(contact), [])
      assert.equal((await find('8')).length, 2)
      const [entry] = await audited()
      assert.match(entry!.about!, /^contact [0-9a-f]{32}: 4 events/)
      assert.doesNotMatch((await look('audit')).body, new RegExp(contact))
      assert.match((await look('privacy')).body, /The states add up to it\./)
    })

    test('a request is closed by a person, which the audit notes', async () => {
      const [open] = (await find('8')).filter(({ state }) => state === 'quarantined')
      const path = `/console/events/${open!.messageId}/handled`
      assert.equal(
        (await admin.submit(await look('privacy'), {}, path)).headers.location,
        '/console/privacy?done=handled',
      )
      assert.match((await look('privacy?done=handled')).body, /No open requests/)
      assert.deepEqual(
        (await audited()).map(({ what }) => what),
        ['handled a request for deletion', 'erased a person'],
      )
    })

    test('the audit is filtered by what was done, and exported as it is filtered', async () => {
      const page = await look('audit?group=data')
      assert.match(page.body, /Erased a person/)
      assert.doesNotMatch(page.body, /Paused sending/)
      const csv = await admin.submit(page, {}, '/console/audit/export')
      assert.match(csv.headers['content-disposition']!, /drift-audit-5000883\.csv/)
      assert.deepEqual(csv.body.match(/Exported the audit|Closed a deletion request|Erased a person|Paused/g), [
        'Exported the audit',
        'Closed a deletion request',
        'Erased a person',
      ])
      assert.equal((await admin.submit(page, { group: 'odd' }, '/console/audit/export')).status, 400)
    })
  })
}
