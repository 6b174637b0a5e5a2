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
  /** Whose it is: what belongs to one contact goes out in order. */
  whose: string
  /** As it stands in a batch: a message, or a message, a comma, and a second one that goes with it. */
  text: string
  bytes: number
  /** The first message alone, where there is a second: what is sent when Segment refuses the two together. */
  alone?: string
}

/** The call as it stands in a batch. Lone surrogates become U+FFFD: no JSON reader on the way stumbles over them. */
export function textOf(call: Call): string {
  const text = JSON.stringify(call)
  // JSON.stringify writes a lone surrogate as an escape, \\ud800 and so on, in names as in values, and nothing else so.
  return text.includes('\\ud') ? text.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\ufffd') : text
}

/** What a request has room for. */
export interface Room {
  messages: number
  /** Of the messages and the commas between them. */
  bytes: number
}

/** The room for messages in a request of this write key. */
export function roomOf(writeKey: string, messages = messagesMax): Room {
  return { messages, bytes: bodyBytesMax - Buffer.byteLength(frame(writeKey, '', new Date(0).toISOString())) }
}

/**
 * Fills one request with the first messages that may go. Where a contact must wait, its later messages wait too.
 * `isFull`: more would not have fitted.
 */
export function fill(
  messages: readonly Packed[],
  room: Room,
  mustWait: (whose: string) => boolean = () => false,
): { run: Packed[]; rest: Packed[]; isFull: boolean } {
  const run: Packed[] = []
  const rest: Packed[] = []
  let bytes = 0
  let many = 0
  for (const [at, message] of messages.entries()) {
    if (mustWait(message.whose)) {
      rest.push(message)
      continue
    }
    const more = message.bytes + (run.length > 0 ? 1 : 0)
    const isFull = many + messagesIn(message) > room.messages || bytes + more > room.bytes
    if (run.length > 0 && isFull) return { run, rest: [...rest, ...messages.slice(at)], isFull: true }
    run.push(message)
    bytes += more
    many += messagesIn(message)
  }
  return { run, rest, isFull: many >= room.messages }
}

function messagesIn({ alone }: Packed): number {
  return alone === undefined ? 1 : 2
}

/** Packs the calls of one entry: the first, and one that goes with it in the same request. */
export function packed(id: number, whose: string, call: Call, extra?: Call): Packed {
  const alone = textOf(call)
  if (!extra) return { id, whose, text: alone, bytes: Buffer.byteLength(alone) }
  const text = `${alone},${textOf(extra)}`
  return { id, whose, text, bytes: Buffer.byteLength(text), alone }
}

/** Where a request goes, and under which key. */
export interface Target {
  /** Without `/v1`. */
  apiUrl: string
  writeKey: string
  /** The key also stands in a header `Authorization: Basic`: endpoints in Segment's place look for it there. */
  isEndpoint?: boolean
}

/** `sentAt` is the time of this very attempt: Segment reckons the clock's difference from it. */
export function batchRequest(
  { apiUrl, writeKey, isEndpoint = false }: Target,
  run: readonly Pick<Packed, 'text'>[],
  nowMs: number,
): Outgoing {
  const messages = run.map(({ text }) => text).join(',')
  return {
    method: 'POST',
    url: `${apiUrl}/v1/batch`,
    headers: {
      'content-type': 'application/json',
      ...(isEndpoint ? { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` } : {}),
    },
    body: frame(writeKey, messages, new Date(nowMs).toISOString()),
    deadlineMs: 15_000,
    takesBeginning: true,
  }
}

function frame(writeKey: string, messages: string, sentAt: string): string {
  return `{"writeKey":${JSON.stringify(writeKey)},"batch":[${messages}],"sentAt":"${sentAt}"}`
}
