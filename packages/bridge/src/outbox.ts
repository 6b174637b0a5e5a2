/** The events to be sent to Segment: kept for a while where Segment or the visitor's consent is missing. */
import { contactOf, propertiesOf } from './data.ts'
import type { WidgetEvent } from './events.ts'
import type { Consent, Settings, TrackedEvent } from './options.ts'
import { type Analytics, each, fieldOf, type Moment, type Page, quietly } from './page.ts'

export interface Outbox {
  hold(event: WidgetEvent, data: unknown, moment: Moment): void
  /** Sends what is kept, if it may be sent and Segment is there to take it. */
  send(): void
  /** Denied: what is kept is forgotten. */
  choose(consent: Consent): void
  counts(): { consent: Consent; segment: boolean; kept: number; sent: number; dropped: number }
}

interface Happened {
  readonly told: TrackedEvent
  readonly contact: string | undefined
  readonly moment: Moment
}

/** A visitor makes a few events a minute; what a broken page makes beyond this is dropped. */
const rateMax = 100
const rateWindowMs = 10_000
/** How many events are kept. The first ones: they say who it is. */
const keptMax = 100

/** `target` says where to send to, where that is not an option. */
export function openOutbox(page: Page, settings: () => Settings, target?: () => unknown): Outbox {
  let kept: Happened[] = []
  let { consent } = settings()
  let sent = 0
  let dropped = 0
  let windowStart = 0
  let windowCount = 0
  let hooked: unknown

  function report(told: TrackedEvent, outcome: 'sent' | 'kept' | 'dropped'): void {
    const { onEvent, debug } = settings()
    each(onEvent, (hear) => void quietly(() => hear({ ...told, outcome })))
    if (debug) quietly(() => page.console!.log('drift-segment-source', outcome, told.event, told.properties))
  }

  function segment(): Analytics | undefined {
    const found = target ? target() : settings().analytics || fieldOf(page, settings().globalName)
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
    if (consent !== 'granted' || !to || isList(to)) return
    if (settings().reset && hooked !== to) {
      hooked = to
      quietly(() => to.on!('reset', () => void quietly(() => (page.drift as { reset(): void }).reset())))
    }
    const taken = kept
    // Taken out first: whatever goes wrong with one of them, it is not sent twice.
    kept = []
    each(taken, (one) => {
      const isSent = quietly(() => tell(to, one, settings(), page))
      if (isSent) sent++
      else dropped++
      report(one.told, isSent ? 'sent' : 'dropped')
    })
  }

  return {
    hold({ name, contact, properties }, data, moment) {
      const told = {
        event: `Drift Source Event: ${name}`,
        properties: propertiesOf(properties, data, settings().omit),
      }
      if (consent === 'denied' || isTooMany(moment.at)) {
        dropped++
        report(told, 'dropped')
        return
      }
      const before = kept
      kept[kept.length] = {
        told,
        contact: contact && contactOf(fieldOf(data, contact)),
        moment,
      }
      send()
      if (kept === before) report(told, 'kept')
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
function tell(segment: Analytics, { told, contact, moment }: Happened, settings: Settings, page: Page): boolean {
  const isDropped = each(settings.beforeSend, (filter) => {
    const answer = filter(told)
    if (answer) Object.assign(told, answer)
    return answer === false || answer === null
  })
  if (isDropped) return false
  const id = contact && anonymousIdOf(segment)
  const context: Record<string, unknown> = {}
  const options: Record<string, unknown> = { integrations: { Drift: false }, timestamp: new Date(moment.at) }
  if (contact && settings.identify === 'link') {
    context.externalIds = idsOf(contact, 'drift_contact_id')
    if (settings.writeAnonymousId && id)
      quietly(() => (page.drift as DriftApi).api.setUserAttributes({ segment_anonymous_id: id }))
  } else if (contact) {
    // Once, since from now on it is the contact's; and never another contact's, who may be another person.
    if (id && !contactOf(id)) context.externalIds = idsOf(id, 'anonymous_id')
    if (typeof segment.setAnonymousId === 'function') forget(segment.setAnonymousId(contact))
    else options.anonymousId = contact
  }
  const now = momentOf(page)
  if (moment.url !== now.url || moment.title !== now.title) context.page = pageOf(moment)
  for (const _ in context) options.context = context
  forget(segment.track(told.event, told.properties, options))
  return true
}

interface DriftApi {
  api: { setUserAttributes(attributes: object): void }
}

function idsOf(id: string, type: string): object[] {
  return [{ id, type, collection: 'users', encoding: 'none' }]
}

/** Undefined where it is not known, as by an instance that is not up yet. */
function anonymousIdOf(segment: Analytics): string | undefined {
  const instance = (fieldOf(segment, 'instance') || segment) as { user?(): { anonymousId(): unknown } }
  const id = quietly(() => instance.user!().anonymousId())
  return typeof id === 'string' ? id : undefined
}

/** The page in analytics.js's own words; what is not here, it adds. */
function pageOf({ url, title }: Moment): object {
  const [, whole, path, search] = /^(\w+:\/\/[^/?#]*([^?#]*)(\??[^#]*))/.exec(String(url)) || []
  return { url: whole, path, search, title }
}

/** A promise whose failure is not handled would be reported to the page as an error. */
function forget(result: unknown): void {
  const onFailure = fieldOf(result, 'catch')
  if (typeof onFailure === 'function') onFailure.call(result, () => {})
}
