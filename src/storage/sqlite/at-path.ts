/**
 * What lies at the path of a store, looked at before SQLite opens it: SQLite makes a file where there is none, and it
 * deletes a log that has no file.
 */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { codeOf } from '../../lib/errors.ts'
import { storeNotThere } from '../not-there.ts'
import { openingProblemOf, storeFileMissing, storeNoFile, storeOnNetwork } from './errors.ts'
import { logBytes } from './purge.ts'

/** The message does not name the path: it stands in the settings. */
export const notThere = () => storeNotThere('path')

/** Where the file of the store that is there really lies. Throws a Problem where there is none, and makes nothing. */
export function storeAt(path: string): string {
  return sayingWhy(() => {
    const { real, hasContent } = lookAt(path)
    if (!hasContent) throw notThere()
    return real
  })
}

/** The same, and where there is none, its folder and an empty file are made. Throws a Problem where that must not be. */
export function placeFor(path: string): string {
  return sayingWhy(() => {
    const { real } = lookAt(path)
    makeFolder(dirname(real))
    createForUs(real)
    if (isOnNetwork(statfsSync(dirname(real)).type)) throw storeOnNetwork()
    return real
  })
}

/**
 * A new file is created, for its owner alone to read, whatever the folder allows; what SQLite puts beside it gets the
 * same rights. One that is there is not opened: to close it would let go of the locks that SQLite has on it in this process.
 */
export function createForUs(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!existsSync(path)) throw error
  }
}

/** Linux' numbers of file systems that are another machine's (statfs(2)): NFS, SMB in three versions, AFS, Ceph, Lustre. */
const networkTypes = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x00c36400, 0x0bd00bd0])

/** SQLite's log is shared memory, which two machines do not share: over a network the file would be damaged. */
export function isOnNetwork(type: number): boolean {
  return networkTypes.has(type)
}

function lookAt(path: string): { real: string; hasContent: boolean } {
  const real = realOf(path)
  const file = statSync(real, { throwIfNoEntry: false })
  if (file && !file.isFile()) throw storeNoFile()
  const hasContent = file !== undefined && file.size > 0
  if (!hasContent && logBytes(real) > 0) throw storeFileMissing()
  return { real, hasContent }
}

/** Where the file lies, or would be made, once links are followed: SQLite puts the log there, not beside a link. */
export function realOf(given: string): string {
  const path = resolve(given)
  try {
    return realpathSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  const folder = realOf(dirname(path))
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
  return isLink ? realOf(resolve(folder, readlinkSync(path))) : join(folder, basename(path))
}

/**
 * With every folder above it. Node's own `recursive` never returns, and takes no signal, where a folder that is there
 * cannot get another: `mkdir` in `/proc` fails with ENOENT (Node 24).
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(path)) throw error
  }
}

function sayingWhy<Result>(look: () => Result): Result {
  try {
    return look()
  } catch (error) {
    throw openingProblemOf(error)
  }
}
