import type pg from 'pg'
import type { Risk } from '../ports.ts'
import { type Session, schema } from './database.ts'

/** What is damaged; nothing when all is well. */
export async function findings(client: pg.Client): Promise<string[]> {
  const all = async (sql: string) => (await client.query<Record<string, string>>(sql)).rows
  await client.query(`SET search_path TO ${schema}`)
  const indexes = await all(
    `SELECT indexrelid::regclass AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE c.relnamespace = '${schema}'::regnamespace AND NOT (indisvalid AND indisready)`,
  )
  // Every body is read from disk, which fails where a page is damaged.
  const read = await all('SELECT count(*) FROM bodies WHERE sha256(body) IS NULL').then(
    () => [],
    (error: Error) => [`bodies cannot be read: ${error.message}`],
  )
  const [apart] = await all(
    `SELECT count(*) FILTER (WHERE b.id IS NULL) AS bare, count(*) FILTER (WHERE e.id IS NULL) AS lone
     FROM entries e FULL JOIN bodies b ON b.id = e.id`,
  )
  return [
    ...indexes.map(({ name }) => `the index ${name} is not valid`),
    ...read,
    ...(Number(apart?.bare) === 0 ? [] : [`${apart?.bare} entries have no body`]),
    ...(Number(apart?.lone) === 0 ? [] : [`${apart?.lone} bodies have no entry`]),
  ]
}

/** A power loss takes commits without these settings; an asynchronous standby that takes over has not heard of the last. */
export async function risks(session: Session): Promise<Risk[]> {
  const off = await session.all(
    `SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name`,
  )
  const found = await session.get(
    `SELECT count(*) AS standbys, current_setting('synchronous_standby_names') AS waits,
       current_setting('synchronous_commit') AS commits FROM pg_stat_replication`,
  )
  const waitsForNone = found?.waits === '' || found?.commits === 'local'
  const standbys = Number(found?.standbys)
  return [
    ...off.map(({ name }): Risk => ({ is: 'setting_off', setting: String(name) })),
    ...(standbys > 0 && waitsForNone ? [{ is: 'standbys', standbys } as const] : []),
  ]
}
