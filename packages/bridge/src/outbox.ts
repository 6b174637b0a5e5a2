/** What happened, on its way to Segment: kept for a while where Segment or the visitor's consent is missing. */
import { contactOf, propertiesOf } from './data.ts'
import type { WidgetEvent } from './events.ts'
import type { Consent, Settings } from './options.ts'
import { type Analytics, fieldOf, type Moment, type Page, succeeds } from './page.ts'

export interface Outbox {
  add(event: WidgetEvent, data: unknown, moment: Moment): void
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
  readonly moment: Moment
}

/** A visitor makes a few events a minute; what a broken page makes beyond this is dropped. */
const rateMax = 100
const rateWindowMs = 10_000
/** How many events are kept. The first ones: they say who it is. */
const keptMax = 100

export function openOutbox(page: Page, settings: () => Settings): Outbox {
  let kept: Happened[] = []
  let { consent } = settings()
  let sent = 0
  let dropped = 0
  let windowStart = 0
  let windowCount = 0

  function segment(): Analytics | undefined {
    const found = settings().analytics ?? fieldOf(page, 'analytics')
    return typeof fieldOf(found, 'track') === 'function' ? (found as Analytics) : undefined
  }

  function isTooMany(now: number): boolean {
    if (Math.abs(now - windowStart) >= rateWindowMs) {
      windowStart = now
      windowCount = 0
    }
    windowCount++
    return windowCount > rateMax || kept.length >= keptMax
  }

  function send(): void {
    const to = segment()
    if (consent !== 'granted' || to === undefined || isList(to)) return
    const taken = kept
    // Taken out first: whatever goes wrong with one of them, it is not sent twice.
    kept = []
    for (let at = 0; at < taken.length; at++) {
      if (succeeds(() => tell(to, taken[at]!, settings(), page))) sent++
      else dropped++
    }
  }

  return {
    add({ name, contact, properties }, data, moment) {
      if (consent === 'denied' || isTooMany(moment.at)) {
        dropped++
        return
      }
      kept[kept.length] = {
        name,
        contact: contact === undefined ? undefined : contactOf(fieldOf(data, contact)),
        properties: propertiesOf(properties, data, settings().omit),
        moment,
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

export function momentOf({ document }: Page): Moment {
  return { at: Date.now(), url: fieldOf(document, 'URL'), title: fieldOf(document, 'title') }
}

/**
 * Segment's snippet is a list of calls for a library that may never come; the library takes its place, or says that it is
 * up. What was given to a list cannot be taken back when the visitor withdraws consent, so it is kept here until then.
 */
function isList(segment: unknown): boolean {
  return Array.isArray(segment) && fieldOf(segment, 'initialized') !== true
}

/** Segment learns first who it is, then what happened, when, and on which page if that has changed meanwhile. */
function tell(
  segment: Analytics,
  { name, contact, properties, moment }: Happened,
  settings: Settings,
  page: Page,
): void {
  const context: Record<string, unknown> = {}
  const options: Record<string, unknown> = { integrations: { Drift: false }, timestamp: new Date(moment.at) }
  if (contact !== undefined && settings.identify === 'link') {
    context.externalIds = [{ id: contact, type: 'drift_contact_id', collection: 'users', encoding: 'none' }]
  } else if (contact !== undefined) {
    if (typeof segment.setAnonymousId === 'function') forget(segment.setAnonymousId(contact))
    else options.anonymousId = contact
  }
  const now = momentOf(page)
  if (moment.url !== now.url || moment.title !== now.title) context.page = pageOf(moment)
  for (const _ in context) options.context = context
  forget(segment.track(`Drift Source Event: ${name}`, properties, options))
}

/** The page in analytics.js's own words; what is not here, it adds. */
function pageOf({ url, title }: Moment): object {
  const [, whole, path, search] = /^(\w+:\/\/[^/?#]*([^?#]*)(\??[^#]*))/.exec(String(url)) ?? []
  return { url: whole, path, search, title }
}

/** A promise whose failure nobody looks at would be reported to the page as an error. */
function forget(result: unknown): void {
  const onFailure = fieldOf(result, 'catch')
  if (typeof onFailure === 'function') onFailure.call(result, () => {})
}
