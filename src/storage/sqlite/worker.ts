/**
 * The thread that owns the connection: a commit waits for the disk here, while the main thread goes on reading
 * webhooks. Everything that has arrived when a transaction begins is part of it, so groups grow by themselves under
 * load and a lone request waits for one commit only; no timer is involved.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../lib/clock.ts'
import type { Mode } from '../ports/storage.ts'
import { realOf } from './at-path.ts'
import { calls } from './calls.ts'
import { type Database, openDatabase } from './database.ts'
import { openingProblemOf, problemOf, severityOf, storeFull, storeMoved } from './errors.ts'
import { type Reserve, reserveBeside, spendReserve } from './reserve.ts'
import { isBehind } from './search-index.ts'

export interface Ask {
  id: number
  port: string
  method: string
  args: unknown[]
}

export interface Refusal {
  code: string
  message: string
  hint: string | undefined
  exitCode: number
}

export type Reply = { id: number; value: unknown } | { id: number; error: Refusal }

/** `look`: reads only, beside the thread that serves. */
export type Purpose = Mode | 'look'

/** How often the file is looked at for another process's writes: a change by a command is to be noticed within a second. */
const lookMs = 250

const main = parentPort!
const { path, purpose } = workerData as { path: string; purpose: Purpose }
let closed = false
let reserve: Reserve | undefined

function performed(db: Database, { id, port, method, args }: Ask): Reply {
  const work = calls[port]![method]!
  return { id, value: (work as (db: Database, ...args: unknown[]) => unknown)(db, ...args) }
}

function perform(db: Database, ask: Ask): Reply {
  db.run('SAVEPOINT ask')
  try {
    const reply = performed(db, ask)
    db.run('RELEASE ask')
    return reply
  } catch (error) {
    // The whole transaction may be lost, not this call alone.
    if (severityOf(error)) throw error
    db.run('ROLLBACK TO ask')
    db.run('RELEASE ask')
    return refusal(ask, error)
  }
}

function refusal({ id }: Ask, error: unknown): Reply {
  return { id, error: described(error) }
}

function described(error: unknown): Refusal {
  const { code, message, hint, exitCode } = problemOf(error)
  return { code, message, hint, exitCode }
}

/** One transaction around everything that waits. When it cannot be committed, all of it failed. */
function together(db: Database, asks: Ask[]): Reply[] {
  try {
    db.run(purpose === 'look' ? 'BEGIN' : 'BEGIN IMMEDIATE')
    // One that is alone needs no savepoint: failing, it takes nothing else with it.
    const replies = asks.length === 1 ? [performed(db, asks[0]!)] : asks.map((ask) => perform(db, ask))
    db.run('COMMIT')
    // mutant: answers though its file was moved away
    assertInPlace(db, 'glance')
    return replies
  } catch (error) {
    try {
      db.run('ROLLBACK')
    } catch {
      // SQLite has already rolled back by itself, as it does for a full disk.
    }
    if (severityOf(error) === 'full' && reserve && !reserve.isSpent()) {
      reserve.spend()
      return withoutRoom(db, asks)
    }
    // mutant: ignores that a commit failed
    if (severityOf(error) === 'fatal') stop(causeOf(db, error))
    return asks.map((ask) => refusal(ask, error))
  }
}

/** The disk is full: what settles goes on in the room that was kept for it, and nothing new is taken in. */
function withoutRoom(db: Database, asks: Ask[]): Reply[] {
  const isNew = ({ port, method }: Ask) => method === 'append' || (port === 'storage' && method === 'check')
  const others = asks.filter((ask) => !isNew(ask))
  const refused = asks.filter(isNew).map((ask) => refusal(ask, storeFull()))
  return others.length > 0 ? [...refused, ...together(db, others)] : refused
}

/** After a commit and before its answers: what is not at its path any more is committed into, and lost all the same. */
function assertInPlace(db: Database, how: 'glance' | 'look'): void {
  const lost = purpose === 'look' ? undefined : db.files[how]()
  if (!lost) return
  // No other process has this log: what was answered from it goes into the file while that can still be done.
  if (lost.is === 'log' && purpose === 'serve') db.exec('PRAGMA wal_checkpoint(PASSIVE)')
  throw storeMoved(lost)
}

/** What is read of a file that another one was copied into looks damaged: then the copy is what there is to say. */
function causeOf(db: Database, error: unknown): unknown {
  try {
    const lost = purpose === 'look' ? undefined : db.files.look()
    return lost ? storeMoved(lost) : error
  } catch {
    return error
  }
}

/** Ends the thread, and with it the service: see severityOf. Nothing is closed in order: nothing more may be written. */
function stop(error: unknown): void {
  closed = true
  main.postMessage({ stopped: described(error) })
  // After the answers that are still to be given.
  setImmediate(() => main.close())
}

function answer(db: Database, asks: Ask[]): Reply[] {
  const grouped = asks.filter((ask) => !isAlone(ask))
  const replies = grouped.length === 0 ? [] : reserve?.isSpent() ? withoutRoom(db, grouped) : together(db, grouped)
  return [...replies, ...asks.filter(isAlone).map((ask) => alone(db, ask))]
}

/** What SQLite does in no transaction. */
function isAlone({ port, method }: Ask): boolean {
  return port === 'storage' && method === 'purge'
}

function alone(db: Database, ask: Ask): Reply {
  try {
    return performed(db, ask)
  } catch (error) {
    if (severityOf(error) === 'fatal') stop(error)
    return refusal(ask, error)
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
  let cancel = () => {}
  const look = () => {
    if (closed) return
    try {
      assertInPlace(db, 'look')
    } catch (error) {
      return stop(error)
    }
    const current = version()
    if (current !== seen) main.postMessage('changed')
    seen = current
    if (purpose === 'serve' && reserve?.restore() && isBehind(db)) index(db)
    cancel = systemClock.after(lookMs, look)
  }
  look()
  return () => cancel()
}

function open(): Database {
  if (purpose !== 'serve') return openDatabase(path, purpose)
  try {
    return openToServe(false)
  } catch (error) {
    // No service runs here: that would have been said instead.
    if (severityOf(error) !== 'full' || !spendReserve(realOf(path))) throw error
    return openToServe(true)
  }
}

function openToServe(isReserveSpent: boolean): Database {
  const db = openDatabase(path, 'serve')
  try {
    // A process that had a lease on this file had the lock that is ours now, so it has ended.
    for (const table of ['lanes', 'jobs', 'alert_messages'])
      db.run(`UPDATE ${table} SET lease_until = 0 WHERE lease_until IS NOT NULL`)
    reserve = reserveBeside(db.path, isReserveSpent)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

try {
  const db = open()
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
    if (asks.length > 0 && !closed) main.postMessage(answer(db, asks))
    if (closing >= 0) end()
  })
  main.postMessage('open')
} catch (error) {
  main.postMessage({ refused: described(openingProblemOf(error)) })
  main.close()
}
