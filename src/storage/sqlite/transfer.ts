/** What travels between the threads: many small buffers posted one by one cost more than the rest of the way. */
import type { Arrival, Body, Given, NewBody, NewEvent, Placed } from '../ports/entry.ts'
import type { Claimed, Lease } from '../ports/inbox.ts'

/** Several buffers, one after the other, in one that can be handed over without a copy. */
type Bytes = Uint8Array<ArrayBuffer>

type ArrivalHead =
  | (Omit<NewEvent, 'identity' | 'once' | 'person'> & {
      identityBytes: number
      onceBytes?: number
      personBytes?: number
    })
  | Exclude<Arrival, NewEvent>

export interface TransferredArrivals {
  bodies: (Omit<NewBody, 'sealed'> & { bytes: number })[]
  arrivals: ArrivalHead[]
  /** What is sealed of each body, then the identity of each event, and its natural key and its person where it has them. */
  bytes: Bytes
}

export function transferArrivals(bodies: readonly NewBody[], arrivals: readonly Arrival[]): TransferredArrivals {
  const parts = bodies.map(({ sealed }) => sealed)
  const heads = arrivals.map((arrival): ArrivalHead => {
    if (arrival.state === 'ignored' || arrival.state === 'duplicate') return arrival
    const { identity, once, person, ...head } = arrival
    parts.push(identity, ...(once ? [once] : []), ...(person ? [person] : []))
    return {
      ...head,
      identityBytes: identity.byteLength,
      ...(once ? { onceBytes: once.byteLength } : {}),
      ...(person ? { personBytes: person.byteLength } : {}),
    }
  })
  const names = bodies.map(({ sealed, ...body }) => ({ ...body, bytes: sealed.byteLength }))
  return { bodies: names, arrivals: heads, bytes: joined(parts) }
}

export function receiveArrivals({ bodies, arrivals, bytes }: TransferredArrivals): {
  bodies: NewBody[]
  arrivals: Arrival[]
} {
  const next = cutting(bytes)
  return {
    bodies: bodies.map(({ bytes: length, ...body }) => ({ ...body, sealed: next(length) })),
    arrivals: arrivals.map((head): Arrival => {
      if (head.state === 'ignored' || head.state === 'duplicate') return head
      const { identityBytes, onceBytes, personBytes, ...rest } = head
      const identity = next(identityBytes)
      const once = onceBytes === undefined ? {} : { once: next(onceBytes) }
      return { ...rest, identity, ...once, ...(personBytes === undefined ? {} : { person: next(personBytes) }) }
    }),
  }
}

type EntryHead = Omit<Placed, 'known'> & { knownBytes?: number }

export interface TransferredGiven {
  entries: EntryHead[]
  bodies: (Omit<Body, 'sealed'> & { bytes: number })[]
  /** What is known of each entry where there is something, then what is sealed of each body. */
  bytes: Bytes
}

type TransferredLease = Omit<Lease, 'entries' | 'bodies'> & TransferredGiven

export type TransferredClaim = Omit<Claimed, 'leases'> & { leases: TransferredLease[] }

export function transferClaim({ leases, ...claimed }: Claimed): TransferredClaim {
  return { ...claimed, leases: leases.map(transferLease) }
}

export function receiveClaim({ leases, ...claimed }: TransferredClaim): Claimed {
  return { ...claimed, leases: leases.map(receiveLease) }
}

function transferLease({ entries, bodies, ...lease }: Lease): TransferredLease {
  return { ...lease, ...transferGiven({ entries, bodies }) }
}

export function transferGiven({ entries, bodies }: Given): TransferredGiven {
  const parts: Uint8Array[] = []
  const heads = entries.map(({ known, ...head }): EntryHead => {
    if (known) parts.push(known)
    return { ...head, ...(known ? { knownBytes: known.byteLength } : {}) }
  })
  parts.push(...bodies.map(({ sealed }) => sealed))
  const names = bodies.map(({ sealed, ...body }) => ({ ...body, bytes: sealed.byteLength }))
  return { entries: heads, bodies: names, bytes: joined(parts) }
}

function receiveLease({ entries, bodies, bytes, ...lease }: TransferredLease): Lease {
  return { ...lease, ...receiveGiven({ entries, bodies, bytes }) }
}

export function receiveGiven({ entries, bodies, bytes }: TransferredGiven): Given {
  const next = cutting(bytes)
  return {
    entries: entries.map(
      ({ knownBytes, ...head }): Placed => ({
        ...head,
        ...(knownBytes === undefined ? {} : { known: next(knownBytes) }),
      }),
    ),
    bodies: bodies.map(({ bytes: length, ...body }) => ({ ...body, sealed: next(length) })),
  }
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
