/** An account whose settings another version saved, so that this one cannot read them: it waits, and no other does. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { configureSingle } from '../../src/accounts/add-account.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Install } from '../../src/storage/ports/accounts.ts'
import { connectionPage } from '../../src/web/console/connection.ts'
import { eventually } from '../clock.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'
import { startStage } from '../stage.ts'
import { works } from '../status-table.ts'

const odd = 6_000_001
let rig: Rig
before(async () => {
  rig = await startRig()
  await install(rig, odd)
})
after(() => rig.close())

const post = async (orgId: number, n: number) => {
  const headers = { 'x-verification-token': rig.sims.drift.settings.verificationToken }
  const body = JSON.stringify({ type: 'playbook_goal_met', orgId, data: { contactId: 7, goalName: `goal ${n}` } })
  assert.equal((await fetch(rig.to, { method: 'POST', headers, body })).status, 200)
}
const arrived = (n: number) =>
  rig.sims.segment.accepted.some(({ message }) => JSON.stringify(message).includes(`"goal ${n}"`))
/** As another process does; the rest of its settings stays. */
const save = async (offTypes: unknown) => {
  const storage = await openStorage(rig.env.DATABASE_URL!, 'beside')
  const stored = (await storage.installs.get(String(odd)))!
  await storage.installs.save({ ...stored, settings: JSON.stringify({ ...JSON.parse(stored.settings), offTypes }) })
  await storage.close()
}

test('the service starts, sends for the others, keeps what comes for this one, and sends it once it can read them', async () => {
  await save('of-later')
  await rig.restart()
  await post(odd, 1)
  await post(org, 2)
  await eventually(() => arrived(2))
  assert.ok(!arrived(1))
  assert.equal((await rig.outcomes()).held, 1)
  const { output } = await rig.command('installs list')
  assert.match(output, new RegExp(`${odd} {2}paused {2}- [\\s\\S]*settings_unreadable: the settings of this account`))
  const given = { org: String(odd) }
  await assert.rejects(rig.command('installs retry', { given }), { code: 'not_retried' })
  await assert.rejects(rig.command('installs add', { given: { ...given, region: 'eu' }, stdin: '{}' }), {
    code: 'settings_unreadable',
  })
  await save([])
  await rig.restart()
  await eventually(() => arrived(1))
  await settled(rig, ({ held, waiting }) => held + waiting === 0)
})

test('a start in single-account mode leaves such an account as it is, and goes on', async () => {
  const stage = await startStage()
  await stage.install()
  const { installs } = stage.storage
  const id = String(org)
  await installs.save({ ...(await installs.get(id))!, settings: '{"offTypes":7}' })
  await stage.accounts.reload(stage.clock.now())
  const before = await installs.get(id)
  await configureSingle(stage, { org: id, accessToken: 'another-token', writeKey: 'another-key', region: 'eu' })
  assert.deepEqual(await installs.get(id), before)
  await stage.close()
})

test('the console says so, and offers no form that would change its settings', () => {
  const account = {
    org: '1',
    state: 'live',
    createdAt: 0,
    updatedAt: 0,
    generation: 1,
  } as const
  const first = { number: 1, name: 'Segment', region: 'us' } as const
  const pageOf = (more: Partial<Install>) =>
    String(
      connectionPage({
        session: { org: '1', who: 'admin', csrf: '', provenAt: 0 },
        install: { ...account, settings: '{}', ...more },
        destinations: [{ destination: first, key: undefined, isConfirmed: false, isFixed: false }],
        places: { us: '', eu: '' },
        facts: { ...works, install: { ...account, settings: '{}', ...more } },
        scopes: [],
      }),
    )
  assert.match(pageOf({}), /name="region"[\s\S]*new_meeting/)
  const page = pageOf({ unreadable: true })
  assert.match(page, /this one cannot read them/)
  assert.doesNotMatch(page, /name="region"|United States|new_meeting|\/console\/(pause|resume)"/)
})

test('a running service notices that another version has saved such settings, and goes on with the other accounts', async () => {
  await save(7)
  await eventually(() => rig.service.store.accounts.get(String(odd))?.unreadable === true)
  await post(odd, 3)
  await post(org, 4)
  await eventually(() => arrived(4))
  // Its lane is held when its turn has come.
  await eventually(async () => (await rig.outcomes()).held === 1)
  assert.ok(!arrived(3))
})
