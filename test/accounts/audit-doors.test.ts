/**
 * Every door through which an account can be changed, one after the other: whatever differs in the account afterwards
 * stands in its audit, with who did it. Where nothing differs, nothing is written.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { contactDigest } from '../../src/accounts/audit.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const options = { timeout: 120_000 }
const id = String(org)
const another = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
let rig: Rig
let admin: Walk
const admins = /^Drift admin, session [0-9a-f]{6}$/

const auditEntries = async () => (await rig.service.store.storage.audit.list(id, 1_000)).reverse()
const stored = () => rig.service.store.storage.installs.get(id)
const command = (name: string, given: Record<string, string | boolean> = {}, secrets?: object) =>
  rig.command(name, { given: { org: id, ...given }, ...(secrets ? { stdin: JSON.stringify(secrets) } : {}) })

/** What the audit has more than before, as `who: what, about`; and that the account differs exactly if it says so. */
async function added(go: () => Promise<unknown>, isChange = true): Promise<string[]> {
  const [known, was] = [(await auditEntries()).length, await stored()]
  await go()
  assert.equal((await stored())?.generation !== was?.generation, isChange, 'the account is another than before')
  return (await auditEntries()).slice(known).map(({ who, what, about }) => {
    const by = admins.test(who) ? 'an admin' : who
    return `${by}: ${what}${about === undefined ? '' : `, ${about.replace(/fingerprint [0-9a-f]{8}/, 'fingerprint #')}`}`
  })
}

/** A form of the console, as a browser sends it, with the account as the page shows it. */
const form =
  (action: string, fields: Record<string, string> = {}) =>
  async () => {
    const { body } = await admin.get(admin.at('/console/connection'))
    const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(body)![1]!
    // Only the forms of this page say which state of the account they showed.
    const shown = action.startsWith('/console/connection/') ? { generation: hidden('generation') } : {}
    const sent = { ...fields, csrf: hidden('csrf'), ...shown }
    const asked = await admin.post(admin.at(action), sent)
    // Whether the key of the field is meant in place of the one that is saved.
    const chosen = [...asked.body.matchAll(/name="chosen" value="([^"]*)"/g)].at(-1)?.[1]
    const seen = chosen === undefined ? asked : await admin.post(admin.at(action), { ...sent, chosen })
    assert.ok(seen.status === 303 || seen.status === 200, `${action}: ${seen.status}`)
  }
const saysThatItLeft = () =>
  rig.sims.drift.send({ type: 'app_disconnected', orgId: org, data: { at: Math.random() } }, { to: rig.to })

describe('each change of an account is in its audit, when it comes', options, () => {
  before(async () => {
    rig = await startRig({ installed: false })
    admin = openWalk(rig)
  })
  after(async () => {
    await admin.close()
    await rig.close()
  })

  test('from Drift, by OAuth: connecting, and connecting again', async () => {
    const signIn = 'an admin: signed in through Drift'
    assert.deepEqual(await added(() => admin.connect(org)), ['Drift admin: connected the account', signIn])
    assert.deepEqual(await added(() => admin.connect(org)), ['Drift admin: connected the account again', signIn])
  })

  test('from the form at the end of an install', async () => {
    const save = form('/connect/write-key', { writeKey, region: 'us' })
    assert.deepEqual(await added(save), ['an admin: set the write key, fingerprint #, region us'])
    const tested = form('/connect/write-key/test', { writeKey, region: 'us' })
    assert.deepEqual(await added(tested, false), ['an admin: tested a write key, fingerprint #'])
  })

  test('from the console’s settings', async () => {
    const segment = (fields: Record<string, string>) => form('/console/connection/segment', { writeKey: '', ...fields })
    assert.deepEqual(await added(segment({ region: 'eu' })), [
      'an admin: changed where events are sent, fingerprint #, region eu in place of region us',
    ])
    assert.deepEqual(await added(segment({ writeKey: another, region: 'us' })), [
      'an admin: set the write key, fingerprint #, region us in place of region eu',
    ])
    const [events] = await added(form('/console/connection/events', { on: 'new_meeting' }))
    assert.match(events!, /^an admin: chose the events, not sent: .*button_clicked/)
    assert.doesNotMatch(events!, /new_meeting/)
  })

  test('from the console’s buttons', async () => {
    assert.deepEqual(await added(form('/console/pause')), ['an admin: paused'])
    assert.deepEqual(await added(form('/console/resume')), ['an admin: resumed'])
  })

  test('from the command line', async () => {
    assert.deepEqual(await added(() => command('installs pause')), ['command line: paused'])
    assert.deepEqual(await added(() => command('installs pause'), false), [])
    assert.deepEqual(await added(() => command('installs resume')), ['command line: resumed'])
    assert.deepEqual(await added(() => command('installs add', { region: 'eu' }, { writeKey })), [
      'command line: configured the account, write key with fingerprint #, region eu',
    ])
    assert.deepEqual(await added(() => command('installs add', {}, rig.sims.drift.issueToken(org))), [
      'command line: configured the account, grant',
    ])
    assert.deepEqual(await added(() => command('installs add', { region: 'eu' }, {}), false), [])
  })

  test('and a person’s erasure, which is named by a digest that only this store can make', async () => {
    const contact = '3339562'
    const erase = () => command('erase', { contact })
    const digest = contactDigest(rig.service.store.keyring, id, contact)
    assert.deepEqual(await added(() => command('erase', { contact, dryRun: true }), false), [])
    assert.deepEqual(await added(erase, false), [
      `command line: erased a person, contact ${digest}: 0 events, 0 conversations`,
    ])
    assert.ok(!JSON.stringify(await auditEntries()).includes(contact))
  })

  test('and a request for deletion that a person has handled, by either door', async () => {
    const ask = async () => {
      await rig.sims.drift.send({ type: 'gdpr_delete_requested', orgId: org, data: {} }, { to: rig.to })
      const { lookup } = rig.service.store.storage
      return (await lookup.find({ org: id, states: ['quarantined'] }, { limit: 1 })).entries[0]!.messageId
    }
    const first = await ask()
    const handled = 'handled a request for deletion'
    assert.deepEqual(await added(() => command('handled', { message: first }), false), [
      `command line: ${handled}, ${first}`,
    ])
    const second = await ask()
    const press = form(`/console/events/${second}/handled`)
    assert.deepEqual(await added(press, false), [`an admin: ${handled}, ${second}`])
  })

  test('from Drift’s webhook: that it disconnected, that it has not, and that it has', async () => {
    const said = 'Drift: said that the account disconnected'
    const asked = `${said}: nothing is sent until it is known whether that is so`
    const alive = async () => {
      await saysThatItLeft()
      await eventually(async () => (await auditEntries()).at(-1)!.what.includes('grant lives'))
      await settled(rig)
    }
    assert.deepEqual(await added(alive), [asked, `${said}, but its grant lives: sending goes on`])
    await command('installs add', {}, { accessToken: 'a-token-of-no-account' })
    const silent = async () => {
      await saysThatItLeft()
      await eventually(async () => (await auditEntries()).at(-1)!.what.includes('until a person decides'))
    }
    assert.deepEqual(await added(silent), [
      asked,
      `${said}, and cannot be asked whether it did: sending is paused until a person decides`,
    ])
    assert.deepEqual(await added(() => command('installs resume')), ['command line: resumed'])
    await admin.connect(org)
    rig.sims.drift.revokeAll()
    const dead = async () => {
      await saysThatItLeft()
      await eventually(async () => (await auditEntries()).at(-1)!.what === 'disconnected the account')
    }
    assert.deepEqual(await added(dead), [asked, 'Drift: disconnected the account'])
  })

  test('and a person’s disconnecting, by either door', async () => {
    await admin.connect(org)
    const press = form('/console/disconnect', { confirm: id })
    assert.deepEqual(await added(press), ['an admin: disconnected'])
    await admin.connect(org)
    assert.deepEqual(await added(() => command('installs disconnect')), ['command line: disconnected'])
  })

  test('and signing everybody out, by either door', async () => {
    await admin.connect(org)
    const out = (who: string) => `${who}: signed out everywhere, 1 session and 0 sign-in links`
    assert.deepEqual(await added(form('/console/sign-out-everywhere'), false), [out('an admin')])
    await admin.connect(org)
    assert.deepEqual(await added(() => command('sign-out'), false), [out('command line')])
  })
})

test('settings at the start are in the audit when they change the account, and only then', options, async () => {
  const env = {
    DRIFT_ORG_ID: id,
    SEGMENT_WRITE_KEY: writeKey,
    DRIFT_ACCESS_TOKEN: 'a-private-token-of-drift-0123456789',
  }
  rig = await startRig({ installed: false, env })
  try {
    const configured = 'settings: configured the account'
    assert.equal((await auditEntries()).length, 1)
    const all = `${configured}, grant, write key with fingerprint`
    const { who, what, about } = (await auditEntries())[0]!
    assert.ok(`${who}: ${what}, ${about}`.startsWith(all))
    const restart = () => rig.restart()
    assert.deepEqual(await added(restart, false), [])
    Object.assign(rig.env, { SEGMENT_REGION: 'eu' })
    assert.deepEqual(await added(restart), [`${configured}, region eu`])
    Object.assign(rig.env, { SEGMENT_WRITE_KEY: another })
    assert.deepEqual(await added(restart), [`${configured}, write key with fingerprint #`])
    Object.assign(rig.env, { DRIFT_ACCESS_TOKEN: 'another-private-token-of-drift-0123' })
    assert.deepEqual(await added(restart), [`${configured}, grant`])
    await command('installs pause')
    assert.deepEqual(await added(restart, false), [])
  } finally {
    await rig.close()
  }
})
