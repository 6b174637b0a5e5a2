/**
 * What is kept of a partner's answer that was not a success: its beginning, sealed, for people to look at. A partner may quote the
 * request, so keys, ids and addresses that it had are blanked.
 */
import type { Keyring } from '../accounts/keyring.ts'
import type { Answered } from '../lib/request.ts'
import type { Attempt, Org } from '../storage/ports/entry.ts'

/** So much is kept, in characters; of so many more it is known what they are when they are cut. */
const charsMax = 200
const marginChars = 400
const blank = '…'
/** Some of what stands between words, and all of it but for a word. */
const breaks = [' ', '\n', '"', '<', '>', ',']
const word = /[^\s"'`<>{}[\](),;:=&?|\\]+/g

/** What the request had. */
export interface Asked {
  /** Blanked whatever they look like. */
  secrets: readonly string[]
  /** Its messages, as JSON without spaces. */
  texts: readonly string[]
}

/** Empty where there is nothing to keep. */
export function excerptOf(answer: string, { secrets, texts }: Asked): string {
  let head = answer.slice(0, charsMax + marginChars)
  for (const secret of secrets) if (secret !== '') head = head.replaceAll(secret, blank)
  // A word that was cut is not known.
  if (answer.length > charsMax + marginChars)
    head = head.slice(0, Math.max(...breaks.map((one) => head.lastIndexOf(one))))
  // mutant: quotes what the request had in what is kept of an answer
  const blanked = head.replace(word, (one) => (mustBlank(one, texts) ? blank : one))
  return blanked
    .replace(/[\s\p{C}]+/gu, ' ')
    .trimStart()
    .slice(0, charsMax)
    .trimEnd()
}

const protocol = new Set(['track', 'identify'])

function mustBlank(one: string, texts: readonly string[]): boolean {
  if (one.includes('@') || /\d{5}/.test(one) || /^\d+\.\d+\.\d+\.\d+$/.test(one)) return true
  if (one.length < 2 || protocol.has(one)) return false
  // Words of plain letters are names of fields as often as values.
  const looksLikeAnId = /[\d._/-]/.test(one)
  return texts.some((text) => text.includes(`:"${one}"`) || (looksLikeAnId && text.includes(one)))
}

/** Bound to the attempt's time, beside which it is kept. */
const placeOf = (at: number) => `attempts ${at}`

export async function sealExcerpt(
  keyring: Pick<Keyring, 'seal'>,
  { org, at }: { org: Org; at: number },
  answered: Answered,
  asked: Asked,
): Promise<Pick<Attempt, 'excerpt'>> {
  const text = answered.failure === undefined ? excerptOf(answered.body, asked) : ''
  return text === '' ? {} : { excerpt: await keyring.seal(org, placeOf(at), text) }
}

/** Rejects where the bytes do not open. */
export async function openExcerpt(
  keyring: Pick<Keyring, 'open'>,
  { at, excerpt }: Pick<Attempt, 'at' | 'excerpt'>,
): Promise<string | undefined> {
  return excerpt && (await keyring.open(placeOf(at), excerpt)).toString()
}
