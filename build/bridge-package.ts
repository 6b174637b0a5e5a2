/**
 * node build/bridge-package.ts: makes packages/bridge/dist, what npm packs of the bridge: an ES module, a CommonJS module,
 * the script for a tag, source maps, and the types in one file for each kind of module.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { consentManagers } from '../packages/bridge/src/consent/index.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
process.chdir(`${root}packages/bridge`)
rmSync('dist', { recursive: true, force: true })
mkdirSync('dist')
cpSync('built/bridge.min.js', 'dist/bridge.min.js')
const modules = ['index', ...Object.keys(consentManagers).map((name) => `consent/${name}`)]
for (const [format, end] of [
  ['esm', 'js'],
  ['cjs', 'cjs'],
] as const)
  await build({
    entryPoints: modules.map((name) => `src/${name}.ts`),
    outdir: 'dist',
    outbase: 'src',
    outExtension: { '.js': `.${end}` },
    bundle: true,
    format,
    target: 'es2018',
    sourcemap: true,
    sourcesContent: true,
  })
declareTypes()

/** One file for all modules: an older compiler does not follow the names that the sources import each other by. */
function declareTypes(): void {
  const tsc = [`${root}node_modules/typescript/bin/tsc`, '-p', '.', '--noEmit', 'false', '--emitDeclarationOnly']
  const { status } = spawnSync(process.execPath, tsc, { stdio: ['ignore', process.stderr, process.stderr] })
  if (status !== 0) throw new Error('the types cannot be made')
  for (const name of modules) {
    const text = declared(name)
    for (const end of ['d.ts', 'd.cts']) writeFileSync(`dist/${name}.${end}`, text)
  }
  rmSync('dist/types', { recursive: true })
}

/** The types of a module, and of all that it builds on before them. */
function declared(module: string): string {
  const taken = new Map<string, string>()
  take(module)
  return `${[...taken.values()].join('\n')}\n`

  function take(name: string): void {
    if (taken.has(name)) return
    taken.set(name, '')
    const text = readFileSync(`dist/types/${name}.d.ts`, 'utf8')
    for (const [, other = ''] of text.matchAll(/from '(\.\.?\/[\w-]+)\.(?:ts|js)'/g))
      take(posix.join(posix.dirname(name), other))
    // Set again, so that what it builds on comes before it.
    taken.delete(name)
    const bare = text.replace(/^import .*;\n/gm, '').trim()
    const isOwn = name === module
    taken.set(
      name,
      isOwn
        ? bare.replace(/^(export .*) from '.*';$/gm, '$1;')
        : bare.replace(/^export \{\};$/gm, '').replace(/^export (declare )?/gm, 'declare '),
    )
  }
}
