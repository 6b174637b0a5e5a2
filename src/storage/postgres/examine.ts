import type pg from 'pg'
import type { Risk } from '../ports/storage.ts'
import { rules } from '../rules.ts'
import { type Session, schema } from './database.ts'

/** What is damaged; nothing when all is well. */
export async function findings(client: pg.Client): Promise<string[]> {
  const all = async (sql: string) => (await client.query<Record<string, string>>(sql)).rows
  await client.query(`SET search_path TO ${schema}`)
  // Every body is read from disk, which fails where a page is damaged.
  const read = await all('SELECT count(*) FROM bodies WHERE sha256(sealed) IS NULL').then(
    () => [],
    (error: Error) => [`bodies cannot be read: ${error.message}`],
  )
  const broken: string[] = []
  for (const [what, rows] of rules) {
    const [found] = await all(`SELECT count(*) AS n FROM ${rows}`)
    if (Number(found?.n) > 0) broken.push(`${found?.n} ${what}`)
  }
  return [...read, ...broken]
}

/**
 * Those who may take over. A base backup and what copies the log are not standbys, nor is a logical subscriber; a role that
 * may not see what each is (pg_monitor may) counts them all.
 */
const standbys = `SELECT count(*) FROM pg_stat_replication
  WHERE state IS DISTINCT FROM 'backup' AND coalesce(application_name, '') NOT IN ('pg_basebackup', 'pg_receivewal')
    AND pid NOT IN (SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL)`

/** A power loss takes commits without these settings; an asynchronous standby that takes over has not heard of the last. */
export async function risks(session: Session): Promise<Risk[]> {
  const off = await session.all(
    `SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name`,
  )
  const found = await session.get(
    `SELECT (${standbys}) AS standbys, current_setting('synchronous_standby_names') AS waits,
       current_setting('synchronous_commit') AS commits`,
  )
  const indexes = await session.all(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '${schema}' AND NOT (indisvalid AND indisready)`,
  )
  const waitsForNone = found?.waits === '' || found?.commits === 'local'
  const following = Number(found?.standbys)
  return [
    ...off.map(({ name }): Risk => ({ is: 'setting_off', setting: String(name) })),
    ...indexes.map(({ name }): Risk => ({ is: 'index_not_valid', index: String(name) })),
    ...(following > 0 && waitsForNone ? [{ is: 'standbys', standbys: following } as const] : []),
  ]
}
