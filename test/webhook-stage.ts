/**
 * What the tests of bad input to the webhook's address stand on: a service with one account that is paused, so that what was
 * kept can be looked at, and the counts add up after every test. One service for each file that imports this.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { addsUp } from '../src/operations/totals.ts'
import type { Shown } from '../src/storage/ports/lookup.ts'
import { eventually } from './clock.ts'
import { org, type Rig, startRig } from './rig.ts'

export let rig: Rig
export let token = ''
let last = 0
before(async () => {
  rig = await startRig()
  token = rig.sims.drift.settings.verificationToken
  await rig.command('installs pause', { given: { org: String(org) } })
  await eventually(async () => rig.service.store.accounts.get(String(org))?.state === 'paused')
})
after(() => rig.close())
afterEach(async () => assert.ok(addsUp(await rig.outcomes())))

/** Different each time, so that nothing is a duplicate. */
export const nextNumber = () => ++last
export const said = (more: object = {}) => ({ contactId: 7, id: nextNumber(), createdAt: 1_714_419_312_000, ...more })
export const event = (more: object = {}, data: object = said()) =>
  JSON.stringify({ type: 'new_conversation', orgId: org, data, ...more })

export async function post(body: string | Buffer, headers: Record<string, string> = { 'x-verification-token': token }) {
  return (await fetch(rig.to, { method: 'POST', headers, body: body as string })).status
}

export async function stored(): Promise<Shown[]> {
  return (await rig.service.store.storage.lookup.find({}, { limit: 1_000 })).entries
}

/** Posts, and gives the entry that was kept of it. */
export async function kept(body: string | Buffer, headers?: Record<string, string>): Promise<Shown> {
  const before = (await stored()).length
  assert.equal(await post(body, headers), 200)
  const entries = await stored()
  assert.equal(entries.length, before + 1, 'kept once')
  return entries.reduce((newest, one) => (one.id > newest.id ? one : newest))
}
