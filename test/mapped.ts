/** Calls for the tests of options: the catalogue's fixtures as the pipeline translates them, and one option at a time. */

import { idOf } from '../src/events/define.ts'
import { readFixture } from '../src/events/fixtures.ts'
import { catalogue } from '../src/events/index.ts'
import type { Json, JsonObject } from '../src/lib/json.ts'
import { applyOptions } from '../src/mapping/apply.ts'
import type { Attributes } from '../src/mapping/option.ts'
import type { Options } from '../src/mapping/options.ts'
import { translate } from '../src/pipeline/translate.ts'
import type { Call, Identify, Track } from '../src/segment/call.ts'

const receivedAt = Date.UTC(2026, 10, 24)
export const messageId = 'drift-AZNdL0gAWlpaWlpaWlpaWlpaWlpa'

/** The fixture's call, some of its data changed. */
export async function callOf(type: string, changed: JsonObject = {}): Promise<Call> {
  const { drift, conversation, segment } = await readFixture(type)
  const contactId = idOf((segment as { anonymousId?: Json }).anonymousId)!
  const data = { ...(drift.data as JsonObject), ...changed }
  const known = { contactId, ...(conversation ? { conversation } : {}) }
  return translate(catalogue.get(type)!, data, known, { messageId, receivedAt, mapping: 1 })!
}

/** What the fixture becomes with these options; throws when the destination does not get it. */
export async function sentOf(type: string, options: Options, attributes?: Attributes, changed?: JsonObject) {
  const outcome = applyOptions(await callOf(type, changed), catalogue.get(type)!, options, attributes)
  if ('leftOut' in outcome) throw new Error(`left out: ${outcome.leftOut}`)
  return { ...outcome, properties: (outcome.call as Track).properties, traits: (outcome.call as Identify).traits }
}

/** Why the destination does not get the fixture; undefined when it does. */
export async function leftOutOf(type: string, options: Options, attributes?: Attributes, changed?: JsonObject) {
  const outcome = applyOptions(await callOf(type, changed), catalogue.get(type)!, options, attributes)
  return 'leftOut' in outcome ? outcome.leftOut : undefined
}
