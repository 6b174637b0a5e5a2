/** Child processes of the bench: started, watched, and ended. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endChild, startChild } from '../test/children.ts'

export interface Running {
  url: string
  /** Milliseconds from the start of the process until it listened. */
  readyMs: number
  /** What it has used since its start. */
  usage(): Usage
  /** Ends it with SIGKILL, at once. */
  kill(): Promise<unknown>
  /** Asks it to end, and waits. */
  stop(): Promise<unknown>
}

export interface Usage {
  cpuMs: number
  rssMb: number
  peakMb: number
}

/** Starts a script of the project that says `listening on URL` on standard error. */
export async function start(script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const startedAt = performance.now()
  const child = spawnScript(script, args, env, ['ignore', 'ignore', 'pipe'])
  let said = ''
  for await (const line of createInterface({ input: child.stderr! })) {
    said += `${line}\n`
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url === undefined) continue
    child.stderr!.resume()
    return {
      url,
      readyMs: performance.now() - startedAt,
      usage: () => usageOf(child.pid!),
      kill: () => endChild(child),
      stop: () => endChild(child, 'SIGTERM'),
    }
  }
  throw new Error(`${script} ended before it listened:\n${said}`)
}

/** Runs a script of the project to its end; gives the JSON that it printed. */
export async function measure<Result>(script: string, options: object): Promise<Result> {
  return JSON.parse(await output(script, [JSON.stringify(options)])) as Result
}

/** Runs a script of the project to its end; gives what it printed. */
export async function output(script: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawnScript(script, args, env, ['ignore', 'pipe', 'inherit'])
  let printed = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${script} ended with ${code}`)
  return printed
}

function spawnScript(
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  stdio: ('ignore' | 'pipe' | 'inherit')[],
): ChildProcess {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url))
  // The launcher has set these, and the flags of Node, for this process as it does for the service.
  const { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, MALLOC_ARENA_MAX } = process.env
  return startChild(process.execPath, [...process.execArgv, path, ...args], {
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, MALLOC_ARENA_MAX, ...env },
    stdio,
  })
}

/** Ticks of the kernel's clock in a second: a constant of Linux's interface, whatever the kernel's own. */
const ticksPerSecond = 100

/** From /proc, so on Linux alone; elsewhere nothing is known, and said so as NaN. */
function usageOf(pid: number): Usage {
  if (process.platform !== 'linux') return { cpuMs: Number.NaN, rssMb: Number.NaN, peakMb: Number.NaN }
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1])
  return {
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond,
    rssMb: kb('VmRSS') / 1_024,
    peakMb: kb('VmHWM') / 1_024,
  }
}
