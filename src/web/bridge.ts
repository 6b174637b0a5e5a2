/** `GET /bridge.js`: the browser bridge, and the same bytes under an address that names them and never changes. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Route, Routes } from './server.ts'

const script = readFileSync(new URL('../bridge/bridge.min.js', import.meta.url))
const gzipped = gzipSync(script, { level: 9 })
const hash = createHash('sha256').update(script).digest('hex').slice(0, 16)

export interface BridgeScript {
  /** Always the newest. */
  path: string
  /** These bytes and no others; gone when a newer version of the service has other ones. */
  hashedPath: string
  /** For the `integrity` attribute of a tag that loads it from the hashed address. */
  integrity: string
  /** Minified, and as it travels. */
  bytes: { minified: number; gzip: number }
}

export const bridgeScript: BridgeScript = {
  path: '/bridge.js',
  hashedPath: `/bridge-${hash}.js`,
  integrity: `sha384-${createHash('sha384').update(script).digest('base64')}`,
  bytes: { minified: script.length, gzip: gzipped.length },
}

/** An hour is as long as a site may keep an old bridge after an update of the service, and is served it while asking. */
const cacheShort = 'public, max-age=3600, stale-while-revalidate=86400'
const cacheForEver = 'public, max-age=31536000, immutable'

export const bridgeRoutes: Routes = {
  [bridgeScript.path]: { GET: serve(cacheShort) },
  [bridgeScript.hashedPath]: { GET: serve(cacheForEver) },
}

function serve(cacheControl: string): Route {
  const headers = {
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': cacheControl,
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    // Any site may load it, also with an integrity attribute, which browsers allow only where CORS does.
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  }
  return (request, response) => {
    const isGzip = acceptsGzip(request.headers['accept-encoding'])
    const etag = isGzip ? `"${hash}-gzip"` : `"${hash}"`
    if (isKnown(request.headers['if-none-match'], etag)) {
      response.writeHead(304, { ...headers, etag }).end()
      return
    }
    const body = isGzip ? gzipped : script
    const encoding = isGzip ? { 'content-encoding': 'gzip' } : {}
    response.writeHead(200, { ...headers, ...encoding, etag, 'content-length': body.length }).end(body)
  }
}

function acceptsGzip(accepted: string | undefined): boolean {
  return (accepted ?? '').split(',').some((one) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(one))
}

function isKnown(given: string | undefined, etag: string): boolean {
  return (given ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)
}
