/**
 * npm run release:version -- 0.2.0: names this version everywhere, gives it what CHANGELOG.md says under "Unreleased", keeps
 * its bridge, and makes the sample of its stores where their schema has none yet. Then look at `git diff`, and commit.
 */
import { fileURLToPath } from 'node:url'
import { freeze, isFrozen } from '../test/storage/frozen.ts'
import { setVersion } from './release/version.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const [version = ''] = process.argv.slice(2)
try {
  setVersion(root, version, new Date().toISOString().slice(0, 10))
  if (!isFrozen()) await freeze(version)
  process.stdout.write(`this tree is ${version} now; docs/releasing.md says what comes next\n`)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
