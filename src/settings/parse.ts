/** How the text of a setting becomes its value, or what is wrong with it. No sentence here ever holds the value. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { isOrgId } from '../drift/org.ts'
import { isLoopback } from '../lib/loopback.ts'
import { secretProblem, textProblem, wordIn } from '../lib/pasted.ts'
import { withoutEnd } from '../lib/without-end.ts'

/** `problem` is the end of a sentence that begins with the setting's name. */
export type Parsed<Value> = { value: Value } | { problem: string }
export type Parse<Value> = (text: string) => Parsed<Value>

export const anyText: Parse<string> = (text) => ({ value: text })

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
    const parts = text.split(',').map((part) => part.trim())
    const parsed = parts.map((part): Parsed<Value> => {
      const problem = part === '' ? 'has an empty part between commas' : textProblem(part)
      return problem ? { problem: parts.length > 1 ? `one ${problem}` : problem } : parse(part)
    })
    const wrong = parsed.find((one) => 'problem' in one)
    return wrong ?? { value: parsed.map((one) => (one as { value: Value }).value) }
  }
}

/** https, or http on loopback; without credentials, query and fragment. The value has no slash at its end. */
export const address: Parse<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) return { problem: 'must be an address such as https://example.com' }
  if (url.username || url.password) return { problem: 'must not hold a user name or password' }
  if (url.search || url.hash) return { problem: 'must have no query and no fragment' }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    return { problem: 'must be https (or http on loopback)' }
  return { value: withoutEnd(text, '/') }
}

/** Everything that browsers and Drift are given is made from it, so it is the service's own address and nothing behind. */
export const addressWithoutPath: Parse<string> = (text) => {
  const parsed = address(text)
  if ('value' in parsed && new URL(parsed.value).pathname !== '/')
    return { problem: 'must have no path: the service answers at the root of its address' }
  return parsed
}

export const segmentAddress: Parse<string> = (text) => {
  const parsed = address(text)
  if ('value' in parsed && /\/v1(\/|$)/i.test(new URL(parsed.value).pathname))
    return { problem: 'must not have /v1 in it: the service adds that' }
  return parsed
}

/** A proxy's, with or without credentials; http or https. */
export const proxyAddress: Parse<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isProxy = url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== ''
  return isProxy ? { value: text } : { problem: 'must be a proxy such as http://proxy.example:3128' }
}

export const databaseAddress: Parse<string> = (text) => {
  const isPostgres = /^postgres(ql)?:\/\//.test(text) && URL.canParse(text)
  if (/^sqlite:.+/.test(text) || isPostgres) return { value: text }
  const hint = /^postgres(ql)?:\/\//.test(text) ? ': in a user name or password, %-escape : / ? # [ ] @ and %' : ''
  return { problem: `must look like sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE${hint}` }
}

export const encryptionKeys: Parse<{ id: string; secret: KeyObject }[]> = (text) => {
  const parsed = list(encryptionKey)(text)
  if ('problem' in parsed) return parsed
  const ids = parsed.value.map(({ id }) => id)
  return new Set(ids).size < ids.length ? { problem: 'two have the same id' } : parsed
}

const encryptionKey: Parse<{ id: string; secret: KeyObject }> = (text) => {
  const [id = '', encoded = '', ...more] = text.split(':')
  const bytes = Buffer.from(encoded, 'base64')
  const isWellFormed = bytes.length === 32 && bytes.toString('base64') === encoded && more.length === 0
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || !isWellFormed)
    return { problem: 'each must look like id:base64-of-32-bytes' }
  // Thirty-two random bytes have fewer than eight different values once in 10^30 keys.
  if (new Set(bytes).size < 8) return { problem: 'one is not a random key' }
  return { value: { id, secret: createSecretKey(bytes) } }
}

/** Shorter ones could be guessed; Drift's are longer. */
const tokenCharactersMin = 8

export const verificationTokens: Parse<string[]> = list((text) => {
  if (text.length < tokenCharactersMin) return { problem: `each must have at least ${tokenCharactersMin} characters` }
  return secret(text)
})
