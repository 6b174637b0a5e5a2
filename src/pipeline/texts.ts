/**
 * What a body of the store looks like: the texts of some events of one account, one after the other, sealed together. In
 * front stands one line of JSON that says whose each of them is, and how long; null where an event was erased.
 */
import type { Keyring } from '../accounts/keyring.ts'
import { Problem } from '../lib/errors.ts'
import { readText } from '../lib/json.ts'
import type { Body, Entry, NewBody, Org } from '../storage/ports/entry.ts'

export interface Text {
  messageId: string
  text: string | Buffer
}

/** Texts of one body, all in all; one text alone may be longer. */
export const bodyBytesMax = 60_000
/** Positions in a body are counted up to 128, see storage/place.ts. */
export const bodyTextsMax = 100

/** The messageIds inside say whose the texts are: in another row, the bytes give nothing. */
const place = 'bodies'

/** Seals them for an account. */
export async function sealTexts(keyring: Keyring, org: Org, texts: readonly Text[]): Promise<NewBody> {
  return { org, sealed: await keyring.seal(org, place, joined(texts)) }
}

type Head = ([messageId: string, bytes: number] | null)[]

function joined(texts: readonly (Text | undefined)[]): Buffer {
  const parts = texts.map((one) => (one ? Buffer.from(one.text as string) : undefined))
  const head: Head = texts.map((one, at) => (one ? [one.messageId, parts[at]!.length] : null))
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...parts.flatMap((part) => part ?? [])])
}

/** The texts of bodies, each opened when it is first asked for. */
export interface Texts {
  /** Rejects with `sealed_unreadable` where the entry's text is not there, or is another's. */
  of(entry: Pick<Entry, 'messageId' | 'body' | 'position'>): Promise<Buffer>
}

export function textsOf(keyring: Pick<Keyring, 'open'>, bodies: readonly Body[]): Texts {
  const sealed = new Map(bodies.map((body) => [body.id, body]))
  const opened = new Map<number, Promise<(Text | undefined)[]>>()
  return {
    async of({ messageId, body: { id }, position }) {
      const body = sealed.get(id)
      if (!body) throw missing()
      const texts = opened.get(id) ?? openTexts(keyring, body)
      opened.set(id, texts)
      const text = (await texts)[position]
      if (text?.messageId !== messageId) throw missing()
      return text.text as Buffer
    },
  }
}

/** By position; undefined where an event was erased. */
async function openTexts(keyring: Pick<Keyring, 'open'>, { sealed }: Body): Promise<(Text | undefined)[]> {
  const bytes = await keyring.open(place, sealed)
  const end = bytes.indexOf('\n')
  const reading = readText(bytes.toString('utf8', 0, Math.max(end, 0)))
  if (!reading.ok) throw missing()
  const head = reading.value as unknown as Head
  let at = end + 1
  return head.map((one) => {
    if (!one) return undefined
    const [messageId, length] = one
    at += length
    return { messageId, text: bytes.subarray(at - length, at) }
  })
}

/** The body sealed again with the texts at these positions alone. */
export async function sealRest(
  keyring: Keyring,
  body: Body & { org: Org },
  positions: readonly number[],
): Promise<Uint8Array> {
  const texts = await openTexts(keyring, body)
  const rest = texts.map((text, at) => (positions.includes(at) ? text : undefined))
  return keyring.seal(body.org, place, joined(rest))
}

function missing(): Problem {
  return new Problem('sealed_unreadable', 'the text of an event is not where it was kept', {
    hint: 'restore the database from a backup',
  })
}
