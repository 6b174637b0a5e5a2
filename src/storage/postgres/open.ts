/**
 * The PostgreSQL engine: several services may share one database. Writing and looking have connections of their own, so
 * that a long look never stands between a webhook and its commit.
 */
import pg from 'pg'
import { systemClock } from '../../lib/clock.ts'
import { Problem } from '../../lib/errors.ts'
import { storeNotThere } from '../not-there.ts'
import type { Installs } from '../ports/accounts.ts'
import type { Alerts } from '../ports/alerts.ts'
import type { LaneKey, Org } from '../ports/entry.ts'
import type { Inbox } from '../ports/inbox.ts'
import type { Jobs } from '../ports/jobs.ts'
import type { Lookup } from '../ports/lookup.ts'
import type { Tickets } from '../ports/sessions.ts'
import type { Mode, Storage } from '../ports/storage.ts'
import { alerts } from './alerts.ts'
import { append } from './append.ts'
import { claim, openMore } from './claim.ts'
import { connectionTo, type Database, openDatabase, schema } from './database.ts'
import { findings, risks } from './examine.ts'
import { inbox } from './inbox.ts'
import { jobs } from './jobs.ts'
import { openKnownDue } from './known-due.ts'
import * as lookup from './lookup.ts'
import { assertKnown, migrate } from './migrations.ts'
import * as records from './records.ts'
import { assertSessions } from './sessions.ts'
import { openSettling } from './settle.ts'
import { channel, isServed, openSignals } from './signals.ts'
import { tickets } from './tickets.ts'
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
  const reading = bound<Storage['ledger']>(look, records.ledger)
  const saved = bound<Storage['vault']>(work, records.vault)

  return {
    inbox: {
      ...bound<Inbox>(work, inbox),
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
      ...announcing(work, announce).inbox,
    },
    ledger: reading,
    installs: {
      ...bound<Installs>(work, records.installs),
      save: (install, entry, forgets) =>
        // Whose keys are forgotten looks at the vault again, and not at one account alone.
        records.installs.save(
          work,
          { install, entry, forgets },
          channel,
          signals.changed(forgets?.length ? '' : install.org),
        ),
    },
    vault: {
      ...saved,
      async remove(prefix) {
        await saved.remove(prefix)
        await work.run('SELECT pg_notify($1, $2)', channel, signals.changed(''))
      },
    },
    conversations: bound<Storage['conversations']>(work, records.conversations),
    lookup: bound<Lookup>(look, lookup),
    audit: bound<Storage['audit']>(work, records.audit),
    tickets: bound<Tickets>(work, tickets),
    jobs: { ...bound<Jobs>(work, jobs), ...announcing(work, signals.due).jobs },
    alerts: { ...bound<Alerts>(work, alerts), ...announcing(work, signals.due).alerts },
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

/** The calls that queue something which other replicas must see. */
function announcing(db: Database, due: () => void) {
  const announced =
    <Args extends unknown[], Result>(work: (db: Database, ...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const result = await work(db, ...args)
      due()
      return result
    }
  return {
    inbox: {
      resume: announced(inbox.resume),
      follow: announced(inbox.follow),
      retry: announced(inbox.retry),
      claimOnInstall: announced(inbox.claimOnInstall),
      redrive: announced(inbox.redrive),
      redriveStep: announced(inbox.redriveStep),
    },
    jobs: {
      create: announced(jobs.create),
      giveBack: announced(jobs.giveBack),
      cancel: announced(jobs.cancel),
      abandon: announced(jobs.abandon),
    },
    alerts: {
      create: announced(alerts.create),
      move: announced(alerts.move),
    },
  }
}

/** Each function of a port, with the database as its first argument. */
function bound<Port extends object>(db: Database, functions: object): Port {
  const port = Object.entries(functions).map(([name, work]) => [name, (...args: unknown[]) => work(db, ...args)])
  return Object.fromEntries(port) as Port
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
