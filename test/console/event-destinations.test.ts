/** One event of an account with several destinations: what happened at each, and sending it again to those that are chosen. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { changeOptions } from '../../src/accounts/options.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { eventually } from '../clock.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const stagingKey = 'StAgInGsTaGiNgStAgInGsTaGiNg0123'

for (const engine of engines) {
  describe(`an event at several destinations on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let admin: Walk
    let early: string
    let late: string
    const page = (path: string) =>
      admin.get(admin.at(path === '' || path.startsWith('?') ? `/console${path}` : `/console/${path}`))
    const look = async (path: string) => (await page(path)).body
    const send = (event: string, vary = 0) => rig.sims.drift.send(event, { to: rig.to, orgId: org, vary })
    const newest = async () =>
      (await rig.service.store.storage.lookup.find({ org: String(org) }, { limit: 1 })).entries[0]!.messageId
    const sentUnder = (key: string) =>
      rig.sims.segment.accepted.filter((one) => one.writeKey === key).map(({ message }) => String(message.messageId))
    const resend = async (path: string, fields: Record<string, string>) =>
      admin.submit(await page(path), { ...fields, chosen: 'yes' }, `/console/${path.replace(/(?=\?|$)/, '/resend')}`)

    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      admin = openWalk(rig)
      await admin.connect(org)
      await send('button_clicked', 1)
      await settled(rig)
      early = await newest()
      const stdin = JSON.stringify({ writeKey: stagingKey })
      const added = await rig.command('destinations add', { given: { org: String(org), name: 'Staging' }, stdin })
      assert.equal(added.exitCode, 0, added.output)
      await rig.service.store.accounts.reload(Date.now())
      const refusedAtStaging = { refuseIf: ({ messageId }: JsonObject) => String(messageId).endsWith('.2') }
      rig.sims.segment.script(refusedAtStaging)
      await send('button_clicked', 2)
      await settled(rig, ({ dead, waiting }) => dead === 1 && waiting === 0)
      rig.sims.segment.script(undefined)
      late = await newest()
    })
    after(async () => {
      await admin.close()
      await rig.close()
      await stores.close()
    })

    test('has a link to each, with its state there, and shows what happened and what was sent at that one', async () => {
      const first = await look(`events/${late}`)
      const links = new RegExp(
        `destination=1" aria-current="page">Segment <span class="badge good ">Delivered<[\\s\\S]*href="/console/events/${late}\\?destination=2">Staging <span class="badge bad ">Failed<`,
      )
      assert.match(first, links)
      assert.match(first, /Timeline[\s\S]*Delivered \(Segment\): Segment returned 200/)
      assert.doesNotMatch(first, /Failed \(Staging\)|Message id there/)
      const second = await look(`events/${late}?destination=2`)
      assert.match(
        second,
        /Segment refused this event \(400\)[\s\S]*Timeline[\s\S]*Failed \(Staging\): Segment refused/,
      )
      assert.doesNotMatch(second, /Delivered \(Segment\)/)
      assert.match(second, new RegExp(`Message id there</dt><dd><code>${late}\\.2<`))
      assert.match(second, new RegExp(`Sent to Staging[\\s\\S]*${late}\\.2`))
    })

    test('shows personal data at the destination that was looked at, and covers it there again', async () => {
      const shown = await admin.submit(
        await page(`events/${late}?destination=2`),
        {},
        `/console/events/${late}/reveal?destination=2`,
      )
      assert.match(shown.body, /Personal data is shown[\s\S]*Sent to Staging/)
      assert.match(shown.body, new RegExp(`href="/console/events/${late}\\?destination=2">Cover personal data`))
    })

    test('a destination that is not there any more, or never was, shows the first one', async () => {
      for (const number of ['9', 'x', ''])
        assert.match(await look(`events/${late}?destination=${number}`), /destination=1" aria-current="page">Segment/)
    })

    test('is resent to what was chosen and to nothing else, and nothing is done where nothing was', async () => {
      const requests = rig.sims.segment.requests.length
      const none = await resend(`events/${late}`, { to: '' })
      assert.equal(none.status, 422)
      assert.match(none.body, /Nothing was resent: choose a destination/)
      assert.equal(rig.sims.segment.requests.length, requests)
      const sent = await resend(`events/${late}?destination=2`, { to: '2' })
      assert.equal(sent.headers.location, `/console/events/${late}?done=resent&destination=2`)
      await settled(rig, ({ dead, waiting }) => dead === 0 && waiting === 0)
      assert.deepEqual([sentUnder(stagingKey), rig.sims.segment.duplicates.length], [[`${late}.2`], 0])
      assert.match(await look(`events/${late}?done=resent`), /Resent: every destination has it/)
    })

    test('is repeated under its message id, or sent as new under another one, as was chosen', async () => {
      await resend(`events/${late}`, { to: '2', as: 'repeat' })
      await eventually(() => rig.sims.segment.duplicates.length === 1)
      await settled(rig)
      assert.deepEqual(sentUnder(stagingKey), [`${late}.2`])
      await resend(`events/${late}`, { to: '2', as: 'new' })
      await eventually(() => sentUnder(stagingKey).includes(`${late}.2.r1`))
      await settled(rig)
      assert.match(
        await look(`events/${late}?destination=2`),
        new RegExp(`Message id there</dt><dd><code>${late}\\.2\\.r1<`),
      )
      assert.ok(
        !sentUnder('AbCdEfGhIjKlMnOpQrStUvWxYz012345').some((id) => id.includes('.r')),
        'the first one is left alone',
      )
    })

    test('that came before a destination was added says so there, and goes there when it is chosen', async () => {
      const before = await look(`events/${early}?destination=2`)
      assert.match(before, /Staging <span class="badge idle ">Ignored<[\s\S]*Never given to this destination/)
      assert.match(before, /Would be sent to Staging[\s\S]*It was not sent there before/)
      await resend(`events/${early}?destination=2`, { to: '2' })
      await eventually(() => sentUnder(stagingKey).includes(`${early}.2`))
      await settled(rig)
    })

    test('goes by the options of then or by today’s, as was chosen', async () => {
      const { accounts } = rig.service.store
      const generation = String(accounts.get(String(org))!.generation)
      const saved = { destination: 2, options: { prefix: 'Changed ' }, generation, who: 'an admin' }
      assert.ok(await changeOptions({ accounts, clock: systemClock }, String(org), saved))
      const last = () => rig.sims.segment.accepted.at(-1)!.message
      for (const [mapping, sending, event] of [
        ['then', 'r2', 'Drift Source Event: button_clicked'],
        ['today', 'r3', 'Changed button_clicked'],
      ] as const) {
        await resend(`events/${late}`, { to: '2', as: 'new', mapping })
        await eventually(() => String(last().messageId).endsWith(`.2.${sending}`))
        assert.equal(last().event, event)
        await settled(rig)
      }
    })

    test('Home shows the numbers of the destination that its link names, and the lists are of that one', async () => {
      const first = await look('')
      assert.match(first, /where these events are now at Segment</)
      const second = await look('?destination=2')
      assert.match(second, /where these events are now at Staging</)
      const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)
      const numbers = (body: string): Record<string, number> =>
        Object.fromEntries(
          [...body.matchAll(/data-count="(\w+)">([\d,]+)/g)].map(([, name, count]) => [name, Number(count)]),
        )
      const { received, ...parts } = numbers(second)
      assert.equal(sumOf(Object.values(parts)), received)
      assert.equal(numbers(first).delivered, 2)
      assert.match(await look('events?destination=2&state=delivered'), /became of it at Staging\./)
      assert.equal((await page('events?destination=7')).status, 400)
    })

    test('many are resent to the destination that was chosen, and as new where that was chosen', async () => {
      for (const vary of [11, 12, 13]) await send('new_conversation', vary)
      await settled(rig)
      const path = 'resend?state=delivered&type=new_conversation&destination=2&preview=1'
      const preview = await page(path)
      assert.match(preview.body, />3 events would be resent<[\s\S]*To Staging alone\./)
      const confirmed = await admin.submit(preview, { as: 'new' }, '/console/resend')
      assert.equal(confirmed.status, 303)
      await eventually(async () => /3 of 3 events processed, 3 resent/.test(await look('resend')))
      await eventually(() => sentUnder(stagingKey).filter((id) => /^drift-[\w-]+\.2\.r1$/.test(id)).length >= 4)
      await settled(rig)
      const count = sentUnder('AbCdEfGhIjKlMnOpQrStUvWxYz012345').filter((id) => id.includes('.r')).length
      assert.equal(count, 0)
    })

    test('is not sent where another event has brought the same conversation, and that is said', async () => {
      const post = async (status: string) => {
        const data = { id: 2_100_000_077, contactId: 77, inboxId: 7, status, createdAt: 1_790_000_000_000 }
        await rig.sims.drift.send({ type: 'new_conversation', orgId: org, data }, { to: rig.to })
        await settled(rig)
        return await newest()
      }
      const first = await post('open')
      const stdin = JSON.stringify({ writeKey: 'ThIrDtHiRdThIrDtHiRdThIrDtHiRd01' })
      const added = await rig.command('destinations add', { given: { org: String(org), name: 'Third' }, stdin })
      assert.equal(added.exitCode, 0, added.output)
      await rig.service.store.accounts.reload(Date.now())
      assert.notEqual(await post('closed'), first, 'it goes to the third alone')
      const stays = await resend(`events/${first}?destination=3`, { to: '3' })
      assert.match(String(stays.headers.location), /done=stays/)
      const shown = await look(`events/${first}?destination=3&done=stays`)
      assert.match(shown, /Nothing was resent[\s\S]*has the same conversation or meeting by another event/)
      assert.deepEqual(sentUnder('ThIrDtHiRdThIrDtHiRdThIrDtHiRd01').length, 1)
    })
  })
}
