/** Which commit of many this is, for what takes its turn from one to the next. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How many commits lead here; 0 where that is not known. */
export function commits(): number {
  const cwd = fileURLToPath(new URL('../', import.meta.url))
  const { stdout } = spawnSync('git', ['rev-list', '--count', 'HEAD'], { cwd, encoding: 'utf8' })
  return Number(stdout) || 0
}
