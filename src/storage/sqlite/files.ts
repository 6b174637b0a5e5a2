/**
 * Whether a store's files still lie at their paths. A file that was deleted or renamed stays open and takes commits that
 * no later process will see; a second log beside the first would damage the file.
 */
import { type BigIntStats, closeSync, openSync, realpathSync, statSync } from 'node:fs'

/** What SQLite puts beside the file: its log, and that log's index, which also carries the locks. */
const besides = ['-wal', '-shm']

/** `log`: the file itself lies where it did and is as it was, so what the open log holds can still be put into it. */
export interface Lost {
  is: 'file' | 'log'
  path: string
}

/**
 * Where the file really lies: SQLite puts the log there, not beside a symbolic link to it. A new file is created, for
 * its owner alone to read, whatever the folder allows; what SQLite puts beside it gets the same rights.
 */
export function createForUs(path: string): string {
  try {
    // Only a new one: to close a file that is open elsewhere in this process would let go of SQLite's locks on it.
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It is there; or what follows fails in the same place, and says so in its own words.
  }
  try {
    return realpathSync(path)
  } catch {
    // A link to a file that is not there yet.
    closeSync(openSync(path, 'a', 0o600))
    return realpathSync(path)
  }
}

/** To be called while the file is open and its log in use. The path may lead over links: pointed elsewhere, it is lost. */
export function watchFiles(path: string, real: string): () => Lost | undefined {
  const opened = statsOf(path)
  const logs = besides.map((end) => ({ path: `${real}${end}`, opened: statsOf(`${real}${end}`) }))
  let last = opened
  return () => {
    const file = statsOf(path)
    const isUntouched = isSame(last, file) && last?.mtimeNs === file?.mtimeNs && last?.size === file?.size
    last = file
    if (!isSame(opened, file)) return { is: 'file', path }
    const log = logs.find((each) => !isSame(each.opened, statsOf(each.path)))
    return log && { is: isUntouched ? 'log' : 'file', path: log.path }
  }
}

/** Undefined when nothing is there, or nothing that we may look at. */
function statsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Whole numbers of 64 bits: where file systems are layered, two inodes may differ in the last bits alone. */
function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino
}
