/** What a webhook's Content-Encoding says, and the body without it. Drift sends none; proxies and relays may. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'

/** `unknown`: this service does not read that coding, or the bytes are not what it says; they are as they came. */
export interface Decoded {
  bytes: Buffer
  encoding?: 'unknown'
}

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

/** The bytes as they were before, at most `bytesMax` of them. What work there is is done beside the main thread. */
export function decodeBody(
  bytes: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Decoded | Promise<Decoded | 'too_large'> {
  const [coding, ...more] = encoding === undefined ? [] : meaningfulIn(encoding)
  if (coding === undefined) return { bytes }
  const decode = Object.hasOwn(codings, coding) && more.length === 0 ? codings[coding] : undefined
  if (!decode) return { bytes, encoding: 'unknown' }
  return decode(bytes, { maxOutputLength: bytesMax }).then(
    (decoded) => ({ bytes: decoded }),
    (error: unknown) => (isTooLarge(error) ? 'too_large' : { bytes, encoding: 'unknown' }),
  )
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
