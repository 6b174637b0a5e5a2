/**
 * Who waits for whom. A transaction that puts something in an account's line, or says that nothing is in it, holds the
 * account's lock until it has committed: so places are given in the order of commits, whichever replica commits, and no
 * lane falls asleep while something arrives. What is waited for is taken in one order everywhere, so that nobody waits
 * in a circle: accounts first, in order, then lanes, then entries, then counts, in order. Who holds a lane already may
 * only try an account's lock. A claim waits for nobody.
 */
import { prepared, type Session } from './database.ts'

/** Sets these keys apart from those of whatever else uses the database. */
const seed = 0x44535331
const key = (name: string) => `hashtextextended(${name}, ${seed})`

/** Waits until the locks of these names are ours; they go with the transaction. */
export async function lock(session: Session, names: readonly string[]): Promise<void> {
  await session.all(waiting, names)
}

const waiting = prepared(
  `SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT ${key('n')} AS key FROM unnest($1::text[]) n ORDER BY 1) k`,
)
const trying = prepared(`SELECT pg_try_advisory_xact_lock(${key('$1')}) AS ours`)

/** False, at once, when somebody else has it. */
export async function tryLock(session: Session, name: string): Promise<boolean> {
  return (await session.get(trying, name))!.ours === true
}
