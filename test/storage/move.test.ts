/** The store copy from the SQLite file to PostgreSQL, with everything, also when it was cut off in the middle. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openService } from '../../src/service.ts'
import { moveStore } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports/storage.ts'
import { usePostgres, withoutPostgres } from '../postgres.ts'
import { install, org, settled, startRig } from '../rig.ts'

const other = org + 1

/** Ids of what is found by each message, contact, conversation and type of an account. */
async function foundBy({ lookup }: Storage): Promise<number[][]> {
  const { entries } = await lookup.find({ org: String(org) }, { limit: 100 })
  const queries = entries.flatMap(({ messageId: message, contact, conversation, type }) => [
    { message },
    { org: String(org), type },
    ...(contact === undefined ? [] : [{ org: String(org), contact }]),
    ...(conversation === undefined ? [] : [{ org: String(org), conversation }]),
  ])
  const pages = await Promise.all(queries.map((query) => lookup.find(query, { limit: 100 })))
  return pages.map((page) => page.entries.map(({ id }) => id))
}

test('everything moves, a cut-off move is finished, and the service goes on where it was', {
  skip: withoutPostgres,
  timeout: 120_000,
}, async () => {
  const [rig, server] = [await startRig(), await usePostgres()]
  try {
    const { drift, segment } = rig.sims
    await install(rig, other)
    await drift.sendAll({ to: rig.to, orgId: org })
    await settled(rig)
    await rig.command('installs pause', { given: { org: String(other) } })
    await rig.service.store.accounts.reload(Date.now())
    for (let vary = 1; vary <= 30; vary++) await drift.send('new_conversation', { to: rig.to, orgId: other, vary })
    await drift.send('new_conversation', { to: rig.to, orgId: 99 })
    await drift.send({ type: 'new_conversation', orgId: org, data: 'odd' }, { to: rig.to, orgId: org })
    await drift.send({ type: 'of_no_page', orgId: org, data: {} }, { to: rig.to, orgId: org })
    const ignoredIn = async ({ ledger }: Storage) => [
      (await ledger.totals()).filter(({ outcome }) => outcome === 'ignored'),
      (await ledger.timeBuckets(String(org), 0, 9e15)).filter(({ outcome }) => outcome === 'ignored'),
    ]
    const ignored = await ignoredIn(rig.service.store.storage)
    assert.deepEqual(
      ignored.flat().map(({ reason }) => reason),
      ['unknown_type', 'unknown_type'],
    )
    const found = await foundBy(rig.service.store.storage)
    assert.ok(found.every(({ length }) => length > 0))
    const before = await rig.outcomes()
    assert.deepEqual([before.delivered, before.held >= 31], [10, true])
    const delivered = segment.accepted.length

    const [from, to] = [rig.env.DATABASE_URL!, await server.fresh()]
    const given = { from, to }
    await assert.rejects(rig.command('move', { given }), { code: 'store_in_use' })
    await rig.service.close()

    const cut = new Error('cut off')
    const told = (table: string) => {
      if (table === 'entries') throw cut
    }
    await assert.rejects(moveStore(from, to, { told, compare: async () => undefined }), cut)
    const env = { ...rig.env, DATABASE_URL: to }
    await assert.rejects(openService(readConfig(env), { log: silentLog }), { code: 'move_unfinished', exitCode: 78 })

    const { exitCode, output } = await rig.command('move', { given })
    assert.equal(exitCode, 0, output)
    assert.match(output, /entries: \d+ of \d+/)
    await assert.rejects(rig.command('move', { given }), { code: 'move_not_empty' })

    rig.env.DATABASE_URL = to
    const service = await openService(readConfig(env), { log: silentLog })
    rig.service = service
    rig.to = `${service.url}/webhooks/drift`
    assert.deepEqual(await rig.outcomes(), before)
    assert.deepEqual(await ignoredIn(service.store.storage), ignored)
    assert.deepEqual(await foundBy(service.store.storage), found, 'everything is found by what people search by')
    // What was known is known: the same events again are not new ones, and Drift is not asked again whose they are.
    const asked = drift.count('/conversations/*')
    await drift.sendAll({ to: rig.to, orgId: org })
    assert.equal((await rig.outcomes()).duplicates, before.duplicates + 10)
    assert.equal(segment.accepted.length, delivered)
    assert.equal(drift.count('/conversations/*'), asked)
    // What waited goes out, sealed and ordered as it was.
    await rig.command('installs resume', { given: { org: String(other) } })
    await segment.waitFor(delivered + 30)
    const ids = segment.accepted.slice(delivered).map(({ message }) => (message.properties as { id: number }).id)
    assert.deepEqual(
      ids,
      ids.toSorted((one, next) => one - next),
    )
    await drift.send('new_conversation', { to: rig.to, orgId: org, vary: 1_000 })
    await segment.waitFor(delivered + 31)
  } finally {
    await rig.close()
    await server.close()
  }
})
