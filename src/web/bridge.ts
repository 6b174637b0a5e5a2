/** `GET /bridge.js`: the browser bridge, and the same bytes under an address that names them and never changes. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Routes } from './http/server.ts'
import { cacheForEver, fixed } from './http/static.ts'

const read = (name: string) => readFileSync(new URL(`../../packages/bridge/built/${name}`, import.meta.url))
const script = read('bridge.min.js')
const file = fixed(script, 'text/javascript; charset=utf-8')

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
  hashedPath: `/bridge-${file.hash}.js`,
  integrity: `sha384-${createHash('sha384').update(script).digest('base64')}`,
  bytes: { minified: script.length, gzip: file.gzipBytes },
}

/** An hour is as long as a site may keep an old bridge after an update of the service, and is served it while asking. */
const cacheShort = 'public, max-age=3600, stale-while-revalidate=86400'
/** Any site may load it, also with an integrity attribute, which browsers allow only where CORS does. */
const anySite = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }

const about = JSON.parse(read('about.json').toString()) as { events: string[] }
/** The events of the widget that the script sends. */
export const widgetEventNames: readonly string[] = about.events

export const bridgeRoutes: Routes = {
  [bridgeScript.path]: { GET: file.route(cacheShort, anySite) },
  [bridgeScript.hashedPath]: { GET: file.route(cacheForEver, anySite) },
}
