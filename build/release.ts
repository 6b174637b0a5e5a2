/**
 * npm run release -- v0.2.0 FOLDER [--without-image]: makes from that tag all that is published of it. docs/releasing.md says
 * what comes before and after.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeRelease } from './release/make.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'without-image': { type: 'boolean' } },
  })
  const [tag = '', folder = 'release'] = positionals
  const into = resolve(folder)
  const said = (line: string) => void process.stdout.write(`${line}\n`)
  makeRelease({ root: root.slice(0, -1), tag, into, image: !values['without-image'], said })
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
