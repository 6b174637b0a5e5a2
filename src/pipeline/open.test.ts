import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { manualClock } from '../../test/clock.ts'
import { openAccounts } from '../accounts/accounts.ts'
import { openKeyring } from '../accounts/keyring.ts'
import { catalogue } from '../events/index.ts'
import { silentLog } from '../lib/log.ts'
import { systemRandom as random } from '../lib/random.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { openPipeline } from './open.ts'

test('a start erases what may be left of accounts that have left, several at once and each of them', async () => {
  const storage = openInMemory()
  const clock = manualClock()
  const gone = { state: 'disconnected', settings: '{}', createdAt: 1, updatedAt: 1, generation: 0 } as const
  for (let org = 1; org <= 40; org++) await storage.installs.save({ ...gone, org: String(org) })
  const secret = createSecretKey(Buffer.alloc(32, 7))
  const keyring = await openKeyring(storage.vault, [{ id: 'a', secret }], random)
  const erased: string[] = []
  let [underWay, most] = [0, 0]
  storage.inbox.erase = async (org) => {
    most = Math.max(most, ++underWay)
    await new Promise(setImmediate)
    underWay--
    erased.push(org)
    return 0
  }
  const accounts = await openAccounts(storage.installs, storage.inbox)
  await accounts.reload(clock.now())
  const send = () => Promise.reject(new Error('nothing is to be asked'))
  const drift = { apiUrl: 'http://drift', app: undefined, verificationTokens: [] }
  const segment = { us: 'http://us', eu: 'http://eu' }
  const needs = { storage, keyring, accounts, catalogue, send, drift, segment, clock, random, log: silentLog }
  const pipeline = await openPipeline(needs)
  assert.equal(new Set(erased).size, 40)
  assert.ok(most > 1 && most <= 8, `${most} at once`)
  await pipeline.stop()
})
