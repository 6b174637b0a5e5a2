/**
 * What a site may say: in attributes of the script's own tag, in the inline starter, in `window.driftSegmentBridge`, or to
 * `startBridge`. All of it counts; where two of them disagree, the more careful one wins.
 */
import { otherEvent, type WidgetEvent, widgetEvents } from './events.ts'
import { type Analytics, each, fieldOf, isOfScript, ownField, type Page, quietly, type ScriptTag } from './page.ts'

/** `pending` keeps events for later, `denied` throws them away. */
export type Consent = 'granted' | 'pending' | 'denied'

export interface BridgeOptions {
  /**
   * `contact`, the default: the Drift contact id becomes Segment's anonymousId as soon as it is known.
   * `link`: Segment's own anonymousId stays, and the contact id travels in `context.externalIds`.
   */
  identify?: 'contact' | 'link'
  /** Whether events may be sent until the visitor chooses; `consent()` says the choice. Default: granted. */
  consent?: Consent
  /** Without a choice: denied in a browser that asks not to be tracked (Global Privacy Control, Do Not Track). */
  respectOptOut?: boolean
  /** Properties never to be sent, such as `email`; in an attribute with spaces between them. */
  omit?: readonly string[]
  /** The write key of a Segment source: the bridge loads Segment, unless it is there. */
  segment?: string
  /** Where Segment is loaded from. Default: https://cdn.segment.com */
  segmentUrl?: string
  /** False: a Segment that the bridge loaded gets no page view. Default: true. */
  segmentPage?: boolean
  /** The embed id of a Drift widget: the bridge loads Drift, unless it is there. */
  drift?: string
  /** Where Drift is loaded from. Default: https://js.driftt.com */
  driftUrl?: string
  /** The name that Segment has in the window. Default: analytics */
  globalName?: string
  /** What a Segment that the bridge loads is loaded with, as the second argument of `analytics.load`. */
  segmentOptions?: object
  /** More of the widget's events, such as `emailCapture`; in an attribute with spaces between them. */
  also?: readonly string[]
  /** Those of the twelve that are not to be sent. */
  except?: readonly string[]
  /** With `link`: writes Segment's anonymousId to the Drift contact, as `segment_anonymous_id`, when the contact is known. */
  writeAnonymousId?: boolean
  /** Calls `drift.reset()` when the page calls `analytics.reset()`. */
  reset?: boolean
  /** Prints each event and what becomes of it to the browser's console. */
  debug?: boolean
  /** Is called with each event before it is sent; may change it, return another one, or return false to drop it. */
  beforeSend?: (event: TrackedEvent) => TrackedEvent | false | null | undefined
  /** Is called with each event and what became of it. */
  onEvent?: (event: TrackedEvent & { outcome: 'sent' | 'kept' | 'dropped' }) => void
  /** The instance to send to, where it is not in the window. */
  analytics?: Analytics
}

/** What Segment is told. */
export interface TrackedEvent {
  event: string
  properties: Record<string, unknown>
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
  readonly globalName: string
  readonly segmentOptions: unknown
  readonly events: readonly WidgetEvent[]
  readonly writeAnonymousId: boolean
  readonly reset: boolean
  readonly debug: boolean
  readonly beforeSend: readonly NonNullable<BridgeOptions['beforeSend']>[]
  readonly onEvent: readonly NonNullable<BridgeOptions['onEvent']>[]
  readonly nonce: string
}

/** Everything that was said: sources of options, the earlier first, and the visitor's choice if there is one. */
export interface Said {
  readonly sources: readonly unknown[]
  readonly choice: unknown
}

/**
 * Read by name, from the thing itself, so that nothing said by a prototype changes anything. A value that is none of those
 * allowed counts as the more careful one; an address that is not https, loopback apart, as not given.
 */
export function readSettings({ sources, choice }: Said, page: Page, nonce: string): Settings {
  /** Every value that was said of an option, and is one. */
  const values = <T>(name: string, isFit: (value: unknown) => boolean): T[] => {
    const found: T[] = []
    each(sources, (source) => {
      const value = ownField(source, name)
      if (value !== undefined && value !== null && isFit(value)) found[found.length] = value as T
    })
    return found
  }
  const any = (name: string, isFit: (value: unknown) => boolean): boolean => values(name, isFit).length > 0
  const text = (name: string, pattern: RegExp): string | undefined =>
    values<string>(name, (value) => typeof value === 'string' && pattern.test(value))[0]
  const list = (name: string): string[] => {
    const names: string[] = []
    each(values(name, Boolean), (value) => addNames(names, value))
    return names
  }
  const consent = (): Consent => {
    if (choice === 'granted' || choice === 'denied') return choice
    if (any('respectOptOut', isYes) && asksNotToBeTracked(page)) return 'denied'
    if (any('consent', (value) => value === 'denied')) return 'denied'
    return choice !== undefined || any('consent', (value) => value !== 'granted') ? 'pending' : 'granted'
  }
  const isFunction = (value: unknown) => typeof value === 'function'
  const events: WidgetEvent[] = []
  const wantUnlessExcepted = (event: WidgetEvent): void => {
    const isNamed = (name: string) => name === event.name
    if (!each(list('except'), isNamed) && !each(events, ({ name }) => isNamed(name))) events[events.length] = event
  }
  each(widgetEvents, wantUnlessExcepted)
  each(list('also'), (name) => wantUnlessExcepted(otherEvent(name)))
  return {
    identify: any('identify', (value) => value !== 'contact') ? 'link' : 'contact',
    consent: consent(),
    omit: list('omit'),
    segment: text('segment', key) || '',
    segmentUrl: text('segmentUrl', address) || 'https://cdn.segment.com',
    segmentPage: !any('segmentPage', isNo),
    drift: text('drift', key) || '',
    driftUrl: text('driftUrl', address) || 'https://js.driftt.com',
    analytics: values<Analytics>('analytics', (value) => isFunction(fieldOf(value, 'track')))[0],
    globalName: text('globalName', key) || 'analytics',
    segmentOptions: values('segmentOptions', isOfScript)[0],
    events,
    writeAnonymousId: any('writeAnonymousId', isYes),
    reset: any('reset', isYes),
    debug: any('debug', isYes),
    beforeSend: values('beforeSend', isFunction),
    onEvent: values('onEvent', isFunction),
    nonce,
  }
}

/** The options in the attributes of a tag: `data-respect-opt-out` is respectOptOut. */
export function optionsOf(tag: ScriptTag): object {
  return { ...tag.dataset }
}

/** The tag that this script came in; not another element that took that name. */
export function ownTag(page: Page): ScriptTag | undefined {
  const tag = quietly(() => page.document.currentScript)
  return fieldOf(tag, 'tagName') === 'SCRIPT' ? (tag as ScriptTag) : undefined
}

const key = /^[\w-]+$/
const address = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$))[^\s?#]*$/

function addNames(names: string[], value: unknown): void {
  const listed = typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? value : []
  each(listed, (name) => {
    if (typeof name === 'string') names[names.length] = name
  })
}

function isYes(value: unknown): boolean {
  return /^(true)?$/.test(String(value))
}

function isNo(value: unknown): boolean {
  return String(value) === 'false'
}

function asksNotToBeTracked(page: Page): boolean {
  const navigator = fieldOf(page, 'navigator')
  return fieldOf(navigator, 'globalPrivacyControl') === true || fieldOf(navigator, 'doNotTrack') === '1'
}

export function nonceOf(tag: ScriptTag | undefined): string {
  return String(fieldOf(tag, 'nonce') || '')
}
