/**
 * Who a command of root's runs as. What it writes into an SQLite store, and beside it, the service must be able to open, so
 * it becomes the user whom the store belongs to, so that operators need no `sudo -u`, which npx does not work with.
 */
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { codeOf } from '../lib/errors.ts'

/**
 * Root becomes the owner of the store's file, or of the folder it would be made in. Changes nothing for other users, for
 * PostgreSQL, where the store is root's, and where root may not become another user (a container without capabilities).
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
    if (codeOf(error) !== 'EPERM') throw error
  }
}
