import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Databases, usePostgres, withoutPostgres } from '../../test/postgres.ts'
import { alertSabotages } from './conformance-alerts.ts'
import { jobSabotages } from './conformance-jobs.ts'
import { promises } from './conformance-promises.ts'
import { sabotages } from './conformance-sabotages.ts'
import type { Storage } from './ports/storage.ts'
import { open as openPostgres } from './postgres/open.ts'
import { openInMemory } from './sqlite/in-memory.ts'
import { open as openSqlite } from './sqlite/open.ts'

async function withSqlite(use: (storage: Storage) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-store-'))
  const storage = await openSqlite(join(folder, 'store.db'), 'serve')
  try {
    await use(storage)
  } finally {
    await storage.close()
    await rm(folder, { recursive: true })
  }
}

let server: Databases
before(async () => {
  if (!withoutPostgres) server = await usePostgres()
})
after(() => server?.close())

async function withPostgres(use: (storage: Storage) => Promise<void>): Promise<void> {
  const storage = await openPostgres(await server.fresh(), 'serve')
  try {
    await use(storage)
  } finally {
    await storage.close()
  }
}

const engines: Record<string, (use: (storage: Storage) => Promise<void>) => Promise<void>> = {
  memory: (use) => use(openInMemory()),
  sqlite: withSqlite,
  postgres: withPostgres,
}

for (const [engine, withStorage] of Object.entries(engines)) {
  // Each has a store of its own and waits for its disk.
  describe(`the ${engine} engine`, { skip: engine === 'postgres' && withoutPostgres, concurrency: 4 }, () => {
    for (const { promise, check } of promises) test(promise, () => withStorage(check))
  })
}

describe('an engine that breaks a promise is caught', () => {
  const isCaught = (sabotage: string, broken: (storage: Storage) => void) =>
    test(`one that ${sabotage}`, async (context) => {
      for (const { promise, check } of promises) {
        const storage = openInMemory()
        broken(storage)
        const isKept = await check(storage).then(
          () => true,
          () => false,
        )
        if (!isKept) return context.diagnostic(`caught by: ${promise}`)
      }
      assert.fail('no check noticed')
    })
  for (const [sabotage, broken] of Object.entries(jobSabotages))
    isCaught(sabotage, ({ jobs }) => Object.assign(jobs, broken({ ...jobs })))
  for (const [sabotage, broken] of Object.entries(alertSabotages))
    isCaught(sabotage, ({ alerts }) => Object.assign(alerts, broken({ ...alerts })))
  for (const [sabotage, broken] of Object.entries(sabotages)) {
    isCaught(sabotage, (storage) => {
      const changed = broken(
        { ...storage.inbox },
        { ...storage.lookup },
        { ...storage.tickets },
        { ...storage.ledger },
        { ...storage.installs },
      )
      for (const port of [storage.inbox, storage.lookup, storage.tickets, storage.ledger, storage.installs])
        Object.assign(port, Object.fromEntries(Object.entries(changed).filter(([method]) => method in port)))
    })
  }
})
