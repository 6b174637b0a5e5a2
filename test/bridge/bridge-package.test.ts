/**
 * The bridge as others get it from npm: packed, installed into an empty folder, and used by the module systems and the
 * compiler there are. With bundlers and frameworks: npm run test:packages.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { npm } from '../../build/release/npm.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bridge-package-test-'))
const name = 'drift-segment-source-bridge'

describe('the package of the bridge', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))
  let files: string[] = []

  before(() => {
    const [packed] = JSON.parse(npm(`${root}packages/bridge`, 'pack', '--json', '--pack-destination', folder)) as {
      filename: string
      files: { path: string }[]
    }[]
    files = packed!.files.map(({ path }) => path)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    npm(folder, 'install', '--offline', '--no-audit', '--no-fund', join(folder, packed!.filename))
  })

  test('holds modules of both kinds, the script, their maps and types, and nothing else', () => {
    const modules = ['index.js', 'index.js.map', 'index.cjs', 'index.cjs.map', 'index.d.ts', 'index.d.cts']
    const managers = ['onetrust', 'cookiebot', 'tcf', 'google'].flatMap((manager) =>
      modules.map((file) => `consent/${file.replace('index', manager)}`),
    )
    const dist = ['bridge.min.js', ...modules, ...managers].map((file) => `dist/${file}`)
    assert.deepEqual(files.toSorted(), ['LICENSE', 'README.md', 'package.json', ...dist].toSorted())
  })

  test('needs no other package, no version of Node, and says that its modules do nothing by themselves', () => {
    const { dependencies, peerDependencies, engines, sideEffects } = JSON.parse(
      readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'),
    )
    assert.deepEqual([dependencies, peerDependencies, engines], [undefined, undefined, undefined])
    assert.deepEqual(sideEffects, ['./dist/*.min.js'])
  })

  for (const [kind, file, line] of [
    ['an ES module', 'uses.mjs', `import { driftSegmentSource, startBridge, widgetEvents } from '${name}'`],
    ['CommonJS', 'uses.cjs', `const { driftSegmentSource, startBridge, widgetEvents } = require('${name}')`],
  ] as const)
    test(`works as ${kind}, also where there is no browser`, () => {
      writeFileSync(
        join(folder, file),
        `${line}
        console.log(JSON.stringify([widgetEvents.length, driftSegmentSource().type, typeof startBridge]))`,
      )
      const { stdout, stderr } = node(join(folder, file))
      assert.deepEqual(JSON.parse(stdout || stderr), [12, 'utility', 'function'])
    })

  test('brings the script itself, to be served from elsewhere', () => {
    writeFileSync(join(folder, 'finds.js'), `console.log(import.meta.resolve('${name}/bridge.js'))`)
    const path = fileURLToPath(node(join(folder, 'finds.js')).stdout.trim())
    assert.equal(readFileSync(path, 'utf8'), readFileSync(join(root, 'packages/bridge/built/bridge.min.js'), 'utf8'))
  })

  test("has types that fit analytics.js's own, for both kinds of modules and for bundlers", () => {
    symlinkSync(join(root, 'node_modules/@segment'), join(folder, 'node_modules/@segment'))
    const program = `
      import { AnalyticsBrowser, type Plugin } from '@segment/analytics-next'
      import { type Bridge, driftSegmentSource, startBridge } from '${name}'
      import { followTcf } from '${name}/consent/tcf'
      const analytics = AnalyticsBrowser.load({ writeKey: 'writekey1' })
      const plugin: Plugin = driftSegmentSource({ identify: 'link' })
      void analytics.register(plugin)
      followTcf({ purposes: [1] })
      export const bridge: Bridge = startBridge({ analytics, omit: ['email'], consent: 'pending' })
      window.driftSegmentBridge = { also: ['emailCapture'], beforeSend: (event) => event }
      // @ts-expect-error: there is no such mode
      startBridge({ identify: 'name' })`
    for (const file of ['typed.mts', 'typed.cts']) writeFileSync(join(folder, file), program)
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    for (const [resolution, module] of [
      ['nodenext', 'nodenext'],
      ['bundler', 'esnext'],
    ] as const) {
      const settings = ['--noEmit', '--strict', '--target', 'es2022', '--module', module, '--lib', 'es2022,dom']
      const programs = ['typed.mts', ...(resolution === 'bundler' ? [] : ['typed.cts'])]
      const paths = programs.map((file) => join(folder, file))
      const more = ['--moduleResolution', resolution, '--types', '']
      const { status, stdout } = node(compiler, ...settings, ...more, ...paths)
      assert.equal(status, 0, `${resolution}: ${stdout}`)
    }
  })
})

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 })
}
