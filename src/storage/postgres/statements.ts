/** Calls that both engines carry out alike, in PostgreSQL. */
import type { Asked, Calls, Statements } from '../statements.ts'
import type { Database, Session } from './database.ts'
import { own } from './own.ts'

type AtServer<Shared extends Calls> = {
  [Name in keyof Shared]: (...args: Parameters<Shared[Name]>) => ResultOf<ReturnType<Shared[Name]>>
}
type ResultOf<Made> = Made extends Statements<infer Result> ? Promise<Result> : never

/** The port of these calls. */
export function atServer<Shared extends Calls>(db: Database, calls: Shared): AtServer<Shared> {
  const port = Object.entries(calls).map(([name, call]) => [
    name,
    (...args: never[]) =>
      call.as === undefined
        ? carriedOut(db, call(...args))
        : db.transaction(async (session) => {
            if (call.as === 'of_one_moment') await session.script(consistentRead)
            return carriedOut(session, call(...args))
          }),
  ])
  return Object.fromEntries(port) as AtServer<Shared>
}

const consistentRead = 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'

/** Within a transaction that is the caller's, or statement by statement. */
export async function carriedOut<Result>(session: Session, statements: Statements<Result>): Promise<Result> {
  for (let next = statements.next(); ; next = statements.next(await answer(session, next.value))) {
    if (next.done) return next.value
  }
}

async function answer(session: Session, asked: Asked): Promise<unknown> {
  if (asked.is === 'own')
    return (own[asked.name] as (on: Session, ...args: unknown[]) => unknown)(session, ...asked.args)
  const { sql, values } = asked
  return asked.is === 'rows' ? session.all(sql, ...values) : session.run(sql, ...values)
}
