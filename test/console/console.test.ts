/**
 * What the console's pages do with odd requests, over real HTTP.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { settingsOf } from '../../src/accounts/settings.ts'
import { readFixture } from '../../src/events/fixtures.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const other = 7_000_111
for (const engine of engines) {
  describe(`the console on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    let stranger: Walk
    const look = (walk: Walk, path: string) => walk.get(walk.at(path))
    const messagesOf = async (of: number) => {
      const { entries } = await rig.service.store.storage.lookup.find({ org: String(of) }, { limit: 200 })
      return entries.map(({ messageId }) => messageId)
    }

    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
      await admin.connect(org)
      stranger = openWalk(rig)
      await stranger.connect(other)
      for (let vary = 0; vary < 60; vary++)
        await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })
      await settled(rig)
    })
    after(async () => {
      await admin.close()
      await stranger.close()
      await rig.close()
      await stores.close()
    })

    describe('the list of events', () => {
      const older = async () =>
        /href="(\/console\/events\?before=[^"]+)"/.exec((await look(admin, '/console/events')).body)![1]!

      test('goes on where the page before ended, and nothing is shown twice or left out', async () => {
        const first = await look(admin, '/console/events')
        const second = await look(admin, await older())
        const shown = [first, second].flatMap(({ body }) => [...body.matchAll(/<tr id="(e\d+)"/g)].map(([, id]) => id))
        assert.equal(shown.length, 60)
        assert.equal(new Set(shown).size, 60)
      })

      test('a place that was made up, or is another account’s, is refused', async () => {
        const place = await older()
        assert.equal((await look(stranger, place)).status, 400)
        const [, id, mark] = /before=(\d+)\.([\w-]+)/.exec(place)!
        const places = ['-1', `${id}`, `${Number(id) - 1}.${mark}`, `1.${id}.${mark}`, '9'.repeat(99)]
        for (const made of [...places, `${id}.${mark}x`, '%00', "' OR 1=1"]) {
          const { status, body } = await look(admin, `/console/events?before=${encodeURIComponent(made)}`)
          assert.equal(status, 400, made)
          assert.doesNotMatch(body, /<tr id=/)
        }
      })

      for (const [what, query, status] of [
        ['SQL in a type', "type=' OR 1=1 --", 200],
        ['a pattern', 'type=%25_%25', 200],
        ['an expression without end', `q=${'(a%2B)%2B'.repeat(10)}`, 400],
        ['five kilobytes', `q=${'x'.repeat(5_000)}`, 400],
        ['a contact that is not a number', 'q=1 OR 1=1', 400],
        ['a state that there is not', 'state=__proto__', 400],
        ['a range that there is not', 'range=constructor', 400],
        ['a time that is not one', 'from=yesterday', 400],
      ] as const) {
        test(`asked for ${what} finds nothing, and nothing breaks`, async () => {
          const seen = await look(admin, `/console/events?${query}`)
          assert.equal(seen.status, status)
          assert.doesNotMatch(seen.body, /<tr id=/)
        })
      }

      test('every filter finds what it says', async () => {
        const { entries } = await rig.service.store.storage.lookup.find({ org: String(org) }, { limit: 1 })
        const { contact, conversation, messageId, receivedAt } = entries[0]!
        const rows = async (query: string) =>
          [...(await look(admin, `/console/events?${query}`)).body.matchAll(/<tr id=/g)].length
        const minute = (ms: number) => new Date(ms).toISOString().slice(0, 16)
        assert.equal(await rows(`q=${messageId}`), 1)
        assert.equal(await rows(`q=${messageId}.2.r1`), 1, 'as another destination was sent it')
        assert.ok((await rows(`q=${contact}`)) > 0)
        assert.equal(await rows(`q=${conversation}`), 1)
        assert.equal(await rows(`q=${encodeURIComponent(`https://app.drift.com/conversations/${conversation}`)}`), 1)
        assert.equal(await rows(`q=${encodeURIComponent(`https://app.drift.com/contacts/${conversation}`)}`), 0)
        assert.equal(await rows('type=new_conversation&state=delivered'), 50)
        assert.equal(await rows('state=failed'), 0)
        assert.equal(await rows('range=24h'), 50)
        assert.equal(await rows(`to=${minute(receivedAt - 3_600_000)}`), 0)
        assert.equal(await rows(`from=${minute(receivedAt - 3_600_000)}&to=${minute(receivedAt + 3_600_000)}`), 50)
      })
    })

    test('another account’s event is as unknown as one that never was: to look at, to uncover, to resend', async () => {
      const [message] = await messagesOf(org)
      const page = await look(stranger, '/console/connection')
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)![1]!
      const unknown = (await look(stranger, '/console/events/drift-none')).body
      for (const path of [`/console/events/${message}`, `/console/events/${message}/`]) {
        assert.deepEqual([(await look(stranger, path)).status, (await look(stranger, path)).body], [404, unknown])
      }
      for (const action of ['reveal', 'resend', 'handled']) {
        const sent = await stranger.post(stranger.at(`/console/events/${message}/${action}`), {
          csrf,
          ...(action === 'resend' ? { mapping: 'today' } : {}),
        })
        assert.equal(sent.status, 404)
      }
      const found = await look(stranger, `/console/resend?state=delivered&preview=1&q=${message}`)
      assert.match(found.body, /No event matches/)
    })

    test('a NUL reaches no store', async () => {
      for (const name of ['type', 'q', 'state', 'reason', 'from'])
        assert.equal((await look(admin, `/console/events?${name}=a%00b`)).status, 400)
      assert.equal((await look(admin, '/console/events/a%00b')).status, 404)
    })

    test('a word in an address chooses one of our sentences, or none is shown', async () => {
      for (const word of ['constructor', '__proto__', 'toString', '<b>'])
        for (const path of ['/console', '/console/connection'])
          assert.doesNotMatch((await look(admin, `${path}?done=${word}`)).body, /notice good|native code|\[object/)
    })

    test('what an event says is text, whatever it says, and nothing of it is shown before it is asked for', async () => {
      const evil = '<script>alert(1)</script>\u202e\u001b[31m\u200b\u{e0041}\ufeff=HYPERLINK("x")'
      const { drift } = await readFixture('button_clicked')
      const data = { ...(drift.data as JsonObject), id: 77_777, body: evil.repeat(30) }
      await rig.sims.drift.send({ ...drift, orgId: org, data }, { to: rig.to })
      await settled(rig)
      const [message] = await messagesOf(org)
      const covered = await look(admin, `/console/events/${message}`)
      assert.equal(covered.status, 200)
      assert.doesNotMatch(covered.body, /alert\(|HYPERLINK|172\.112/)
      const shown = await admin.submit(covered, {}, `/console/events/${message}/reveal`)
      assert.match(shown.body, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/)
      assert.doesNotMatch(shown.body, /<script>alert/)
      assert.doesNotMatch(shown.body, /(?![\n ])[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]/u)
      assert.match(shown.body, /\\u202e\\u001b\[31m\\u200b\\udb40\\udc41\\ufeff=HYPERLINK/)
      const auditEntries = await rig.service.store.storage.audit.list(String(org), 5)
      assert.deepEqual([auditEntries[0]!.what, auditEntries[0]!.about], ['looked at data', message])
    })

    test('the same resend sent twice is one; that of a paused account waits; the messageIds stay', async () => {
      const before = rig.sims.segment.duplicates.length
      const ids = new Set(await messagesOf(org))
      const settings = await look(admin, '/console/connection')
      await admin.submit(settings, {}, '/console/pause')
      const found = await look(admin, '/console/resend?state=delivered&type=new_conversation&preview=1')
      assert.match(found.body, /60 events would be resent/)
      const first = await admin.submit(found, {}, '/console/resend')
      const again = await admin.submit(found, {}, '/console/resend')
      assert.deepEqual([first.status, again.status], [303, 303])
      await eventually(async () => (await rig.outcomes()).held === 60)
      assert.equal(rig.sims.segment.duplicates.length, before)
      await admin.submit(await look(admin, '/console'), {}, '/console/resume')
      await eventually(() => rig.sims.segment.duplicates.length === before + 60)
      for (const { message } of rig.sims.segment.duplicates) assert.ok(ids.has(message.messageId as string))
      const auditEntries = (await rig.service.store.storage.audit.list(String(org), 50)).filter(
        ({ what }) => what === 'redrove',
      )
      assert.equal(auditEntries.length, 1)
    })

    test('a form that shows what has changed since changes nothing, and shows what is there now', async () => {
      const page = await look(admin, '/console/connection')
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)![1]!
      const generation = /name="generation" value="(\d+)"/.exec(page.body)![1]!
      const all = await admin.post(admin.at('/console/connection/events'), { csrf, generation, on: 'new_conversation' })
      assert.equal(all.status, 303)
      const late = await admin.post(admin.at('/console/connection/events'), { csrf, generation, on: 'new_meeting' })
      assert.equal(late.status, 409)
      assert.match(late.body, /The settings were changed meanwhile/)
      const { offTypes } = settingsOf(rig.service.store.accounts.get(String(org))!)
      assert.ok(!offTypes.includes('new_conversation') && offTypes.includes('new_meeting'))
    })
  })
}

test('the service stops at once, though an admin has a live page open', async () => {
  const live = await startRig()
  const walk = openWalk(live)
  await walk.connect(org)
  const cookie = [...walk.cookies.get(live.service.url)!].map(([name, value]) => `${name}=${value}`).join('; ')
  const stream = await fetch(`${live.service.url}/console/live`, { headers: { cookie } })
  assert.equal(stream.headers.get('content-type'), 'text/event-stream')
  const reading = stream.text()
  const startedAt = performance.now()
  await walk.close()
  await live.close()
  const tookMs = performance.now() - startedAt
  assert.match(await reading, /event: ready/)
  assert.ok(tookMs < 5_000, `took ${Math.round(tookMs)} ms`)
})
