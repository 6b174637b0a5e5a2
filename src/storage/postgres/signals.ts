/**
 * What replicas tell each other: that something is due, that an account has changed. LISTEN and NOTIFY carry it within
 * milliseconds; a message may get lost, so a listener looks again every second, and whenever it has been cut off.
 */
import pg from 'pg'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { systemRandom, timeOrderedId } from '../../lib/random.ts'
import type { Org } from '../ports/entry.ts'
import { connectionTo, type Database, type Session } from './database.ts'

/** The promise is a second; a listener that was cut off is back within this. */
const beatMs = 900
export const channel = 'drift_segment_source'

/** A lock of this database that every service shares for as long as it listens: `DSS1` in ASCII. */
const serving = 0x44535331

/** Whether a service listens, in whichever process. */
export async function isServed(session: Session): Promise<boolean> {
  // A statement by itself: where none has it, it is given back at once.
  return (await session.get(`SELECT pg_try_advisory_xact_lock(${serving}) AS free`))!.free !== true
}

export interface Signals {
  /** What to send so that other replicas, and not this one, learn that an account has changed; '' for any. */
  changed(org: Org): string
  /** Something is due: says so to the others soon, once for many calls. Never rejects. */
  due(): void
  /** Begins to hear the others, and says first that anything may have changed. */
  listen(): void
  close(): Promise<void>
}

interface Heard {
  due(): void
  changed(org: Org | undefined): void
  /** Called over a connection that answers, once a beat. */
  look(): Promise<void>
}

export function openSignals(url: string, database: Database, heard: Heard, clock: Clock = systemClock): Signals {
  const self = timeOrderedId(systemRandom, clock.now())
  let closed = false
  let listening = false
  let telling: Promise<void> | undefined
  let again = false
  let listener: pg.Client | undefined
  let cancel = () => {}
  let beating = Promise.resolve()

  /** One word at a time; whatever comes meanwhile is one more. Not part of a commit: NOTIFY lets one commit at a time. */
  async function tell(): Promise<void> {
    do {
      again = false
      await database.run('SELECT pg_notify($1, $2)', channel, `${self} due`).catch(() => {})
    } while (again)
    telling = undefined
  }

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(connectionTo(url))
    const lost = () => {
      if (listener === client) listener = undefined
    }
    client.on('error', lost).on('end', lost)
    client.on('notification', ({ payload = '' }) => {
      const [who, what, org] = payload.split(' ')
      if (who === self) return
      if (what === 'due') heard.due()
      else heard.changed(org || undefined)
    })
    await client.connect()
    await client.query(`SELECT pg_advisory_lock_shared(${serving})`)
    await client.query(`LISTEN ${channel}`)
    return client
  }

  async function beat(): Promise<void> {
    try {
      if (!listener) {
        listener = await connect()
        heard.changed(undefined)
      } else await listener.query('SELECT 1')
      await heard.look()
      heard.due()
    } catch {
      // Not there, or silent: the next beat tries again.
      const gone = listener
      listener = undefined
      await gone?.end().catch(() => {})
    }
    if (!closed) cancel = clock.after(beatMs, start)
  }

  function start(): void {
    beating = beat()
  }

  return {
    changed: (org) => `${self} changed ${org}`,
    due() {
      again = true
      telling ??= tell()
    },
    listen() {
      if (!listening) start()
      listening = true
    },
    async close() {
      closed = true
      cancel()
      await beating
      await telling
      const last = listener
      listener = undefined
      await last?.end().catch(() => {})
    },
  }
}
