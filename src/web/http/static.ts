/** A file that is served as it is: read at the start, compressed once, and named by what it says. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Route } from './server.ts'

export interface Fixed {
  /** Sixteen hex digits that change with the bytes: for an address that never changes what it gives. */
  hash: string
  gzipBytes: number
  /** `cacheControl` and further headers as the file's place needs them. */
  route(cacheControl: string, headers?: Record<string, string>): Route
}

/** For an address with a hash in it. */
export const cacheForEver = 'public, max-age=31536000, immutable'

export function fixed(bytes: Buffer, contentType: string): Fixed {
  const gzipped = gzipSync(bytes, { level: 9 })
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return {
    hash,
    gzipBytes: gzipped.length,
    route(cacheControl, more = {}) {
      const headers = {
        'content-type': contentType,
        'cache-control': cacheControl,
        vary: 'accept-encoding',
        'x-content-type-options': 'nosniff',
        ...more,
      }
      return (request, response) => {
        const isGzip = acceptsGzip(request.headers['accept-encoding'])
        const etag = isGzip ? `"${hash}-gzip"` : `"${hash}"`
        if (isKnown(request.headers['if-none-match'], etag)) {
          response.writeHead(304, { ...headers, etag }).end()
          return
        }
        const body = isGzip ? gzipped : bytes
        const encoding = isGzip ? { 'content-encoding': 'gzip' } : {}
        response.writeHead(200, { ...headers, ...encoding, etag, 'content-length': body.length }).end(body)
      }
    },
  }
}

function acceptsGzip(accepted: string | undefined): boolean {
  return (accepted ?? '').split(',').some((one) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(one))
}

function isKnown(given: string | undefined, etag: string): boolean {
  return (given ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)
}
