/** The console's page History: an admin estimates, brings in, compares, and sees what came of it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { pastOf } from '../../src/sim/past.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

let rig: Rig
let admin: Walk
const look = async () => (await admin.get(admin.at('/console/history'))).body
/** Submits one of the page's forms. */
async function submit(form: string, fields: Record<string, string> = {}) {
  return admin.submit(await admin.get(admin.at('/console/history')), fields, `/console/history/${form}`)
}
const ended = () => eventually(async () => /Done<\/span>/.test(latest(await look())))
const latest = (body: string) => /id="latest"[\s\S]*?<\/section>/.exec(body)?.[0] ?? ''
const text = (body: string) => body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')

before(async () => {
  rig = await startRig()
  admin = openWalk(rig)
  await admin.connect(org)
  rig.sims.drift.addOrg({ orgId: org, ...pastOf(Date.now(), 6) })
})
after(async () => {
  await admin.close()
  await rig.close()
})

describe('History', () => {
  test('estimates first, and sends nothing by that', async () => {
    const empty = await look()
    assert.doesNotMatch(empty, /aria-label="The latest run"/)
    assert.match(empty, /Empty: from the beginning, also before this account was connected/)
    assert.equal((await submit('backfill')).status, 303)
    await ended()
    const said = text(latest(await look()))
    assert.match(said, /Estimate From the beginning to \d{4}-\d\d-\d\d/)
    assert.match(said, /6 would be sent as events/)
    assert.match(said, /Meetings were left out\. .*Reconnect to allow meetings/)
    assert.match(
      said,
      /takes about 1 minute \( ?6 requests to Drift\) and adds at most 4 monthly tracked users in Segment/,
    )
    assert.equal(rig.sims.segment.accepted.length, 0)
  })

  test('brings in what was estimated, and says what was sent', async () => {
    await eventually(async () => /Bring in this history/.test(await look()))
    const page = await admin.get(admin.at('/console/history'))
    const forms = page.body.split('<form').filter((form) => form.includes('value="send"'))
    assert.equal(forms.length, 1)
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(forms[0]!)![1]!
    const fields = Object.fromEntries(['id', 'what', 'from', 'to'].map((name) => [name, value(name)]))
    assert.equal((await admin.submit(page, fields, '/console/history/backfill')).status, 303)
    await ended()
    assert.match(
      text(latest(await look())),
      /Bringing in history .*10 sent 6 of these, conversations 4 of these, contacts/,
    )
    await settled(rig)
    assert.equal(rig.sims.segment.accepted.length, 10)
  })

  test('says of what was brought in that Drift did not send it: on Home, in lists and exports, of each event, in the accounting', async () => {
    const at = async (path: string) => (await admin.get(admin.at(`/console${path}`))).body
    const home = await at('')
    assert.match(home, /data-count="received">0<[\s\S]*data-count="broughtIn">10<[\s\S]*data-count="delivered">10</)
    assert.match(text(home), /0 received in the last 24 hours, by event/)
    assert.match(text(home), /Last received None stored/)
    assert.match(text(home), /Waiting for the first event/)
    const list = await at('/events')
    assert.equal(list.match(/brought in from history/g)?.length, 10)
    const [, event] = /href="\/console(\/events\/drift-h-[^"]+)"/.exec(list)!
    const page = text(await at(event!))
    assert.match(page, /Brought in from Drift’s history and stored, [\d,]+ bytes/)
    assert.match(page, /Drift sent no webhook with it: this service made it of what Drift lists today\./)
    assert.doesNotMatch(page, /Received/)
    const csrf = /name="csrf" value="([^"]+)"/.exec(list)![1]!
    const form = {
      csrf,
      format: 'csv',
      q: '',
      type: '',
      reason: '',
      state: '',
      range: '',
      from: '',
      to: '',
      destination: '',
    }
    const csv = (await admin.post(admin.at('/console/events/export'), form)).body.trimEnd().split('\r\n')
    assert.equal(csv.filter((line) => line.endsWith(',history')).length, 10)
    assert.match(
      text(await at('/privacy')),
      /Received or brought in 10 The states add up to it\. Brought in 10 part of these: read from Drift’s history/,
    )
  })

  test('compares, and says that nothing is missing', async () => {
    assert.equal((await submit('compare')).status, 303)
    await eventually(async () => text(latest(await look())).includes('Nothing is missing'))
    assert.match(text(latest(await look())), /Comparison with Drift .*6 came before, by a webhook or a backfill/)
    assert.match(text(await look()), /Earlier runs/)
  })

  test('is in the audit as what it was: an estimate, bringing in, a comparison', async () => {
    const audit = text((await admin.get(admin.at('/console/audit?group=sending'))).body)
    for (const said of [
      'Started an estimate of history',
      /Estimated history the beginning to [\d-]+: 6 would be sent, done/,
      'Started to bring in history',
      /Brought in history the beginning to [\d-]+: 10 sent, done/,
      'Started a comparison with Drift',
      /Compared with Drift the beginning to [\d-]+: 0 missing, done/,
    ])
      assert.match(audit, said instanceof RegExp ? said : new RegExp(said))
    assert.doesNotMatch(audit, /dry run/)
    const runs = text(/id="runs"[\s\S]*/.exec(await look())![0])
    assert.match(runs, /Estimate From .* 6 would be sent Done/)
  })

  test('refuses days that are not days, and a span that ends before it begins, and begins nothing', async () => {
    const jobs = async () => (await rig.service.store.storage.jobs.list(9, String(org))).length
    const before = await jobs()
    for (const fields of [{ from: 'yesterday' }, { from: '2026-01-02', to: '2026-01-01' }, { from: '2999-01-01' }]) {
      const { status, body } = await submit('backfill', fields)
      assert.equal(status, 422)
      assert.match(body, /Nothing was started/)
      for (const [name, value] of Object.entries(fields))
        assert.match(
          body,
          new RegExp(`name="${name}" type="date" value="${value}"`),
          'what was filled in is there still',
        )
    }
    assert.equal(await jobs(), before)
  })

  test('switches the daily comparison on and off', async () => {
    await submit('daily', { daily: 'on' })
    await eventually(async () => /name="daily" value="on" checked/.test(await look()))
    await submit('daily', { daily: '' })
    await eventually(async () => !/name="daily" value="on" checked/.test(await look()))
  })

  test('cancels what runs', async () => {
    rig.sims.drift.script('/conversations/list', { delayMs: 2_000 })
    await submit('compare')
    const page = await admin.get(admin.at('/console/history'))
    assert.match(page.body, /Cancel/)
    assert.equal((await admin.submit(page, {}, '/console/history/cancel')).status, 303)
    await eventually(async () => /Cancelled<\/span>/.test(latest(await look())))
    rig.sims.drift.script('/conversations/list', undefined)
  })

  test('says that Drift does not answer for as long as that is so, and not of what has ended', async () => {
    rig.sims.drift.script('/conversations/list', { status: 503, body: '<html>Bad gateway</html>' })
    await submit('compare')
    await eventually(async () => text(latest(await look())).includes('Drift does not answer: Drift answered 503.'))
    await submit('cancel')
    await eventually(async () => /Cancelled<\/span>/.test(latest(await look())))
    assert.doesNotMatch(latest(await look()), /Waiting for Drift/)
    rig.sims.drift.script('/conversations/list', undefined)
  })

  test('says that what was brought in waits for as long as the account is paused', async () => {
    const at = Date.now() - 7_200_000
    const conversations = [{ id: 4_100_000_001, contactId: 21_700_000_000, createdAt: at, updatedAt: at }]
    rig.sims.drift.addOrg({ orgId: org, conversations })
    await rig.command('installs pause', { given: { org: String(org) } })
    await submit('compare', { what: 'send' })
    await eventually(async () => text(latest(await look())).includes('It waits, and is not sent yet'))
    assert.match(text(latest(await look())), /1 sent/)
    await rig.command('installs resume', { given: { org: String(org) } })
    await eventually(async () => !latest(await look()).includes('not sent yet'))
    await settled(rig)
  })
})
