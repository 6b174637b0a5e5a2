/** How the text of a setting becomes its value, or what is wrong with it. No sentence here ever holds the value. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { isOrgId } from '../drift/org.ts'
import { secretProblem, textProblem, trimmed, wordIn } from '../lib/pasted.ts'

/**
 * `problem` is the end of a sentence that begins with the setting's name. `unusual`: why a value that is taken may not be
 * the right one.
 */
export type Parsed<Value> = { value: Value; unusual?: string } | { problem: string }
export type Parse<Value> = (text: string) => Parsed<Value>

export const secret: Parse<string> = (text) => {
  const problem = secretProblem(text)
  return problem ? { problem } : { value: text }
}

/** One of these words, in any case. */
export function oneOf<Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => {
    const value = wordIn(words, text)
    return value === undefined ? { problem: `must be one of ${words.join(', ')}` } : { value }
  }
}

export function wholeNumber(from: number, to: number): Parse<number> {
  return (text) => {
    const isWithin = /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to
    return isWithin ? { value: Number(text) } : { problem: `must be a whole number from ${from} to ${to}` }
  }
}

/** Drift's account number. */
export const orgId: Parse<string> = (text) =>
  isOrgId(text) ? { value: text } : { problem: "must be Drift's account number, in digits" }

/** Comma separated, one at least. */
export function list<Value>(parse: Parse<Value>): Parse<Value[]> {
  return (text) => {
    const parts = text.split(',').map(trimmed)
    const parsed = parts.map((part): Parsed<Value> => {
      const problem = part === '' ? 'has an empty part between commas' : textProblem(part)
      return problem ? { problem: parts.length > 1 ? `one ${problem}` : problem } : parse(part)
    })
    const wrong = parsed.find((one) => 'problem' in one)
    return wrong ?? { value: parsed.map((one) => (one as { value: Value }).value) }
  }
}

/** One plain e-mail address. */
export const mailAddress: Parse<string> = (text) =>
  /^[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(text)
    ? { value: text }
    : { problem: 'must be one e-mail address such as alerts@example.com' }

/** To listen at: a name or an IP address, the latter with or without brackets. */
export const host: Parse<string> = (text) => {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  const isTaken = bare.includes(':') ? isIpv6(bare) : isNameOrIpv4(bare)
  return isTaken ? { value: bare } : { problem: 'must be a host name or an IP address, and nothing behind' }
}

/** `%eth0` at its end says through which of the machine's networks. */
function isIpv6(text: string): boolean {
  const address = /^([^%]+)(?:%[\w.-]+)?$/.exec(text)?.[1]
  return address !== undefined && URL.canParse(`http://[${address}]`)
}

function isNameOrIpv4(text: string): boolean {
  const isName = /^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?\.?$/i.test(text)
  // What ends in a number is read as an address: 10 would be 0.0.0.10.
  return isName && URL.canParse(`http://${text}`) && (!/(^|\.)\d+\.?$/.test(text) || /^\d+(\.\d+){3}$/.test(text))
}

/** Hosts that are reached without a proxy, as NO_PROXY has them: between commas, spaces, or both. */
export const hostsExcepted: Parse<string> = (text) => {
  const parts = text.split(/[,\s]+/).filter(Boolean)
  const problem = parts.map(textProblem).find(Boolean)
  if (problem) return { problem: `one ${problem}` }
  if (parts.some((part) => part.includes('://'))) return { problem: 'must have host names, without https://' }
  return { value: parts.join(',') }
}

export const encryptionKeys: Parse<{ id: string; secret: KeyObject }[]> = (text) => {
  const parsed = list(encryptionKey)(text)
  if ('problem' in parsed) return parsed
  const ids = parsed.value.map(({ id }) => id)
  return new Set(ids).size < ids.length
    ? { problem: 'two have the same id: take one of them away, if they are the same key' }
    : parsed
}

const encryptionKey: Parse<{ id: string; secret: KeyObject }> = (text) => {
  const [id = '', encoded = '', ...more] = text.split(':')
  const bytes = Buffer.from(encoded, 'base64')
  const isWellFormed = bytes.length === 32 && bytes.toString('base64') === encoded && more.length === 0
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || !isWellFormed)
    return { problem: 'each must look like id:base64-of-32-bytes, as `npx drift-segment-source keys new` prints it' }
  // Thirty-two random bytes have fewer than eight different values once in 10^30 keys.
  if (new Set(bytes).size < 8)
    return { problem: 'one is not a random key: take one that `npx drift-segment-source keys new` prints' }
  return { value: { id, secret: createSecretKey(bytes) } }
}

/** Shorter ones could be guessed; Drift's are longer. */
const tokenCharactersMin = 8

export const verificationTokens: Parse<string[]> = list((text) => {
  if (text.length < tokenCharactersMin) return { problem: `each must have at least ${tokenCharactersMin} characters` }
  return secret(text)
})
