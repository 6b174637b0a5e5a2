import type pg from 'pg'
import { type Session, schema } from './database.ts'

/** What is damaged, and which settings of the server's break the promise of 200; nothing when all is well. */
export async function findings(client: pg.Client): Promise<string[]> {
  const all = async (sql: string) => (await client.query<Record<string, string>>(sql)).rows
  await client.query(`SET search_path TO ${schema}`)
  const settings = await all(
    `SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'`,
  )
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
    ...settings.map(({ name }) => `the server runs with ${name} = off: a power loss may take what was answered 200`),
    ...indexes.map(({ name }) => `the index ${name} is not valid`),
    ...read,
    ...(Number(apart?.bare) === 0 ? [] : [`${apart?.bare} entries have no body`]),
    ...(Number(apart?.lone) === 0 ? [] : [`${apart?.lone} bodies have no entry`]),
  ]
}

/** An asynchronous standby that takes over has not heard of the last commits, so what was answered 200 may be gone. */
export async function risks(session: Session): Promise<{ what: string; todo: string }[]> {
  const found = await session.get(
    `SELECT count(*) AS standbys, current_setting('synchronous_standby_names') AS waits,
       current_setting('synchronous_commit') AS commits FROM pg_stat_replication`,
  )
  const waitsForNone = found?.waits === '' || found?.commits === 'local'
  if (Number(found?.standbys) === 0 || !waitsForNone) return []
  return [
    {
      what: `${found?.standbys} standbys follow, and no commit waits for one: failing over to one loses the last events`,
      todo: 'set synchronous_standby_names where a failover must lose nothing: see docs/operate.md',
    },
  ]
}
