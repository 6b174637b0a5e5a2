/**
 * Which forms a session alone may send, and which need a proof younger than ten minutes. The routes are those
 * that the app has: a new one that is not decided here fails, and until it is decided it asks for the proof.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { settingsOf } from '../../src/accounts/settings.ts'
import { readConfig } from '../../src/config.ts'
import { openApp } from '../../src/web/app.ts'
import { staleProofPage } from '../../src/web/console/confirm-identity.ts'
import { verbOf } from '../../src/web/console/continue.ts'
import type { AppNeeds } from '../../src/web/needs.ts'
import { eventually, type ManualClock, manualClock } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

type Decision = 'fresh proof' | 'session' | 'no session'

const decisions: Readonly<Record<string, readonly [decision: Decision, why: string]>> = {
  '/connect/write-key': ['fresh proof', 'leads the events elsewhere'],
  '/connect/write-key/test': ['session', 'saves nothing'],
  '/alerts/confirm/:token': ['no session', 'its reader needs none; the link is the proof'],
  '/console/sign-in/:token': ['no session', 'begins one; the link is the proof'],
  '/console/sign-out': ['session', 'can only take away'],
  '/console/sign-out-everywhere': ['session', 'can only take away, and a stolen session must be ended at once'],
  '/console/connection/segment': ['fresh proof', 'leads the events elsewhere'],
  '/console/connection/test': ['session', 'saves nothing'],
  '/console/connection/confirm': ['session', 'says what was seen in Segment, and changes nothing of what is sent'],
  '/console/connection/events': ['fresh proof', 'what is switched off is not kept'],
  '/console/connection/add': ['fresh proof', 'sends the events elsewhere as well'],
  '/console/connection/add/test': ['session', 'saves nothing'],
  '/console/connection/rename': ['fresh proof', 'a destination could be taken for another one'],
  '/console/connection/remove': ['fresh proof', 'what waits there expires'],
  '/console/mapping/preview': ['session', 'saves nothing'],
  '/console/mapping/save': ['fresh proof', 'changes what is sent'],
  '/console/alerts/add': ['fresh proof', 'tells another person'],
  '/console/alerts/remove': ['fresh proof', 'keeps a person from hearing of an outage'],
  '/console/alerts/rules': ['fresh proof', 'keeps a person from hearing of an outage'],
  '/console/alerts/test': ['session', 'goes to a recipient that is there'],
  '/console/pause': ['session', 'events are kept, and go where they would have gone'],
  '/console/resume': ['session', 'events go where they would have gone'],
  '/console/retry': ['session', 'events go where they would have gone'],
  '/console/disconnect': ['fresh proof', 'cannot be undone'],
  '/console/events/:message/reveal': ['session', 'changes nothing, and is in the audit'],
  '/console/events/:message/handled': ['fresh proof', 'takes a deletion request out of what is open'],
  '/console/events/:message/resend': ['fresh proof', 'sends again'],
  '/console/events/export': ['session', 'has nothing that the list does not show, and is in the audit'],
  '/console/resend': ['fresh proof', 'sends again'],
  '/console/resend/cancel': ['session', 'the rest stays as it was, and can be started again'],
  '/console/history/backfill': ['fresh proof', 'sends what Drift has of many people'],
  '/console/history/compare': ['fresh proof', 'sends what is missing'],
  '/console/history/daily': ['fresh proof', 'lets Drift be read every day'],
  '/console/history/cancel': ['session', 'what was sent stays sent, and it can be started again'],
  '/console/not-sent/enable': ['fresh proof', 'changes what is sent'],
  '/console/privacy/erase': ['fresh proof', 'cannot be undone'],
  '/console/audit/export': ['session', 'has nothing that the page does not show, and is in the audit'],
  '/console/website': ['session', 'saves nothing'],
}

describe('a form of the console', () => {
  let rig: Rig
  let clock: ManualClock
  let admin: Walk
  let csrf: string
  let message: string
  const generation = () => String(rig.service.store.accounts.get(String(org))!.generation)
  /** Whole forms, so that only the proof can stand in their way. */
  const fieldsOf = (path: string): Record<string, string> =>
    ({
      '/connect/write-key': { writeKey: 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654', region: 'us' },
      '/connect/write-key/test': { writeKey: 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654', region: 'us' },
      '/console/connection/segment': { writeKey: '', region: 'eu', generation: generation() },
      '/console/connection/events': { on: 'new_meeting', generation: generation() },
      '/console/connection/add': { name: 'Staging', region: 'us', writeKey: 'StAgInGsTaGiNgStAgInGsTaGiNg0123' },
      '/console/connection/add/test': { name: 'Lab', region: 'us', writeKey: 'StAgInGsTaGiNgStAgInGsTaGiNg0123' },
      '/console/connection/rename': { destination: '1', name: 'Main' },
      '/console/connection/remove': { destination: '1', confirm: 'Segment' },
      '/console/mapping/save': { options: '{"safeNames":true}', generation: generation() },
      '/console/alerts/add': { channel: 'slack', address: 'https://hooks.slack.com/services/T/B/x' },
      '/console/alerts/remove': { recipient: 'none' },
      '/console/alerts/rules': { on: 'stopped', delay: '20', generation: generation() },
      '/console/alerts/test': { recipient: 'none' },
      '/console/disconnect': { confirm: String(org) },
      '/console/events/:message/resend': { mapping: 'today' },
      '/console/resend': { state: 'delivered', id: 'a-task' },
      '/console/history/backfill': { id: 'a-look', what: 'look' },
      '/console/history/compare': { id: 'another-look', what: 'look' },
      '/console/events/export': { format: 'csv' },
      '/console/not-sent/enable': { type: 'new_meeting', generation: generation() },
      '/console/privacy/erase': { contact: '7', confirm: '7' },
    })[path] ?? {}
  const send = (path: string) =>
    admin.post(admin.at(path.replace(':message', message).replace(':token', 'none')), { ...fieldsOf(path), csrf })
  const asksForProof = ({ status, body }: { status: number; body: string }) =>
    status === 403 && /Confirm your identity/.test(body)
  const isIn = async () => (await admin.get(admin.at('/console'))).status === 200

  async function signIn() {
    await admin.connect(org, 'console')
    csrf = /name="csrf" value="([^"]+)"/.exec((await admin.get(admin.at('/console'))).body)![1]!
  }

  before(async () => {
    clock = manualClock(Date.now())
    rig = await startRig({ clock })
    admin = openWalk(rig)
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    await settled(rig)
    message = (await rig.service.store.storage.lookup.find({}, { limit: 1 })).entries[0]!.messageId
  })
  after(async () => {
    await admin.close()
    await rig.close()
  })

  test('has been decided about: does it need a proof younger than ten minutes, or is the session enough?', () => {
    const needs = { ...rig.service.store, config: readConfig(rig.env), publicUrl: () => '' } as unknown as AppNeeds
    const made = openApp(needs).routes.filter(({ method }) => !['ALL', 'GET'].includes(method))
    const routes = [...new Set(made.map(({ method, path }) => `${method} ${path}`))]
    assert.deepEqual(
      routes.sort(),
      Object.keys(decisions)
        .map((path) => `POST ${path}`)
        .sort(),
    )
  })

  test('that needs a fresh proof is among those that the documents name, and the page that asks for it', async () => {
    const names = ['docs/connect.md', 'docs/console.md', 'SECURITY.md']
    const documents = await Promise.all(names.map((name) => readFile(name, 'utf8')))
    const asks = String(await staleProofPage({ session: { org: '1', csrf: '' }, hasOauth: true }))
    const words: Readonly<Record<string, readonly [document: RegExp, page: RegExp]>> = {
      '/connect/write-key': [/the write key, the region/, /where the data goes/],
      '/console/connection/segment': [/the write key, the region/, /where the data goes/],
      '/console/connection/events': [/which events are sent/, /what is sent/],
      '/console/connection/add': [/the destinations/, /where the data goes/],
      '/console/connection/rename': [/the destinations/, /where the data goes/],
      '/console/connection/remove': [/the destinations/, /where the data goes/],
      '/console/mapping/save': [/which events are sent or how/, /what is sent/],
      '/console/alerts/add': [/who is alerted/, /who is alerted/],
      '/console/alerts/remove': [/who is alerted/, /who is alerted/],
      '/console/alerts/rules': [/who is alerted/, /who is alerted/],
      '/console/disconnect': [/disconnect/, /disconnect/],
      '/console/events/:message/handled': [/tak(e|ing) a deletion request off the list/, /close a deletion request/],
      '/console/events/:message/resend': [/send(ing)? events again/, /resend events/],
      '/console/resend': [/send(ing)? events again/, /resend events/],
      '/console/history/backfill': [/bring(ing)? in history/, /bring in history/],
      '/console/history/compare': [/compar(e|ing) with Drift/, /compare with Drift/],
      '/console/history/daily': [/compar(e|ing) with Drift/, /compare with Drift/],
      '/console/not-sent/enable': [/which events are sent/, /what is sent/],
      '/console/privacy/erase': [/eras(e|ing) a person/, /erase a person/],
    }
    const fresh = Object.keys(decisions).filter((path) => decisions[path]![0] === 'fresh proof')
    assert.deepEqual(fresh.sort(), Object.keys(words).sort())
    for (const [path, [inDocument, onPage]] of Object.entries(words)) {
      for (const text of documents) {
        const sentences = text.replace(/\s+/g, ' ').split('. ')
        const named = sentences.find((one) => /the write key.*ten minutes/.test(one))
        assert.match(named ?? '', inDocument, path)
      }
      assert.match(asks.replace(/\s+/g, ' '), onPage, path)
    }
  })

  test('that the session is enough for is among what SECURITY.md says of a stolen session, where it does anything', async () => {
    const text = await readFile('SECURITY.md', 'utf8')
    const [, section = ''] = text.replace(/\s+/g, ' ').split(' ## What a stolen session can do ')
    const can = section.split('They cannot')[0]!
    const words: Readonly<Record<string, RegExp>> = {
      '/console/sign-out': /sign everyone out/,
      '/console/sign-out-everywhere': /sign everyone out/,
      '/connect/write-key/test': /send and confirm test events/,
      '/console/connection/test': /send and confirm test events/,
      '/console/connection/add/test': /send and confirm test events/,
      '/console/connection/confirm': /send and confirm test events/,
      '/console/alerts/test': /send test alerts/,
      '/console/pause': /pause/,
      '/console/resume': /resume/,
      '/console/retry': /retry/,
      '/console/events/:message/reveal': /personal data included/,
      '/console/events/export': /download the lists of events/,
      '/console/audit/export': /of the audit/,
      '/console/resend/cancel': /cancel a resend/,
      '/console/history/cancel': /a reading of history/,
    }
    const idle = ['/console/mapping/preview', '/console/website']
    const enough = Object.keys(decisions).filter((path) => decisions[path]![0] === 'session')
    assert.deepEqual(enough.sort(), [...Object.keys(words), ...idle].sort())
    for (const [path, said] of Object.entries(words)) assert.match(can, said, path)
  })

  test('that was not taken stands behind a button of its own words, after a fresh proof or another sign-in', () => {
    const named = Object.keys(decisions).filter((path) => verbOf({ path: path.replace(':message', 'm'), fields: [] }))
    const isSentAgain = (path: string) => decisions[path]![0] !== 'no session' && path !== '/console/sign-out'
    assert.deepEqual(named.sort(), Object.keys(decisions).filter(isSentAgain).sort())
    const verb = (kind: string, what: string) => verbOf({ path: `/console/history/${kind}`, fields: [['what', what]] })
    assert.deepEqual([verb('backfill', 'look'), verb('backfill', 'send')], ['Estimate', 'Bring in this history'])
    assert.deepEqual([verb('compare', 'look'), verb('compare', 'send')], ['Compare', 'Send what is missing'])
  })

  for (const [path, [decision, why]] of Object.entries(decisions)) {
    test(`${path} on a proof of ten minutes: ${decision} (${why})`, async () => {
      await signIn()
      clock.advance(10 * 60_000)
      const before = await rig.service.store.storage.installs.get(String(org))
      assert.equal(asksForProof(await send(path)), decision === 'fresh proof')
      if (decision === 'fresh proof') {
        assert.deepEqual(await rig.service.store.storage.installs.get(String(org)), before)
        assert.ok(await isIn(), 'the session lives on')
      }
    })
  }

  test('that was refused for its old proof works after another sign-in', async () => {
    await signIn()
    clock.advance(10 * 60_000 - 1)
    assert.equal((await send('/console/connection/events')).status, 303)
    clock.advance(1)
    assert.ok(asksForProof(await send('/console/connection/events')))
    await signIn()
    assert.equal((await send('/console/connection/events')).status, 303)
    await eventually(() =>
      settingsOf(rig.service.store.accounts.get(String(org))!).offTypes.includes('new_conversation'),
    )
  })
})
