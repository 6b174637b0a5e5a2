/** Commands at a path without a store: a mistyped path must not look like an empty store. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Command } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/index.ts'
import { Problem } from '../../src/lib/errors.ts'
import { runCommand } from '../rig.ts'
import { neededSettings } from '../settings.ts'

/** What these do needs no store, or makes one. */
const others = ['serve', 'demo', 'sim', 'send', 'events', 'snippet', 'keys new', 'installs add', 'move']
const leaves = (all: readonly Command[], prefix = ''): string[] =>
  all.flatMap(({ name, run, commands: children = [] }) => [
    ...(run ? [prefix + name] : []),
    ...leaves(children, `${prefix}${name} `),
  ])
const folder = mkdtempSync(join(tmpdir(), 'not-there-'))
after(() => rmSync(folder, { recursive: true }))

const given = { org: '1', contact: '1', message: 'drift-1', offline: true, state: 'dead' }
const env = (path: string) => ({
  DATABASE_URL: `sqlite:${path}`,
  ...neededSettings,
})

/** The exit code, and the code of the Problem or what was printed. */
async function outcome(name: string, path: string): Promise<{ exitCode: number; says: string }> {
  return runCommand(env(path), name, { given, args: [join(folder, 'copy.db')] }).then(
    ({ exitCode, output }) => ({ exitCode, says: output }),
    (error: unknown) => {
      if (error instanceof Problem) return { exitCode: error.exitCode, says: error.code }
      throw error
    },
  )
}

describe('at a path without a store', () => {
  for (const name of leaves(commands).filter((one) => !others.includes(one)))
    test(`${name} says so by its name, exits 78, and makes nothing`, async () => {
      const path = join(folder, 'mistyped', 'store.db')
      const { exitCode, says } = await outcome(name, path)
      assert.equal(exitCode, 78, says)
      assert.match(says, /store_not_there/)
      assert.ok(!existsSync(join(folder, 'mistyped')))
      assert.deepEqual(readdirSync(folder), [])
    })

  test('an empty file is not a store, and stays as it is', async () => {
    const path = join(folder, 'empty.db')
    writeFileSync(path, '')
    assert.deepEqual(await outcome('check', path), { exitCode: 78, says: 'store_not_there' })
    assert.deepEqual(readdirSync(folder), ['empty.db'])
    rmSync(path)
  })

  test('installs add makes one', async () => {
    const path = join(folder, 'made', 'store.db')
    const stdin = JSON.stringify({ accessToken: 'aT6kJ8vNd2' })
    const { exitCode, output } = await runCommand(env(path), 'installs add', { given: { org: '7' }, stdin })
    assert.deepEqual([exitCode, output], [0, '7: waiting_for_key'])
    assert.equal((await runCommand(env(path), 'check')).exitCode, 0)
  })
})
