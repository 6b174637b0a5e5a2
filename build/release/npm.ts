/** npm, run by the Node that runs this. */
import { spawnSync } from 'node:child_process'

const { npmCommand } = (await import(new URL('../../runtime/packages.mjs', import.meta.url).href)) as {
  npmCommand(node: string): { command: string; args: string[] }
}

/** What npm prints. Throws, with what it says, where it fails or has no end in ten minutes. Tests call it too. */
export function npm(cwd: string, ...args: string[]): string {
  const { command, args: first } = npmCommand(process.execPath)
  return outputOf(command, [...first, ...args], { cwd, timeout: 600_000 })
}

/** What a program prints. Throws, with what it says, where it fails. */
export function run(cwd: string, command: string, ...args: string[]): string {
  return outputOf(command, args, { cwd })
}

function outputOf(command: string, args: string[], options: { cwd: string; timeout?: number }): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`)
}
