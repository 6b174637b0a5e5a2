/**
 * Whether a store's files still lie at their paths. A file that was deleted or renamed stays open and takes commits that
 * no later process will see; a second log beside the first would damage the file.
 */
import { type BigIntStats, existsSync, statSync } from 'node:fs'

/** `log`: it was deleted, and the file lies where and as it did: what the open log holds can still be put into it. */
export interface Lost {
  is: 'file' | 'log'
  path: string
}

/** To be called while the file is open and its log in use. Each names what was lost; undefined while nothing is. */
export interface Files {
  /** Sees all but a log that was replaced by another. For every commit: 5 µs. */
  glance(): Lost | undefined
  /**
   * Sees all of it. Not for every commit: the kernel gives a file whose times were read a finer time at its next write,
   * which the next fsync must then keep as well; on the log that made a commit 50 µs slower (ext4, Linux 6.18).
   */
  look(): Lost | undefined
}

/**
 * The path may lead over symbolic links: pointed elsewhere, it names another file. `isOurs` looks at the file's content,
 * and is asked after each change of the file's times: a checkpoint's, every thousand pages of commits.
 */
export function watchFiles(path: string, real: string, isOurs: () => boolean): Files {
  const opened = statsOf(path)
  const [log, index] = [besideOf(`${real}-wal`), besideOf(`${real}-shm`)]
  let judged = opened
  const compare = (logIsThere: () => boolean): Lost | undefined => {
    const file = statsOf(path)
    if (!isSame(opened, file)) return { is: 'file', path }
    const isUntouched = judged?.mtimeNs === file?.mtimeNs && judged?.size === file?.size
    if (!logIsThere()) return { is: isUntouched && !existsSync(log.path) ? 'log' : 'file', path: log.path }
    if (!index.isThere()) return { is: 'file', path: index.path }
    // SQLite deletes the log of an empty file that it opens, so an empty one is not opened to look.
    if (!isUntouched && (file?.size === 0n || !isOurs())) return { is: 'file', path }
    judged = file
    return undefined
  }
  return { glance: () => compare(() => existsSync(log.path)), look: () => compare(log.isThere) }
}

/** A file that SQLite keeps beside the store: its log or that log's index, which also carries the locks. */
function besideOf(path: string): { path: string; isThere(): boolean } {
  const opened = statsOf(path)
  return { path, isThere: () => isSame(opened, statsOf(path)) }
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
