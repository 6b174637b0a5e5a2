/** What a web developer pastes into a page: one tag, without a line of script in it, so that a strict page takes it too. */
import { withoutEnd } from '../lib/without-end.ts'
import { bridgeScript } from './bridge.ts'

/** Options of the bridge are named as it names them, in packages/bridge/src/options.ts. */
export interface SnippetOptions {
  /** Where browsers reach the service: PUBLIC_URL. */
  url: string
  /** The write key of a Segment source: the bridge loads Segment where it is not there. */
  segment?: string | undefined
  /** The embed id of a Drift widget: the bridge loads Drift where it is not there. */
  drift?: string | undefined
  identify?: 'contact' | 'link'
  consent?: 'granted' | 'pending' | 'denied'
  respectOptOut?: boolean
  omit?: readonly string[]
  /** The bytes of today and no others, proved by their hash; the page must be changed when the service is updated. */
  pinned?: boolean
}

/** HTML that can be shown or pasted as it is; whatever stands in the options stays inside its attribute. */
export function snippet(options: SnippetOptions): string {
  const { url, segment, drift, identify, consent, respectOptOut, omit = [], pinned } = options
  const base = withoutEnd(url, '/')
  const attributes: [string, string | undefined][] = [
    ['src', `${base}${pinned ? bridgeScript.hashedPath : bridgeScript.path}`],
    ['integrity', pinned ? bridgeScript.integrity : undefined],
    ['crossorigin', pinned ? 'anonymous' : undefined],
    ['data-drift', drift],
    ['data-segment', segment],
    ['data-identify', identify === 'contact' ? undefined : identify],
    ['data-consent', consent === 'granted' ? undefined : consent],
    ['data-respect-opt-out', respectOptOut ? 'true' : undefined],
    ['data-omit', omit.length > 0 ? omit.join(' ') : undefined],
  ]
  const written = attributes.flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escaped(value)}"`]))
  return `<script async${written.join('')}></script>`
}

function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
