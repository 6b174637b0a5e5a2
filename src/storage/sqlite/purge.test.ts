/** What the files of an SQLite store hold after something was erased, read byte by byte as a stranger would read them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { chmod, chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Alone, append } from '../conformance.ts'
import type { Mode, Storage } from '../ports/storage.ts'
import { compactDatabase } from './compact.ts'
import { open as openSqlite } from './open.ts'
import { logBytesMax } from './purge.ts'

const org = '5000001'
const contact = '21760538950'
const bodyOf = (n: number) => Buffer.from(`sealed body ${n} of ${contact} `.repeat(20))

describe('after erasing, the files of an SQLite store', () => {
  let folder: string
  let path: string
  let opened: Storage[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-purge-'))
    path = join(folder, 'store.db')
    opened = []
  })
  afterEach(async () => {
    await Promise.all(opened.map((storage) => storage.close()))
    await rm(folder, { recursive: true, force: true })
  })

  async function open(mode: Mode = 'serve'): Promise<Storage> {
    const storage = await openSqlite(path, mode)
    opened.push(storage)
    return storage
  }

  async function fill(storage: Storage, many: number, of: string = contact, bytes = 0): Promise<void> {
    const events = Array.from({ length: many }, (_, n): Alone => {
      const sealed = of === contact ? bodyOf(n) : Buffer.alloc(bytes, n)
      const identity = createHash('md5').update(`${of} ${n}`).digest()
      const common = { org, type: 'button_clicked', receivedAt: n, identity, rememberMs: 1, sealed, mapping: 1 }
      return { ...common, state: 'waiting', messageId: `drift-${of}-${n}`, contact: of, conversation: `${of}${n}` }
    })
    await append(storage, events)
    await storage.conversations.remember(org, new Map(events.map((_, n) => [`${of}${n}`, of])))
  }

  async function eraseIn(storage: Storage): Promise<void> {
    const { entries } = await storage.lookup.find({ org, contact }, { limit: 500 })
    await storage.inbox.take(
      org,
      entries.map(({ id }) => id),
    )
    await storage.conversations.forget(org, contact)
  }

  /** The names of the files here that hold anything of the contact's. */
  async function found(): Promise<string[]> {
    const names = await readdir(folder)
    const files = await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })))
    return files.filter(({ bytes }) => bytes.includes(contact)).map(({ name }) => name)
  }

  test('hold nothing of it, nor does a backup, whichever process erased', async () => {
    const service = await open()
    await fill(service, 300)
    await fill(service, 300, '42', 500)
    assert.notDeepEqual(await found(), [])
    await eraseIn(await open('beside'))
    assert.notDeepEqual(await found(), [], 'the log has it still')
    assert.deepEqual(await service.risks(), [{ is: 'erase_pending', purged: 'log_held' }])
    assert.equal(await service.purge(), 'done')
    assert.deepEqual(await service.risks(), [])
    await service.backup(join(folder, 'copy.db'))
    assert.deepEqual(await found(), [])
    assert.equal((await service.lookup.find({ org }, { limit: 500 })).entries.length, 300)
  })

  test('hold it while a reader has the log, which is said until the log is empty', async () => {
    const service = await open()
    await fill(service, 50)
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM entries').get()
    await eraseIn(service)
    assert.equal(await service.purge(), 'log_held')
    assert.deepEqual(await service.risks(), [{ is: 'erase_pending', purged: 'log_held' }])
    await service.close()
    opened = []
    const next = await open()
    assert.equal(await next.purge(), 'log_held', 'after a restart too')
    await fill(next, 1, '42', 10)
    reader.close()
    assert.equal(await next.purge(), 'done')
    assert.deepEqual(await found(), [])
    assert.deepEqual(await next.risks(), [])
  })

  test('of more than 64 MiB may hold copies until they are rewritten; a backup holds none', {
    timeout: 60_000,
  }, async () => {
    const service = await open()
    await fill(service, 50)
    for (let n = 0; n < 36; n++) await fill(service, 2, `43${n}`, 1_000_000)
    await eraseIn(service)
    assert.equal(await service.purge(), 'compact')
    assert.deepEqual(await found(), [], 'as these rows happen to lie, overwriting them suffices')
    assert.equal(await service.purge(), 'compact')
    assert.deepEqual(await service.risks(), [{ is: 'erase_pending', purged: 'compact' }])
    assert.throws(() => compactDatabase(path), { code: 'store_in_use' })
    await service.close()
    opened = []
    const [beside] = [await open('beside')]
    assert.throws(() => compactDatabase(path), { code: 'compact_failed' })
    await beside.close()
    opened = []
    const { bytesBefore, bytesAfter } = compactDatabase(path)
    assert.ok(bytesBefore > bytesAfter)
    const next = await open()
    assert.equal(await next.purge(), 'done')
    assert.deepEqual(await next.risks(), [])
    assert.deepEqual(await found(), [])
    assert.equal((await next.lookup.find({ org }, { limit: 500 })).entries.length, 72)
    assert.equal(existsSync(`${path}.compact`), false)
  })

  test('belong to whom they belonged to, with the same rights, after compact: the service must open them', async () => {
    await (await open()).close()
    opened = []
    await chmod(path, 0o640)
    // An administrator may compact the store of a service that runs as another user.
    if (process.getuid?.() === 0) await chown(path, 65_534, 65_534)
    const of = () => {
      const { uid, gid, mode } = statSync(path)
      return { uid, gid, mode }
    }
    const before = of()
    compactDatabase(path)
    assert.deepEqual(of(), before)
  })

  test('are as short as before when a long reader has gone, and doctor says so until then', async () => {
    const service = await open()
    await fill(service, 1)
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM entries').get()
    for (let n = 0; n < 10; n++) await fill(service, 2, `44${n}`, 1_000_000)
    assert.ok((await service.logBytes()) > logBytesMax)
    assert.equal(await service.purge(), 'done')
    assert.deepEqual(
      (await service.risks()).map(({ is }) => is),
      ['log_long'],
    )
    reader.close()
    await service.purge()
    assert.ok((await service.logBytes()) < logBytesMax)
    assert.deepEqual(await service.risks(), [])
  })
})
