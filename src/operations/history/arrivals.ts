/** What was read at Drift as events that webhooks might have brought: same shape, same pages, same way from there. */
import type { Keyring } from '../../accounts/keyring.ts'
import type { Listed } from '../../drift/lists.ts'
import { type EventPage, mappingOf, type Listed as Where } from '../../events/define.ts'
import { canonical, type Json, type JsonObject, numberOf } from '../../lib/json.ts'
import type { Random } from '../../lib/random.ts'
import { stampOf } from '../../mapping/versions.ts'
import type { Arriving } from '../../pipeline/keep.ts'
import { searchedBy } from '../../pipeline/resolve.ts'
import type { Org } from '../../storage/ports/entry.ts'
import { contactKey, erasedKey, historyMessageId } from './keys.ts'

/** The page of the events that history makes of what Drift lists: of a contact, an update of all its attributes at once. */
export function pageListed(catalogue: ReadonlyMap<string, EventPage>, where: Where): EventPage {
  return [...catalogue.values()].find(({ listed }) => listed === where)!
}

interface Made {
  org: Org
  receivedAt: number
  random: Random
  keyring: Pick<Keyring, 'identity'>
  /** Which version of its account's options it is sent with. */
  options: number
}

/** A conversation or a meeting whose contact is known. */
export function listedArrival(
  page: EventPage,
  { data }: Listed,
  contactId: string,
  once: Buffer,
  made: Made,
): Arriving {
  const { orgId, ...fields } = data
  const own = orgId !== undefined && String(orgId) === made.org ? { orgId } : {}
  const whole: JsonObject = { ...fields, ...own, contactId: numberOf(contactId) }
  return { ...arriving(page, whole, { once, contactId }, made), waitsBehind: true }
}

/**
 * What a contact's attributes were when they were read. `nth`: of the job's, 2 where they changed just before the
 * first was kept. It does not wait behind: what a webhook says
 * of the contact later must reach Segment later.
 */
export function contactArrival(
  page: EventPage,
  contactId: string,
  nth: number,
  attributes: Readonly<Record<string, Json>>,
  made: Made,
): Arriving {
  const diff = Object.entries(attributes).map(([name, updated]) => ({ name: `attributes.${name}`, updated }))
  const data = { endUserId: numberOf(contactId), timestamp: made.receivedAt, diff }
  return arriving(page, data, { once: contactKey(made.keyring, made.org, contactId, nth), contactId }, made)
}

/** By its natural key alone it is known again: a destination that is added later is given the same once more. */
function arriving(
  page: EventPage,
  data: JsonObject,
  { once, contactId }: { once: Buffer; contactId: string },
  { org, receivedAt, random, keyring, options }: Made,
): Arriving & { state: 'waiting' } {
  return {
    state: 'waiting',
    backfilled: true,
    org,
    type: page.type,
    text: `{"type":"${page.type}","orgId":"${org}","data":${canonical(data)}}`,
    messageId: historyMessageId(once),
    receivedAt,
    // Without a time in front, as receive.ts has it: it is among the first to be forgotten.
    identity: Buffer.concat([Buffer.alloc(4), random.bytes(12)]),
    rememberMs: 1,
    // mutant: keeps what it has read at Drift without a natural key
    once,
    // mutant: does not say whose it is what it has read at Drift
    person: erasedKey(keyring, org, contactId),
    mapping: stampOf(mappingOf(page), options),
    ...searchedBy(page, data),
  }
}
