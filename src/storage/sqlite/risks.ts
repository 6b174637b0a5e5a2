/** What is not as it should be in a store that is sound. */
import type { Risk } from '../ports/storage.ts'
import type { Database } from './database.ts'
import { logBytes, logBytesMax, purgedSoFar } from './purge.ts'

export function risks(db: Database): Risk[] {
  const [purged, bytes] = [purgedSoFar(db), logBytes(db.path)]
  return [
    ...(purged === 'done' ? [] : [{ is: 'erase_pending', purged } as const]),
    ...(bytes > logBytesMax ? [{ is: 'log_long', bytes } as const] : []),
  ]
}
