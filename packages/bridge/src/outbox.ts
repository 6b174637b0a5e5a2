/** What happened, on its way to Segment: kept for a while where Segment or the visitor's consent is missing. */
import { contactOf, propertiesOf } from './data.ts'
import type { WidgetEvent } from './events.ts'
import type { Consent, Settings } from './options.ts'
import { type Analytics, fieldOf, type Page, succeeds } from './page.ts'

export interface Outbox {
  add(event: WidgetEvent, data: unknown): void
  /** Sends what is kept, if it may be sent and Segment is there to take it. */
  send(): void
  /** Denied: what is kept is forgotten. */
  choose(consent: Consent): void
  counts(): { consent: Consent; segment: boolean; kept: number; sent: number; dropped: number }
}

interface Happened {
  readonly name: string
  readonly contact: string | undefined
  readonly properties: object
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A visitor makes a few events a minute; what a broken page makes beyond this is dropped. */
const rateMax = 100
const rateWindowMs = 10_000
/** How many events are kept, here or in the list of Segment's snippet. The first ones: they say who it is. */
const keptMax = 100

export function openOutbox(page: Page, settings: Settings): Outbox {
  let kept: Happened[] = []
  let consent = settings.consent
  let sent = 0
  let dropped = 0
  let windowStart = 0
  let windowCount = 0
  /** How many Segment's snippet has written down, for a library that may never come. */
  let noted = 0

  function segment(): Analytics | undefined {
    const found = settings.analytics ?? fieldOf(page, 'analytics')
    return typeof fieldOf(found, 'track') === 'function' ? (found as Analytics) : undefined
  }

  function isTooMany(now: number): boolean {
    if (Math.abs(now - windowStart) >= rateWindowMs) {
      windowStart = now
      windowCount = 0
    }
    windowCount++
    return windowCount > rateMax || kept.length + noted >= keptMax
  }

  function send(): void {
    const to = segment()
    if (!isList(to)) noted = 0
    if (consent !== 'granted' || to === undefined) return
    const taken = kept
    // Taken out first: whatever goes wrong with one of them, it is not sent twice.
    kept = []
    for (let at = 0; at < taken.length; at++) {
      if (succeeds(() => tell(to, taken[at]!, settings))) sent++
      else dropped++
      if (isList(to)) noted++
    }
  }

  return {
    add({ name, contact, properties }, data) {
      const at = Date.now()
      if (consent === 'denied' || isTooMany(at)) {
        dropped++
        return
      }
      kept[kept.length] = {
        name,
        contact: contact === undefined ? undefined : contactOf(fieldOf(data, contact)),
        properties: propertiesOf(properties, data, settings.omit),
        at,
      }
      send()
    },
    send,
    choose(choice) {
      consent = choice
      if (consent !== 'denied') return
      dropped += kept.length
      kept = []
    },
    counts: () => ({ consent, segment: segment() !== undefined, kept: kept.length, sent, dropped }),
  }
}

/** Segment's snippet is a list; the library that takes its place is none, or says that it is up. */
function isList(segment: unknown): boolean {
  return Array.isArray(segment) && fieldOf(segment, 'initialized') !== true
}

/** Segment learns first who it is, then what happened, and when that was. */
function tell(segment: Analytics, { name, contact, properties, at }: Happened, { identify }: Settings): void {
  const options: Record<string, unknown> = { integrations: { Drift: false }, timestamp: new Date(at) }
  if (contact !== undefined && identify === 'link') {
    options.context = {
      externalIds: [{ id: contact, type: 'drift_contact_id', collection: 'users', encoding: 'none' }],
    }
  } else if (contact !== undefined) {
    if (typeof segment.setAnonymousId === 'function') forget(segment.setAnonymousId(contact))
    else options.anonymousId = contact
  }
  forget(segment.track(`Drift Source Event: ${name}`, properties, options))
}

/** A promise whose failure nobody looks at would be reported to the page as an error. */
function forget(result: unknown): void {
  const onFailure = fieldOf(result, 'catch')
  if (typeof onFailure === 'function') onFailure.call(result, () => {})
}
