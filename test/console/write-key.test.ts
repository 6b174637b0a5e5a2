/**
 * The write key, where an install ends: saved, tried out, refused, and what the page says. Segment is the simulator, which takes any key, as Segment does.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { firstOf } from '../../src/accounts/destinations.ts'
import { type ManualClock, manualClock } from '../clock.ts'
import { atKeyForm, path } from '../key-form.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const another = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
let rig: Rig
let clock: ManualClock
let admin: Walk
const startHere = () => {
  clock = manualClock(Date.now())
  return startRig({ clock, installed: false, env: { DESTINATION_ENDPOINTS: 'lake=https://lake.example' } })
}
const { save, tryOut, stored } = atKeyForm(startHere, (at) => {
  ;({ rig, admin } = at)
})

describe('a write key', () => {
  const bad: [row: string, fields: Record<string, string>, says: RegExp, status?: number][] = [
    ['that is empty', { writeKey: '' }, /enter a write key/],
    ['that is blank', { writeKey: '   ' }, /enter a write key/],
    ['with a line break', { writeKey: 'abc\ndef' }, /a line break/],
    ['with a semicolon', { writeKey: `${writeKey.slice(1)};` }, /only letters and digits/],
    ['in quotes', { writeKey: `"${writeKey}"` }, /in quotes/],
    ['with a zero-width space at its end', { writeKey: `${writeKey}\u200b` }, /zero-width space \(U\+200B\)/],
    ['with a no-break space before it', { writeKey: `\u00a0${writeKey}` }, /no-break space/],
    ['that is not plain ASCII', { writeKey: 'kéy-0123456789012345678901234567' }, /not plain ASCII/],
    ['of ten kilobytes', { writeKey: 'k'.repeat(10_000) }, /about 32 characters/],
    ['that is a token of the Public API', { writeKey: 'sgp_abcdefghijklmnopqrstuvwx' }, /Public API/],
    ['that is an address', { writeKey: 'https://api.segment.io' }, /is an address/],
    ['that is a placeholder', { writeKey: 'YOUR_WRITE_KEY' }, /placeholder/],
    ['for a region that does not exist', { writeKey, region: 'mars' }, /choose the region/],
    ['for an address as region', { writeKey, region: 'http://127.0.0.1/' }, /choose the region/],
    ['with a field that is not known', { writeKey, role: 'admin' }, /cannot be read/, 400],
    ['with a field for another account', { writeKey, orgId: '1' }, /cannot be read/, 400],
    ['with a prototype', { writeKey, ['__proto__']: 'x' }, /cannot be read/, 400],
  ]
  for (const [row, fields, says, status = 422] of bad) {
    test(`${row} is refused with ${status}, nothing is saved, and what was typed is not repeated`, async () => {
      const before = await stored()
      const seen = await save(fields)
      assert.equal(seen.status, status)
      assert.match(seen.body, says)
      const typed = fields.writeKey!.trim()
      if (typed.length > 20) assert.ok(!seen.body.includes(typed))
      assert.deepEqual(await stored(), before)
      if (status === 422) assert.match(seen.body, /<input id="writeKey"(?![^>]* value=)[^>]* aria-invalid="true"/)
    })
  }

  test('with spaces around it is trimmed', async () => {
    assert.equal((await save({ writeKey: `  ${writeKey}\t` })).status, 303)
    assert.equal((await stored()).state, 'live')
    const shown = await admin.get(admin.at(path))
    const { fingerprint } = { fingerprint: /fingerprint <code>([0-9a-f]{8})<\/code>/.exec(shown.body)![1]! }
    assert.match(shown.body, /saved by Drift admin, session [0-9a-f]{6}, <time/)
    assert.doesNotMatch(shown.body, new RegExp(writeKey))
    assert.equal((await save({ writeKey: another }, shown)).status, 303)
    assert.doesNotMatch((await admin.get(admin.at(path))).body, new RegExp(fingerprint))
  })

  test('is in force at once: what waits goes to the new source, in the region that was chosen', async () => {
    await save({ writeKey: another, region: 'eu' })
    assert.equal(firstOf((await stored())!).region, 'eu')
    const earlier = rig.sims.segment.accepted.length
    await rig.sims.drift.send('new_meeting', { to: rig.to, orgId: org })
    assert.equal((await rig.sims.segment.waitFor(earlier + 1)).at(-1)?.writeKey, another)
  })

  test('that another account has too is saved, and neither account hears of it', async () => {
    const neighbour = openWalk(rig)
    const theirs = await neighbour.connect(6_000_993)
    await save({ writeKey })
    const seen = await neighbour.submit(theirs, { writeKey }, path)
    assert.deepEqual([seen.status, seen.body], [303, ''])
    await neighbour.close()
  })

  test('is not changed on a proof of more than ten minutes: the page says how to prove it again', async () => {
    const before = await stored()
    clock.advance(10 * 60_000)
    const seen = await save({ writeKey: another })
    assert.equal(seen.status, 403)
    assert.match(seen.body, /href="\/connect\?from=console"/)
    assert.match(seen.body, new RegExp(`sign-in --org ${org}`))
    assert.deepEqual(await stored(), before)
    assert.equal((await save({ writeKey: another }, await admin.connect(org))).status, 303)
  })

  test('by two admins at once: the second sees that, and whose key is there now', async () => {
    const second = openWalk(rig)
    const theirs = await second.connect(org)
    const mine = await admin.get(admin.at(path))
    assert.equal((await save({ writeKey }, mine)).status, 303)
    const seen = await second.submit(theirs, { writeKey: another }, path)
    assert.equal(seen.status, 409)
    assert.match(seen.body, /The write key was changed meanwhile/)
    const again = await second.submit(seen, { writeKey: another }, path)
    assert.equal(again.status, 303)
    await second.close()
  })
})

describe('trying out a write key', () => {
  test('sends one event that reaches no destination, and says where in Segment to look for it', async () => {
    const before = await stored()
    const earlier = rig.sims.segment.accepted.length
    const seen = await tryOut({ writeKey: another })
    assert.equal(seen.status, 200)
    const accepted = rig.sims.segment.accepted.slice(earlier)
    assert.equal(accepted.length, 1)
    const { message, writeKey: used } = accepted[0]!
    assert.equal(used, another)
    const { messageId, timestamp, context, ...rest } = message as Record<string, unknown>
    assert.deepEqual(rest, {
      type: 'track',
      event: 'Drift Source Event: connection_test',
      anonymousId: 'drift-connection-test',
      integrations: { All: false },
      properties: {},
    })
    assert.ok(timestamp && context)
    assert.ok(seen.body.includes(`<code>${messageId}</code>`))
    assert.match(seen.body, /Debugger/)
    assert.match(seen.body, /accepts events of wrong keys too/)
    assert.match(seen.body, /settings know this key/)
    assert.ok(!seen.body.includes(another))
    assert.deepEqual(await stored(), before, 'nothing was saved')
    const saved = await save({ writeKey: '' }, seen)
    assert.equal(saved.status, 303, 'it need not be pasted again')
    assert.notEqual(firstOf(await stored()).key, firstOf(before).key)
  })

  test('what was tried out in another account opens nothing here', async () => {
    const neighbour = openWalk(rig)
    const theirs = await neighbour.connect(6_000_993)
    const csrf = /name="csrf" value="([^"]+)"/.exec(theirs.body)![1]!
    const seen = await neighbour.post(neighbour.at(`${path}/test`), { csrf, region: 'us', writeKey })
    const tested = /name="tested" value="([^"]+)"/.exec(seen.body)![1]!
    assert.equal((await save({ writeKey: '', tested })).status, 422)
    assert.equal((await save({ writeKey: '', tested: 'garbage' })).status, 422)
    await neighbour.close()
  })

  const signs: [what: string, script: () => void, says: RegExp][] = [
    [
      'a key that Segment’s files do not list',
      () => rig.sims.segment.script({ status: 404 }, /^\/v1\/projects\//),
      /do not list this key[\s\S]*proves nothing/,
    ],
    [
      'files that cannot be asked',
      () => rig.sims.segment.script({ reset: 'before' }, /^\/v1\/projects\//),
      /could not be asked/,
    ],
    [
      'a key that Segment refuses',
      () => rig.sims.segment.forKey(another, { status: 401 }),
      /did not accept the test event[\s\S]*\(401, unauthorized\)/,
    ],
  ]
  for (const [what, script, says] of signs) {
    test(`says so of ${what}`, async () => {
      script()
      const seen = await tryOut({ writeKey: another })
      rig.sims.segment.script(undefined, /^\/v1\/projects\//)
      rig.sims.segment.forKey(another, undefined)
      assert.equal(seen.status, 200)
      assert.match(seen.body, says)
    })
  }

  test('warns of an unusual shape, and refuses what cannot be a key', async () => {
    assert.match((await tryOut({ writeKey: 'a-short-one' })).body, /An unusual write key/)
    assert.doesNotMatch((await tryOut({ writeKey: another })).body, /An unusual write key/)
    assert.equal((await tryOut({ writeKey: 'YOUR_WRITE_KEY' })).status, 422)
  })
})

test('everything that was done stands in the audit, and no key does', async () => {
  const auditEntries = await rig.service.store.storage.audit.list(String(org), 500)
  const kinds = new Set(auditEntries.map(({ what }) => what))
  for (const what of ['connected the account', 'signed in through Drift', 'set the write key', 'tested a write key'])
    assert.ok(kinds.has(what), what)
  // The first comes before there is a session.
  const connects = auditEntries.filter(({ what }) => what.startsWith('connected'))
  assert.ok(connects.length > 0 && connects.every(({ who }) => who === 'Drift admin'))
  const others = auditEntries.filter((auditEntry) => !connects.includes(auditEntry))
  assert.ok(others.every(({ who }) => /^Drift admin, session [0-9a-f]{6}$/.test(who)))
  assert.doesNotMatch(JSON.stringify(auditEntries), new RegExp(`${writeKey}|${another}`))
})

test('this form saves and tests nothing where the events go to an endpoint: it would take them to Segment', async () => {
  await save({ writeKey })
  const given = { org: String(org), destination: '1', endpoint: 'lake' }
  const { exitCode, output } = await rig.command('destinations change', { given })
  assert.equal(exitCode, 0, output)
  await rig.service.store.accounts.reload(Date.now())
  const before = await stored()
  for (const seen of [
    await save({ writeKey: another }),
    await tryOut({ writeKey: another }),
    await admin.get(admin.at(path)),
  ])
    assert.deepEqual([seen.status, seen.headers.location], [303, '/console'])
  assert.deepEqual(await stored(), before)
  assert.equal(firstOf(before).endpoint, 'lake')
})
