/**
 * node build/bridge-package.ts: makes packages/bridge/dist, what npm packs of the bridge: an ES module, a CommonJS module,
 * the script for a tag, source maps, and the types in one file for each kind of module.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
process.chdir(`${root}packages/bridge`)
rmSync('dist', { recursive: true, force: true })
mkdirSync('dist')
cpSync('built/bridge.min.js', 'dist/bridge.min.js')
for (const [format, end] of [
  ['esm', 'js'],
  ['cjs', 'cjs'],
] as const)
  await build({
    entryPoints: ['src/index.ts'],
    outfile: `dist/index.${end}`,
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
  const taken = new Map<string, string>()
  take('index')
  rmSync('dist/types', { recursive: true })
  const text = `${[...taken.values()].join('\n')}\n`
  for (const end of ['d.ts', 'd.cts']) writeFileSync(`dist/index.${end}`, text)

  function take(name: string): void {
    if (taken.has(name)) return
    taken.set(name, '')
    const declared = readFileSync(`dist/types/${name}.d.ts`, 'utf8')
    for (const [, other = ''] of declared.matchAll(/from '\.\/([\w-]+)\.(?:ts|js)'/g)) take(other)
    // Set again, so that what it builds on comes before it.
    taken.delete(name)
    taken.set(name, withoutImports(declared, name === 'index'))
  }

  function withoutImports(declared: string, isIndex: boolean): string {
    const bare = declared.replace(/^import .*;\n/gm, '').trim()
    if (isIndex) return bare.replace(/^(export .*) from '.*';$/gm, '$1;')
    return bare.replace(/^export \{\};$/gm, '').replace(/^export (declare )?/gm, 'declare ')
  }
}
