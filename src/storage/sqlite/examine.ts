import { rules } from '../rules.ts'
import type { Database } from './database.ts'

/** What is damaged; nothing when all is well. All of the file is read. */
export function examine(db: Database): string[] {
  const damage = db.all('PRAGMA integrity_check').map((row) => String(row.integrity_check))
  if (damage.join() !== 'ok') return damage
  const broken = ([what, rows]: readonly [string, string]) => {
    const { n } = db.get(`SELECT count(*) AS n FROM ${rows}`)!
    return n === 0 ? [] : [`${n} ${what}`]
  }
  return rules.flatMap(broken)
}
