/**
 * What can be asked of the console that it does not answer, over real HTTP: the rows C13 to C17 of the catalogue of bad
 * input. How its pages look and are used is test/console-browser.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { org, type Rig, settled, startRig } from './rig.ts'
import { openWalk, type Walk } from './walk.ts'

const person = { email: 'somebody@example.com', phone: '+15550199887' }
const nasty =
  '<script>alert(1)</script> \u202emoc.evil\u202c \u001b[31mred\u001b[0m =HYPERLINK("http://evil") {{7*7}} \u0000'
let rig: Rig
let admin: Walk
let messages: string[]

before(async () => {
  rig = await startRig()
  admin = openWalk(rig)
  await admin.connect(org, 'console')
  const base = { orgId: org, type: 'button_clicked' }
  for (let n = 0; n < 60; n++)
    await rig.sims.drift.send(
      {
        ...base,
        data: {
          id: n + 1,
          createdAt: 1_714_419_320_000 + n,
          contactId: 21_760_000_111,
          conversationId: n + 1,
          body: nasty,
        },
      },
      { to: rig.to },
    )
  const diff = Object.entries(person).map(([name, updated]) => ({ name: `attributes.${name}`, updated }))
  await rig.sims.drift.send(
    { orgId: org, type: 'contact_updated', data: { endUserId: 21_760_000_111, timestamp: 1_714_419_400_000, diff } },
    { to: rig.to },
  )
  await rig.sims.drift.send(
    { orgId: org, type: 'new_meeting', data: { schedulerId: [nasty, 'x'.repeat(32_000)] } },
    { to: rig.to },
  )
  await settled(rig, ({ delivered, held }) => delivered === 61 && held === 1)
  const { entries } = await rig.service.store.storage.lookup.find({ org: String(org) }, { limit: 100 })
  messages = entries.map(({ messageId }) => messageId)
})
after(async () => {
  await admin.close()
  await rig.close()
})

const list = (query: Record<string, string>) => admin.get(admin.at(`/console/events?${new URLSearchParams(query)}`))
const linksIn = (body: string) =>
  new Set([...body.matchAll(/\/console\/events\/(drift-[\w-]+)/g)].map(([, one]) => one))

describe('the list of events', () => {
  test('C13 goes on where a page ended, and only with a place that it has given for this list', async () => {
    const first = await list({})
    const next = /\?([^"]*before=[^"]+)"/.exec(first.body)![1]!.replaceAll('&amp;', '&')
    const place = new URLSearchParams(next).get('before')!
    const second = await list({ before: place })
    const both = [...linksIn(first.body), ...linksIn(second.body)]
    assert.deepEqual([both.length, new Set(both).size], [62, 62])
    const [at = '', id = '', mark = ''] = place.split('.')
    const made = [
      `${at}.${Number(id) + 1}.${mark}`,
      `${at}.${id}.${'A'.repeat(22)}`,
      `-1.${id}.${mark}`,
      `9e99.1.${mark}`,
      'x',
      place.repeat(100),
      '0',
      "' OR 1=1 --",
    ]
    for (const before of made) {
      const seen = await list({ before })
      assert.equal(seen.status, 400, before.slice(0, 40))
      assert.equal(linksIn(seen.body).size, 0)
    }
  })

  const odd: [row: string, query: Record<string, string>, status: number][] = [
    ['C14 SQL in a contact', { contact: "1' OR '1'='1" }, 400],
    ['C14 SQL in a message', { message: "x' OR 1=1 --" }, 200],
    ['C14 signs of LIKE', { message: '%' }, 200],
    ['C14 more signs of LIKE', { message: 'drift-_______' }, 200],
    ['C14 an expression that runs long', { message: '(a+)+$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' }, 200],
    ['C14 a type that is a property of everything', { type: '__proto__' }, 200],
    ['C14 a state that is a property of everything', { state: 'constructor' }, 400],
    ['C14 a NUL', { message: '\u0000' }, 200],
    ['C14 four kilobytes', { message: 'x'.repeat(4_000) }, 400],
    ['C14 a time that is none', { from: 'yesterday' }, 400],
    ['C14 a time beyond all calendars', { from: '9999-99-99' }, 400],
    ['C14 markup', { message: '"><script>alert(1)</script>' }, 200],
  ]
  for (const [row, query, status] of odd) {
    test(`${row}: ${status}, nothing is found, and what was typed stays text`, async () => {
      const seen = await list(query)
      assert.equal(seen.status, status)
      assert.equal(linksIn(seen.body).size, 0)
      assert.doesNotMatch(seen.body, /<script>alert/)
    })
  }
})

describe('one event', () => {
  test('C15 is shown as text, whatever it says, and persons are masked until somebody asks, which is noted', async () => {
    for (const message of messages) {
      const seen = await admin.get(admin.at(`/console/events/${message}`))
      assert.equal(seen.status, 200)
      assert.doesNotMatch(seen.body, /<script>alert/)
      for (const said of Object.values(person)) assert.ok(!seen.body.includes(said), said)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      assert.doesNotMatch(seen.body, /\u001b|\u0000/)
    }
    const { entries } = await rig.service.store.storage.lookup.find(
      { org: String(org), type: 'contact_updated' },
      { limit: 1 },
    )
    const page = await admin.get(admin.at(`/console/events/${entries[0]!.messageId}`))
    const shown = await admin.submit(page, {}, `/console/events/${entries[0]!.messageId}/reveal`)
    for (const said of Object.values(person)) assert.ok(shown.body.includes(said.replace('+', '')), said)
    const [deed] = await rig.service.store.storage.audit.list(String(org), 1)
    assert.deepEqual([deed?.what, deed?.about], ['looked at data', entries[0]!.messageId])
  })

  test('C17 that is driven again twice, and while the account is paused, goes once, under its messageId', async () => {
    const { storage } = rig.service.store
    const { entries } = await storage.lookup.find({ org: String(org), states: ['quarantined'] }, { limit: 1 })
    const message = entries[0]!.messageId
    const page = await admin.get(admin.at(`/console/events/${message}`))
    const path = `/console/events/${message}/redrive`
    const answers = await Promise.all([admin.submit(page, {}, path), admin.submit(page, {}, path)])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [303, 303],
    )
    await settled(rig, ({ held, waiting }) => held === 1 && waiting === 0)
    const again = (await storage.lookup.find({ org: String(org), states: ['quarantined'] }, { limit: 9 })).entries
    assert.deepEqual(
      again.map(({ messageId }) => messageId),
      [message],
    )
    const redriven = (await storage.audit.list(String(org), 50)).filter(({ what }) => what === 'redrove')
    assert.ok(redriven.length >= 1 && redriven.length <= 2)
  })
})

test('C16 there is nothing that a spreadsheet would run: no list is given out as CSV', async () => {
  for (const path of ['/console/events.csv', '/console/audit.csv', '/console/export'])
    assert.equal((await admin.get(admin.at(path))).status, 404)
  const seen = await admin.get(admin.at('/console/events?format=csv'), { accept: 'text/csv, text/html' })
  assert.match(seen.headers['content-type']!, /^text\/html/)
})
