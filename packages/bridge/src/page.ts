/** The little of a browser that the bridge touches, so that a test can hand it a page of its own making. */

/** What analytics.js and its snippet have in common. */
export interface Analytics {
  track(event: string, properties?: object, options?: object): unknown
  setAnonymousId?(id: string): unknown
  on?(event: string, call: () => void): unknown
}

/** What Drift's widget and its snippet have in common. */
export interface Drift {
  on(event: string, handler: (data?: unknown) => void): unknown
  off?: unknown
}

/** When something happened, and on which page. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly url: unknown
  readonly title: unknown
}

export interface ScriptTag {
  src: string
  async: boolean
  nonce?: string
  readonly dataset: Readonly<Record<string, string>>
  setAttribute(name: string, value: string): void
}

/** A window. What other scripts put there may be anything. */
export interface Page {
  drift?: unknown
  driftt?: unknown
  console?: { log(...said: unknown[]): void }
  analytics?: unknown
  /** Segment under the name that the site gives it, and all else. */
  [name: string]: unknown
  driftSegmentBridge?: unknown
  trustedTypes?: unknown
  MutationObserver?: new (callback: () => void) => { observe(node: object, options: object): void; disconnect(): void }
  document: {
    readonly URL?: unknown
    readonly title?: unknown
    readonly currentScript: unknown
    readonly head: { appendChild(node: never): unknown } | null
    readonly documentElement: { appendChild(node: never): unknown }
    createElement(tag: 'script'): unknown
  }
  navigator?: { globalPrivacyControl?: unknown; doNotTrack?: unknown }
  setTimeout(callback: () => void, delayMs: number): unknown
}

/** Without the methods of arrays, which some pages have broken. A call that returns true ends it, and the whole is true. */
export function each<T>(list: ArrayLike<T>, call: (one: T) => unknown): boolean {
  for (let at = 0; at < list.length; at++) if (call(list[at]!) === true) return true
  return false
}

/** Calls it; nothing that goes wrong gets out: the page that we are a guest of must not notice. */
export function quietly<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch {
    return undefined
  }
}

/** The same, and whether it went well. */
export function succeeds(call: () => unknown): boolean {
  try {
    call()
    return true
  } catch {
    return false
  }
}

/** The field of something that may be nothing at all, or an object of the worst intentions. */
export function fieldOf(value: unknown, name: string): unknown {
  return quietly(() => (value === null || value === undefined ? undefined : (value as Record<string, unknown>)[name]))
}

const { hasOwnProperty: owns, toString: kindOf } = Object.prototype

/** An object of a script; not an element that has this name in the page. */
export function isOfScript(value: unknown): boolean {
  return kindOf.call(value) === '[object Object]'
}

/** The same, of the object itself: what stands in its prototype, anybody may have put there. */
export function ownField(value: unknown, name: string): unknown {
  return quietly(() => (owns.call(value, name) ? fieldOf(value, name) : undefined))
}
