/**
 * `GET /bridge.js`: the browser bridge, and the same bytes under an address that names them and never changes. So are those
 * of the last released versions, so that a page that names one goes on when the service is updated.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Routes } from './http/server.ts'
import { cacheForEver, fixed } from './http/static.ts'

const folder = (name: string) => fileURLToPath(new URL(`../../packages/bridge/${name}/`, import.meta.url))
const read = (name: string) => readFileSync(join(folder('built'), name))
const file = script(read('bridge.min.js'))
/** The inline starter, with places for what is put in. */
export const starterScript = read('starter.min.js').toString()
/** What stands behind it and sends where the file does not come; `loads`: Drift and Segment too. */
export const reserveScripts = {
  sends: read('reserve.min.js').toString(),
  loads: read('reserve-loads.min.js').toString(),
}
export const bridgeText = read('bridge.min.js').toString()

export interface BridgeScript {
  /** Always the newest. */
  path: string
  /** These bytes and no others. */
  hashedPath: string
  /** For the `integrity` attribute of a tag that loads it from the hashed address. */
  integrity: string
  /** Minified, and as it travels. */
  bytes: { minified: number; gzip: number }
}

export const bridgeScript: BridgeScript = {
  path: '/bridge.js',
  hashedPath: file.path,
  integrity: file.integrity,
  bytes: { minified: file.bytes, gzip: file.gzipBytes },
}

const about = JSON.parse(read('about.json').toString()) as { events: string[]; consent: string[] }
/** The events of the widget that the script sends. */
export const widgetEventNames: readonly string[] = about.events

/** An hour is as long as a site may keep an old bridge after an update of the service, and is served it meanwhile. */
const cacheShort = 'public, max-age=3600, stale-while-revalidate=86400'
/** Any site may load it, also with an integrity attribute, which browsers allow only where CORS does. */
const anySite = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }
/** So many released versions stay, beside the one of today. */
const releasesMax = 10

function script(bytes: Buffer) {
  const { hash, gzipBytes, route } = fixed(bytes, 'text/javascript; charset=utf-8')
  const integrity = `sha384-${createHash('sha384').update(bytes).digest('base64')}`
  return { path: `/bridge-${hash}.js`, integrity, bytes: bytes.length, gzipBytes, route }
}

/** `asked` hears of every request: `newest` for the address without a hash, `current` or the version for one with it. */
export function bridgeRoutes(asked: (build: string) => void, released = folder('released')): Routes {
  const versions = existsSync(released) ? readdirSync(released).flatMap((name) => versionOf(name)) : []
  const kept = versions.sort((one, other) => compare(other, one)).slice(0, releasesMax)
  const counted = (build: string, route: ReturnType<typeof file.route>): Routes[string] => ({
    GET: (...request) => {
      asked(build)
      return route(...request)
    },
  })
  const old = kept.map((version) => {
    const { path, route } = script(readFileSync(join(released, `${version}.min.js`)))
    return [path, counted(version, route(cacheForEver, anySite))] as const
  })
  const managers = about.consent.map((name) => {
    const { route } = script(read(`consent-${name}.min.js`))
    return [`/bridge-consent-${name}.js`, { GET: route(cacheShort, anySite) }] as const
  })
  return {
    ...Object.fromEntries([...managers, ...old]),
    [bridgeScript.path]: counted('newest', file.route(cacheShort, anySite)),
    [bridgeScript.hashedPath]: counted('current', file.route(cacheForEver, anySite)),
  }
}

function versionOf(name: string): string[] {
  return /^\d+\.\d+\.\d+(?=\.min\.js$)/.exec(name)?.slice(0, 1) ?? []
}

function compare(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}
