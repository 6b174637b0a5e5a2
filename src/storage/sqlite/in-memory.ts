/**
 * The same engine in this process's memory and thread, for tests: it forgets everything with the process, and no
 * DATABASE_URL names it, since it keeps none of the promises of a 200.
 */
import { Problem } from '../../lib/errors.ts'
import type { Storage } from '../ports/storage.ts'
import { calls } from './calls.ts'
import { type Database, databaseInMemory } from './database.ts'
import { storageOf } from './open.ts'
import { portsBy, type Thread } from './thread.ts'

/** `image`: of a store that was open before. Its ports are plain objects, whose methods a test may replace. */
export function openInMemory(image?: Uint8Array): Storage & { image(): Uint8Array } {
  const db = databaseInMemory(image)
  const here = callingHere(db)
  const storage = storageOf(here, here, {
    listeners: [],
    async backup() {
      throw new Problem('backup_elsewhere', 'this store keeps nothing, so there is nothing to copy')
    },
  })
  const plain = Object.entries(calls).flatMap(([name, methods]) => {
    const port = Reflect.get(storage, name) as Record<string, unknown> | undefined
    return port ? [[name, Object.fromEntries(Object.keys(methods).map((method) => [method, port[method]]))]] : []
  })
  return { ...storage, ...Object.fromEntries(plain), image: db.image }
}

function callingHere(db: Database): Thread {
  async function call(port: string, method: string, args: unknown[]): Promise<unknown> {
    // What is outside of the database: its file, its log.
    if (port === 'storage' && method !== 'index' && method !== 'examine') return outside[method]
    const work = calls[port]![method]! as (db: Database, ...args: unknown[]) => unknown
    db.run('BEGIN IMMEDIATE')
    try {
      // As between threads: neither side sees what the other changes afterwards.
      const result = structuredClone(work(db, ...structuredClone(args)))
      db.run('COMMIT')
      return result
    } catch (error) {
      db.run('ROLLBACK')
      throw error
    }
  }
  return {
    call,
    port: portsBy(call),
    broken: new Promise(() => {}),
    async close() {},
  }
}

const outside: Readonly<Record<string, unknown>> = {
  check: undefined,
  purge: 'done',
  isServed: true,
  logBytes: 0,
  risks: [],
}
