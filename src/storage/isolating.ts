/**
 * An entry may end every process that works on it. Whose fault it is shows when entries are handed out one at a time, and
 * that must last: entries queued before the culprit end well, and show nothing of those behind them.
 */
import { crashesBeforeAlone, type Ending } from './ports/inbox.ts'

/** After this many leases in a row that ended without a word. */
const crashesBeforeIsolating = 3

/** Whether its lease is given by itself: what ends the process must not be blamed on others. */
export function isForAlone({ crashes }: Pick<Caution, 'crashes'>): boolean {
  return crashes >= crashesBeforeAlone
}

export interface Caution {
  /** Leases in a row that ended without a word. */
  crashes: number
  /** So many entries are still to be handed out one at a time. */
  isolating: number
}

/** Whether a claim begins it: by as many entries as it would give out otherwise, as those before it did. */
export function beginsIsolating({ crashes, isolating }: Caution): boolean {
  return isolating === 0 && crashes >= crashesBeforeIsolating
}

/** What is left of it after a lease that ended in words. */
export function cautionAfter({ crashes, isolating }: Caution, { failures, crashed }: Ending): Caution {
  if (crashed) return { crashes: crashes + 1, isolating }
  // An outage or a refusal: the entry is still there.
  if (failures > 0) return { crashes: 0, isolating }
  // It went on with this one alone, so this one was it.
  // mutant: stops isolating after the first innocent entry
  return { crashes: 0, isolating: crashes > crashesBeforeIsolating ? 0 : Math.max(isolating - 1, 0) }
}
