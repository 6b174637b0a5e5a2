/** Webhooks on their way to the worker: many small buffers posted one by one cost more than the rest of the way. */
import type { Arrival } from '../ports.ts'

type Bytes = 'body' | 'identity'
type Stored = Exclude<Arrival, { state: 'ignored' }>
type Head =
  | (Omit<Stored, Bytes> & { bodyBytes: number; identityBytes: number })
  | Extract<Arrival, { state: 'ignored' }>

export interface Packed {
  heads: Head[]
  /** Body and identity of each, one after the other. */
  bytes: Uint8Array<ArrayBuffer>
}

export function pack(arrivals: readonly Arrival[]): Packed {
  let length = 0
  for (const arrival of arrivals) {
    if (arrival.state !== 'ignored') length += arrival.body.byteLength + arrival.identity.byteLength
  }
  const bytes = new Uint8Array(length)
  let at = 0
  const heads = arrivals.map((arrival): Head => {
    if (arrival.state === 'ignored') return arrival
    const { body, identity, ...head } = arrival
    bytes.set(body, at)
    bytes.set(identity, at + body.byteLength)
    at += body.byteLength + identity.byteLength
    return { ...head, bodyBytes: body.byteLength, identityBytes: identity.byteLength }
  })
  return { heads, bytes }
}

export function unpack({ heads, bytes }: Packed): Arrival[] {
  let at = 0
  const next = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  return heads.map((head) => {
    if (head.state === 'ignored') return head
    const { bodyBytes, identityBytes, ...rest } = head
    return { ...rest, body: next(bodyBytes), identity: next(identityBytes) }
  })
}
