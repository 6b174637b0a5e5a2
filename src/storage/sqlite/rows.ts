import { DatabaseSync } from 'node:sqlite'
import { type Cell, left, type Source, type Table } from '../copy.ts'

/** Rows at once: a body is up to a quarter of a megabyte. */
const rowsMax: Readonly<Record<string, number>> = { bodies: 100, learnt: 500 }
const types = { TEXT: 'text', INTEGER: 'bigint', BLOB: 'bytea' } as const

/** Reads a file's tables row by row. The caller holds the store, so that nothing changes meanwhile. */
export function openRows(path: string): Source {
  const db = new DatabaseSync(path, { readOnly: true })
  const number = (sql: string) => Number(Object.values(db.prepare(sql).get() as object)[0])
  return {
    async tables() {
      const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN (SELECT value FROM json_each(?))"
      const named = db.prepare(sql).all(JSON.stringify(left.tables)) as { name: string }[]
      return named.map(({ name }) => tableOf(db, name))
    },
    count: async ({ name }) => number(`SELECT count(*) FROM ${name}`),
    async rows({ name, columns, key }, after) {
      const keys = key.join(', ')
      const from = after ? `WHERE (${keys}) > (${key.map(() => '?').join(', ')})` : ''
      const names = Object.keys(columns)
      const sql = `SELECT ${names.join(', ')} FROM ${name} ${from} ORDER BY ${keys} LIMIT ${rowsMax[name] ?? 2_000}`
      const rows = db.prepare(sql).all(...(after ?? [])) as Record<string, Cell>[]
      return rows.map((row) => names.map((column) => row[column]!))
    },
    lastPlace: async () => number('SELECT last FROM places'),
    close: async () => db.close(),
  }
}

function tableOf(db: DatabaseSync, name: string): Table {
  const rows = db.prepare('SELECT name, type, pk FROM pragma_table_info(?)').all(name)
  const columns = rows as { name: string; type: keyof typeof types; pk: number }[]
  const kept = columns.filter((column) => !left.columns.includes(column.name))
  const key = columns.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk)
  return {
    name,
    columns: Object.fromEntries(kept.map((column) => [column.name, types[column.type]])),
    key: key.map((column) => column.name),
  }
}
