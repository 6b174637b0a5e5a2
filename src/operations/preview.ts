/** What other options would make of events, before they are saved: of a fixture, of one event, of the last thousand. */
import type { Keyring } from '../accounts/keyring.ts'
import type { EventPage } from '../events/define.ts'
import { idOf } from '../events/define.ts'
import { readFixture } from '../events/fixtures.ts'
import { isObject, type Json, type JsonObject, readText } from '../lib/json.ts'
import { quantity } from '../lib/quantity.ts'
import type { Sent } from '../mapping/apply.ts'
import { isLeftOut, type LeftOut } from '../mapping/option.ts'
import { attributesTaken, type Options } from '../mapping/options.ts'
import { sentFor, type Translated } from '../pipeline/translate.ts'
import { textOf } from '../segment/batch.ts'
import type { Call } from '../segment/call.ts'
import { messageIdAt, readMessageId } from '../segment/message-id.ts'
import { type Destination, firstDestination, type Org } from '../storage/ports/entry.ts'
import type { Lookup } from '../storage/ports/lookup.ts'
import { findAll, resolveRead } from './inspect.ts'
import { ofIgnored } from './reasons.ts'
import { inBody } from './trial.ts'

/** One call, or why the destination does not get it. */
export interface Previewed {
  /** The messages of the request: the event's, and one that goes with it. */
  messages: JsonObject[]
  /** Why there are none, in words. */
  why?: string
}

export interface Difference {
  /** Where in the message, such as `properties.ip`; of the second message behind `with it: `. */
  at: string
  /** Absent: it is not there. */
  before?: Json
  after?: Json
}

export interface Preview {
  of: 'fixture' | 'event'
  before: Previewed
  after: Previewed
  differences: Difference[]
  /** Attributes of the contact that were made up for this, since it was not looked up. */
  examples: JsonObject
}

interface Needs {
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  lookup: Lookup
}

export interface Change {
  before: Options
  after: Options
}

export interface Asked {
  org: Org
  type: string
  message?: string | undefined
  /** Whose options these are: it has messageIds of its own. */
  destination?: Destination
}

/** The fixture of a type, or an event of the account by its messageId; undefined when that event is not kept. */
export async function preview(
  needs: Needs,
  { org, type, message, destination = firstDestination }: Asked,
  change: Change,
): Promise<Preview | undefined> {
  const found = message === undefined ? await ofFixture(needs, type) : await ofEvent(needs, org, message, destination)
  if (!found) return undefined
  const { translated, attributes } = found
  const examples = examplesFor(change, attributes)
  const known = { ...examples, ...attributes }
  const sentAs = messageIdAt(translated.entry.messageId, destination)
  const one = { ...translated, entry: { ...translated.entry, sentAs }, learnt: { attributes: known } }
  const [before, after] = [change.before, change.after].map((options) => shown(sentFor(one, options)))
  return {
    of: message === undefined ? 'fixture' : 'event',
    before: before!,
    after: after!,
    differences: differencesOf(before!, after!),
    examples,
  }
}

/** Of the account's last events that can be translated. */
export interface Changes {
  looked: number
  /** So many would be sent otherwise than they are now, whatever their contacts have. */
  changed: number
  /** So many where their contact has an attribute that was not looked up for them. */
  mayChange: number
  /** Of both, those that would not be sent any more, and those that may not. */
  leftOut: number
  mayBeLeftOut: number
}

/** What other options would make of the account's last events. */
export async function wouldChange(needs: Needs, org: Org, { before, after }: Change, most = 1_000): Promise<Changes> {
  const counts = { looked: 0, changed: 0, mayChange: 0, leftOut: 0, mayBeLeftOut: 0 }
  for await (const page of findAll(needs.lookup, { org }, 100)) {
    for (const { id } of page) {
      if (counts.looked >= most) return counts
      const entry = await needs.lookup.read(id)
      const one = entry && (await resolveRead(needs, inBody(entry)).catch(() => undefined))
      if (!one) continue
      counts.looked++
      const { attributes } = one.learnt
      // As it is where the contact has none of what was not looked up, and where it has all of it.
      const cases = [attributes ?? {}, { ...examplesFor({ before, after }, attributes), ...attributes }].map(
        (known) => {
          const [was, is] = [before, after].map((options) =>
            sentFor({ ...one, learnt: { attributes: known } }, options),
          )
          return { changes: textOfSent(was) !== textOfSent(is), leaves: isSent(was) && !isSent(is) }
        },
      )
      if (cases.every(({ changes }) => changes)) counts.changed++
      else if (cases.some(({ changes }) => changes)) counts.mayChange++
      if (cases.every(({ leaves }) => leaves)) counts.leftOut++
      else if (cases.some(({ leaves }) => leaves)) counts.mayBeLeftOut++
    }
  }
  return counts
}

/** In sentences for people. */
export function changesSaid({ looked, changed, mayChange, leftOut, mayBeLeftOut }: Changes): string {
  const may =
    mayChange > 0
      ? `, and ${mayChange} may have been: that depends on attributes of their contacts, which only Drift knows`
      : ''
  const notSent = leftOut > 0 ? ` ${leftOut} of them would not have been sent at all.` : ''
  const maybe =
    mayBeLeftOut > 0 ? ` ${mayBeLeftOut} of them would not have been sent where their contact lacks the attribute.` : ''
  return `Of the last ${quantity(looked, 'event')} of this account, ${changed} would have been sent differently${may}.${notSent}${maybe}`
}

function isSent(sent: Sent | LeftOut | undefined): boolean {
  return sent !== undefined && !isLeftOut(sent)
}

interface Found {
  translated: Translated
  /** As they were looked up for it. */
  attributes: JsonObject | undefined
}

async function ofFixture({ catalogue }: Needs, type: string): Promise<Found | undefined> {
  const page = catalogue.get(type)
  if (!page) return undefined
  const { drift, conversation, segment } = await readFixture(type)
  const contactId = idOf(segment.anonymousId)
  if (contactId === undefined) return undefined
  const known = { contactId, ...(conversation ? { conversation } : {}) }
  // The number of its receipt is only seen where the event has no time of its own.
  const entry = { messageId: 'drift-…', receivedAt: fixtureReceivedAt, mapping: page.mapping ?? 1 }
  return { translated: { page, data: drift.data as JsonObject, known, entry }, attributes: undefined }
}

const fixtureReceivedAt = Date.UTC(2024, 3, 30)

async function ofEvent(needs: Needs, org: Org, message: string, destination: Destination): Promise<Found | undefined> {
  const [found] = (await needs.lookup.find({ org, message: readMessageId(message).messageId }, { limit: 1 })).entries
  const entry = found && (await needs.lookup.read(found.id, destination))
  const one = entry && (await resolveRead(needs, inBody(entry)))
  return one && { translated: one, attributes: one.learnt.attributes }
}

/** As Drift's page about contacts shows them, for what an option takes and nothing is known of. */
const examples: JsonObject = {
  externalId: 'a12-1234',
  email: 'bruce@example.com',
  segment_anonymous_id: '2f0c8f3e-6f63-4a29-8c3b-0d3c3f3b8a11',
}

function examplesFor({ before, after }: Change, known: JsonObject | undefined): JsonObject {
  const taken = [...attributesTaken(before), ...attributesTaken(after)].filter((name) => !known || !(name in known))
  return Object.fromEntries(taken.map((name) => [name, examples[name] ?? exampleOf(name, after, before)]))
}

function exampleOf(name: string, after: Options, before: Options): Json {
  const isConsent = [after, before].some(({ consent }) => consent?.attribute === name)
  return isConsent ? { Analytics: true, Advertising: false } : `example of ${name}`
}

function shown(sent: Sent | LeftOut | undefined): Previewed {
  if (!sent) return { messages: [], why: ofIgnored.empty[0] }
  if (isLeftOut(sent)) return { messages: [], why: ofIgnored[sent.leftOut][0] }
  return { messages: [sent.call, ...(sent.extra ? [sent.extra] : [])].map(asSent) }
}

/** By its text, as Segment reads it. */
function asSent(call: Call): JsonObject {
  const reading = readText(textOf(call))
  return (reading.ok ? reading.value : {}) as JsonObject
}

function textOfSent(sent: Sent | LeftOut | undefined): string {
  if (!sent || isLeftOut(sent)) return ''
  return [sent.call, sent.extra].map((call) => (call ? textOf(call) : '')).join()
}

function differencesOf(before: Previewed, after: Previewed): Difference[] {
  const all: Difference[] = []
  for (const [at, behind] of ['', 'with it: '].entries()) {
    const [was, is] = [flat(before.messages[at]), flat(after.messages[at])]
    for (const name of new Set([...was.keys(), ...is.keys()])) {
      if (JSON.stringify(was.get(name)) === JSON.stringify(is.get(name))) continue
      all.push({
        at: `${behind}${name}`,
        ...(was.has(name) ? { before: was.get(name)! } : {}),
        ...(is.has(name) ? { after: is.get(name)! } : {}),
      })
    }
  }
  return all
}

/** Every value by its path; lists are values. */
function flat(value: Json | undefined, path = '', into = new Map<string, Json>()): Map<string, Json> {
  if (value === undefined) return into
  if (!isObject(value)) return into.set(path, value)
  for (const [name, one] of Object.entries(value)) flat(one, path ? `${path}.${name}` : name, into)
  return into
}
