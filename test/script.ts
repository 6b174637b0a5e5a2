/** Runs Node for tests, and says what it wrote and how it ended. */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { startChild } from './children.ts'

/** Runs Node with these arguments; what it writes is for end(). */
export function start(args: string[], options: SpawnOptions = {}): ChildProcess {
  return startChild(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Resolves when it has ended and all that it wrote is there. */
export async function end(child: ChildProcess) {
  let [stdout, stderr] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout, stderr }
}
