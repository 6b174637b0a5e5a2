/**
 * npm run test:packages [-- cell …] [-- --turn]: the bridge's package, packed by npm and used by the tools that sites are
 * built with: all of them, those that are named, or with --turn one, another at each commit. Not part of npm test: the tools
 * have 200 MB, and a lockfile of their own.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { commits } from '../commits.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const tools = join(root, 'test/packages')
const { ensurePackages, npmCommand } = (await import(`${root}runtime/packages.mjs`)) as {
  ensurePackages(folder: string, options: { node: string; what: string }): Promise<void>
  npmCommand(node: string): { command: string; args: string[] }
}
const name = 'drift-segment-source-bridge'

/** Fires an event on a page of its own making, and prints what Segment got. */
const uses = (load: string) => `${load}
const told = []
const handlers = {}
const page = { document: {}, setTimeout() {}, drift: { on: (event, handler) => { handlers[event] = handler } } }
startBridge({ analytics: { track: (event, properties) => told.push([event, properties]) } }, page)
handlers['campaign:open']({ campaignId: 1 })
console.log(JSON.stringify([told, typeof followTcf, typeof driftSegmentSource]))`
const asModule = uses(`import { driftSegmentSource, startBridge } from '${name}'
import { followTcf } from '${name}/consent/tcf'`)
const asCommonJs = uses(`const { driftSegmentSource, startBridge } = require('${name}')
const { followTcf } = require('${name}/consent/tcf')`)
const wanted = '[[["Drift Source Event: campaign:open",{"campaignId":1}]],"function","function"]'

interface Cell {
  /** The folder has the package; returns what a program printed, or what says that all is well. */
  try(folder: string): string | Promise<string>
}

const typed = `import { type Bridge, driftSegmentSource, startBridge } from '${name}'
import { followTcf } from '${name}/consent/tcf'
export const bridge: Bridge = startBridge({ identify: 'link', beforeSend: (event) => event })
followTcf({ purposes: [1] })
window.driftSegmentBridge = { also: ['emailCapture'] }
driftSegmentSource().bridge.stop()
// @ts-expect-error: there is no such mode
startBridge({ identify: 'name' })`

const types = (resolution: string, module: string): Cell => ({
  try(folder) {
    writeFileSync(join(folder, 'typed.ts'), typed)
    const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--lib', 'es2022,dom']
    run(folder, bin('typescript', 'tsc'), ...options, '--module', module, '--moduleResolution', resolution, 'typed.ts')
    return wanted
  },
})

const cells: Readonly<Record<string, Cell>> = {
  'Node with ES modules': { try: (folder) => write(folder, 'uses.mjs', asModule, (path) => onOwnNode(folder, path)) },
  'Node with CommonJS': { try: (folder) => write(folder, 'uses.cjs', asCommonJs, (path) => onOwnNode(folder, path)) },
  'yarn 1': {
    try(folder) {
      const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
      rmSync(join(folder, 'node_modules'), { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{ "name": "cell", "version": "1.0.0" }')
      run(folder, bin('yarn', 'yarn.js'), 'add', `file:./${tarball}`, '--offline', '--no-lockfile')
      return write(folder, 'uses.cjs', asCommonJs, (path) => run(folder, path))
    },
  },
  esbuild: {
    async try(folder) {
      writeFileSync(join(folder, 'uses.js'), asModule)
      await build({
        entryPoints: [join(folder, 'uses.js')],
        outfile: join(folder, 'out.cjs'),
        bundle: true,
        logLevel: 'error',
      })
      return run(folder, 'out.cjs')
    },
  },
  Vite: {
    try(folder) {
      writeFileSync(join(folder, 'uses.js'), asModule)
      writeFileSync(join(folder, 'index.html'), '<script type="module" src="./uses.js"></script>')
      run(folder, bin('vite', 'bin/vite.js'), 'build', '--logLevel', 'error')
      const [file] = readdirSync(join(folder, 'dist/assets')).filter((one) => one.endsWith('.js'))
      // What Vite puts before a page's program asks for a document.
      const text = readFileSync(join(folder, 'dist/assets', file!), 'utf8')
      const page = 'globalThis.document = { createElement: () => ({ relList: { supports: () => true } }) };'
      return write(folder, 'out.mjs', page + text, (path) => run(folder, path))
    },
  },
  webpack: {
    try(folder) {
      writeFileSync(join(folder, 'uses.js'), asModule)
      const program = `const webpack = require('webpack')
        webpack({ mode: 'production', context: __dirname, entry: './uses.js', output: { path: __dirname, filename: 'out.cjs' } }, (error, stats) => {
          if (error || stats.hasErrors()) throw error || new Error(stats.toString())
        })`
      write(folder, 'build.cjs', program, (path) => run(folder, path))
      return run(folder, 'out.cjs')
    },
  },
  'Jest with CommonJS': {
    try(folder) {
      writeFileSync(join(folder, 'package.json'), '{ "name": "cell", "version": "1.0.0" }')
      const text = asCommonJs.replace('console.log', 'globalThis.said = ')
      writeFileSync(
        join(folder, 'uses.test.js'),
        `test('it works', () => { ${text}\nexpect(globalThis.said).toBe(${JSON.stringify(wanted)}) })`,
      )
      run(folder, bin('jest', 'bin/jest.js'), '--rootDir', folder, '--watchman=false')
      return wanted
    },
  },
  'Next, server and client': {
    try(folder) {
      writeFileSync(join(folder, 'package.json'), '{ "name": "cell", "version": "1.0.0", "private": true }')
      mkdirSync(join(folder, 'pages'))
      writeFileSync(
        join(folder, 'pages/index.js'),
        `import { useEffect } from 'react'
        import { startBridge } from '${name}'
        const onServer = typeof window === 'undefined' && startBridge({}).state().drift
        export default function Page() {
          useEffect(() => { startBridge({ consent: 'pending' }) }, [])
          return String('the server says ' + onServer)
        }`,
      )
      run(folder, bin('next', 'dist/bin/next'), 'build', '--webpack')
      const html = readFileSync(join(folder, '.next/server/pages/index.html'), 'utf8')
      if (!html.includes('the server says false')) throw new Error(html)
      return wanted
    },
  },
  'TypeScript with node': types('node10', 'commonjs'),
  'TypeScript with node16': types('node16', 'node16'),
  'TypeScript with bundler': types('bundler', 'esnext'),
}

await ensurePackages(tools, { node: process.execPath, what: 'the tools that sites are built with' })
const args = process.argv.slice(2)
const all = Object.keys(cells)
const chosen = args.includes('--turn') ? [all[commits() % all.length]!] : args.length > 0 ? args : all
const packed = mkdtempSync(join(tools, 'cells-'))
let failed = 0
try {
  npm(join(root, 'packages/bridge'), 'pack', '--pack-destination', packed)
  const [tarball] = readdirSync(packed)
  for (const cell of chosen) {
    const folder = mkdtempSync(join(packed, 'cell-'))
    const started = performance.now()
    try {
      writeFileSync(join(folder, 'package.json'), '{ "name": "cell", "version": "1.0.0", "type": "module" }')
      cpSync(join(packed, tarball!), join(folder, tarball!))
      npm(folder, 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`)
      const printed = (await cells[cell]!.try(folder)).trim()
      if (printed !== wanted) throw new Error(`it printed ${printed}`)
      process.stdout.write(
        `good    ${cell}${cell.startsWith('Node') ? `, ${spawned(folder, ownNode(), ['--version']).trim()}` : ''} (${Math.round((performance.now() - started) / 1_000)} s)\n`,
      )
    } catch (error) {
      failed++
      process.stdout.write(`FAILED  ${cell}: ${(error as Error).message}\n`)
    }
  }
} finally {
  rmSync(packed, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1

function write(folder: string, file: string, text: string, use: (path: string) => string): string {
  writeFileSync(join(folder, file), text)
  return use(join(folder, file))
}

/** A program of one of the tools. */
function bin(tool: string, path: string): string {
  return join(
    tools,
    'node_modules',
    tool,
    tool === 'typescript' ? `bin/${path}` : tool === 'yarn' ? `bin/${path}` : path,
  )
}

function run(cwd: string, ...program: string[]): string {
  return spawned(cwd, process.execPath, program)
}

/** By the Node that the person who runs this has, which may be older than the one that runs this. */
function onOwnNode(cwd: string, path: string): string {
  return spawned(cwd, ownNode(), [path])
}

function ownNode(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== dirname(process.execPath))
  return folders.map((folder) => join(folder, 'node')).find((path) => existsSync(path)) ?? process.execPath
}

function npm(cwd: string, ...more: string[]): string {
  const { command, args: first } = npmCommand(process.execPath)
  return spawned(cwd, command, [...first, ...more])
}

function spawned(cwd: string, command: string, program: readonly string[]): string {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', CI: '1' }
  const { status, stdout, stderr } = spawnSync(command, program, { cwd, env, encoding: 'utf8', timeout: 300_000 })
  if (status !== 0) throw new Error(`${stdout}\n${stderr}`)
  return stdout
}
