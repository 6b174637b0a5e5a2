/** That the command line says what is so: no line contradicts another, and none hides that something is not there. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { eventually } from '../clock.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'

const id = String(org)
let rig: Rig
beforeEach(async () => {
  rig = await startRig()
})
afterEach(() => rig.close())

const run = (name: string, given: Record<string, string | boolean> = {}, args: string[] = []) =>
  rig.command(name, { given, args })
const add = (given: Record<string, string>, stdin: string) => rig.command('installs add', { given, stdin })

describe('a resume', () => {
  test('that is refused again does not say before that the account is live', async () => {
    await run('installs pause', { org: id })
    rig.sims.segment.script({ status: 401 })
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    const { exitCode, output } = await run('installs resume', { org: id })
    assert.equal(exitCode, 1)
    assert.match(output, /^5000883: resumed\n5000883: Segment does not accept the write key \(401\)/)
    assert.doesNotMatch(output, /live/)
  })

  test('of an account for which nothing waits says its state', async () => {
    await run('installs pause', { org: id })
    assert.equal((await run('installs resume', { org: id })).output, '5000883: live')
  })
})

test('an event whose conversation Drift does not know is listed with that, and not as queued', async () => {
  const missing = { status: 404, body: { error: 'not_found', error_description: 'No.' } }
  rig.sims.drift.script('/conversations/*', missing)
  await rig.sims.drift.send('conversation_participant_added', { to: rig.to, orgId: org })
  await eventually(async () => (await run('inspect', { org: id })).output.includes('conversation_missing'))
  for (const command of ['check', 'installs list', 'doctor'])
    assert.match((await run(command)).output, /1 asking: conversation_missing, the oldest for/, command)
  assert.match((await run('installs list')).output, /conversation_missing: Drift does not know the conversation/)
  const { backlog, waiting, held } = JSON.parse((await run('check', { json: true })).output)
  assert.deepEqual([backlog[0].lookupReason, waiting, held], ['conversation_missing', 1, 0])
})

describe('a number that is mistyped', () => {
  test('of an account: erase says that it is not installed here', async () => {
    assert.match(
      (await run('erase', { org: '99', contact: '123' })).output,
      /^account 99 is not installed here\n0 events/,
    )
    assert.doesNotMatch((await run('erase', { org: id, contact: '123' })).output, /not installed/)
  })

  test('of an account: send posts nothing', async () => {
    for (const given of ['abc', '0', '1e3'])
      await assert.rejects(run('send', { org: given, to: rig.service.url }, ['new_meeting']), { code: 'org_unusable' })
    assert.equal((await rig.outcomes()).received, 0)
  })

  test('of a contact is refused by whichever command', async () => {
    for (const command of ['inspect', 'redrive', 'erase'])
      await assert.rejects(run(command, { org: id, contact: 'abc' }), { code: 'contact_unusable' }, command)
  })
})

test('a comparison says of which time it is, and begins with the account where no time is named', async () => {
  const today = new Date().toISOString().slice(0, 10)
  const since = new RegExp(`^time: ${today} to ${today}, since the account was connected: --from names`)
  assert.match((await run('reconcile', { org: id })).output, since)
  assert.match((await run('reconcile', { org: id, from: '2026-01-31' })).output, /^time: 2026-01-31 to \S+\n/)
  assert.match((await run('reconcile', { org: id, from: '1970-01-01' })).output, /^time: the beginning to \S+\n/)
  assert.match((await run('backfill', { org: id, dryRun: true })).output, /^time: the beginning to \S+\n/)
})

describe('installs add', () => {
  test('says what a new account lacks', async () => {
    const bare = await add({ org: '7' }, '{}')
    assert.match(bare.output, /^7: waiting_for_key\nit has neither a grant of Drift’s nor a write key yet/)
    const whole = await add({ org: '8' }, JSON.stringify({ ...rig.sims.drift.issueToken(8), writeKey }))
    assert.equal(whole.output, '8: live')
  })

  test('takes JSON that begins with a byte order mark, as send does', async () => {
    assert.equal((await add({ org: id }, `\ufeff${JSON.stringify({ writeKey })}`)).exitCode, 0)
    const file = join(rig.folder, 'webhook.json')
    writeFileSync(file, `\ufeff{"type":"app_disconnected","orgId":1,"data":{}}`)
    assert.match((await run('send', { to: rig.service.url }, [file])).output, /^200/)
  })
})

test('a backup to a folder says that it is one, and leaves it as it is', async () => {
  await assert.rejects(run('backup', {}, [rig.folder]), { code: 'backup_exists', message: /is a folder$/ })
  assert.ok(existsSync(join(rig.folder, 'test.db')))
})
