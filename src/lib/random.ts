/** The one home of randomness. Secrets and ids come from `bytes`, jitter from `fraction`. */
import { randomBytes, randomInt } from 'node:crypto'

export interface Random {
  /** Unguessable bytes. */
  bytes(count: number): Buffer
  /** A number from 0 up to, not including, 1. */
  fraction(): number
}

/** One call to the system gives bytes for a hundred ids: a call for each id costs more than sealing does. */
const poolBytes = 4_096
let pool = Buffer.alloc(0)

function fromPool(count: number): Buffer {
  if (count > poolBytes / 16) return randomBytes(count)
  if (pool.length < count) pool = randomBytes(poolBytes)
  const taken = Buffer.from(pool.subarray(0, count))
  // Bytes that were given out do not stay in memory.
  pool.fill(0, 0, count)
  pool = pool.subarray(count)
  return taken
}

export const systemRandom: Random = {
  bytes: fromPool,
  fraction: () => randomInt(2 ** 32) / 2 ** 32,
}

/**
 * An id that cannot be guessed and that grows with time: 48 bits of milliseconds, then 120 random bits, as base64url.
 * Growing ids keep an index on them appending at its end instead of touching a random page for each.
 */
export function timeOrderedId(random: Random, nowMs: number): string {
  const id = Buffer.alloc(21)
  id.writeUIntBE(nowMs, 0, 6)
  random.bytes(15).copy(id, 6)
  return id.toString('base64url')
}
