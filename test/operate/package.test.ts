/**
 * The package as others get it: packed by npm, installed into an empty folder, and both of its doors used. Node runs no
 * TypeScript under node_modules, so this is where a file that was not compiled, or not packed, is noticed.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
    for (const path of ['bin/drift-segment-source.mjs', 'dist/main.js', 'dist/events/new_meeting.json', 'README.md']) {
      assert.ok(files.includes(path), path)
    }
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

  test('has a module that works from there, also where there is no browser', () => {
    const program = `
      import { driftSegmentSource, startBridge, widgetEvents } from 'drift-segment-source/bridge'
      console.log(JSON.stringify([widgetEvents.length, driftSegmentSource().type, typeof startBridge]))`
    writeFileSync(join(folder, 'uses.js'), program)
    const { stdout, stderr } = node(join(folder, 'uses.js'))
    assert.deepEqual(JSON.parse(stdout || stderr), [12, 'utility', 'function'])
  })

  test('brings the script itself, to be served from elsewhere', () => {
    const program = `console.log(import.meta.resolve('drift-segment-source/bridge.js'))`
    writeFileSync(join(folder, 'finds.js'), program)
    const path = fileURLToPath(node(join(folder, 'finds.js')).stdout.trim())
    assert.equal(readFileSync(path, 'utf8'), readFileSync(join(root, 'src/bridge/bridge.min.js'), 'utf8'))
  })

  test("has types that fit analytics.js's own", () => {
    symlinkSync(join(root, 'node_modules/@segment'), join(folder, 'node_modules/@segment'))
    const program = `
      import { AnalyticsBrowser, type Plugin } from '@segment/analytics-next'
      import { type Bridge, driftSegmentSource, startBridge } from 'drift-segment-source/bridge'
      const analytics = AnalyticsBrowser.load({ writeKey: 'writekey1' })
      const plugin: Plugin = driftSegmentSource({ identify: 'link' })
      void analytics.register(plugin)
      export const bridge: Bridge = startBridge({ analytics, omit: ['email'], consent: 'pending' })
      // @ts-expect-error: there is no such mode
      startBridge({ identify: 'name' })`
    writeFileSync(join(folder, 'typed.ts'), program)
    const settings = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom']
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = node(compiler, ...settings, '--skipLibCheck', '--types', '', join(folder, 'typed.ts'))
    assert.equal(status, 0, stdout)
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
