/**
 * The package as others get it: packed by npm, installed into an empty folder, and used. The bridge's own: test/bridge/bridge-package.test.ts. Node runs no
 * TypeScript under node_modules, so this is where a file that was not compiled, or not packed, is noticed.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { npmCommand } = (await import(`${root}runtime/packages.mjs`)) as {
  npmCommand(node: string): { command: string; args: string[] }
}

interface Packed {
  filename: string
  files: { path: string }[]
}

const folder = mkdtempSync(join(tmpdir(), 'package-test-'))

describe('the package', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))
  let files: string[] = []

  before(() => {
    const [packed] = JSON.parse(npm(root, 'pack', '--json', '--pack-destination', folder)) as Packed[]
    files = packed!.files.map(({ path }) => path)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    npm(
      folder,
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, packed!.filename),
    )
  })

  test('holds the programs as JavaScript, their data, and nothing of the tests', () => {
    const data = ['dist/events/new_meeting.json', 'packages/bridge/built/bridge.min.js']
    for (const path of ['bin/drift-segment-source.mjs', 'dist/main.js', ...data, 'README.md'])
      assert.ok(files.includes(path), path)
    assert.ok(files.includes('runtime/package-lock.json'), 'the pins of Node 24')
    assert.deepEqual(
      files.filter((path) => /\.test\.|conformance|(?<!\.d)\.ts$|^(src|test|build)\//.test(path)),
      [],
    )
  })

  test('has a command line that works from there: the whole demo', () => {
    const { status, stdout, stderr } = node(join(folder, 'node_modules/.bin/drift-segment-source'), 'demo', '--once')
    assert.equal(status, 0, stderr)
    assert.equal(stdout.match(/\byes$/gm)?.length, 10)
  })
})

function npm(cwd: string, ...args: string[]): string {
  const { command, args: first } = npmCommand(process.execPath)
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
  })
  assert.equal(status, 0, stderr)
  return stdout
}

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 })
}
