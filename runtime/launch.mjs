import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endLike, runChild } from './child.mjs'
import { ensureNode } from './node.mjs'
import { ensurePackages, SetupFailure } from './packages.mjs'

/** The folder of the project. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const flags = [
  // Early releases of Node 24 still call node:sqlite and running TypeScript experimental, at every start.
  '--disable-warning=ExperimentalWarning',
  // No signal opens the inspector, through which the keys could be read.
  '--disable-sigusr1',
  // A quarter of the default for what is young in memory: docs/performance.md says what it saves, and costs.
  '--max-semi-space-size=4',
]

/**
 * Sets the project up (with `dev`, its development packages too), runs `node ...args` under Node 24 or newer, and ends
 * this process as that one ended.
 *
 * Always as a child, also where this Node would do: one way to start for all machines, so the one that is tested, and the
 * script is the main module of its process. Where Node 24 is given, `node src/main.ts` spares the second process.
 */
export async function launch(args, { dev = false } = {}) {
  try {
    const node = await ensureNode()
    // For what the script starts by name; a `node` found there must be the same one.
    if (node !== process.execPath) process.env.PATH = dirname(node) + delimiter + process.env.PATH
    // Installed from npm, the project has no lockfile: npm has put its packages beside it.
    if (existsSync(join(root, 'package-lock.json')))
      await ensurePackages(root, { dev, node, what: dev ? 'the packages, those for development too' : 'the packages' })
    // Compiled once and kept: a start takes half the time and 40 MB less than stripping the types in every thread again.
    // Where the folder cannot be written, nothing is kept, and nothing else changes.
    process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/compiled')
    // glibc gives each thread a heap of its own, up to eight a core, and returns little of any of them.
    process.env.MALLOC_ARENA_MAX ??= '2'
    endLike(await runChild(node, [...flags, ...args]))
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    if (error.signal === null) process.stderr.write(`${error.message}\n${error.hint}\n`)
    endLike({ code: 1, signal: error.signal })
  }
}
