/** Holds what Segment received against what the fixtures say it should: for the demo and the tests alike. */
import { isDeepStrictEqual } from 'node:util'
import { readFixture } from '../events/fixtures.ts'
import { canonical, type Json, type JsonObject } from '../lib/json.ts'

/** Undefined when the message is as documented, whole; else the first thing that is not. */
export async function difference(type: string, message: JsonObject, receivedAt: number): Promise<string | undefined> {
  const expected = (await readFixture(type)).segment as JsonObject
  const { messageId, context, integrations, timestamp, ...rest } = message
  const { timestamp: documented, ...fixed } = expected
  if (canonical(rest) !== canonical(fixed)) return `is ${canonical(rest)}, should be ${canonical(fixed)}`
  if (typeof messageId !== 'string' || messageId === '' || messageId.length > 100) return 'has no usable messageId'
  if (!isDeepStrictEqual(plain(integrations), { Drift: false })) return 'does not keep Drift out of its destinations'
  const sender = plain(context) as { integration?: { name?: string; version?: string } }
  if (
    Object.keys(sender).length !== 1 ||
    sender.integration?.name !== 'drift-segment-source' ||
    !sender.integration.version
  ) {
    return 'has another context'
  }
  if (documented !== undefined)
    return timestamp === documented ? undefined : `happened at ${timestamp}, should be ${documented}`
  const received = Date.parse(String(timestamp))
  // The event has no time of its own, so it is that of its receipt: between its sending and its arrival here.
  return received <= receivedAt && received > receivedAt - 60_000 ? undefined : 'does not carry the time of its receipt'
}

function plain(value: Json | undefined): unknown {
  return JSON.parse(JSON.stringify(value ?? null))
}
