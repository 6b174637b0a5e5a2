/** What a webhook's Content-Encoding says, and the body without it. Drift sends none; proxies and relays may. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'

/** `unknown`: there is no such coding here, or the bytes are not what it says. */
export type Decoded = Buffer | 'too_large' | 'unknown'

/** Words that say nothing of the bytes. Names of charsets, which some senders put here, say nothing either. */
const meaningless = new Set(['', 'identity', 'none', 'binary'])

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const gunzipped: Decode = promisify(gunzip)
const codings: Readonly<Record<string, Decode>> = {
  gzip: gunzipped,
  'x-gzip': gunzipped,
  br: promisify(brotliDecompress),
  // With zlib's frame as the standard says, or without, as some senders have it.
  deflate: (bytes, options) =>
    promisify<Buffer, object, Buffer>(inflate)(bytes, options).catch((error: unknown) => {
      if (isTooLarge(error)) throw error
      return promisify<Buffer, object, Buffer>(inflateRaw)(bytes, options)
    }),
}

/** Whether the bytes are to be read as they are, whatever stands in the header. */
export function isPlain(encoding: string | undefined): boolean {
  return encoding === undefined || meaningfulIn(encoding).length === 0
}

/** The bytes as they were before, at most `bytesMax` of them. The work is done beside the main thread. */
export async function decodeBody(bytes: Buffer, encoding: string, bytesMax: number): Promise<Decoded> {
  const [coding = '', ...more] = meaningfulIn(encoding)
  const decode = Object.hasOwn(codings, coding) && more.length === 0 ? codings[coding] : undefined
  if (!decode) return 'unknown'
  try {
    return await decode(bytes, { maxOutputLength: bytesMax })
  } catch (error) {
    return isTooLarge(error) ? 'too_large' : 'unknown'
  }
}

/** At most two of them: a body in two codings is not read, and looking for a charset costs 3 microseconds a word. */
function meaningfulIn(encoding: string): string[] {
  const meaningful: string[] = []
  for (const part of encoding.split(',')) {
    const word = part.trim().toLowerCase()
    if (meaningless.has(word) || isCharset(word)) continue
    meaningful.push(word)
    if (meaningful.length === 2) break
  }
  return meaningful
}

function isCharset(word: string): boolean {
  try {
    return new TextDecoder(word).encoding !== ''
  } catch {
    return false
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
}
