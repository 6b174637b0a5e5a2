/**
 * Who a command of root's runs as. What it writes into an SQLite store, and beside it, the service must be able to open, so
 * it becomes the user whom the store belongs to, so that operators need no `sudo -u`, which npx does not work with.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf, Problem } from '../lib/errors.ts'

/** Where the program lies: its folder with `src`, or `dist` in a package. */
const programFolder = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Root becomes the owner of the store's file, or of the folder it would be made in. Changes nothing for other users, for
 * PostgreSQL, where the store is root's, and where root may not become another user (a container without capabilities).
 * Throws `program_unreadable`, before anything is done, when that user cannot read the program: the rest of it is yet to load.
 */
export function becomeOwnerOf(databaseUrl: string): void {
  if (process.getuid?.() !== 0 || !databaseUrl.startsWith('sqlite:')) return
  const path = resolve(databaseUrl.slice('sqlite:'.length))
  const owned = [path, dirname(path)].find((one) => existsSync(one))
  if (owned === undefined) return
  const { uid, gid } = statSync(owned)
  if (uid === 0) return
  try {
    process.setgroups!([gid])
    process.setgid!(gid)
    process.setuid!(uid)
  } catch (error) {
    if (codeOf(error) === 'EPERM') return
    throw error
  }
  try {
    accessSync(fileURLToPath(import.meta.url), constants.R_OK)
  } catch {
    throw new Problem('program_unreadable', `${owned} belongs to the user ${uid}, who cannot read ${programFolder}`, {
      hint: 'let everybody read that folder, and enter those above it; or install in one where that is so, such as /opt',
    })
  }
}
