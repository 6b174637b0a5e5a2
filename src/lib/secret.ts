/** Things that only their holder knows: links, sessions, states. The store keeps only their digests. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from './random.ts'

/** 256 random bits, in 43 characters that may stand in an address. */
export function newSecret(random: Random): string {
  return random.bytes(32).toString('base64url')
}

/** A secret that can be made again from these secrets, and only from them. */
export function secretFrom(...secrets: readonly string[]): string {
  return createHash('sha256').update(secrets.join('\n')).digest('base64url')
}

/** What may be kept of it: 256 random bits cannot be found from their digest. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Takes as long for every wrong answer as for a right one. */
export function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(given)), Buffer.from(digestOf(wanted)))
}
