/** Actions that change an account: each entry of the audit comes with the change, in one write. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { eachStage, org, type Stage, writeKey } from '../../test/stage.ts'
import type { AuditEntry } from '../storage/ports/accounts.ts'
import { chooseEvents, pauseAccount, resumeAccount } from './actions.ts'
import { configureAccount } from './add-account.ts'
import { changeWriteKey } from './change-key.ts'
import { finishing } from './connect-finish.ts'
import { paused } from './state.ts'

const id = String(org)

describe('an account changes', () => {
  let stage: Stage
  let saved: (AuditEntry | undefined)[]
  eachStage(async (made) => {
    stage = made
    const { installs } = stage.storage
    const save = installs.save
    saved = []
    installs.save = async (install, entry) => {
      const isSaved = await save(install, entry)
      if (isSaved) saved.push(entry)
      return isSaved
    }
  })

  const needs = () => ({ ...stage.needs, storage: stage.storage })
  const generation = () => String(stage.accounts.get(id)!.generation)
  /** While time passes, as it must before a grant is called dead. */
  async function confirm(): Promise<void> {
    let isOver = false
    const confirming = stage.disconnect.confirm(id, stage.clock.now()).finally(() => (isOver = true))
    await eventually(() => {
      if (!isOver) stage.clock.advance(100)
      return isOver
    })
    await confirming
  }
  async function finish(): Promise<unknown> {
    const { drift } = stage.sims
    const { clientId, clientSecret } = drift.settings
    const made = { orgId: org, redirectUri: '' }
    ;(drift.codes as Map<string, typeof made>).set('a-code', made)
    const { accounts, keyring, send, clock, storage } = stage
    const given = { accounts, keyring, send, clock, vault: storage.vault, apiUrl: drift.url, single: undefined }
    return finishing({ ...given, app: { clientId, clientSecret } })('a-code')
  }

  const actions: Record<string, () => Promise<unknown>> = {
    'a person pauses it': () => pauseAccount(needs(), id, 'admin'),
    'a person resumes it': async () => {
      await stage.accounts.change(id, 1, paused)
      saved = []
      await resumeAccount(needs(), id, 'admin')
    },
    'an admin chooses its events': () =>
      chooseEvents(needs(), id, { offTypes: ['new_meeting'], generation: generation(), who: 'admin' }),
    'an admin saves a write key': () =>
      changeWriteKey(needs(), id, { writeKey: writeKey.toLowerCase(), region: 'us', by: 'admin' }),
    'an admin changes the region': () => changeWriteKey(needs(), id, { region: 'eu', by: 'admin' }),
    'the command line configures it': () => configureAccount(needs(), id, { region: 'eu' }, 'command line'),
    'an admin connects it to Drift': finish,
    'an admin disconnects it': () => stage.disconnect.leave(id, 'admin'),
    'Drift says that it has left, and has not': confirm,
    'Drift says that it has left, and it has': async () => {
      stage.sims.drift.revokeAll()
      await confirm()
    },
    'Drift says that it has left, and cannot be asked': async () => {
      await stage.accounts.change(id, 1, ({ grant: _, ...known }) => known)
      saved = []
      await confirm()
    },
  }
  for (const [when, act] of Object.entries(actions))
    test(`its audit entry is saved in the same write when ${when}`, async () => {
      await act()
      const audit = await stage.storage.audit.list(id, 9)
      assert.notEqual(audit.length, 0)
      // That its grant has died is seen, and no person's doing: it has no entry.
      assert.deepEqual(saved.filter((entry) => entry !== undefined).toReversed(), audit)
    })

  test('where the change cannot be saved, its audit says nothing of it', async () => {
    stage.storage.installs.save = () => Promise.reject(new Error('disk full'))
    await assert.rejects(pauseAccount(needs(), id, 'admin'))
    assert.deepEqual(await stage.storage.audit.list(id, 9), [])
  })

  test('where another process was quicker, the entry is of the change that was saved', async () => {
    const other = await stage.another()
    await other.accounts.change(id, 1, (known) => ({ ...known, refreshAt: 7 }))
    saved = []
    await pauseAccount(needs(), id, 'admin')
    assert.equal(saved.length, 1)
    assert.equal((await stage.storage.audit.list(id, 9)).length, 1)
  })
})
