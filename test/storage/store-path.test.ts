/**
 * What lies at the store's path cannot be opened as a store: its file is gone and its log is there, it is not a regular
 * file, or this user may not get at it. Each command says so by its name, and makes and deletes nothing.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/config.ts'
import { codeOf, Problem } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openService } from '../../src/service.ts'
import { bareEnv } from '../children.ts'
import { org, runCommand, startRig } from '../rig.ts'
import { neededSettings } from '../settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-path-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Nothing listens there. */
const nowhere = 'postgres://user@127.0.0.1:1/events'
const envOf = (path: string) => ({ ...neededSettings, PORT: '0', METRICS_PORT: '0', DATABASE_URL: `sqlite:${path}` })

/** Each way to open a store: the service, a command beside it, one that makes a store, and those that hold it. */
const doors: Record<string, (path: string) => Promise<unknown>> = {
  serve: async (path) => (await openService(readConfig(envOf(path)), { log: silentLog })).close(),
  check: (path) => runCommand(envOf(path), 'check'),
  backup: (path) => runCommand(envOf(path), 'backup', { args: [join(folder, 'copy.db')] }),
  'installs add': (path) =>
    runCommand(envOf(path), 'installs add', { given: { org: '7' }, stdin: '{"accessToken":"aT6kJ8vNd2"}' }),
  compact: (path) => runCommand(envOf(path), 'compact'),
  move: (path) => runCommand(envOf('elsewhere.db'), 'move', { given: { from: `sqlite:${path}`, to: nowhere } }),
}

async function problemAt(path: string, door: string): Promise<Problem> {
  const problem = await doors[door]!(path).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(problem instanceof Problem, `${door} opened it: ${problem}`)
  return problem
}

async function refusedWith(code: string, path: string): Promise<void> {
  const before = readdirSync(folder, { recursive: true })
  for (const door of Object.keys(doors)) {
    const problem = await problemAt(path, door)
    assert.deepEqual([problem.code, problem.exitCode], [code, 78], door)
    assert.ok(problem.hint, door)
    const named = /DATABASE_URL|--from/.exec(problem.message)?.[0]
    assert.equal(named, door === 'move' ? '--from' : 'DATABASE_URL')
    assert.deepEqual(readdirSync(folder, { recursive: true }), before, door)
  }
}

describe('beside a log whose file is missing', () => {
  test('no door makes a new store, and with the file put back everything that was answered 200 is there', {
    timeout: 60_000,
  }, async () => {
    const rig = await startRig()
    try {
      const path = join(folder, 'source.db')
      rig.env.DATABASE_URL = `sqlite:${path}`
      await rig.restart()
      for (let vary = 1; vary <= 5; vary++)
        assert.equal((await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })).status, 200)
      renameSync(path, join(folder, 'away.db'))
      assert.equal(codeOf(await rig.service.broken), 'store_moved')
      await rig.service.close()
      const log = readFileSync(`${path}-wal`)
      assert.ok(log.length > 0)
      await refusedWith('store_file_missing', path)
      // As a start by an older version leaves it, or `touch`.
      writeFileSync(path, '')
      await refusedWith('store_file_missing', path)
      const link = join(folder, 'link.db')
      symlinkSync('source.db', link)
      rmSync(path)
      await refusedWith('store_file_missing', link)
      rmSync(link)
      assert.deepEqual(readFileSync(`${path}-wal`), log)

      renameSync(join(folder, 'away.db'), path)
      await rig.restart()
      assert.equal((await rig.outcomes()).received, 5)
    } finally {
      await rig.close()
    }
  })

  test('a new store is made where the log is empty', async () => {
    const path = join(folder, 'source.db')
    for (const end of ['-wal', '-shm']) writeFileSync(`${path}${end}`, '')
    await doors['installs add']!(path)
    assert.ok(statSync(path).size > 0)
  })
})

describe('a path that names', () => {
  test('an empty file is not a store, to what works on one', async () => {
    const path = join(folder, 'empty.db')
    writeFileSync(path, '')
    for (const door of ['check', 'backup', 'compact', 'move'])
      assert.equal((await problemAt(path, door)).code, 'store_not_there', door)
    assert.deepEqual([readdirSync(folder), statSync(path).size], [['empty.db'], 0])
  })

  test('no store is one to move from as little: exit code 78, and what to do', async () => {
    const { code, exitCode, hint } = await problemAt(join(folder, 'none.db'), 'move')
    assert.deepEqual([code, exitCode], ['store_not_there', 78])
    assert.match(hint!, /look at --from/)
  })

  test('a pipe, a device or a folder is refused, and nothing is made beside it', async () => {
    assert.equal(spawnSync('mkfifo', [join(folder, 'pipe')]).status, 0)
    await refusedWith('store_unreachable', join(folder, 'pipe'))
    await refusedWith('store_unreachable', folder)
    await refusedWith('store_unreachable', '/dev/null')
    for (const end of ['.lock', '-journal', '-wal']) assert.ok(!existsSync(`/dev/null${end}`))
  })

  test('what the system cannot follow is refused by the same name: a loop of links, a name that is too long', async () => {
    symlinkSync('loop.db', join(folder, 'loop.db'))
    await refusedWith('store_unreachable', join(folder, 'loop.db'))
    await refusedWith('store_unreachable', join(folder, 'x'.repeat(300)))
  })
})

describe('move says what is wrong with the option that was given', () => {
  test('where what it names is not a store', async () => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, 'not a database')
    const { code, message } = await problemAt(path, 'move')
    assert.deepEqual([code, /^--from names a file/.test(message)], ['store_not_ours', true], message)
  })

  test('where it is not an address', async () => {
    const given = { from: 'sqlite://x.db', to: nowhere }
    const named = (option: string) => (error: Problem) =>
      error.code === 'move_unknown' &&
      error.exitCode === 2 &&
      error.message.startsWith(`${option} must`) &&
      !!error.hint
    await assert.rejects(runCommand({}, 'move', { given }), named('--from'))
    await assert.rejects(runCommand({}, 'move', { given: { from: 'sqlite:x.db', to: 'postgres://[' } }), named('--to'))
  })

  test('where the database cannot be opened', async () => {
    const path = join(folder, 'source.db')
    await doors['installs add']!(path)
    const given = { from: `sqlite:${path}`, to: `${nowhere}?sslmode=verify-full&sslrootcert=/none/ca.crt` }
    const says = /^a file that --to names cannot be read/
    await assert.rejects(runCommand({}, 'move', { given }), { code: 'store_certificate', message: says })
  })
})

/** A user that no machine has: of these tests, only root's can become it. */
const stranger = 41_235
const isRoot = process.getuid?.() === 0
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

function asStranger(path: string, words: string): { status: number | null; stderr: string; stdout: string } {
  const args = ['--disable-warning=ExperimentalWarning', main, ...words.split(' ')]
  const env = { ...bareEnv, ...envOf(path), LOG_LEVEL: 'silent' }
  return spawnSync(process.execPath, args, { env, uid: stranger, gid: stranger, encoding: 'utf8', timeout: 20_000 })
}
/** Under root's home, for one, another user could not even load the program. */
const unreadable = isRoot && asStranger('', '--version').status !== 0
const skip = isRoot ? unreadable && 'another user cannot read this clone' : 'only root can become another user'

test('a store that this user may not enter, or not write beside, is unreachable to each command, and not absent', {
  skip,
  timeout: 60_000,
}, async () => {
  const path = join(folder, 'closed', 'source.db')
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  await doors['installs add']!(path)
  spawnSync('chmod', ['755', folder])
  const refuses = (words: string) => {
    const { status, stderr } = asStranger(path, words)
    assert.deepEqual(
      [status, /^store_unreachable: .*\n {2}what to do: .*may the user/m.test(stderr)],
      [78, true],
      stderr,
    )
  }
  for (const words of [
    'serve',
    'check',
    'compact',
    `backup ${folder}/copy.db`,
    `move --from sqlite:${path} --to ${nowhere}`,
  ])
    refuses(words)
  const { status, stdout } = asStranger(path, 'doctor --offline')
  assert.deepEqual([status, /\(store_unreachable\)\n +what to do: .*may the user/.test(stdout)], [78, true], stdout)
  spawnSync('chmod', ['-R', 'a+rX', folder])
  refuses('serve')
  refuses('compact')
})
