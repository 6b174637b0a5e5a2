/** The smaller ports in SQLite: what saving an install and remembering conversations take with them here. */
import { keepEntry } from '../audit.ts'
import { ensureDestination } from '../destinations.ts'
import type { AuditEntry, Install } from '../ports/accounts.ts'
import type { Lease } from '../ports/inbox.ts'
import * as shared from '../records.ts'
import type { Database } from './database.ts'
import { heldLane } from './lanes.ts'
import { carriedOut, inFile } from './statements.ts'

export const installs = {
  ...inFile(shared.installs),
  save(db: Database, install: Install, entry?: AuditEntry, forgets: readonly string[] = []): boolean {
    const { org, generation } = install
    const stored = db.get('SELECT generation FROM installs WHERE org = ?', org)?.generation ?? 0
    if (stored !== generation) return false
    db.run(
      `INSERT OR REPLACE INTO installs
         (org, state, reason, settings, grant_sealed, refresh_at, created_at, updated_at, generation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...shared.valuesOf(install),
      generation + 1,
    )
    carriedOut(db, ensureDestination(org))
    for (const name of forgets) db.run('DELETE FROM vault WHERE name = ?', name)
    if (entry) carriedOut(db, keepEntry(entry))
    return true
  },
}

export const conversations = {
  ...inFile(shared.conversations),
  remember(db: Database, org: string, contactOf: ReadonlyMap<string, string>, lease?: Lease): void {
    if (lease && !heldLane(db, lease)) return
    for (const [conversation, contact] of contactOf) {
      db.run('INSERT OR IGNORE INTO conversations VALUES (?, ?, ?)', org, conversation, contact)
    }
  },
}
