import { Problem } from '../../lib/errors.ts'
import type { Target } from '../copy.ts'
import { type Database, openDatabase } from './database.ts'
import { migrate } from './migrations.ts'

/** Writes tables row by row into a store of its own. */
export async function openRows(url: string): Promise<Target> {
  const db = openDatabase(url, 2, () => {})
  await migrate(db)
  return {
    async begin() {
      const begun = await db.get(`SELECT 1 FROM vault WHERE name = 'copying'`)
      if (begun) return
      const [there] = await db.all('SELECT (SELECT count(*) FROM vault) + (SELECT count(*) FROM entries) AS rows')
      if (Number(there?.rows) > 0) {
        throw new Problem('move_not_empty', 'the store to move to has something in it already; it was left untouched', {
          hint: 'name an empty database',
        })
      }
      await db.run(`INSERT INTO vault VALUES ('copying', ''::bytea)`)
    },
    async put({ name, columns }, rows) {
      const names = Object.keys(columns)
      const arrays = Object.values(columns).map((type, at) => `$${at + 1}::${type}[]`)
      await db.run(
        `INSERT INTO ${name} (${names.join(', ')}) OVERRIDING SYSTEM VALUE
         SELECT ${names.join(', ')} FROM unnest(${arrays.join(', ')}) AS r (${names.join(', ')})
         ON CONFLICT DO NOTHING`,
        ...names.map((_, at) => rows.map((row) => row[at] ?? null)),
      )
    },
    async count({ name }) {
      const mark = name === 'vault' ? `WHERE name <> 'copying'` : ''
      return Number((await db.get(`SELECT count(*) AS rows FROM ${name} ${mark}`))!.rows)
    },
    async finish(lastPlace) {
      await indexAll(db)
      await db.transaction(async (session) => {
        await session.get(`SELECT setval('places', $1)`, lastPlace + 1)
        // The next audit entry comes after those that were copied.
        await session.get(
          `SELECT setval(pg_get_serial_sequence('audit', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM audit))`,
        )
        await session.run(`DELETE FROM vault WHERE name = 'copying'`)
      })
    },
    close: () => db.close(),
  }
}

/** What people search by is made again: in SQLite it follows the entries, and may be behind them. */
async function indexAll(db: Database): Promise<void> {
  for (let after: unknown = 0; after !== null; ) {
    const step = await db.get(
      `WITH e AS MATERIALIZED (
         SELECT id, org, type, message_id, contact, conversation FROM entries WHERE id > $1 ORDER BY id LIMIT 2000
       ), indexed AS (
         INSERT INTO search_index (org, kind, value, id)
         SELECT CASE kind WHEN 'message' THEN '' ELSE org END, kind, value, id FROM e, unnest(
           ARRAY['message', 'type', 'contact', 'conversation'], ARRAY[message_id, type, contact, conversation]
         ) AS k (kind, value) WHERE value IS NOT NULL
         ON CONFLICT DO NOTHING
       ) SELECT max(id) AS last FROM e`,
      after,
    )
    after = step!.last
  }
}
