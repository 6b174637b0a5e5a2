/** What a site may say: in attributes of the script's own tag, in `window.driftSegmentBridge`, or to `startBridge`. */
import { type Analytics, fieldOf, ownField, type Page, quietly, type ScriptTag } from './page.ts'

/** `pending` keeps events for later, `denied` throws them away. */
export type Consent = 'granted' | 'pending' | 'denied'

export interface BridgeOptions {
  /**
   * `contact`, the default: the Drift contact id becomes Segment's anonymousId as soon as it is known.
   * `link`: Segment's own anonymousId stays, and the contact id travels in `context.externalIds`.
   */
  identify?: 'contact' | 'link'
  /** Whether events may be sent from the start; `consent()` changes it later. Default: granted. */
  consent?: Consent
  /** Starts as denied in a browser that asks not to be tracked (Global Privacy Control, Do Not Track). */
  respectOptOut?: boolean
  /** Properties never to be sent, such as `email`; in an attribute with spaces between them. */
  omit?: readonly string[]
  /** The write key of a Segment source: the bridge loads Segment, unless it is there. */
  segment?: string
  /** Where Segment is loaded from. Default: https://cdn.segment.com */
  segmentUrl?: string
  /** False: a Segment that the bridge loaded is not told of the page view. Default: true. */
  segmentPage?: boolean
  /** The embed id of a Drift widget: the bridge loads Drift, unless it is there. */
  drift?: string
  /** Where Drift is loaded from. Default: https://js.driftt.com */
  driftUrl?: string
  /** The instance to send to, where it is not `window.analytics`. */
  analytics?: Analytics
}

export interface Settings {
  readonly identify: 'contact' | 'link'
  readonly consent: Consent
  readonly omit: readonly string[]
  readonly segment: string
  readonly segmentUrl: string
  readonly segmentPage: boolean
  readonly drift: string
  readonly driftUrl: string
  readonly analytics: Analytics | undefined
  readonly nonce: string
}

/**
 * Read once and by name, so that nothing said later, and nothing said by a prototype, changes anything. A value that is
 * none of those allowed counts as the more careful one; an address that is not https, loopback apart, as not given.
 */
export function readSettings(given: unknown, page: Page, tag: ScriptTag | undefined): Settings {
  const said = (name: string, attribute: string): unknown =>
    quietly(() => tag?.getAttribute(attribute)) ?? ownField(given, name)
  const text = (name: string, attribute: string, pattern: RegExp, otherwise: string): string => {
    const value = said(name, attribute)
    return typeof value === 'string' && pattern.test(value) ? value : otherwise
  }
  // What a page says there before the script has come is what the visitor chose; the tag says how it is until then.
  const consent = ownField(given, 'consent') ?? said('consent', 'data-consent')
  const optedOut = isYes(said('respectOptOut', 'data-respect-opt-out')) && asksNotToBeTracked(page)
  const analytics = ownField(given, 'analytics')
  return Object.freeze({
    identify: (said('identify', 'data-identify') ?? 'contact') === 'contact' ? 'contact' : 'link',
    consent: consent === 'denied' || optedOut ? 'denied' : (consent ?? 'granted') === 'granted' ? 'granted' : 'pending',
    omit: namesIn(said('omit', 'data-omit')),
    segment: text('segment', 'data-segment', key, ''),
    segmentUrl: text('segmentUrl', 'data-segment-url', address, 'https://cdn.segment.com'),
    segmentPage: !isNo(said('segmentPage', 'data-segment-page')),
    drift: text('drift', 'data-drift', key, ''),
    driftUrl: text('driftUrl', 'data-drift-url', address, 'https://js.driftt.com'),
    analytics: typeof fieldOf(analytics, 'track') === 'function' ? (analytics as Analytics) : undefined,
    nonce: nonceOf(tag),
  })
}

/** The tag that this script came in; not another element that took that name. */
export function ownTag(page: Page): ScriptTag | undefined {
  const tag = quietly(() => page.document.currentScript)
  return fieldOf(tag, 'tagName') === 'SCRIPT' ? (tag as ScriptTag) : undefined
}

const key = /^[\w-]+$/
const address = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$))[^\s?#]*$/

function namesIn(value: unknown): string[] {
  const listed = typeof value === 'string' ? value.split(/[\s,]+/) : value
  const names: string[] = []
  for (let at = 0; at < Math.min(Number(fieldOf(listed, 'length')) || 0, 50); at++) {
    const name = fieldOf(listed, String(at))
    if (typeof name === 'string') names[names.length] = name
  }
  return names
}

function isYes(value: unknown): boolean {
  return value === true || value === 'true' || value === ''
}

function isNo(value: unknown): boolean {
  return value === false || value === 'false'
}

function asksNotToBeTracked(page: Page): boolean {
  const navigator = fieldOf(page, 'navigator')
  return fieldOf(navigator, 'globalPrivacyControl') === true || fieldOf(navigator, 'doNotTrack') === '1'
}

function nonceOf(tag: ScriptTag | undefined): string {
  const nonce = fieldOf(tag, 'nonce')
  return typeof nonce === 'string' ? nonce : ''
}
