/** What a command of root's leaves behind beside a service that runs as a user of its own: nothing that user cannot open. */
import assert from 'node:assert/strict'
import { chownSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startChild } from '../children.ts'
import { end } from '../script.ts'
import { root } from '../serve.ts'
import { neededSettings } from '../settings.ts'

/** No user has this number: a store on a volume of a container may belong to one like that, too. */
const user = 41_234

/** A clone in a folder of `mktemp -d`, or below /root, is one. */
const isPrivate = (folder: string): boolean =>
  (statSync(folder).mode & 0o5) !== 0o5 || (folder !== dirname(folder) && isPrivate(dirname(folder)))
const unreadable = isPrivate(root) && 'only its owner can enter the folder of this clone'

describe('a command that root types', {
  skip: process.getuid?.() !== 0 && 'only root can become another user',
}, () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'owner-test-'))
    chownSync(folder, user, user)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const run = async (words: string, given?: string, program = root, more = {}) => {
    const env = { ...process.env, ...neededSettings, DATABASE_URL: `sqlite:${join(folder, 'source.db')}`, ...more }
    const args = ['--disable-warning=ExperimentalWarning', join(program, 'src/main.ts'), ...words.split(' ')]
    const child = startChild(process.execPath, args, { env, stdio: 'pipe' })
    child.stdin!.end(given ?? '')
    return end(child)
  }
  const owners = () => new Set(readdirSync(folder).map((name) => statSync(join(folder, name)).uid))

  test('makes, copies and rewrites the store as the user whom its folder and then its file belong to', {
    skip: unreadable,
  }, async () => {
    const secrets = JSON.stringify({ accessToken: 'aT6kJ8vNd2', writeKey: 'Pl4ntedQ7wXk0123456789abcdefghij' })
    assert.equal((await run('installs add --org 12345', secrets)).code, 0)
    assert.equal((await run(`backup ${join(folder, 'copy.db')}`)).code, 0)
    assert.equal((await run('compact')).code, 0)
    assert.ok(readdirSync(folder).includes('copy.db'))
    assert.deepEqual(owners(), new Set([user]))
  })

  test('examines whether that user can read each secret', { skip: unreadable }, async () => {
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'https://alerts.example/key', { mode: 0o600 })
    chownSync(secret, 0, 0)
    const { code, stdout } = await run('doctor --offline', undefined, root, { OPERATOR_ALERT_URL_FILE: secret })
    assert.match(stdout, /^bad {2}.*\n +OPERATOR_ALERT_URL_FILE: .*\(EACCES\): let the service's user read it/m)
    assert.doesNotMatch(stdout, /^ok +settings/m)
    assert.equal(code, 1)
    rmSync(secret)
  })

  test('cannot write where that user cannot, and says whose right is missing', { skip: unreadable }, async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'owner-test-'))
    try {
      const { code, stderr } = await run(`backup ${join(elsewhere, 'copy.db')}`)
      assert.equal(code, 1)
      assert.match(stderr, /backup_failed.*\n.*may the user whom the store belongs to write into it/)
      assert.deepEqual(readdirSync(elsewhere), [])
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })

  test('from a folder that this user cannot enter says so, and does nothing', async () => {
    const ofRoot = mkdtempSync(join(tmpdir(), 'owner-test-'))
    try {
      for (const part of ['src', 'packages', 'package.json'])
        cpSync(join(root, part), join(ofRoot, part), { recursive: true })
      symlinkSync(join(root, 'node_modules'), join(ofRoot, 'node_modules'))
      const before = readdirSync(folder)
      const { code, stderr } = await run('installs list', undefined, ofRoot)
      assert.match(
        stderr,
        /^program_unreadable: \S+ belongs to the user 41234, who cannot read \S+\n {2}what to do: let /,
      )
      assert.deepEqual([code, readdirSync(folder)], [1, before])
    } finally {
      rmSync(ofRoot, { recursive: true })
    }
  })
})
