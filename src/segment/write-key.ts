/** Tests a write key at Segment, which answers 200 to any key: so the results are signs, not proof. */
import type { Answered, Outgoing } from '../lib/request.ts'
import { type Call, context } from './call.ts'

/** The settings that analytics.js loads for a key in every visitor's browser. */
export function settingsRequest(cdnUrl: string, writeKey: string): Outgoing {
  return { method: 'GET', url: `${cdnUrl}/v1/projects/${encodeURIComponent(writeKey)}/settings`, deadlineMs: 5_000 }
}

/**
 * `known`: there is such a key. `unconfirmed`: Segment's files have none, as may be for a new key, or a source that is
 * for servers only. `unasked`: no answer that says anything.
 */
export type KeySign = 'known' | 'unconfirmed' | 'unasked'

export function judgeSettings({ status }: Answered): KeySign {
  if (status === 200) return 'known'
  return status === 404 || status === 403 ? 'unconfirmed' : 'unasked'
}

/** An event that reaches the source's debugger, and no destination. */
export function testCall(messageId: string, nowMs: number): Call {
  return {
    type: 'track',
    event: 'Drift Source Event: connection_test',
    anonymousId: 'drift-connection-test',
    messageId,
    timestamp: new Date(nowMs).toISOString(),
    context,
    integrations: { All: false },
    properties: {},
  }
}
