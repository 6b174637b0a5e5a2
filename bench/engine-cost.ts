/** What a piece of work costs a store's engine: processor time, and what it writes to its log. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import type { Stored } from './engine.ts'
import { usageOf } from './process.ts'

export interface Meter {
  /** To be called after each commit or so: SQLite's log begins again from its start now and then. */
  glance(): void
  /** Since the meter was made. */
  read(): Promise<{ cpuMs: number; logPages: number; logBytes: number }>
}

/** Of the thread that writes, which works in this process. */
export function sqliteMeter(path: string): Meter {
  const cpuMs = () => usageOf(process.pid).threads['store writer'].allMs
  const begun = cpuMs()
  let last = headOf(`${path}-shm`)
  let logPages = 0
  const glance = () => {
    const now = headOf(`${path}-shm`)
    // The log begins again from its start, under another salt, once all of it is in the file.
    logPages += now.salt === last.salt ? now.frames - last.frames : now.frames
    last = now
  }
  return {
    glance,
    async read() {
      glance()
      return { cpuMs: cpuMs() - begun, logPages, logBytes: Number.NaN }
    },
  }
}

/** The first 48 bytes of the index of the log are said in SQLite's walformat.html. */
function headOf(path: string): { frames: number; salt: number } {
  if (!existsSync(path)) return { frames: 0, salt: 0 }
  const index = openSync(path, 'r')
  const header = Buffer.alloc(48)
  readSync(index, header, 0, 48, 0)
  closeSync(index)
  return { frames: header.readUInt32LE(16), salt: header.readUInt32LE(32) }
}

/** Of the server's processes that serve a client, which must be there already and stay; Linux alone says so. */
export async function postgresMeter({ postgres, logBytes }: Stored): Promise<Meter> {
  const pids = async () => {
    const rows = await postgres!.query(`SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`)
    return rows.map(({ pid }) => Number(pid))
  }
  const cpuMs = async () => (await pids()).reduce((sum, pid) => sum + cpuOf(pid), 0)
  const begun = { cpu: await cpuMs(), bytes: await logBytes() }
  return {
    glance() {},
    read: async () => ({
      cpuMs: (await cpuMs()) - begun.cpu,
      logPages: Number.NaN,
      logBytes: (await logBytes()) - begun.bytes,
    }),
  }
}

/** Its own look is one of them: it is gone before it is looked at. */
function cpuOf(pid: number): number {
  try {
    return cpuMsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return 0
  }
}

/** A hundred ticks a second: a constant of Linux's interface. */
function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
