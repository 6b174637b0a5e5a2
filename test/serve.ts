/** `drift-segment-source serve` in a process of its own: that of this tree, or of another one. */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Env } from '../src/config.ts'
import { bareEnv, endChild, ended, startChild } from './children.ts'

export const root = fileURLToPath(new URL('../', import.meta.url))

export interface Served {
  url: string
  /** How it ends: its exit code or a signal. */
  ended: Promise<number | NodeJS.Signals>
  /** What it has said so far on standard error. */
  said(): string
  /** SIGTERM; resolves to how it ended. */
  stop(): Promise<number | NodeJS.Signals>
}

/** `at`: the folder of the project. Resolves once it listens, or once it has ended without that: then `url` is empty. */
export async function serve(env: Env, at = root): Promise<Served> {
  const args = ['--disable-warning=ExperimentalWarning', join(at, 'src/main.ts'), 'serve']
  const child = startChild(process.execPath, args, {
    env: { ...bareEnv, ...env, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines: string[] = []
  const listening = Promise.withResolvers<string>()
  const reading = createInterface({ input: child.stderr! })
  reading.on('line', (line) => {
    lines.push(line)
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url) listening.resolve(url)
  })
  reading.once('close', () => listening.resolve(''))
  return {
    url: await listening.promise,
    ended: ended(child),
    said: () => lines.join('\n'),
    stop: () => endChild(child, 'SIGTERM'),
  }
}
