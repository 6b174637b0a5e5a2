/**
 * What bodies may take in memory while their senders have proved nothing: one budget for all of them together. When it is
 * full, the largest unfinished body is cut, so that a small webhook of an honest sender always has room.
 */

/** Of bytes received, so that a thousand slow senders cost no more than a few hundred. */
const bytesMax = 64 * 1024 * 1024
/** Drift's own webhooks are a few kB: bodies up to this size have a part of the budget that larger ones cannot fill. */
const smallBytesMax = 16 * 1024
const smallPart = 16 * 1024 * 1024

/** One body under way. */
export interface Allowance {
  /** More of it has come. */
  add(bytes: number): void
  /** It has ended, one way or another: what it took is free again. */
  end(): void
}

export interface BodyBudget {
  /** `cut` is called once when the body has to go. */
  begin(cut: () => void): Allowance
  /** What all unfinished bodies take, in bytes. */
  taken(): number
}

export function openBodyBudget(): BodyBudget {
  const small = openPart(smallPart)
  const large = openPart(bytesMax - smallPart)
  return {
    taken: () => small.taken() + large.taken(),
    begin(cut) {
      const body: Body = {
        bytes: 0,
        cut() {
          end()
          cut()
        },
      }
      let part: Part | undefined = small
      const end = () => {
        part?.remove(body)
        part = undefined
      }
      return {
        add(bytes) {
          if (!part) return
          part.remove(body)
          body.bytes += bytes
          part = body.bytes > smallBytesMax ? large : small
          part.add(body)
        },
        end,
      }
    },
  }
}

interface Body {
  bytes: number
  cut(): void
}

interface Part {
  /** Makes room for it: the largest other ones are cut until all of them fit. */
  add(body: Body): void
  remove(body: Body): void
  taken(): number
}

/** Bodies by size, in steps of this many bytes, so that the largest is found without looking at all of them. */
const stepBytes = 1024

function openPart(partBytesMax: number): Part {
  const bySize: Set<Body>[] = []
  let taken = 0
  const sizeOf = ({ bytes }: Body) => Math.floor(bytes / stepBytes)

  function largestBut(newcomer: Body): Body | undefined {
    for (let size = bySize.length - 1; size >= 0; size--)
      for (const body of bySize[size] ?? []) if (body !== newcomer) return body
    return undefined
  }

  return {
    taken: () => taken,
    add(body) {
      const size = sizeOf(body)
      bySize[size] ??= new Set()
      bySize[size].add(body)
      taken += body.bytes
      while (taken > partBytesMax) {
        const largest = largestBut(body)
        if (!largest) return
        largest.cut()
      }
    },
    remove(body) {
      if (bySize[sizeOf(body)]?.delete(body)) taken -= body.bytes
    },
  }
}
