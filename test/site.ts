/**
 * Web sites as customers have them, in a real Chromium: the page from one origin, the bridge from the running service,
 * Segment's snippet from its package, and Segment's real analytics.js, from the simulated Segment's address and sending
 * there. The one double is the chat widget, which keeps to what Drift documents of its own.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before } from 'node:test'
import { min } from '@segment/snippet'
import type { Request } from 'playwright-core'
import type { BridgeState } from '../packages/bridge/src/index.ts'
import type { JsonObject } from '../src/lib/json.ts'
import type { Action, Sims } from '../src/sim/index.ts'
import { type SnippetOptions, snippet } from '../src/web/snippet.ts'
import { launchBrowser, openPage, type WatchedPage } from './browser.ts'
import { eventually } from './clock.ts'
import { type Rig, startRig } from './rig.ts'

interface Site {
  rig: Rig
  /**
   * Opens a page, made from its parts, in a profile of its own. Whatever the page does there: no request may go anywhere
   * but to its own origin, the service, and the two partners; no exception may be uncaught; nothing of the visitor may be in
   * the console; nothing may reach Segment twice.
   */
  visit(made: Made, use: (visit: Visit) => Promise<void>, conditions?: Conditions): Promise<void>
  close(): Promise<void>
}

export type Made = (parts: Parts) => string | Document

/** What is the matter on the way. */
export interface Conditions {
  /** Requests that the visitor's browser refuses, as with an ad blocker. */
  blocks?: RegExp
  /** What the simulated Segment does instead, by path. */
  segment?(parts: Parts): Readonly<Record<string, Action>>
  /** The page has code that is not the bridge's: what it throws and prints is its own matter. */
  isOthers?: boolean
  /** Addresses that analytics.js itself asks for when it does not come up. */
  strays?: readonly string[]
}

/** What a page can be made of: tags, without anything around them. */
export interface Parts {
  /** The address of the service. */
  service: string
  sims: Sims
  /** Of a source of this page's own. */
  writeKey: string
  /** Segment's own snippet: its queue, its script, and the page view. */
  segment: string
  /** A snippet as Drift's: its queue, and the widget's script. */
  drift: string
  /** The tag that brings the bridge, with these attributes beside its address. */
  bridge(attributes?: Readonly<Record<string, string>>): string
  /** What `snippet` prints, with options for it. */
  starter(options?: Partial<SnippetOptions>): string
  /** Attributes for a bridge that is to load what the page does not, from here. */
  loads: { drift: Readonly<Record<string, string>>; segment: Readonly<Record<string, string>> }
}

export interface Document {
  html: string
  headers?: Readonly<Record<string, string>>
}

export interface Visit extends Parts, WatchedPage {
  /** What the widget does when a visitor does something. */
  fire(event: string, data?: unknown): Promise<void>
  /** Runs a line of script in the page; strings, because the tests' types know no page. */
  run<Result = void>(line: string): Promise<Result>
  /** Resolves when an expression holds in the page. */
  until(expression: string): Promise<void>
  state(): Promise<BridgeState>
  /**
   * As soon as so many messages are there, page views apart, lets the page tell Segment one thing more, and resolves with
   * all that came before it: more than were waited for is seen.
   */
  received(count: number): Promise<JsonObject[]>
  /** Tracks alone, as soon as there are so many. */
  tracks(count: number): Promise<JsonObject[]>
  pageView(): Promise<JsonObject>
  /**
   * Loads the page again, when Segment has answered all that the page told it: what is under way then, analytics.js sends
   * again within five seconds, with the same messageId.
   */
  reload(): Promise<void>
}

const packaged = (name: string) =>
  readFileSync(new URL(`../node_modules/@segment/analytics-next/dist/umd/${name}`, import.meta.url), 'utf8')
const script = { 'content-type': 'text/javascript; charset=utf-8', 'access-control-allow-origin': '*' }

/** The site of a test file: opened before its tests, closed after them. */
export function useSite(): Pick<Site, 'visit' | 'rig'> {
  let site: Site
  before(async () => {
    site = await openSite()
  })
  after(() => site.close())
  return {
    visit: (...given) => site.visit(...given),
    get rig() {
      return site.rig
    },
  }
}

async function openSite(): Promise<Site> {
  const browser = await launchBrowser()
  const rig = await startRig()
  const { drift, segment } = rig.sims
  let spoilt = new Map<string, Action>()
  segment.script(({ path }) => {
    const name = /^\/analytics\.js\/v1\/[^/]+\/analytics\.min\.js$/.test(path)
      ? 'standalone.js'
      : /^\/analytics-next\/bundles\/([^/]+)$/.exec(path)?.[1]
    return spoilt.get(path) ?? (name === undefined ? undefined : { body: packaged(name), headers: script })
  }, /^/)
  let visits = 0

  async function visit(made: Made, use: (visit: Visit) => Promise<void>, conditions: Conditions = {}): Promise<void> {
    visits++
    const parts = partsFor(rig, `PageSourceKey${String(visits).padStart(19, '0')}`)
    const document = made(parts)
    const { html, headers = {} } = typeof document === 'string' ? { html: document } : document
    const path = `/page-${visits}`
    const { blocks, isOthers, strays = [] } = conditions
    spoilt = new Map(Object.entries(conditions.segment?.(parts) ?? {}))
    drift.script(path, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body: html })
    const watched = await openPage(browser)
    if (blocks) await watched.context.route(blocks, (route) => route.abort('blockedbyclient'))
    const does = actions(watched, parts)
    try {
      // Not its load event, which a script that hangs keeps away.
      await watched.page.goto(drift.url + path, { waitUntil: 'domcontentloaded' })
      await use({ ...parts, ...watched, ...does })
      if (isOthers) return
      assert.deepEqual(watched.errors, [], 'nothing is thrown into the page')
      const told = watched.console.filter((line) => /visitor@example|2176053895|a handler threw/.test(line))
      assert.deepEqual(told, [], 'nothing of the visitor is in the console')
      assert.deepEqual(watched.strays, strays, 'nothing is asked of anybody else')
      const wasted = [...segment.duplicates, ...segment.rejected].filter(({ writeKey }) => writeKey === parts.writeKey)
      assert.deepEqual(wasted, [])
    } finally {
      await watched.close()
    }
  }

  return {
    rig,
    visit,
    async close() {
      await browser.close()
      await rig.close()
    },
  }
}

function partsFor({ service, sims }: Rig, writeKey: string): Parts {
  const { drift, segment } = sims
  const ofSegment = min({ apiKey: writeKey, host: new URL(segment.url).host, useHostForBundles: true, page: true })
  return {
    service: service.url,
    sims,
    writeKey,
    // The package writes https addresses only, and here is none.
    segment: `<script>${ofSegment.replaceAll('https://', 'http://')}</script>`,
    drift: `<script>${driftSnippet(drift.url)}</script>`,
    bridge: (attributes = {}) => {
      const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`)
      return `<script src="${service.url}/bridge.js"${written.join('')}></script>`
    },
    starter: (options = {}) => snippet({ url: service.url, ...options }),
    loads: {
      drift: { 'data-drift': 'embed1', 'data-drift-url': drift.url },
      segment: { 'data-segment': writeKey, 'data-segment-url': segment.url },
    },
  }
}

/** A list that takes calls until the widget comes, and a method that loads it. */
function driftSnippet(url: string): string {
  return `(function (queue) {
    window.drift = window.driftt = queue
    if (queue.invoked || queue.init) return
    queue.invoked = true
    'identify config track reset debug show ping page hide off on'.split(' ').forEach(function (name) {
      queue[name] = function () { queue.push([name].concat([].slice.call(arguments))); return queue }
    })
    queue.load = function (id) {
      var script = document.createElement('script')
      script.async = true
      script.src = '${url}/include/' + Math.ceil(Date.now() / 300000) * 300000 + '/' + id + '.js'
      document.head.appendChild(script)
    }
    queue.load(window.embedId || 'embed1')
  })(window.driftt || window.drift || [])`
}

function actions({ page }: WatchedPage, { sims, writeKey }: Parts): Omit<Visit, keyof Parts | keyof WatchedPage> {
  const mine = () => sims.segment.accepted.filter((one) => one.writeKey === writeKey).map(({ message }) => message)
  const ofType = (type: string) => mine().filter((message) => message.type === type)
  // Not the browser's own way to wait, which a strict page forbids.
  const told = () => mine().filter(({ type, event }) => type !== 'page' && !String(event).startsWith("The page's own "))
  const until = (expression: string) => eventually(() => page.evaluate(`Boolean(${expression})`))
  let fences = 0
  const underWay = new Set<Request>()
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().startsWith(sims.segment.url)) underWay.add(request)
  })
  const ends = (request: Request) => void underWay.delete(request)
  page.on('requestfinished', ends).on('requestfailed', ends)
  const pageView = async () => {
    await sims.segment.waitFor(() => ofType('page').length > 0)
    return ofType('page')[0]!
  }
  return {
    async fire(event, data) {
      await until('window.drift?.simulate && window.driftSegmentBridge?.state?.().drift')
      await page.evaluate(`drift.simulate(${JSON.stringify(event)}, ${JSON.stringify(data) ?? ''})`)
    },
    run: <Result>(line: string) => page.evaluate(line) as Promise<Result>,
    until,
    state: () => page.evaluate('driftSegmentBridge.state()') as Promise<BridgeState>,
    async received(count) {
      await sims.segment.waitFor(() => told().length >= count)
      const fence = `The page's own ${++fences}`
      await page.evaluate(`void analytics.track(${JSON.stringify(fence)})`)
      await sims.segment.waitFor(() => mine().some(({ event }) => event === fence))
      return told()
    },
    async tracks(count) {
      await sims.segment.waitFor(() => ofType('track').length >= count)
      return ofType('track')
    },
    pageView,
    async reload() {
      await pageView()
      await eventually(() => underWay.size === 0)
      await page.reload()
    },
  }
}
