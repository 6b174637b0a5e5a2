/**
 * Room kept for draining. When the disk is full, nothing new can be promised, but what is there can still be sent and
 * settled: this file is deleted for the room that takes, and made again once there is plenty.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { roomMinBytes } from '../ports/storage.ts'

/** Enough for SQLite's log between two checkpoints (4 MiB) and its checkpoint, several times over. */
const reserveBytes = roomMinBytes / 2

export interface Reserve {
  /** True from the moment the disk was full until there was room again. */
  isSpent(): boolean
  spend(): void
  /** Makes the file if there is room for it and as much again; returns whether the disk counts as usable. */
  restore(): boolean
}

const fileOf = (path: string) => `${path}.reserve`

/** Deletes the file, where one is left of an earlier service, for the room that opening takes; returns whether it was there. */
export function spendReserve(path: string): boolean {
  const isThere = existsSync(fileOf(path))
  rmSync(fileOf(path), { force: true })
  return isThere
}

/** `spent`: it was deleted to open the store, and is made again once there is room. */
export function reserveBeside(path: string, spent: boolean): Reserve {
  const file = fileOf(path)
  const reserve: Reserve = {
    isSpent: () => spent,
    spend() {
      spent = true
      spendReserve(path)
    },
    restore() {
      if (!spent) return true
      const { bavail, bsize } = statfsSync(dirname(path))
      if (bavail * bsize < roomMinBytes) return false
      try {
        fill(file)
      } catch {
        rmSync(file, { force: true })
        return false
      }
      spent = false
      return true
    },
  }
  try {
    if (!spent) fill(file)
  } catch {
    // Full from the start: the store can still be opened, and drained.
    reserve.spend()
  }
  return reserve
}

/** Written, not only sized: a file with holes takes no room. */
function fill(file: string): void {
  const handle = openSync(file, 'w', 0o600)
  try {
    const chunk = Buffer.alloc(1024 * 1024)
    for (let written = 0; written < reserveBytes; ) written += writeSync(handle, chunk)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
