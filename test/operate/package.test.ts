/**
 * The package as others get it: packed by npm, installed into an empty folder, and used. The bridge's own:
 * test/bridge/bridge-package.test.ts. Node runs no TypeScript under node_modules, so this is where a file that was not
 * compiled, or not packed, is noticed. `.ci/installed 20 22 24` tries it with three versions of Node and their npm.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { npm } from '../../build/release/npm.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

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

  const older = olderNode()
  const nodes: readonly (readonly [which: string, path: string | undefined])[] = [
    ['the Node that runs this', process.execPath],
    ['the older Node of this machine', older],
  ]
  for (const [which, path = ''] of nodes)
    test(`has a command line that works from there, under ${which}: the whole demo`, {
      skip: path === '' && 'every Node of this machine is new enough',
      timeout: 240_000,
    }, () => {
      const program = join(folder, 'node_modules/.bin/drift-segment-source')
      const { status, stdout, stderr } = spawnSync(path, [program, 'demo', '--once'], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 200_000,
      })
      assert.equal(status, 0, stderr)
      assert.equal(stdout.match(/\byes$/gm)?.length, 10)
    })
})

/** The first on the PATH that cannot run the service itself, if there is one. */
function olderNode(): string | undefined {
  const all = (process.env.PATH ?? '').split(delimiter).map((one) => join(one, 'node'))
  return all.find((path) => {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    return status === 0 && Number.parseInt(stdout.slice(1), 10) < 24
  })
}
