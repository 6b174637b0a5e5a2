/**
 * An entry may end every process that works on it. Whose fault it is shows when entries are handed out one at a time, and
 * that must last: entries queued before the culprit end well, and show nothing of those behind them.
 */
import { crashesBeforeAlone, type Ending } from './ports/inbox.ts'

/** After this many leases in a row that ended without a word. */
const crashesBeforeCareful = 3

/** Whether its lease is given by itself: what ends the process must not be blamed on others. */
export function isForAlone({ crashes }: Pick<Caution, 'crashes'>): boolean {
  return crashes >= crashesBeforeAlone
}

export interface Caution {
  /** Leases in a row that ended without a word. */
  crashes: number
  /** So many entries are still to be handed out one at a time. */
  careful: number
}

/** Whether a claim begins it: by as many entries as it would give out otherwise, as those before it did. */
export function beginsCareful({ crashes, careful }: Caution): boolean {
  return careful === 0 && crashes >= crashesBeforeCareful
}

/** What is left of it after a lease that ended in words. */
export function cautionAfter({ crashes, careful }: Caution, { failures, crashed }: Ending): Caution {
  if (crashed) return { crashes: crashes + 1, careful }
  // An outage or a refusal: the entry is still there.
  if (failures > 0) return { crashes: 0, careful }
  // It went on with this one alone, so this one was it.
  // mutant: forgets to be careful at the first innocent in line
  return { crashes: 0, careful: crashes > crashesBeforeCareful ? 0 : Math.max(careful - 1, 0) }
}
