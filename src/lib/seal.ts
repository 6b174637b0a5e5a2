/**
 * Sealing: AES-256-GCM with a random nonce, the key's id in front, and associated data that ties the bytes to their
 * place, so that sealed values cannot be swapped between rows or accounts.
 *
 * Layout: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext, 16 bytes tag.
 */
import { createCipheriv, createDecipheriv, createHmac, type KeyObject } from 'node:crypto'
import { Problem } from './errors.ts'
import type { Random } from './random.ts'

const version = 1
const headBytes = 5
const nonceBytes = 12
/** Forced on both sides: without it Node accepts tags as short as four bytes. */
const tagBytes = 16

export interface Key {
  readonly id: number
  readonly secret: KeyObject
}

export function seal(key: Key, associated: string, plain: Uint8Array, random: Random): Buffer {
  const nonce = random.bytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce, { authTagLength: tagBytes })
  cipher.setAAD(bytesOf(associated))
  // GCM is a stream: everything comes at once, without a last block.
  const text = cipher.update(plain)
  cipher.final()
  const sealed = Buffer.allocUnsafe(headBytes + nonceBytes + text.length + tagBytes)
  sealed.writeUInt8(version, 0)
  sealed.writeUInt32BE(key.id, 1)
  sealed.set(nonce, headBytes)
  sealed.set(text, headBytes + nonceBytes)
  sealed.set(cipher.getAuthTag(), sealed.length - tagBytes)
  return sealed
}

/** The id of the key that sealed these bytes. */
export function keyIdOf(sealed: Uint8Array): number {
  const bytes = asBuffer(sealed)
  if (bytes.length < headBytes + nonceBytes + tagBytes || bytes.readUInt8(0) !== version) throw unreadable()
  return bytes.readUInt32BE(1)
}

/** Throws `sealed_unreadable` when the key, the place or a single bit is not the one that was sealed. */
export function unseal(key: Key, associated: string, sealed: Uint8Array): Buffer {
  if (keyIdOf(sealed) !== key.id) throw unreadable()
  const bytes = asBuffer(sealed)
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key.secret, nonce, { authTagLength: tagBytes })
  decipher.setAAD(bytesOf(associated))
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
  try {
    const plain = decipher.update(bytes.subarray(headBytes + nonceBytes, -tagBytes))
    // It returns no bytes, but it is what checks the tag.
    decipher.final()
    return plain
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** A fingerprint that only the holder of the secret can compute. */
export function keyedDigest(secret: KeyObject, ...parts: (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', secret)
  for (const part of parts) hmac.update(part).update('\n')
  return hmac.digest()
}

/** The associated data as both sides hand it to the cipher. */
function bytesOf(associated: string): Buffer {
  // mutant: seals without saying where the bytes belong
  return Buffer.from(associated)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function unreadable(cause?: unknown): Problem {
  return new Problem('sealed_unreadable', 'a sealed value cannot be opened: another key, or bytes that were changed', {
    hint: 'restore the database from a backup, or give the ENCRYPTION_KEYS it was written with',
    cause,
  })
}
