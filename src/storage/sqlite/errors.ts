/** What an error of SQLite's means for us: the store refuses one thing, is full, or cannot be trusted any more. */
import { basename } from 'node:path'
import { codeOf, Problem } from '../../lib/errors.ts'
import type { Lost } from './files.ts'

/** Result codes of sqlite.org/rescode.html; the low byte of an extended one. */
const [perm, busy, readonly, ioerr, corrupt, full, cantopen, notadb] = [3, 5, 8, 10, 11, 13, 14, 26]

/** The disk has no room for the memory that SQLite's processes share: it is full, though the code is one of a failed disk. */
const ioerrShmSize = ioerr | (19 << 8)

/** The system's codes for the same. */
const roomLess: readonly string[] = ['ENOSPC', 'EDQUOT']

export type Severity = 'full' | 'fatal' | undefined

const severities: Readonly<Record<string, Severity>> = { store_moved: 'fatal', store_full: 'full' }

/**
 * After a failed write or fsync it is unknown what is on disk: the kernel may have dropped the pages and said so once
 * only. So the process stops, and the next one reads what is there. The same for a damaged file.
 */
export function severityOf(error: unknown): Severity {
  if (error instanceof Problem) return severities[error.code]
  if (roomLess.includes(codeOf(error)) || resultCode(error) === ioerrShmSize) return 'full'
  const code = primaryCode(error)
  if (code === full) return 'full'
  return code === ioerr || code === corrupt || code === notadb ? 'fatal' : undefined
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (severityOf(error) === 'full') return storeFull()
  switch (primaryCode(error)) {
    case notadb:
      return new Problem(
        'store_not_ours',
        'DATABASE_URL names a file that is not a SQLite database; it was left untouched',
        {
          hint: 'name another path or, if it was the store, restore the last backup: see docs/backup.md',
          exitCode: 78,
          cause: error,
        },
      )
    case corrupt:
      return new Problem('store_damaged', 'the SQLite file is damaged', {
        hint: 'restore the last backup: see docs/backup.md; `npx drift-segment-source doctor` looks at the whole file',
        cause: error,
      })
    case ioerr:
      return new Problem('store_failed', 'the disk failed while the store was written or read', {
        hint: 'look at the machine’s disk and its log; what was answered 200 before is kept',
        cause: error,
      })
    case busy:
      return new Problem('store_busy', 'another process has had the SQLite file locked for ten seconds', {
        hint: 'end what writes into the file, such as an sqlite3 shell; it is tried again by itself',
        cause: error,
      })
    case perm:
    case readonly:
    case cantopen:
      return storeUnreachable(error)
    default:
      return isOfSystem(error)
        ? storeUnreachable(error)
        : new Problem(codeOf(error), error instanceof Error ? error.message : 'unknown')
  }
}

/** The same of a failure to open the store, with which the process ends: nothing goes on by itself. */
export function openingProblemOf(error: unknown): Problem {
  if (severityOf(error) !== 'full') return problemOf(error)
  return new Problem('store_full', 'the disk is full: there is not even room to open the store', {
    hint: 'make room beside the store, then start again',
    cause: error,
  })
}

/** Not SQLite's: of a look at a file, or at the folder that it is to be made in. */
function isOfSystem(error: unknown): boolean {
  return /^E[A-Z]+$/.test(codeOf(error))
}

function storeUnreachable(cause: unknown): Problem {
  const why = isOfSystem(cause) ? codeOf(cause) : (cause as Error).message
  return new Problem('store_unreachable', `the file of DATABASE_URL cannot be opened or written: ${why}`, {
    hint: 'is the path right, is its folder there, and may the user that runs this enter that and write into it?',
    exitCode: 78,
    cause,
  })
}

export function storeNoFile(): Problem {
  return new Problem('store_unreachable', 'DATABASE_URL names a folder, a device or a pipe; it was left untouched', {
    hint: 'name a regular file, or a path that is free',
    exitCode: 78,
  })
}

export function storeFileMissing(): Problem {
  return new Problem(
    'store_file_missing',
    'the file of DATABASE_URL is missing or empty, but its log is there (the file beside it that ends in -wal), with what was answered 200 last; nothing was made',
    {
      hint: 'put the file back beside its -wal, then start; if it is lost, move the -wal and -shm away and restore the last backup: see docs/backup.md',
      exitCode: 78,
    },
  )
}

/** EX_IOERR of sysexits.h: neither a setting is wrong, nor would a new start help before a person has looked. */
const movedExitCode = 74

export function storeMoved({ is, path }: Lost): Problem {
  const what = `${basename(path)} was deleted, moved or replaced while the store was open`
  return new Problem('store_moved', `${what}: nothing more is accepted into it`, {
    hint:
      is === 'log'
        ? 'what was answered 200 is in the store’s file: start the service again, and leave the files beside it alone'
        : 'put the file that was there back beside its -wal; if it is lost, move the -wal and -shm away and restore the last backup; then start: see docs/backup.md',
    exitCode: movedExitCode,
  })
}

export function storeOnNetwork(): Problem {
  return new Problem(
    'store_on_network',
    'the file of DATABASE_URL lies on a network file system, where SQLite loses data',
    {
      hint: 'name a path on a disk of this machine, or use PostgreSQL',
      exitCode: 78,
    },
  )
}

export function storeFull(): Problem {
  return new Problem('store_full', 'the disk is full: nothing new is accepted, what is there is still sent', {
    hint: 'make room beside the store; it goes on by itself',
  })
}

export function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error)
  return code === undefined ? undefined : code & 0xff
}

function resultCode(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode : undefined
}
