/** The audit, for both engines. */
import type { AuditEntry, AuditFilter } from './ports/accounts.ts'
import { all, present, run, type Statements } from './statements.ts'

/** By itself, or with what it is about. */
export function* keepEntry({ at, org, who, what, about }: AuditEntry): Statements<void> {
  const sql = 'INSERT INTO audit (at, org, who, what, about) VALUES ($1, $2, $3, $4, $5)'
  yield* run(sql, at, org, who, what, about ?? null)
}

export const audit = {
  add: keepEntry,
  *list(org: string, limit: number, { what, from, to }: AuditFilter = {}): Statements<AuditEntry[]> {
    if (what?.length === 0) return []
    const newest = (which: string) =>
      `SELECT * FROM audit WHERE org = $1 ${which} AND at >= $3 AND at < $4 ORDER BY id DESC LIMIT $2`
    // Each by the index of its own: what is seldom done lies far back.
    const each = what?.map((_, nth) => `SELECT * FROM (${newest(`AND what = $${nth + 5}`)}) s`) ?? [newest('')]
    const rows = yield* all(
      `SELECT at, org, who, what, about FROM (${each.join(' UNION ALL ')}) a ORDER BY id DESC LIMIT $2`,
      org,
      limit,
      from ?? 0,
      to ?? Number.MAX_SAFE_INTEGER,
      ...(what ?? []),
    )
    return rows.map(present<AuditEntry>)
  },
}
