import { DatabaseSync } from 'node:sqlite'
import type { Cell, Source } from '../copy.ts'

/** Reads a file's tables row by row. The caller holds the store, so that nothing changes meanwhile. */
export function openRows(path: string): Source {
  const db = new DatabaseSync(path, { readOnly: true })
  const number = (sql: string) => Number(Object.values(db.prepare(sql).get() as object)[0])
  return {
    count: async ({ name }) => number(`SELECT count(*) FROM ${name}`),
    async rows({ name, columns, key, rowsMax }, after) {
      const keys = key.join(', ')
      const from = after ? `WHERE (${keys}) > (${key.map(() => '?').join(', ')})` : ''
      const names = Object.keys(columns)
      const sql = `SELECT ${names.join(', ')} FROM ${name} ${from} ORDER BY ${keys} LIMIT ${rowsMax}`
      const rows = db.prepare(sql).all(...(after ?? [])) as Record<string, Cell>[]
      return rows.map((row) => names.map((column) => row[column]!))
    },
    lastPlace: async () => number('SELECT last FROM places'),
    close: async () => db.close(),
  }
}
