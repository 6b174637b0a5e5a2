/** npm as the project's own commands start it, for tests that pack and install. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

const { npmCommand } = (await import(new URL('../runtime/packages.mjs', import.meta.url).href)) as {
  npmCommand(node: string): { command: string; args: string[] }
}

/** Runs it to its end in `cwd`, and returns what it printed. Throws with what it complained about. */
export function npm(cwd: string, ...args: string[]): string {
  const { command, args: first } = npmCommand(process.execPath)
  const options = { cwd, encoding: 'utf8', timeout: 240_000 } as const
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], options)
  assert.equal(status, 0, stderr)
  return stdout
}
