/** `/demo/site`: a shop that does not exist, with a chat on it, and beside it what Segment received from the browser. */
import { readFileSync } from 'node:fs'
import { html } from './page.ts'
import type { Received, Reply } from './server.ts'

export interface DemoSite {
  /** The Segment that the page loads and whose messages it shows. */
  segmentUrl: string
  /** The write key of the page's source. */
  writeKey: string
}

const read = (url: URL) => readFileSync(url, 'utf8')
const shop = read(new URL('./site/shop.html', import.meta.url))
const files = new Map<string, { type: string; text: string }>([
  ['/demo/shop.css', { type: 'text/css', text: read(new URL('./site/shop.css', import.meta.url)) }],
  ['/demo/shop.js', { type: 'text/javascript', text: read(new URL('./site/shop.js', import.meta.url)) }],
  [
    '/demo/bridge.js',
    { type: 'text/javascript', text: read(new URL('../../packages/bridge/built/bridge.min.js', import.meta.url)) },
  ],
])
const widget = read(new URL('./site/widget.js', import.meta.url))

/** What the page consists of; undefined when the path is none of it. */
export function demoSite(site: DemoSite | undefined, { path, query }: Received, driftUrl: string): Reply | undefined {
  const file = files.get(path)
  if (file) return script(file.text, file.type)
  return site && path === '/demo/site' ? shopPage(site, query, driftUrl) : undefined
}

/** `GET /include/<five minutes>/<embed id>.js`: the widget, as its snippet asks for it. */
export function widgetScript({ method, path }: Received): Reply | undefined {
  return method === 'GET' && /^\/include\/\d+\/[\w-]+\.js$/.test(path) ? script(widget, 'text/javascript') : undefined
}

function script(body: string, type: string): Reply {
  return { status: 200, headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }, body }
}

/** As strict a page as there is: nothing but scripts from where they must come from, and no line of script in it. */
function shopPage({ segmentUrl, writeKey }: DemoSite, query: URLSearchParams, driftUrl: string): Reply {
  const identify = query.get('identify') === 'link' ? ' data-identify="link"' : ''
  const asked = query.get('consent')
  const consent = asked === 'pending' || asked === 'denied' ? ` data-consent="${asked}"` : ''
  const from = `data-segment-url="${segmentUrl}" data-drift-url="${driftUrl}"`
  const tag = `<script async src="/demo/bridge.js" data-drift="demo" data-segment="${writeKey}" ${from}${identify}${consent}></script>`
  const body = shop
    .replace('{tag}', () => tag)
    .replace('{shown}', () => html`${tag}`.markup)
    .replace('{segment}', segmentUrl)
    .replace('{key}', writeKey)
  // What an ad blocker does to Segment, a policy does too.
  const library = query.get('blocked') === 'segment' ? '' : ` ${segmentUrl}`
  const policy = `default-src 'none'; script-src 'self'${library}; connect-src ${segmentUrl}; style-src 'self'`
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }
  return { status: 200, headers: { ...headers, 'cache-control': 'no-store' }, body }
}
