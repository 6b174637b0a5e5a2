/**
 * The PostgreSQL engine: several services may share one database. Writing and looking have connections of their own, so
 * that a long look never stands between a webhook and its commit.
 */
import pg from 'pg'
import { systemClock } from '../../lib/clock.ts'
import { Problem } from '../../lib/errors.ts'
import { alerts } from '../alerts.ts'
import { audit } from '../audit.ts'
import { jobs } from '../jobs.ts'
import { lookup } from '../lookup.ts'
import { storeNotThere } from '../not-there.ts'
import type { LaneKey, Org } from '../ports/entry.ts'
import type { Mode, Storage } from '../ports/storage.ts'
import { conversations, installs, ledger, vault } from '../records.ts'
import { tickets } from '../tickets.ts'
import { append } from './append.ts'
import { claim, openMore } from './claim.ts'
import { connectionTo, type Database, openDatabase, schema } from './database.ts'
import { findings, risks } from './examine.ts'
import { inboxOf } from './inbox.ts'
import { openKnownDue } from './known-due.ts'
import { assertKnown, migrate } from './migrations.ts'
import { remember, saveInstall } from './records.ts'
import { assertSessions } from './sessions.ts'
import { openSettling } from './settle.ts'
import { channel, isServed, openSignals } from './signals.ts'
import { atServer } from './statements.ts'
import { openWaking } from './waking.ts'

/** A service uses these and one to listen; a command the first alone. */
const connections = { serve: { work: 10, look: 3 }, beside: { work: 4 }, create: { work: 4 } }

export async function open(url: string, mode: Mode): Promise<Storage> {
  const broken = Promise.withResolvers<Error>()
  const gone = (problem: Problem) => void looksGone(url).then((isGone) => isGone && broken.resolve(problem))
  const work = openDatabase(url, connections[mode].work, gone, 'work')
  try {
    await assertSessions(url)
    await migrate(work, mode === 'beside' ? () => storeNotThere('database') : undefined)
    if (mode === 'serve') await assertWhole(work)
  } catch (error) {
    await work.close()
    throw error
  }
  const look = mode === 'serve' ? openDatabase(url, connections.serve.look, gone) : work
  const changeListeners: ((org: Org | undefined) => void)[] = []
  const dueListeners: (() => void)[] = []
  const known = openKnownDue()
  const signals = openSignals(url, look, {
    due() {
      known.woke()
      for (const listener of dueListeners) listener()
    },
    changed: (org) => changeListeners.forEach((listener) => void listener(org)),
    look: () => assertKnown(look).catch((error: unknown) => stopIfTooNew(error, broken.resolve)),
  })
  const waking = openWaking(signals.due, systemClock)
  const settle = openSettling(work)
  const woke = (lanes: readonly LaneKey[]) => {
    known.woke(lanes)
    waking.woke(lanes)
  }
  const announce = () => {
    known.woke()
    signals.due()
  }
  const saved = atServer(work, vault)

  return {
    inbox: {
      ...announcing(inboxOf(work), queueing, announce),
      async append(bodies, arrivals) {
        const appended = await append(work, bodies, arrivals)
        if (appended.is === 'kept') woke(appended.woke)
        return appended
      },
      more: openMore(work),
      claim: known.claiming(waking.claiming((...args) => claim(work, ...args))),
      async settle(lease, settlements, ending) {
        const settled = await settle(lease, settlements, ending)
        woke(settled.woke)
        if (settled.held) known.ended(lease.lane, settled.readyAt)
        else known.woke([lease])
        return settled.held
      },
    },
    ledger: atServer(look, ledger),
    installs: {
      ...atServer(work, installs),
      save: (install, entry, forgets) =>
        // Whose keys are forgotten looks at the vault again, and not at one account alone.
        saveInstall(work, { install, entry, forgets }, channel, signals.changed(forgets?.length ? '' : install.org)),
    },
    vault: {
      ...saved,
      async remove(prefix) {
        await saved.remove(prefix)
        await work.run('SELECT pg_notify($1, $2)', channel, signals.changed(''))
      },
    },
    conversations: { ...atServer(work, conversations), remember: (...args) => remember(work, ...args) },
    lookup: atServer(look, lookup),
    audit: atServer(work, audit),
    tickets: atServer(work, tickets),
    jobs: announcing(atServer(work, jobs), ['create', 'giveBack', 'cancel', 'abandon'], signals.due),
    alerts: announcing(atServer(work, alerts), ['create', 'move'], signals.due),
    onChange(listener) {
      changeListeners.push(listener)
      signals.listen()
    },
    onDue(listener) {
      dueListeners.push(listener)
      signals.listen()
    },
    isServed: () => isServed(work),
    broken: broken.promise,
    check: async () => void (await work.run('UPDATE meta SET schema = schema')),
    // Dead rows are the server's to take away, by VACUUM.
    purge: async () => 'done',
    logBytes: async () => 0,
    async backup() {
      throw new Problem('backup_elsewhere', 'PostgreSQL makes its own copies', {
        hint: `pg_dump --schema=${schema} --format=custom, or the server's own backups: see docs/backup.md`,
      })
    },
    examine: () => examine(url),
    risks: () => risks(look),
    async close() {
      waking.close()
      await signals.close()
      if (look !== work) await look.close()
      await work.close()
    },
  }
}

/** A store that is still being moved here is none to serve from. */
async function assertWhole(db: Database): Promise<void> {
  if (!(await db.get(`SELECT 1 FROM vault WHERE name = 'copying'`))) return
  throw new Problem('move_unfinished', 'everything was to be moved into this store, and not all of it has arrived', {
    hint: 'run `npx drift-segment-source move` again with the same stores',
    exitCode: 78,
  })
}

/** What queues something which other replicas must see. */
const queueing = ['resume', 'follow', 'retry', 'claimOnInstall', 'redrive', 'redriveStep'] as const

/** The same port, of which these calls say that something is due. */
function announcing<Port extends object>(port: Port, names: readonly (keyof Port)[], due: () => void): Port {
  const announced = names.map((name) => {
    const call = port[name] as (...args: unknown[]) => Promise<unknown>
    const said = async (...args: unknown[]) => {
      const result = await call(...args)
      due()
      return result
    }
    return [name, said]
  })
  return { ...port, ...Object.fromEntries(announced) }
}

/** That a server is away heals by itself, and so does everything else but this. */
function stopIfTooNew(error: unknown, stop: (problem: Error) => void): void {
  if (error instanceof Problem && (error.code === 'store_too_new' || error.code === 'store_gone')) stop(error)
  else throw error
}

/** A statement that finds no table may have another reason: only what looks for the table itself says that it is gone. */
async function looksGone(url: string): Promise<boolean> {
  const client = new pg.Client(connectionTo(url))
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query(`SELECT to_regclass('${schema}.meta') IS NULL AS gone`)
    return rows[0]?.gone === true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Over a connection without deadlines: all of it is read. */
async function examine(url: string): Promise<string[]> {
  const client = new pg.Client({ ...connectionTo(url), query_timeout: 0 })
  await client.connect()
  try {
    return await findings(client)
  } finally {
    await client.end()
  }
}
