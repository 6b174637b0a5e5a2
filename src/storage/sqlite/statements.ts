/** Calls that both engines carry out alike, in SQLite: each is one part of the transaction around it. */
import type { Asked, Calls, Statements } from '../statements.ts'
import type { Database } from './database.ts'
import { own } from './own.ts'

/** Each function of a port, with the database as its first argument. */
type InFile<Shared extends Calls> = {
  [Name in keyof Shared]: (db: Database, ...args: Parameters<Shared[Name]>) => ResultOf<ReturnType<Shared[Name]>>
}
type ResultOf<Made> = Made extends Statements<infer Result> ? Result : never

export function inFile<Shared extends Calls>(calls: Shared): InFile<Shared> {
  const names = Object.entries(calls).map(([name, call]) => [
    name,
    (db: Database, ...args: never[]) => carriedOut(db, call(...args)),
  ])
  return Object.fromEntries(names) as InFile<Shared>
}

export function carriedOut<Result>(db: Database, statements: Statements<Result>): Result {
  for (let next = statements.next(); ; next = statements.next(answer(db, next.value))) {
    if (next.done) return next.value
  }
}

function answer(db: Database, asked: Asked): unknown {
  if (asked.is === 'own') return (own[asked.name] as (db: Database, ...args: unknown[]) => unknown)(db, ...asked.args)
  const values = asked.values.map((value) => (isList(value) ? JSON.stringify(value) : value))
  const sql = inOurWords(asked.sql)
  return asked.is === 'rows' ? db.all(sql, ...values) : db.run(sql, ...values)
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

const translated = new Map<string, string>()

/** Types and locks of rows are not said, and text is compared byte by byte anyway. */
function inOurWords(sql: string): string {
  const known = translated.get(sql)
  if (known !== undefined) return known
  const ours = sql
    .replace(/::(bigint|integer|text|bytea)\b| COLLATE "C"| FOR UPDATE( OF \w)?( SKIP LOCKED)?/g, '')
    .replace(/\bgreatest\(/g, 'max(')
    .replace(/\bleast\(/g, 'min(')
    .replace(/= ANY \((\$\d+)\)/g, 'IN (SELECT value FROM json_each($1))')
    .replace(/<> ALL \((\$\d+)\)/g, 'NOT IN (SELECT value FROM json_each($1))')
    .replace(/\$(\d+)/g, '?$1')
  translated.set(sql, ours)
  return ours
}
