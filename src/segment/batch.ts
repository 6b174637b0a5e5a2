/** Packing calls under Segment's limits, counted in bytes of UTF-8: its own SDK counts them wrongly and loses batches. */
import type { Outgoing } from '../lib/request.ts'
import type { Call } from './call.ts'

/** Segment's documented 32 KB an event and 500 KB a request, read as the smaller kB and with room for the frame. */
export const messageBytesMax = 32_000
export const bodyBytesMax = 480_000
/** Segment takes 2,500 and more than that silently rejects; smaller requests make a lost answer cost less. */
export const messagesMax = 500

export interface Packed {
  /** Which entry it is of. */
  id: number
  text: string
  bytes: number
}

/** The call as it stands in a batch. Lone surrogates become U+FFFD: no JSON reader on the way stumbles over them. */
export function textOf(call: Call): string {
  // JSON.stringify writes a lone surrogate as an escape, \\ud800 and so on, in names as in values, and nothing else so.
  return JSON.stringify(call).replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\ufffd')
}

/** Splits messages, in order, into runs that fit one request each. */
export function pack(messages: readonly Packed[], writeKey: string): Packed[][] {
  // Every message is counted with a comma; the last one has none.
  const room = bodyBytesMax + 1 - Buffer.byteLength(frame(writeKey, '', new Date(0).toISOString()))
  const runs: Packed[][] = []
  let run: Packed[] = []
  let bytes = 0
  for (const message of messages) {
    if (run.length === messagesMax || (run.length > 0 && bytes + message.bytes + 1 > room)) {
      runs.push(run)
      run = []
      bytes = 0
    }
    run.push(message)
    bytes += message.bytes + 1
  }
  if (run.length > 0) runs.push(run)
  return runs
}

/** `sentAt` is the time of this very attempt: Segment reckons the clock's difference from it. */
export function batchRequest(apiUrl: string, writeKey: string, run: readonly Packed[], nowMs: number): Outgoing {
  const messages = run.map(({ text }) => text).join(',')
  return {
    method: 'POST',
    url: `${apiUrl}/v1/batch`,
    headers: { 'content-type': 'application/json' },
    body: frame(writeKey, messages, new Date(nowMs).toISOString()),
    deadlineMs: 15_000,
  }
}

function frame(writeKey: string, messages: string, sentAt: string): string {
  return `{"writeKey":${JSON.stringify(writeKey)},"batch":[${messages}],"sentAt":"${sentAt}"}`
}
