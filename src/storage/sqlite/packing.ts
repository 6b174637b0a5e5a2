/** What travels between the threads: many small buffers posted one by one cost more than the rest of the way. */
import type { Arrival, Claimed, Lease, Placed } from '../ports.ts'

/** Several buffers, one after the other, in one that can be handed over without a copy. */
type Bytes = Uint8Array<ArrayBuffer>

type Stored = Exclude<Arrival, { state: 'ignored' }>
type ArrivalHead =
  | (Omit<Stored, 'body' | 'identity'> & { bodyBytes: number; identityBytes: number })
  | Extract<Arrival, { state: 'ignored' }>

export interface PackedArrivals {
  heads: ArrivalHead[]
  /** Body and identity of each. */
  bytes: Bytes
}

export function packArrivals(arrivals: readonly Arrival[]): PackedArrivals {
  const parts: Uint8Array[] = []
  const heads = arrivals.map((arrival): ArrivalHead => {
    if (arrival.state === 'ignored') return arrival
    const { body, identity, ...head } = arrival
    parts.push(body, identity)
    return { ...head, bodyBytes: body.byteLength, identityBytes: identity.byteLength }
  })
  return { heads, bytes: joined(parts) }
}

export function unpackArrivals({ heads, bytes }: PackedArrivals): Arrival[] {
  const next = cutting(bytes)
  return heads.map((head) => {
    if (head.state === 'ignored') return head
    const { bodyBytes, identityBytes, ...rest } = head
    return { ...rest, body: next(bodyBytes), identity: next(identityBytes) }
  })
}

type EntryHead = Omit<Placed, 'body' | 'known'> & { bodyBytes: number; knownBytes?: number }

export interface PackedEntries {
  heads: EntryHead[]
  /** Body of each, and what is known of it where there is something. */
  bytes: Bytes
}

export type PackedLease = Omit<Lease, 'entries'> & PackedEntries

export type PackedClaim = Omit<Claimed, 'leases'> & { leases: PackedLease[] }

export function packLease({ entries, ...lease }: Lease): PackedLease {
  return { ...lease, ...packEntries(entries) }
}

export function packEntries(entries: readonly Placed[]): PackedEntries {
  const parts: Uint8Array[] = []
  const heads = entries.map(({ body, known, ...head }): EntryHead => {
    parts.push(body, ...(known ? [known] : []))
    return { ...head, bodyBytes: body.byteLength, ...(known ? { knownBytes: known.byteLength } : {}) }
  })
  return { heads, bytes: joined(parts) }
}

function unpackLease({ heads, bytes, ...lease }: PackedLease): Lease {
  return { ...lease, entries: unpackEntries({ heads, bytes }) }
}

export function unpackClaim({ leases, ...claimed }: PackedClaim): Claimed {
  return { ...claimed, leases: leases.map(unpackLease) }
}

export function unpackEntries({ heads, bytes }: PackedEntries): Placed[] {
  const next = cutting(bytes)
  return heads.map(({ bodyBytes, knownBytes, ...head }): Placed => {
    const body = next(bodyBytes)
    return { ...head, body, ...(knownBytes === undefined ? {} : { known: next(knownBytes) }) }
  })
}

function joined(parts: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

function cutting(bytes: Bytes): (length: number) => Uint8Array {
  let at = 0
  return (length) => {
    at += length
    return bytes.subarray(at - length, at)
  }
}
