/**
 * Power loss. The system calls of the store are recorded under load; from that log are made the files as they might lie on
 * the disk after the power went: what was synced is there, of the rest each write is there, missing, or torn.
 * That a file was made or removed counts as synced at once; losing that is not modelled.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStorage } from '../src/storage/open.ts'

/** The options of strace that record what is needed; `paths` are the store's files and the service's log. */
export function recording(paths: readonly string[], into: string): string[] {
  const calls = 'pwrite64,write,fsync,fdatasync,ftruncate'
  const only = paths.flatMap((path) => ['-P', path])
  return ['strace', '-D', '-f', '-y', '-qq', '-xx', '-s', '1000000', '-e', `trace=${calls}`, ...only, '-o', into]
}

export type Step =
  | { is: 'write'; path: string; at: number; bytes: Buffer }
  | { is: 'truncate'; path: string; size: number }
  | { is: 'sync'; path: string }
  /** The service's log says so: this webhook has been answered 200. */
  | { is: 'answered'; messageId: string }

/** Reads what strace wrote. A call that was interrupted by another thread's stands in two lines. */
export function stepsOf(trace: string, log: string): Step[] {
  const begun = new Map<string, string>()
  const steps: Step[] = []
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)
    if (unfinished) {
      begun.set(pid, unfinished[1]!)
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const call = resumed ? `${begun.get(pid) ?? ''}${resumed[1]}` : rest
    const step = stepOf(call, log)
    if (step) steps.push(...step)
  }
  return steps
}

function stepOf(call: string, log: string): Step[] | undefined {
  const [, name, hexPath = '', rest = ''] = /^(\w+)\(\d+<([^>]*)>(.*)$/.exec(call) ?? []
  if (name === undefined || / = -1 /.test(rest)) return undefined
  const path = hexPath.startsWith('\\x') ? bytesOf(hexPath).toString() : hexPath
  if (name === 'fsync' || name === 'fdatasync') return [{ is: 'sync', path }]
  if (name === 'ftruncate') return [{ is: 'truncate', path, size: Number(/^, (\d+)/.exec(rest)![1]) }]
  const [, hex = ''] = /^, "([^"]*)"/.exec(rest) ?? []
  const bytes = bytesOf(hex)
  if (path === log) {
    const lines = bytes.toString().matchAll(/"event":"webhook".*?"status":200.*|"status":200.*"event":"webhook".*/g)
    return [...lines].flatMap(([line]) => {
      const messageId = /"messageId":"([^"]+)"/.exec(line)?.[1]
      return messageId === undefined ? [] : [{ is: 'answered' as const, messageId }]
    })
  }
  if (name !== 'pwrite64') return undefined
  return [{ is: 'write', path, at: Number(/, (\d+)\) += /.exec(rest)![1]), bytes }]
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex')
}

export interface Images {
  images: number
  /** How many had lost something that was never answered, so that the loss was a real one. */
  lossy: number
  answered: number
  /** Images that miss what was answered before, or that the engine finds damaged, in words. */
  broken: string[]
}

/** Makes so many images at random points of the log, opens each with the real engine, and compares. */
export async function judgeImages(
  steps: readonly Step[],
  { base, folder, count, fraction }: { base: string; folder: string; count: number; fraction: () => number },
): Promise<Images> {
  const result: Images = { images: 0, lossy: 0, answered: 0, broken: [] }
  const timeBuckets = steps.flatMap((step, at) => (step.is === 'write' || step.is === 'sync' ? [at] : []))
  const cuts = Array.from({ length: count }, () => timeBuckets[Math.floor(fraction() * timeBuckets.length)] ?? 0)
  const disk = new Map([
    [base, fileOf(readFileSync(`${base}.before`))],
    [`${base}-wal`, fileOf(Buffer.alloc(0))],
  ])
  const answered: string[] = []
  let at = 0
  for (const cut of cuts.sort((one, other) => one - other)) {
    for (; at <= cut; at++) take(disk, steps[at]!, answered)
    const image = join(folder, `image-${++result.images}`)
    mkdirSync(image, { recursive: true })
    const path = join(image, 'store.db')
    // A third of them loses all that was not synced, which is the worst that a machine may do by the rules.
    const luck = result.images % 3 === 0 ? () => 0 : fraction
    let lost = false
    for (const [name, file] of disk) {
      const after = afterLoss(file, luck)
      lost ||= after.lost
      writeFileSync(path + name.slice(base.length), after.bytes)
    }
    if (lost) result.lossy++
    const wrong = await judge(path, answered)
    if (wrong) result.broken.push(`image ${result.images}, after step ${cut}: ${wrong}`)
    rmSync(image, { recursive: true })
  }
  for (; at < steps.length; at++) take(disk, steps[at]!, answered)
  result.answered = answered.length
  return result
}

/** A file as it is on the disk for certain, with room to grow, and what may or may not be there. */
interface DiskFile {
  synced: Buffer
  length: number
  pending: Step[]
}

function fileOf(synced: Buffer): DiskFile {
  return { synced, length: synced.length, pending: [] }
}

function take(disk: ReadonlyMap<string, DiskFile>, step: Step, answered: string[]): void {
  if (step.is === 'answered') return void answered.push(step.messageId)
  const file = disk.get(step.path)
  if (step.is !== 'sync') file?.pending.push(step)
  else if (file) for (const one of file.pending.splice(0)) apply(file, one)
}

/** Of what was not synced each write is missing (45 of 100), torn at a sector (10), or there. */
function afterLoss({ synced, length, pending }: DiskFile, fraction: () => number): { bytes: Buffer; lost: boolean } {
  const file = fileOf(Buffer.from(synced.subarray(0, length)))
  let lost = false
  for (const step of pending) {
    const luck = fraction()
    if (luck < 0.55) lost = true
    if (luck >= 0.55) apply(file, step)
    else if (luck >= 0.45 && step.is === 'write')
      apply(file, { ...step, bytes: step.bytes.subarray(0, Math.floor((fraction() * step.bytes.length) / 512) * 512) })
  }
  return { bytes: file.synced.subarray(0, file.length), lost }
}

function apply(file: DiskFile, step: Step): void {
  const end = step.is === 'write' ? step.at + step.bytes.length : step.is === 'truncate' ? step.size : 0
  if (end > file.synced.length) file.synced = Buffer.concat([file.synced], end * 2)
  if (step.is === 'truncate') {
    file.synced.fill(0, Math.min(step.size, file.length), Math.max(step.size, file.length))
    file.length = step.size
  } else if (step.is === 'write') {
    step.bytes.copy(file.synced, step.at)
    file.length = Math.max(file.length, end)
  }
}

async function judge(path: string, answered: readonly string[]): Promise<string | undefined> {
  try {
    const storage = await openStorage(`sqlite:${path}`, 'create')
    try {
      const damaged = await storage.examine()
      if (damaged.length > 0) return `damaged: ${damaged[0]}`
      const there = new Set<string>()
      for (let page = await storage.lookup.find({}, { limit: 1_000 }); ; ) {
        for (const { messageId } of page.entries) there.add(messageId)
        if (!page.next) break
        page = await storage.lookup.find({}, { before: page.next, limit: 1_000 })
      }
      const missing = answered.filter((messageId) => !there.has(messageId))
      return missing.length > 0 ? `${missing.length} of ${answered.length} answered events are not there` : undefined
    } finally {
      await storage.close()
    }
  } catch (error) {
    return `not to be opened: ${(error as Error).message}`
  }
}
