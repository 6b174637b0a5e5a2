/** The smaller ports, as far as both engines carry them out alike: installs, vault, conversations, ledger. */
import { skewMsMax } from '../lib/clock.ts'
import { wholeBacklog } from './backlog.ts'
import type { Install, Reservation } from './ports/accounts.ts'
import type { BacklogRow, TimeBucket, Total } from './ports/lookup.ts'
import { countedOf } from './rows.ts'
import { snapshot } from './snapshot.ts'
import { all, get, ofOneMoment, own, present, run, type Statements } from './statements.ts'

const columns = `org, state, reason, settings, grant_sealed AS "grant", refresh_at AS "refreshAt", created_at AS "createdAt",
  updated_at AS "updatedAt", generation`

/** All but saving, which says so to other processes. */
export const installs = {
  *get(org: string): Statements<Install | undefined> {
    const row = yield* get(`SELECT ${columns} FROM installs WHERE org = $1`, org)
    return row && present(row)
  },
  *list(): Statements<Install[]> {
    return (yield* all(`SELECT ${columns} FROM installs ORDER BY org`)).map(present<Install>)
  },
  *reserve({ org, holder, until }: Reservation, now: number): Statements<boolean> {
    const sql = `INSERT INTO reservations (org, holder, until) VALUES ($1, $2, $3)
      ON CONFLICT (org) DO UPDATE SET holder = excluded.holder, until = excluded.until
      WHERE reservations.until <= $4 OR reservations.until > excluded.until + ${skewMsMax}`
    return (yield* run(sql, org, holder, until, now)) === 1
  },
  *release({ org, holder }: Reservation): Statements<void> {
    yield* run('DELETE FROM reservations WHERE org = $1 AND holder = $2', org, holder)
  },
}

/** What stands in its columns up to its generation, in their order. */
export function valuesOf(install: Install) {
  const { org, state, reason, settings, grant, refreshAt, createdAt, updatedAt } = install
  return [org, state, reason ?? null, settings, grant ?? null, refreshAt ?? null, createdAt, updatedAt] as const
}

/** Names that begin with `$1`, whatever is in it. */
const begins = 'substr(name, 1, length($1)) = $1'

export const vault = {
  *read(name: string): Statements<Uint8Array | undefined> {
    return (yield* get('SELECT value FROM vault WHERE name = $1', name))?.value as Uint8Array | undefined
  },
  *create(name: string, value: Uint8Array): Statements<Uint8Array> {
    for (;;) {
      yield* run('INSERT INTO vault (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', name, value)
      const kept = yield* vault.read(name)
      // Another process has removed it in between: then the name is free again.
      if (kept) return kept
    }
  },
  *replace(name: string, value: Uint8Array): Statements<boolean> {
    return (yield* run('UPDATE vault SET value = $1 WHERE name = $2', value, name)) === 1
  },
  *list(prefix: string): Statements<{ name: string; value: Uint8Array }[]> {
    const rows = yield* all(`SELECT name, value FROM vault WHERE ${begins} ORDER BY name COLLATE "C"`, prefix)
    return rows.map((row) => ({ name: row.name as string, value: row.value as Uint8Array }))
  },
  *remove(prefix: string): Statements<void> {
    if ((yield* run(`DELETE FROM vault WHERE ${begins}`, prefix)) > 0) yield* own('noteErasure')
  },
}

/** All but remembering, which looks at the lease. */
export const conversations = {
  *recall(org: string, ids: readonly string[]): Statements<Map<string, string>> {
    const sql = 'SELECT conversation, contact FROM conversations WHERE org = $1 AND conversation = ANY ($2)'
    const rows = yield* all(sql, org, ids)
    return new Map(rows.map((row) => [row.conversation as string, row.contact as string]))
  },
  *of(org: string, contact: string): Statements<string[]> {
    const rows = yield* all('SELECT conversation FROM conversations WHERE org = $1 AND contact = $2', org, contact)
    return rows.map((row) => row.conversation as string)
  },
  *forget(org: string, contact: string): Statements<void> {
    const gone = yield* run('DELETE FROM conversations WHERE org = $1 AND contact = $2', org, contact)
    if (gone > 0) yield* own('noteErasure')
  },
}

function* totals(): Statements<Total[]> {
  const rows = yield* all(
    `SELECT org, destination, type, outcome, reason, count FROM counts WHERE count <> 0
     ORDER BY org, destination, type, outcome, reason`,
  )
  return rows.map(countedOf<Total>)
}

export const ledger = {
  totals,
  backlog: ofOneMoment(wholeBacklog),
  snapshotOfAll: ofOneMoment(function* (): Statements<{ totals: Total[]; backlog: BacklogRow[] }> {
    return { totals: yield* totals(), backlog: yield* wholeBacklog() }
  }),
  *timeBuckets(org: string, from: number, to: number): Statements<TimeBucket[]> {
    const sql = `SELECT at, destination, type, outcome, reason, count FROM time_buckets WHERE org = $1 AND at >= $2 AND at < $3
      ORDER BY at`
    return (yield* all(sql, org, from, to)).map(countedOf<TimeBucket>)
  },
  snapshot: ofOneMoment(snapshot),
}
