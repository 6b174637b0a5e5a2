/** The kill switch: every account disconnected at once, stopped in the middle, begun again, with a Drift that does not always answer. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { changeDestination } from '../../src/accounts/destinations.ts'
import type { Report } from '../../src/accounts/disconnect-many.ts'
import { grantFields } from '../../src/accounts/grant.ts'
import { sealWriteKey } from '../../src/accounts/write-key.ts'
import { eventually } from '../clock.ts'
import { type Rig, startRig, writeKey } from '../rig.ts'

const many = 200
/** Drift does not answer as it should when the grants of these are ended. */
const unheard = ['6000010', '6000020', '6000190']
let rig: Rig
const unheardTokens = new Set<string>()
before(async () => {
  rig = await startRig({ installed: false })
  const { keyring, accounts } = rig.service.store
  for (let n = 1; n <= many; n++) {
    const id = String(6_000_000 + n)
    rig.sims.drift.addOrg({ orgId: Number(id) })
    const { accessToken } = rig.sims.drift.issueToken(Number(id))
    if (unheard.includes(id)) unheardTokens.add(`Bearer ${accessToken}`)
    const fields = await grantFields(keyring, id, { accessToken }, Date.now())
    const key = await sealWriteKey(keyring, id, 1, writeKey)
    await accounts.change(id, Date.now(), (install) => changeDestination({ ...install, ...fields }, 1, { key }))
  }
})
after(() => rig.close())

async function run(stopped: Promise<void> = new Promise(() => {})) {
  const { exitCode, output } = await rig.command('installs disconnect', { given: { all: true, json: true }, stopped })
  return { exitCode, report: JSON.parse(output.slice(output.indexOf('{'))) as Report }
}
const connected = () => rig.service.store.accounts.all().filter(({ state }) => state !== 'disconnected').length

test('two hundred accounts: a run that is stopped and begun again disconnects them all, and names what Drift has not confirmed', {
  timeout: 60_000,
}, async () => {
  const told = () => rig.sims.drift.count('/app/uninstall')
  rig.sims.drift.script('/app/uninstall', ({ headers }) =>
    unheardTokens.has(String(headers.authorization)) ? { status: 500 } : undefined,
  )
  const first = await run(eventually(() => told() > 20))
  assert.equal(first.exitCode, 1)
  assert.ok(first.report.disconnected >= 20)
  assert.equal(first.report.disconnected + first.report.left.length, many)

  const second = await run()
  assert.equal(second.exitCode, 0)
  assert.equal(first.report.disconnected + second.report.disconnected, many)
  assert.deepEqual(
    [...first.report.unconfirmed, ...second.report.unconfirmed].sort(
      (one, other) => Number(one.org) - Number(other.org),
    ),
    unheard.map((org) => ({ org, reason: 'drift_500' })),
  )
  await eventually(() => connected() === 0)
  assert.deepEqual((await run()).report, { disconnected: 0, withoutGrant: [], unconfirmed: [], left: [] })
})

test('for people the report names the accounts without a grant, and those whose grant Drift did not end, each with its reason', async () => {
  const { keyring, accounts } = rig.service.store
  const [without, private_] = ['6100001', '6100002'] as const
  const grant = await grantFields(keyring, private_, { accessToken: rig.sims.drift.privateToken(6_100_002) }, 0)
  await accounts.change(without, Date.now(), (install) => ({ ...install, state: 'live' }))
  await accounts.change(private_, Date.now(), (install) => ({ ...install, ...grant, state: 'live' }))
  const { DRIFT_CLIENT_ID, DRIFT_CLIENT_SECRET } = rig.env
  Object.assign(rig.env, { DRIFT_CLIENT_ID: '', DRIFT_CLIENT_SECRET: '' })
  const { output } = await rig.command('installs disconnect', { given: { all: true } })
  Object.assign(rig.env, { DRIFT_CLIENT_ID, DRIFT_CLIENT_SECRET })
  assert.match(output, /^2 disconnected, and erased here$/m)
  assert.match(output, /^no grant of these was kept, so nothing was ended at Drift.*\n {2}6100001$/m)
  assert.match(output, /^Drift has not confirmed these.*\n {2}6100002 {2}the settings name no Drift app$/m)
})
