/** The bridge itself: what Drift's widget says reaches Segment, in whatever order the two of them appear. */
import { openListener } from './listen.ts'
import { loadDrift, loadSegment } from './load.ts'
import { type BridgeOptions, type Consent, ownTag, readSettings } from './options.ts'
import { openOutbox } from './outbox.ts'
import { fieldOf, isOfScript, type Page, quietly, succeeds } from './page.ts'

/** What the page can do with a running bridge. It is also `window.driftSegmentBridge`. */
export interface Bridge {
  readonly name: 'drift-segment-source'
  /** Says what the visitor chose. Granted: what was kept is sent. Denied: what was kept is forgotten. */
  consent(choice: Consent): void
  /** Counts and conditions, for finding out what is missing; nothing about the visitor. */
  state(): BridgeState
}

export interface BridgeState {
  readonly consent: Consent
  /** The widget, or its snippet, is there and is listened to. */
  readonly drift: boolean
  /** Segment, or its snippet, is there. */
  readonly segment: boolean
  /** Events that wait for Segment or for consent. */
  readonly kept: number
  readonly sent: number
  /** Events that consent, the bounds, or a Segment that threw them back did not let through. */
  readonly dropped: number
}

const lookOftenMs = 100
const lookSeldomMs = 1_000
/** After half a minute of looking often, what has not come comes late or not at all. */
const looksOftenMax = 300

/** For good: were options that a page writes there too late to push it out, the next copy of the script would start again. */
function takePlace(page: Page, bridge: Bridge): void {
  const place = { get: () => bridge, set() {}, configurable: true, enumerable: true }
  if (succeeds(() => Object.defineProperty(page, 'driftSegmentBridge', place))) return
  // The place of a page's own `var` can be filled, but not changed.
  quietly(() => {
    page.driftSegmentBridge = bridge
  })
}

/** Starts the bridge, or returns the one that runs in this page already. Never throws. */
export function startBridge(options?: BridgeOptions, page: Page = globalThis as unknown as Page): Bridge {
  const found = fieldOf(page, 'driftSegmentBridge')
  const there = isOfScript(found) ? found : undefined
  if (fieldOf(there, 'name') === 'drift-segment-source') return there as Bridge
  const settings = readSettings(options ?? there, page, options ? undefined : ownTag(page))
  const outbox = openOutbox(page, settings)
  const listener = openListener(page, outbox.add)
  let looks = 0

  /** The widget and Segment appear, and are replaced, without a word: the only way to notice is to look. */
  function look(): void {
    quietly(listener.look)
    quietly(outbox.send)
    looks++
    const { segment, kept } = outbox.counts()
    const isAllThere = listener.isListening() && segment && kept === 0
    quietly(() => page.setTimeout(look, isAllThere || looks > looksOftenMax ? lookSeldomMs : lookOftenMs))
  }

  const bridge: Bridge = Object.freeze({
    name: 'drift-segment-source',
    consent(choice: Consent) {
      outbox.choose(choice === 'granted' || choice === 'denied' ? choice : 'pending')
      if (choice === 'granted') quietly(() => loadSegment(page, settings))
      quietly(outbox.send)
    },
    state: () => ({ drift: listener.isListening(), ...outbox.counts() }),
  } as const)
  takePlace(page, bridge)
  quietly(() => loadDrift(page, settings))
  if (settings.consent === 'granted') quietly(() => loadSegment(page, settings))
  look()
  return bridge
}
