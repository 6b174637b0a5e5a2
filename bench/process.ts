/** Child processes of the bench: started, watched, and ended. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { endChild, startChild } from '../test/children.ts'

/** This checkout. */
export const here = fileURLToPath(new URL('..', import.meta.url))

export interface Running {
  url: string
  /** Milliseconds from the start of the process until it listened. */
  readyMs: number
  /** What it has used since its start. */
  usage(): Usage
  /** What it has counted since its start: nothing is known of a process that was started without `counts`. */
  counts(): Promise<Counts>
  /** Milliseconds of the slowest statement that it gave its store since this was last called: 0 the first time. */
  slowestMs(): Promise<number>
  /** Ends it with SIGKILL, at once. */
  kill(): Promise<unknown>
  /** Asks it to end, and waits. */
  stop(): Promise<unknown>
}

/** See counts.mjs. */
export interface Counts {
  statements: number
  pages: number
  commits: number
}

/** SQLite's threads by the names that the service gives them; `others` are V8's and libuv's. */
export const threads = ['main', 'store writer', 'store reader', 'others'] as const
export type Thread = (typeof threads)[number]

export interface Usage {
  cpuMs: number
  /** Of those that there are; `kernelMs` is a part of `allMs`. */
  threads: Record<Thread, { allMs: number; kernelMs: number }>
  rssMb: number
  peakMb: number
}

export interface StartOptions {
  /** The checkout that has the script: this one, unless said. */
  root?: string
  /** To have it count what it does with its store. */
  counts?: boolean
}

/** Starts a script of the project that says `listening on URL` on standard error. */
export async function start(
  script: string,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
  { root, counts = false }: StartOptions = {},
): Promise<Running> {
  const startedAt = performance.now()
  const flags = counts ? ['--import', new URL('counts.mjs', import.meta.url).href] : []
  const stdio: Stdio = ['ignore', 'ignore', 'pipe', ...(counts ? (['ipc'] as const) : [])]
  const child = spawnScript(script, args, env, stdio, root, flags)
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
      async counts() {
        if (!counts) return { statements: Number.NaN, pages: Number.NaN, commits: Number.NaN }
        child.send('counts')
        return ((await once(child, 'message')) as [Counts])[0]
      },
      async slowestMs() {
        if (!counts) return Number.NaN
        child.send('slowest')
        return ((await once(child, 'message')) as [{ slowestMs: number }])[0].slowestMs
      },
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

type Stdio = ('ignore' | 'pipe' | 'inherit' | 'ipc')[]

function spawnScript(
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  stdio: Stdio,
  root: string = here,
  flags: string[] = [],
): ChildProcess {
  // The launcher has set these, and the flags of Node, for this process as it does for the service.
  const { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, MALLOC_ARENA_MAX } = process.env
  return startChild(process.execPath, [...process.execArgv, ...flags, join(root, script), ...args], {
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, MALLOC_ARENA_MAX, ...env },
    stdio,
  })
}

/** Ticks of the kernel's clock in a second: a constant of Linux's interface, whatever the kernel's own. */
const ticksPerSecond = 100

/** From /proc, so on Linux alone; elsewhere nothing is known, and said so as NaN. */
export function usageOf(pid: number): Usage {
  const used: Usage['threads'] = {
    main: { allMs: 0, kernelMs: 0 },
    'store writer': { allMs: 0, kernelMs: 0 },
    'store reader': { allMs: 0, kernelMs: 0 },
    others: { allMs: 0, kernelMs: 0 },
  }
  if (process.platform !== 'linux') return { cpuMs: Number.NaN, threads: used, rssMb: Number.NaN, peakMb: Number.NaN }
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const { name, userMs, kernelMs } = timesOf(`/proc/${pid}/task/${id}/stat`)
    const thread = used[id === String(pid) ? 'main' : (threads.find((each) => each === name) ?? 'others')]
    thread.allMs += userMs + kernelMs
    thread.kernelMs += kernelMs
  }
  const { userMs, kernelMs } = timesOf(`/proc/${pid}/stat`)
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1])
  return {
    cpuMs: userMs + kernelMs,
    threads: used,
    rssMb: kb('VmRSS') / 1_024,
    peakMb: kb('VmHWM') / 1_024,
  }
}

/** Of a process, those of its threads that have ended included, or of one thread. */
function timesOf(statPath: string): { name: string; userMs: number; kernelMs: number } {
  const stat = readFileSync(statPath, 'utf8')
  const end = stat.lastIndexOf(')')
  const fields = stat.slice(end + 2).split(' ')
  const ms = (field: number) => (Number(fields[field]) * 1_000) / ticksPerSecond
  return { name: stat.slice(stat.indexOf('(') + 1, end), userMs: ms(11), kernelMs: ms(12) }
}
