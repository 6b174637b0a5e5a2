/** Telling the bridge what a consent manager knows, whether the bridge, its starter, or neither of them is there yet. */
import type { Consent } from '../options.ts'

/** A window with a consent manager. What other scripts put there may be anything. */
export interface ConsentPage {
  driftSegmentBridge?: unknown
  addEventListener(type: string, listener: () => void): void
  setTimeout(callback: () => void, delayMs: number): unknown
}

/** Says a choice only when it is another one than before. */
export function openSaying(page: ConsentPage): (choice: Consent) => void {
  let last: Consent | undefined
  return (choice) => {
    if (choice === last) return
    last = choice
    const there = page.driftSegmentBridge as { consent?: unknown } | undefined
    if (there && typeof there.consent === 'function') there.consent(choice)
    else page.driftSegmentBridge = { ...there, consent: choice }
  }
}
