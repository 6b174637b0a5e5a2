/** What a web developer pastes into a page, so that the bridge runs there. */
import { createHash } from 'node:crypto'
import { withoutEnd } from '../lib/without-end.ts'
import { bridgeScript, bridgeText, reserveScripts, starterScript } from './bridge.ts'

/** Options of the bridge are named as it names them, in packages/bridge/src/options.ts. */
export interface SnippetOptions {
  /** Where browsers reach the service: PUBLIC_URL. */
  url: string
  /**
   * `starter`, the default: an inline script that keeps what happens until the file has come, and behind it a reserve that
   * sends it where the file does not come. `tag`: one tag without a line of script in it. `inline`: everything in the page,
   * and no request to the service.
   */
  as?: 'starter' | 'tag' | 'inline'
  /** The starter alone, without a reserve. */
  small?: boolean
  /** The write key of a Segment source: the bridge loads Segment where it is not there. */
  segment?: string | undefined
  /** The embed id of a Drift widget: the bridge loads Drift where it is not there. */
  drift?: string | undefined
  segmentUrl?: string | undefined
  driftUrl?: string | undefined
  identify?: 'contact' | 'link'
  consent?: 'granted' | 'pending' | 'denied'
  respectOptOut?: boolean
  omit?: readonly string[]
  /** The bytes of today and no others, proved by their hash; served until ten further versions are released. */
  pinned?: boolean
  /** What the page's Content Security Policy names, or what its template puts there. */
  nonce?: string | undefined
  /**
   * Where the site has a copy of the file: loaded four seconds after the starter ran, if the service has not answered. It
   * takes the place of the reserve.
   */
  fallback?: string | undefined
  /** For a page with `require-trusted-types-for 'script'`. */
  trustedTypes?: boolean
}

/** HTML that can be shown or pasted as it is; whatever stands in the options stays inside its place. */
export function snippet(options: SnippetOptions): string {
  const { as = 'starter', nonce, pinned } = options
  if (as === 'starter')
    return [starter(options), ...reserve(options)].map((text) => element({ nonce }, text)).join('\n')
  const attributes = attributesOf(options)
  if (as === 'inline') return element({ nonce, ...attributes }, bridgeText.trim())
  const integrity = pinned ? { integrity: bridgeScript.integrity, crossorigin: 'anonymous' } : {}
  return element({ async: '', src: addressOf(options), nonce, ...integrity, ...attributes }, '')
}

/** What a Content Security Policy names to allow the inline scripts of a snippet; undefined where there are none. */
export function policyHash(html: string): string | undefined {
  const hashes = [...html.matchAll(/<script[^>]*>([\s\S]+?)<\/script>/g)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  )
  return hashes.length === 0 ? undefined : hashes.join(' ')
}

function addressOf({ url, pinned }: SnippetOptions): string {
  return `${withoutEnd(url, '/')}${pinned ? bridgeScript.hashedPath : bridgeScript.path}`
}

function starter(options: SnippetOptions): string {
  const { pinned, nonce, fallback } = options
  const more = [
    ...(pinned ? [`crossOrigin:"",integrity:${literal(bridgeScript.integrity)}`] : []),
    ...(nonce === undefined ? [] : ['nonce:document.currentScript.nonce']),
  ]
  const text = starterScript
    .replace('SRC', () => sourceOf(addressOf(options), 'drift-segment-starter', options))
    .replace('MORE', () => `{${more.join()}}`)
    .replace('OPTIONS', () => literal(unlessDefault(options)))
  if (fallback === undefined) return text
  const source = sourceOf(fallback, 'drift-segment-fallback', options)
  // With the starter, as the starter itself has the file: the page may have written into its place since.
  const own = `{${[...more.map(ofItself), `src:${source}`, 'b'].join()}}`
  // Once the file is there, the bridge has its place in the window, which says its state.
  const load = `document.head.append(Object.assign(document.createElement("script"),${own}))`
  return `${text}setTimeout((b,n)=>driftSegmentBridge.state||${load},4e3,driftSegmentBridge,document.currentScript.nonce)`
}

function reserve({ small, fallback, drift, segment }: SnippetOptions): string[] {
  if (small || fallback !== undefined) return []
  return [drift === undefined && segment === undefined ? reserveScripts.sends : reserveScripts.loads]
}

/** A timer has no script of its own: it is handed the nonce. */
function ofItself(property: string): string {
  return property.replace('document.currentScript.nonce', 'n')
}

/** An address as a script may have it; where the page admits only trusted ones, a policy of this name vouches for it. */
function sourceOf(address: string, policy: string, { trustedTypes }: SnippetOptions): string {
  const text = literal(address)
  if (!trustedTypes) return text
  return `window.trustedTypes?trustedTypes.createPolicy("${policy}",{createScriptURL:u=>u}).createScriptURL(${text}):${text}`
}

/** Says no more than what differs from the default. */
function unlessDefault(options: SnippetOptions): object {
  const { drift, segment, driftUrl, segmentUrl, identify, consent, respectOptOut, omit = [] } = options
  return {
    drift,
    segment,
    driftUrl,
    segmentUrl,
    identify: identify === 'contact' ? undefined : identify,
    consent: consent === 'granted' ? undefined : consent,
    respectOptOut: respectOptOut || undefined,
    omit: omit.length > 0 ? omit.join(' ') : undefined,
  }
}

function attributesOf(options: SnippetOptions): Record<string, string | undefined> {
  const named = Object.entries(unlessDefault(options)).map(([name, value]) => [
    `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value === undefined ? undefined : String(value),
  ])
  return Object.fromEntries(named)
}

/** JavaScript that ends no script element. */
function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

function element(attributes: Record<string, string | undefined>, text: string): string {
  const written = Object.entries(attributes).flatMap(([name, value]) => {
    if (value === undefined) return []
    return [value === '' ? ` ${name}` : ` ${name}="${escaped(value)}"`]
  })
  return `<script${written.join('')}>${text}</script>`
}

function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
