/**
 * Every process that a test, the torture or the bench starts is started here, and ends at the latest with us, however we
 * end: done, a test that throws or runs out of its time, a signal, kill -9. What it has started itself ends with it.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { after } from 'node:test'
import { isTestFile } from './over.ts'

interface Started {
  child: ChildProcess
  signal: NodeJS.Signals
  watcher: ChildProcess
}

/**
 * What a process of the project needs besides its settings: where programs are, and what other processes have compiled,
 * without which a start takes twice the time.
 */
export const bareEnv: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
}

const started = new Set<Started>()
let isOver = false

/** It reads the id of the group; then our end closes its input, whatever we end of, and it ends the group. */
const watching = 'read -r group && { read -r _; kill -s "$1" -- "-$group"; }'

/**
 * Like `spawn`. `signal` is what ends it together with us. Throws when the tests are over: one that ran out of its time
 * goes on behind the runner's back, and may want to start something still.
 */
export function startChild(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  signal: NodeJS.Signals = 'SIGKILL',
): ChildProcess {
  if (isOver) throw new Error(`the tests are over, so ${command} is not started any more`)
  // Before the child: it takes milliseconds to start, and a kill -9 of ours meanwhile would leave a child without it.
  const watcher = spawn('sh', ['-c', watching, 'sh', signal.slice('SIG'.length)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C in a terminal goes to us alone.
    detached: true,
  })
  watcher.on('error', () => {}).unref()
  const input = watcher.stdin as Socket
  input.on('error', () => {}).unref()
  // In a process group of its own: what traces or wraps a program is ended together with it.
  const child = spawn(command, args, { ...options, detached: true })
  if (child.pid === undefined) {
    watcher.kill('SIGKILL')
    return child
  }
  input.write(`${child.pid}\n`)
  const one = { child, signal, watcher }
  started.add(one)
  child.once('exit', () => isGone(one) && forget(one))
  return child
}

/** Resolves to how it ended: its exit code or its signal. */
export async function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return (child.signalCode ?? child.exitCode)!
}

/** Sends the signal, unless it has ended already, and resolves to how it ended. SIGKILL ends what it has started, too. */
export function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> {
  const one = signal === 'SIGKILL' && [...started].find((each) => each.child === child)
  if (one) endGroup(one, signal)
  else child.kill(signal)
  return ended(child)
}

/** Whether the process is running. One that has ended and that its parent has not asked about yet, a zombie, is not. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Ends all that is still there, with what it has started; nothing more is started from then on. */
export async function endChildren(): Promise<void> {
  isOver = true
  const ending = [...started]
  endGroups()
  await Promise.all(ending.map(({ child }) => ended(child)))
}

function endGroups(): void {
  for (const one of started) endGroup(one, one.signal)
}

function endGroup(one: Started, signal: NodeJS.Signals): void {
  if (!signalGroup(one, signal)) one.child.kill(signal)
  forget(one)
}

/** What it has started itself may live on. */
function isGone(one: Started): boolean {
  return !signalGroup(one, 0)
}

function signalGroup({ child }: Started, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-child.pid!, signal)
  } catch {
    return false
  }
}

function forget(one: Started): void {
  started.delete(one)
  one.watcher.kill('SIGKILL')
}

process.once('exit', endGroups)
if (isTestFile) after(endChildren)
