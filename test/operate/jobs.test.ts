/** Long work as an operator sees it: listed, shown and cancelled by the command line, and going on after a restart. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import type { Problem } from '../../src/lib/errors.ts'
import { startRedrive } from '../../src/operations/redrive-job.ts'
import { openStore, type Store } from '../../src/service.ts'
import { firstDestination } from '../../src/storage/ports/entry.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const id = String(org)
const job = 'aaaabbbbcccc'
const many = 5
let rig: Rig

beforeEach(async () => {
  rig = await startRig()
  for (let n = 0; n < many; n++) {
    const data = { endUserId: 7, timestamp: 1_714_419_312_000 + n, diff: [{ name: 'attributes.n', updated: n }] }
    await rig.sims.drift.send({ type: 'contact_updated', orgId: org, data }, { to: rig.to })
  }
  await settled(rig, ({ delivered }) => delivered === many)
})
afterEach(() => rig.close())

const run = (name: string, args: string[] = [], given = {}) => rig.command(name, { args, given })
const duplicates = () => rig.sims.segment.duplicates.length

/** While no service runs. */
async function beside(use: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(readConfig(rig.env), 'beside')
  await use(store).finally(() => store.close())
}

function begin({ storage, clock }: Store): Promise<boolean> {
  const query = { org: id, states: ['delivered'] as const, to: clock.now() + 1 }
  return startRedrive({ ...storage, clock }, { id: job, org: id, who: 'an admin', query, mapping: 'today' })
}

describe('a job', () => {
  test('that was begun before the service stopped is worked on when it runs again, and everybody sees how far it is', async () => {
    await rig.service.close()
    await beside(async (store) => assert.equal(await begin(store), true))
    assert.match((await run('jobs list')).output, new RegExp(`^${job} {2}redrive {2}${id} {2}waiting .* by an admin`))
    assert.equal((await run('jobs list', [], { org: '777' })).output, 'no jobs in the last 30 days')
    await rig.restart()
    await eventually(async () => (await run('jobs show', [job])).output.includes('  done  '))
    const { output } = await run('jobs show', [job])
    assert.match(output, /^ {2}moved 5$/m)
    assert.match(output, /^ {2}found 5$/m)
    await eventually(() => duplicates() === many)
    const [shown] = JSON.parse((await run('jobs list', [], { json: true })).output) as Record<string, unknown>[]
    assert.deepEqual([shown!.id, shown!.state, shown!.counts], [job, 'done', { moved: 5, found: 5 }])
    assert.match(String(shown!.endedAt), /^20\d\d-.*Z$/)
    await settled(rig, ({ delivered }) => delivered === many)
  })

  test('whose process was killed half-way goes on from its last step in the next one', async () => {
    await rig.service.close()
    await beside(async (store) => {
      await begin(store)
      const { jobs, inbox, lookup } = store.storage
      const now = store.clock.now()
      const lease = (await jobs.claim(['redrive'], now, now + 15_000))!
      const { entries } = await lookup.find({ org: id }, { limit: 2 })
      const step = {
        lease,
        cursor: `${firstDestination} ${entries[1]!.id}`,
        counts: '{"found":2,"moved":0}',
        at: now,
        until: now + 15_000,
      }
      const moves = entries.map(({ id: one }) => ({ id: one }))
      assert.deepEqual(await inbox.redriveStep(moves, now, step), { moved: 2, job: 'held' })
    })
    await rig.restart()
    await eventually(async () => (await run('jobs show', [job])).output.includes('  done  '))
    assert.match((await run('jobs show', [job])).output, /^ {2}moved 5$/m)
    await eventually(() => duplicates() === many)
    await settled(rig, ({ delivered }) => delivered === many)
    assert.equal(duplicates(), many, 'each was sent again once')
  })

  test('that is cancelled moves nothing more, and says by whom it was; another can be begun then', async () => {
    await rig.service.close()
    await beside(async (store) => assert.equal(await begin(store), true))
    await assert.rejects(
      run('redrive', [], { org: id, state: 'delivered' }),
      (error: Problem) => error.code === 'redrive_running',
    )
    assert.match((await run('jobs cancel', [job])).output, /^cancelled: it ends at its next step/)
    assert.match((await run('jobs cancel', [job])).output, /^it had ended, or was cancelled, before/)
    await rig.restart()
    await eventually(async () => (await run('jobs show', [job])).output.includes('  cancelled  '))
    assert.match((await run('jobs show', [job])).output, /cancelled by command line/)
    assert.equal(duplicates(), 0)
    assert.match((await run('redrive', [], { org: id, state: 'delivered' })).output, /5 found, 5 wait to be sent again/)
    await settled(rig, ({ delivered }) => delivered === many)
    const said = (await rig.service.store.storage.audit.list(id, 9)).map(({ who, what }) => `${who}: ${what}`)
    assert.ok(said.includes('command line: cancelled a job'))
  })

  test('that is not there is unknown', async () => {
    await assert.rejects(run('jobs show', ['x']), (error: Problem) => error.code === 'job_unknown')
    await assert.rejects(run('jobs cancel', ['x']), (error: Problem) => error.code === 'job_unknown')
  })
})

test('a redrive works by itself where no service runs, and is cancelled when the command is stopped', async () => {
  await rig.service.close()
  assert.match((await run('redrive', [], { org: id, state: 'delivered' })).output, /5 found, 5 wait to be sent again/)
  const stopped = rig.command('redrive', { given: { org: id, state: 'delivered' }, stopped: Promise.resolve() })
  assert.match((await stopped).output, /stopped on request of command line/)
  assert.equal((await stopped).exitCode, 130)
  await rig.restart()
  await settled(rig, ({ delivered }) => delivered === many)
  assert.equal(duplicates(), many)
})
