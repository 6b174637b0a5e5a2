/** Starting the bridge from a program: on a server it does nothing, and there may be several, each for a Segment of its own. */
import { type Bridge, openBridge, type Running, runningIn } from './bridge.ts'
import type { BridgeOptions } from './options.ts'
import { fieldOf, type Page } from './page.ts'

/** Bridges of this copy, by the Segment that they send to: an instance, or its name in the window. */
const running = new WeakMap<Page, Map<unknown, Running>>()

/**
 * Starts the bridge. Where one runs for the same Segment, that one is returned, with these options added to its own; for
 * another Segment one starts beside it. Without a document, as on a server, it does nothing. Never throws.
 */
export function startBridge(options?: BridgeOptions, page: Page = globalThis as unknown as Page): Bridge {
  return startFor(options, page)
}

/** `target` says where to send to from some moment on. */
export function startFor(options: BridgeOptions | undefined, page: Page, target?: () => unknown): Bridge {
  if (!fieldOf(page, 'document')) return inert
  const name = options?.globalName ?? 'analytics'
  const to = target ?? options?.analytics ?? fieldOf(page, name) ?? name
  const first = runningIn(page)
  // Where none has the place in the window, those of before were stopped.
  const bridges = (first && running.get(page)) ?? new Map<unknown, Running>()
  running.set(page, bridges)
  const same = bridges.get(to) ?? (isInWindow(to, page) || !options ? first : undefined)
  if (same) {
    same.add(options)
    return same
  }
  const bridge = openBridge(options, page, { ...(target ? { target } : {}), isBeside: first !== undefined })
  bridges.set(to, bridge)
  return bridge
}

/** The bridge that a tag has started sends to what has this name. */
function isInWindow(to: unknown, page: Page): boolean {
  return to === 'analytics' || to === fieldOf(page, 'analytics')
}

const inert: Bridge = Object.freeze({
  name: 'drift-segment-source',
  consent() {},
  state: () => ({ drift: false, consent: 'pending', segment: false, kept: 0, sent: 0, dropped: 0 }) as const,
  stop() {},
})
