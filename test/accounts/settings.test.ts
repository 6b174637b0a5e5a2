/** What an account has chosen: one JSON text that no engine looks into, so an option is a matter of the schema alone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { openAccounts } from '../../src/accounts/accounts.ts'
import { changeSettings, noSettings, settingsBy, settingsOf, settingsSchema } from '../../src/accounts/settings.ts'
import { grantDied, holdOf, stateShown } from '../../src/accounts/state.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Install } from '../../src/storage/ports/accounts.ts'
import type { Storage } from '../../src/storage/ports/storage.ts'
import { openInMemory } from '../../src/storage/sqlite/in-memory.ts'
import { engines, type Stores } from '../engines.ts'

/** A version of this program that has more options than this one: one plain, one with parts. */
const newer = settingsBy(
  settingsSchema.extend({
    prefix: z.string().default('Drift Source Event: '),
    quiet: z.object({ from: z.number(), to: z.number(), days: z.array(z.string()) }).optional(),
  }),
)

/** One that knows a part of them. */
const older = settingsBy(settingsSchema.extend({ quiet: z.object({ from: z.number() }).optional() }))

const org = '5000883'
const blank: Install = { org, state: 'live', settings: noSettings, createdAt: 1, updatedAt: 1, generation: 0 }

async function storedIn({ installs }: Storage): Promise<Install> {
  return (await installs.get(org))!
}

function promisesOn(open: () => Promise<Storage>): void {
  let storage: Storage
  before(async () => (storage = await open()))
  after(() => storage.close())

  test('an option that only the schema was given is saved, and read back as it was chosen', async () => {
    const chosen = { prefix: 'Widget “é” 😀: ', quiet: { from: 22, to: 6.5, days: ['Sunday'] } }
    assert.equal(await storage.installs.save(newer.change(blank, chosen)), true)
    const { prefix, quiet, offTypes } = newer.of(await storedIn(storage))
    assert.deepEqual({ prefix, quiet, offTypes }, { ...chosen, offTypes: [] })
  })

  test('an option of a newer version, and what it added to one, is still there when this one has saved another', async () => {
    const accounts = await openAccounts(storage.installs, storage.inbox)
    await accounts.reload(2)
    await accounts.change(org, 3, (install) => older.change(install, { offTypes: ['new_meeting'] }))
    const stored = await storedIn(storage)
    assert.deepEqual(newer.of(stored).quiet, { from: 22, to: 6.5, days: ['Sunday'] })
    assert.deepEqual(settingsOf(stored).offTypes, ['new_meeting'])
  })

  test('a number of a newer version keeps its digits when this one has saved another option', async () => {
    const { generation } = await storedIn(storage)
    await storage.installs.save({ ...blank, generation, settings: '{"limit":12345678901234567890}' })
    const stored = await storedIn(storage)
    await storage.installs.save(changeSettings(stored, { offTypes: ['new_meeting'] }))
    assert.equal((await storedIn(storage)).settings, '{"limit":12345678901234567890,"offTypes":["new_meeting"]}')
  })

  test('an account whose settings this version cannot read is held, no option of it is changed, and its value is not named', async () => {
    for (const [settings, named] of [
      [
        '{"destinations":[{"number":1,"name":"Segment","region":"a-value-of-later"}]}',
        /the setting destinations\.0\.region /,
      ],
      ['{"offTypes":[1]}', /the setting offTypes\.0 /],
      ['{"region":', /account 5000883: the settings /],
    ] as const) {
      const broken = { ...blank, settings, generation: (await storedIn(storage)).generation }
      assert.equal(await storage.installs.save(broken), true)
      const accounts = await openAccounts(storage.installs, storage.inbox)
      await accounts.reload(4)
      const held = accounts.get(org)!
      assert.deepEqual([holdOf(held), stateShown(held)], ['settings_unreadable', 'paused'])
      assert.deepEqual(settingsOf(held).offTypes, [], 'all that comes in is kept')
      await accounts.change(org, 5, grantDied)
      assert.equal((await storedIn(storage)).settings, settings)
      const changing = accounts.change(org, 6, (install) => changeSettings(install, { offTypes: [] }))
      await assert.rejects(changing, (error: Error & { code?: string; exitCode?: number }) => {
        assert.deepEqual([error.code, error.exitCode], ['settings_unreadable', 78])
        assert.match(error.message, named)
        assert.doesNotMatch(error.message, /a-value-of-later/)
        return true
      })
    }
  })
}

describe('settings in memory', () => promisesOn(async () => openInMemory()))

for (const { name, skip, start } of engines)
  describe(`settings on ${name}`, { skip }, () => {
    let stores: Stores
    before(async () => (stores = await start()))
    after(() => stores?.close())
    promisesOn(async () => openStorage(await stores.fresh(), 'serve'))
  })

test('an account that never chose has the default of every option', () => {
  const destinations = [{ number: 1, name: 'Segment', region: 'us' }]
  const optionVersions = { first: 1, sets: [], list: [] }
  const alerts = { alertsOff: [], alertDelayMinutes: 15 }
  const chosen = {
    offTypes: [],
    dailyReconcile: false,
    optionVersions,
    ...alerts,
    destinations,
    lastDestination: 1,
  }
  assert.deepEqual(settingsOf(blank), chosen)
  assert.equal(newer.of(blank).prefix, 'Drift Source Event: ')
})

test('what this version would not read is not saved', () => {
  assert.throws(() => changeSettings(blank, { offTypes: 'mars' as never }))
})
