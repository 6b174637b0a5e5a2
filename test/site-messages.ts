/** Messages that a page of site.ts sends to Segment through the real analytics.js: they are compared whole. */
import assert from 'node:assert/strict'
import type { JsonObject } from '../src/lib/json.ts'
import { expected, samples } from './bridge-page.ts'
import type { Visit } from './site.ts'

const first = 'conversation:firstInteraction'

/** The visitor's first interaction arrives whole, and the page breaks no policy of its own. */
export async function firstArrives(visit: Visit): Promise<void> {
  await visit.until('window.analytics && analytics.initialized')
  await visit.fire(first, samples[first])
  const [message] = await visit.received(1)
  await isWholeFirst(visit, message!)
  assert.deepEqual(refusals(visit), [])
}

/** Throws unless this is all that the visitor's first interaction must arrive as. */
export async function isWholeFirst(visit: Visit, message: JsonObject): Promise<void> {
  const wanted = whole(await visit.pageView(), first, expected[first]!, await becomes(visit))
  assert.deepEqual(withoutChance(message), wanted)
}

/** What the browser says that a policy of the page, or a hash of a script, did not allow. */
export const refusals = ({ console }: Visit) =>
  console.filter((line) => /content security policy|trusted|integrity/i.test(line))

/**
 * The whole message that a widget event must arrive as. What analytics.js puts on every message of a page, it puts on the
 * page view too, which the bridge has no part in; the rest stands here.
 */
export function whole(
  pageView: JsonObject,
  event: string,
  properties: object,
  { anonymousId, externalId, former }: { anonymousId: unknown; externalId?: string | undefined; former?: unknown },
): object {
  const { context, integrations, ...common } = pageView as JsonObject & { context: object; integrations: object }
  const [id, idType] = externalId === undefined ? [former, 'anonymous_id'] : [externalId, 'drift_contact_id']
  const externalIds = [{ id, type: idType, collection: 'users', encoding: 'none' }]
  return {
    ...withoutChance(common),
    type: 'track',
    event: `Drift Source Event: ${event}`,
    properties,
    anonymousId,
    integrations: { ...integrations, Drift: false },
    context: id === undefined ? context : { ...context, externalIds },
  }
}

/** Who a visitor is from the first interaction on, and was before: for `whole`. */
export async function becomes({ pageView, received }: Visit): Promise<{ anonymousId: string; former: unknown }> {
  const anonymousId = '21760538950'
  const { anonymousId: before } = await pageView()
  if (before !== anonymousId) return { anonymousId, former: before }
  // The library was late, and the page's own call came after the bridge's: who it was then is known from that alone.
  const [first] = await received(1)
  const [{ id: former } = {}] = (first!.context as { externalIds?: { id?: string }[] }).externalIds ?? []
  assert.match(String(former), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  return { anonymousId, former }
}

/** A message in which what differs each time is checked for its form, and then removed. */
export function withoutChance({ messageId, timestamp, ...rest }: JsonObject): object {
  assert.match(String(messageId), /^ajs-next-\d+-[0-9a-f-]{36}$/)
  assert.equal(new Date(String(timestamp)).toISOString(), timestamp)
  assert.ok(Math.abs(Date.parse(String(timestamp)) - Date.now()) < 60_000, `${timestamp}`)
  // The library says so from the moment it knows.
  const { failedInitializations, ...metadata } = rest._metadata as JsonObject
  assert.ok(failedInitializations === undefined || JSON.stringify(failedInitializations) === '["Broken"]')
  return { ...rest, _metadata: metadata }
}
