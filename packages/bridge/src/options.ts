/**
 * What a site may say: in attributes of the script's own tag, in the inline starter, in `window.driftSegmentBridge`, or to
 * `startBridge`. All of it counts; where two of them disagree, the more careful one wins.
 */
import { type Analytics, fieldOf, ownField, type Page, quietly, type ScriptTag } from './page.ts'

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
  /** False: a Segment that the bridge loaded is not told of the page view. Default: true. */
  segmentPage?: boolean
  /** The embed id of a Drift widget: the bridge loads Drift, unless it is there. */
  drift?: string
  /** Where Drift is loaded from. Default: https://js.driftt.com */
  driftUrl?: string
  /** The instance to send to, where it is not in the window. */
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

/** Those that an attribute of the tag may say: `data-respect-opt-out` for respectOptOut. */
export const inTag = 'identify consent respectOptOut omit segment segmentUrl segmentPage drift driftUrl'.split(' ')

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
  const each = (name: string): unknown[] => {
    const values: unknown[] = []
    for (let at = 0; at < sources.length; at++) {
      const value = ownField(sources[at], name)
      if (value !== undefined && value !== null) values[values.length] = value
    }
    return values
  }
  const isAny = (name: string, is: (value: unknown) => boolean): boolean => {
    const values = each(name)
    for (let at = 0; at < values.length; at++) if (is(values[at])) return true
    return false
  }
  const text = (name: string, pattern: RegExp, otherwise: string): string => {
    const values = each(name)
    for (let at = 0; at < values.length; at++) {
      const value = values[at]
      if (typeof value === 'string' && pattern.test(value)) return value
    }
    return otherwise
  }
  const list = (name: string): string[] => {
    const names: string[] = []
    const values = each(name)
    for (let at = 0; at < values.length; at++) addNames(names, values[at])
    return names
  }
  const is = (wanted: string) => (value: unknown) => value === wanted
  const consent = (): Consent => {
    if (choice === 'granted' || choice === 'denied') return choice
    if (isAny('respectOptOut', isYes) && asksNotToBeTracked(page)) return 'denied'
    if (isAny('consent', is('denied'))) return 'denied'
    return choice !== undefined || isAny('consent', (value) => value !== 'granted') ? 'pending' : 'granted'
  }
  const [analytics] = each('analytics')
  return {
    identify: isAny('identify', (value) => value !== 'contact') ? 'link' : 'contact',
    consent: consent(),
    omit: list('omit'),
    segment: text('segment', key, ''),
    segmentUrl: text('segmentUrl', address, 'https://cdn.segment.com'),
    segmentPage: !isAny('segmentPage', isNo),
    drift: text('drift', key, ''),
    driftUrl: text('driftUrl', address, 'https://js.driftt.com'),
    analytics: typeof fieldOf(analytics, 'track') === 'function' ? (analytics as Analytics) : undefined,
    nonce,
  }
}

/** The options in the attributes of a tag. */
export function optionsOf(tag: ScriptTag): object {
  const options: Record<string, unknown> = {}
  for (let at = 0; at < inTag.length; at++) {
    const name = inTag[at]!
    const attribute = `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    options[name] = quietly(() => tag.getAttribute(attribute))
  }
  return options
}

/** The tag that this script came in; not another element that took that name. */
export function ownTag(page: Page): ScriptTag | undefined {
  const tag = quietly(() => page.document.currentScript)
  return fieldOf(tag, 'tagName') === 'SCRIPT' ? (tag as ScriptTag) : undefined
}

const key = /^[\w-]+$/
const address = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$))[^\s?#]*$/

function addNames(names: string[], value: unknown): void {
  const listed = typeof value === 'string' ? value.split(/[\s,]+/) : value
  for (let at = 0; at < Math.min(Number(fieldOf(listed, 'length')) || 0, 50); at++) {
    const name = fieldOf(listed, String(at))
    if (typeof name === 'string') names[names.length] = name
  }
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

export function nonceOf(tag: ScriptTag | undefined): string {
  const nonce = fieldOf(tag, 'nonce')
  return typeof nonce === 'string' ? nonce : ''
}
