/**
 * The thread that owns the connection: a commit waits for the disk here, while the main thread goes on reading
 * webhooks. Everything that has arrived when a transaction begins is part of it, so groups grow by themselves under
 * load and a lone request waits for one commit only; no timer is involved.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../lib/clock.ts'
import { codeOf, Problem } from '../../lib/errors.ts'
import type { Mode } from '../ports.ts'
import { type Database, openDatabase } from './database.ts'
import * as inbox from './inbox.ts'
import * as lookup from './lookup.ts'
import { audit, conversations, installs, ledger, vault } from './records.ts'
import * as retention from './retention.ts'

export interface Ask {
  id: number
  port: string
  method: string
  args: unknown[]
}

export type Reply = { id: number; value: unknown } | { id: number; error: { code: string; message: string } }

/** How often the file is looked at for another process's writes; the contract says they are noticed within a second. */
const lookMs = 250

type Work = (db: Database, ...args: never[]) => unknown
const ports: Record<string, Record<string, Work>> = {
  inbox: { ...inbox, ...retention } as unknown as Record<string, Work>,
  ledger,
  installs,
  vault,
  conversations,
  lookup: lookup as unknown as Record<string, Work>,
  audit,
  storage: {
    check: (db: Database) => db.run('UPDATE places SET last = last'),
    index: lookup.indexStep,
    examine: (db: Database) =>
      db
        .all('PRAGMA integrity_check')
        .map((row) => String(row.integrity_check))
        .filter((line) => line !== 'ok'),
  },
}

const main = parentPort!
let closed = false
/** `look`: reads only, beside the thread that serves. */
export type Purpose = Mode | 'look'

const { path, purpose } = workerData as { path: string; purpose: Purpose }

function perform(db: Database, ask: Ask): Reply {
  db.exec('SAVEPOINT ask')
  try {
    const work = ports[ask.port]![ask.method]!
    const value = (work as (db: Database, ...args: unknown[]) => unknown)(db, ...ask.args)
    db.exec('RELEASE ask')
    return { id: ask.id, value }
  } catch (error) {
    db.exec('ROLLBACK TO ask; RELEASE ask')
    return { id: ask.id, error: described(error) }
  }
}

function described(error: unknown): { code: string; message: string } {
  return { code: codeOf(error), message: error instanceof Error ? error.message : 'unknown' }
}

/** One transaction around everything that waits. When it cannot be committed, all of it failed. */
function together(db: Database, asks: Ask[]): Reply[] {
  try {
    db.exec(purpose === 'look' ? 'BEGIN' : 'BEGIN IMMEDIATE')
    const replies = asks.map((ask) => perform(db, ask))
    db.exec('COMMIT')
    return replies
  } catch (error) {
    try {
      db.exec('ROLLBACK')
    } catch {
      // SQLite has already rolled back by itself, as it does for a full disk.
    }
    return asks.map(({ id }) => ({ id, error: described(error) }))
  }
}

function waiting(): (Ask | 'close')[] {
  const asks: (Ask | 'close')[] = []
  for (let next = receiveMessageOnPort(main); next; next = receiveMessageOnPort(main)) asks.push(next.message)
  return asks
}

/** One step of indexing in a transaction of its own, and the next one after whatever else has come in meanwhile. */
function index(db: Database): void {
  if (closed) return
  const [reply] = together(db, [{ id: 0, port: 'storage', method: 'index', args: [] }])
  if (reply && 'value' in reply && reply.value) setImmediate(index, db)
}

function watch(db: Database): () => void {
  const version = () => db.get('PRAGMA data_version')?.data_version
  let seen = version()
  let stop = () => {}
  const look = () => {
    const current = version()
    if (current !== seen) main.postMessage('changed')
    seen = current
    if (purpose === 'serve' && lookup.isBehind(db)) index(db)
    stop = systemClock.after(lookMs, look)
  }
  look()
  return () => stop()
}

try {
  const db = openDatabase(path, purpose)
  // Whoever held a lease on this file held the lock that is ours now, so it is gone.
  if (purpose === 'serve') db.run('UPDATE lanes SET lease_until = 0 WHERE lease_until IS NOT NULL')
  const unwatch = purpose === 'look' ? () => {} : watch(db)
  const end = () => {
    closed = true
    unwatch()
    db.close()
    main.close()
  }
  main.on('message', (first: Ask | 'close') => {
    const told = [first, ...waiting()]
    const closing = told.indexOf('close')
    const asks = (closing < 0 ? told : told.slice(0, closing)) as Ask[]
    if (asks.length > 0) main.postMessage(together(db, asks))
    if (closing >= 0) end()
  })
  main.postMessage('open')
} catch (error) {
  const hint = error instanceof Problem ? error.hint : undefined
  const exitCode = error instanceof Problem ? error.exitCode : 1
  main.postMessage({ refused: { ...described(error), hint, exitCode } })
  main.close()
}
