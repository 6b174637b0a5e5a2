/**
 * The store's file is deleted, replaced or moved while the service runs. Whatever is answered 200 then would lie in a
 * file that no later process opens. Most of it runs in this process; one test looks at how a process of its own ends.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openStorage } from '../../src/storage/open.ts'
import { bareEnv, ended, startChild } from '../children.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Each is over in a second or two; a service that notices nothing would be waited for without end. */
const timeout = 20_000

let rig: Rig
afterEach(() => rig.close())

/** The service on an empty store in a folder of its own, with the account installed; `name` is the path that it is given. */
async function startApart(prepare: (place: Place) => Promise<string> = async ({ path }) => path): Promise<Place> {
  const lines: Line[] = []
  rig = await startRig({ log: { ...silentLog, error: (event, fields) => lines.push({ event, ...fields }) } })
  const folder = join(rig.folder, 'store')
  const place = { folder, path: join(folder, 'source.db'), lines }
  await mkdir(folder)
  rig.env.DATABASE_URL = `sqlite:${await prepare(place)}`
  await rig.restart()
  await install(rig)
  return place
}

async function post(vary: number): Promise<number> {
  return (await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })).status
}

type Line = Record<string, unknown>

interface Place {
  folder: string
  path: string
  /** What the service has logged as errors. */
  lines: Line[]
}

const losses: { title: string; lose(place: Place): Promise<void> }[] = [
  { title: 'deleted', lose: ({ path }) => rm(path) },
  { title: 'deleted with its log', lose: async ({ path }) => void (await removeAll(path)) },
  { title: 'moved away', lose: ({ path }) => rename(path, `${path}.away`) },
  {
    title: 'replaced by another file, such as a restored backup',
    lose: ({ path }) => replaceByItself(path),
  },
  { title: 'without its log', lose: ({ path }) => rm(`${path}-wal`) },
  { title: "without its log's index", lose: ({ path }) => rm(`${path}-shm`) },
  { title: 'in a folder that was moved away', lose: ({ folder }) => rename(folder, `${folder}.away`) },
  {
    title: 'in a folder that was replaced by a copy of itself',
    async lose({ folder }) {
      await cp(folder, `${folder}.copy`, { recursive: true })
      await rename(folder, `${folder}.away`)
      await rename(`${folder}.copy`, folder)
    },
  },
]

async function removeAll(path: string): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`)
}

async function replaceByItself(path: string): Promise<void> {
  await copyFile(path, `${path}.copy`)
  await rename(`${path}.copy`, path)
}

describe('a service whose store is', () => {
  for (const { title, lose } of losses) {
    test(`${title} answers webhooks and /ready 503 and stops, and its log says what to do`, { timeout }, async () => {
      const place = await startApart()
      assert.equal(await post(1), 200)
      await lose(place)
      assert.equal(await post(2), 503)
      assert.equal((await fetch(`${rig.service.url}/ready`)).status, 503)
      assert.equal(codeOf(await rig.service.broken), 'store_moved')
      const said = place.lines.find(({ event }) => event === 'store_stopped')
      assert.equal(said?.code, 'store_moved')
      assert.match(String(said?.hint), /start/)
    })
  }

  const quiet: Record<string, (path: string) => Promise<void>> = {
    'moved away': (path) => rename(path, `${path}.away`),
    'beside another log': (path) => replaceByItself(`${path}-wal`),
  }
  for (const [title, lose] of Object.entries(quiet)) {
    test(`${title} notices it within a second, though nothing arrives`, { timeout }, async () => {
      const { path } = await startApart()
      const lostAt = performance.now()
      await lose(path)
      assert.equal(codeOf(await rig.service.broken), 'store_moved')
      assert.ok(performance.now() - lostAt < 1_000)
      assert.equal(await post(1), 503)
    })
  }

  test('moved away ends its process with exit code 74, and says why and what to do', { timeout }, async () => {
    const { path } = await startApart()
    await rig.service.close()
    const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'serve'], {
      env: { ...bareEnv, ...rig.env, LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said: string[] = []
    for await (const line of createInterface({ input: child.stderr! })) {
      said.push(line)
      if (line.startsWith('listening on')) await rename(path, `${path}.away`)
    }
    assert.equal(await ended(child), 74)
    assert.match(said.join('\n'), /store_moved: source\.db was deleted, moved or replaced.*\n {2}what to do: /)
  })

  test('without its log loses nothing that it answered 200: it is there after the next start', {
    timeout,
  }, async () => {
    const { path } = await startApart()
    rig.sims.segment.script({ status: 503 })
    for (let vary = 1; vary <= 20; vary++) assert.equal(await post(vary), 200)
    await rm(`${path}-wal`)
    assert.equal(codeOf(await rig.service.broken), 'store_moved')
    rig.sims.segment.script(undefined)
    await rig.restart()
    await settled(rig, ({ delivered }) => delivered === 20)
  })

  test('replaced in place by a backup, as `cp` does it, stops and writes nothing into it', { timeout }, async () => {
    const { path, folder } = await startApart()
    const copy = join(folder, 'copy.db')
    await rig.command('backup', { args: [copy] })
    assert.equal(await post(1), 200)
    await settled(rig, ({ delivered }) => delivered === 1)
    // In a process of its own: to close the file in this one ends our locks on it.
    spawnSync('cp', [copy, path])
    assert.equal(codeOf(await rig.service.broken), 'store_moved')
    assert.equal(await post(2), 503)
    assert.deepEqual(await readFile(path), await readFile(copy))
  })

  test('without its log, but replaced in place by a backup, is not written into any more', { timeout }, async () => {
    const { path, folder } = await startApart()
    const copy = join(folder, 'copy.db')
    await rig.command('backup', { args: [copy] })
    assert.equal(await post(1), 200)
    spawnSync('cp', [copy, path])
    await Promise.all([rm(`${path}-wal`, { force: true }), rm(`${path}-shm`, { force: true })])
    assert.equal(codeOf(await rig.service.broken), 'store_moved')
    assert.deepEqual(await readFile(path), await readFile(copy))
  })
})

describe('a store behind a symbolic link', () => {
  const linked = async ({ folder, path }: Place) => {
    const link = join(folder, 'link.db')
    await symlink(path, link)
    return link
  }

  test('is a store like any other, and its log lies beside the file', { timeout }, async () => {
    const { path, folder } = await startApart(linked)
    assert.equal(await post(1), 200)
    await settled(rig, ({ delivered }) => delivered === 1)
    assert.equal(statSync(path).mode & 0o077, 0)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('link')),
      ['link.db'],
    )
  })

  test('is in use under every name it has: a second service is refused', { timeout }, async () => {
    const { path } = await startApart(linked)
    await assert.rejects(openStorage(`sqlite:${path}`, 'serve'), { code: 'store_in_use' })
  })

  test('is another store when the link is pointed elsewhere: the service answers 503 and stops', {
    timeout,
  }, async () => {
    const { path, folder } = await startApart(linked)
    await copyFile(path, `${path}.other`)
    await rm(join(folder, 'link.db'))
    await symlink(`${path}.other`, join(folder, 'link.db'))
    assert.equal(await post(1), 503)
    assert.equal(codeOf(await rig.service.broken), 'store_moved')
  })
})

describe('a command beside the service', () => {
  test('says that its file was moved while it worked, and not that it is done', { timeout }, async () => {
    const { path } = await startApart()
    const beside = await openStorage(`sqlite:${path}`, 'beside')
    await rename(path, `${path}.away`)
    await assert.rejects(beside.vault.create('a name', Buffer.from('a value')), { code: 'store_moved', exitCode: 74 })
    await beside.close()
  })
})
