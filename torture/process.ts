/** One service process: started (perhaps under something that spoils its system calls), spoken to, and ended. */
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Env } from '../src/config.ts'
import { ended as endOf, startChild } from '../test/children.ts'
import type { Order } from './child.ts'

const child = fileURLToPath(new URL('./child.ts', import.meta.url))

export interface ServiceProcess {
  url: string
  pid: number
  /** How it ended: an exit code, or a signal. */
  ended: Promise<number | string>
  isUp(): boolean
  tell(order: Order): void
  signal(name: NodeJS.Signals): void
  /** kill -9, and resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves to how it ended. */
  stop(): Promise<number | string>
}

export interface StartOptions {
  /** Its log, appended to. */
  log: string
  /** How far its clock is ahead of ours, and how fast it runs. */
  aheadMs: number
  speed: number
  /** A command that runs it, such as strace with its options. */
  under?: readonly string[]
}

/** Resolves once it listens; rejects when it ends before, with what it said. */
export async function startProcess(
  env: Env,
  { log, aheadMs, speed, under = [] }: StartOptions,
): Promise<ServiceProcess> {
  const [command, ...args] = [...under, process.execPath, '--disable-warning=ExperimentalWarning', child]
  args.push(String(aheadMs), String(speed))
  const out = openSync(log, 'a')
  const started = startChild(command!, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', out, 'pipe', 'ipc'],
  })
  closeSync(out)
  let said = ''
  started.stderr!.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const ended = endOf(started)
  const first = await Promise.race([once(started, 'message'), ended])
  if (!Array.isArray(first)) throw new Error(`the service ended with ${first} before it listened: ${said}`)
  const { url } = first[0] as { url: string }
  const isUp = () => started.exitCode === null && started.signalCode === null
  return {
    url,
    pid: started.pid!,
    ended,
    isUp,
    tell: (order) => {
      if (isUp() && started.connected) started.send(order, () => {})
    },
    signal: (name) => void started.kill(name),
    async kill() {
      started.kill('SIGKILL')
      await ended
    },
    async stop() {
      started.kill('SIGTERM')
      return ended
    },
  }
}
