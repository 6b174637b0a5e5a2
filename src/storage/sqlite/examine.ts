import type { Database } from './database.ts'

/** What is damaged; nothing when all is well. All of the file is read. */
export function examine(db: Database): string[] {
  const damage = db.all('PRAGMA integrity_check').map((row) => String(row.integrity_check))
  if (damage.join() !== 'ok') return damage
  const without = (one: string, other: string) =>
    Number(db.get(`SELECT count(*) AS n FROM ${one} WHERE id NOT IN (SELECT id FROM ${other})`)?.n)
  const [bare, lone] = [without('entries', 'bodies'), without('bodies', 'entries')]
  return [
    ...(bare === 0 ? [] : [`${bare} entries have no body`]),
    ...(lone === 0 ? [] : [`${lone} bodies have no entry`]),
  ]
}
