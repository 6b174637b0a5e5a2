/**
 * node build/package.ts: makes dist from src, for the package that npm packs. Node runs TypeScript, but none that lies under
 * node_modules; so there it is JavaScript.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
process.chdir(root)
rmSync('dist', { recursive: true, force: true })
compile('build/tsconfig.package.json')
// Data, pages and styles lie beside the programs that read them.
cpSync('src', 'dist', { recursive: true, filter: (path) => !path.endsWith('.ts') })
for (const path of globSync('dist/**/*.js')) pointToJavaScript(path)

function compile(project: string): void {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
    // npm reads the name of the tarball from standard output.
    stdio: ['ignore', process.stderr, process.stderr],
  })
  if (status !== 0) throw new Error(`${project} does not compile`)
}

/** The compiler rewrites what is imported, not the files that a program names otherwise, such as its workers. */
function pointToJavaScript(path: string): void {
  const text = readFileSync(path, 'utf8')
  const pointed = text.replace(/(new URL\((['"])\.[^'"]*)\.ts\2/g, '$1.js$2')
  if (pointed !== text) writeFileSync(path, pointed)
}
