/**
 * Who waits for whom. A transaction that adds to an account's line shares the account's lock with others that add; one
 * that says that nothing is in the line has the lock alone: so no lane falls asleep while something arrives. Both hold
 * it until they have committed. Two that add at once get places in any order; what is posted after an acknowledgement
 * gets a larger one, since `places` counts for all replicas. What is waited for is taken in one order everywhere, so that
 * transactions never wait in a circle: accounts first, in order, then identities, lanes, entries and counts, in order. A
 * transaction that holds a lane already only tries an account's lock. A claim waits for none.
 */
import { prepared, type Session } from './database.ts'

/** Sets these keys apart from those of whatever else uses the database. */
const seed = 0x44535331
export const advisoryKey = (name: string) => `hashtextextended(${name}, ${seed})`

/** Waits until these names' locks are this transaction's alone; they go with it. */
export async function lock(session: Session, names: readonly string[]): Promise<void> {
  await session.all(waiting, names)
}

const keys = `(SELECT DISTINCT ${advisoryKey('n')} AS key FROM unnest($1::text[]) n ORDER BY 1) k`
const waiting = prepared(`SELECT pg_advisory_xact_lock(key) FROM ${keys}`)
const trying = prepared(`SELECT pg_try_advisory_xact_lock(${advisoryKey('$1')}) AS ours`)

/** Whether the lock is this transaction's alone now; false, at once, when another one has or shares it. */
export async function tryLock(session: Session, name: string): Promise<boolean> {
  return (await session.get(trying, name))!.ours === true
}
