/** Loading Drift and Segment for a site that asks for it: each on its own, so that neither waits for the other. */
import type { Settings } from './options.ts'
import { each, fieldOf, type Page, quietly, type ScriptTag } from './page.ts'

type Queue = unknown[] & Record<string, unknown>

const driftMethods = 'identify config track reset debug show ping page hide off on'
const segmentMethods =
  'trackSubmit trackClick trackLink trackForm pageview identify reset group track ready alias debug page screen once off on ' +
  'addSourceMiddleware addIntegrationMiddleware setAnonymousId addDestinationMiddleware register'

/** Drift's loader changes its address every five minutes, so that caches do not keep an old widget. */
const driftRoundMs = 300_000

/** Puts Drift's queue in the window and loads the widget; does nothing where a snippet or the widget is there. */
export function loadDrift(page: Page, { drift: embedId, driftUrl, nonce }: Settings): void {
  const { drift, driftt } = page
  if (!embedId || isTaken(drift, 'on') || isTaken(driftt, 'on')) return
  const queue = queueOf(driftt || drift, driftMethods)
  let isLoaded = false
  // A snippet that comes after us finds its queue, and its own call of load must not bring a second widget.
  const load = (id: unknown) => {
    if (isLoaded) return
    isLoaded = true
    const round = Math.ceil(Date.now() / driftRoundMs) * driftRoundMs
    insert(page, `${driftUrl}/include/${round}/${encodeURIComponent(String(id))}.js`, nonce)
  }
  queue.load = load
  page.driftt = page.drift = queue
  load(embedId)
}

/** The same for Segment: its queue, its script, and the page view that its own snippet sends too. */
export function loadSegment(page: Page, settings: Settings): void {
  const { segment: writeKey, segmentUrl, segmentPage, globalName, nonce } = settings
  if (!writeKey || isTaken(page[globalName], 'track')) return
  const queue = queueOf(page[globalName], segmentMethods)
  queue._loadOptions = settings.segmentOptions
  queue._writeKey = writeKey
  // The library would recognize its own address only where it is https.
  queue._cdn = segmentUrl
  // A page that takes this for Segment's own snippet calls it again: it has nothing left to do.
  queue.load = () => {}
  page[globalName] = queue
  if (segmentPage) (queue.page as () => void)()
  insert(page, `${segmentUrl}/analytics.js/v1/${encodeURIComponent(writeKey)}/analytics.min.js`, nonce, globalName)
}

/** A snippet or the library itself is there; not a bare list of calls, nor an element with that id. */
function isTaken(there: unknown, method: string): boolean {
  return (
    fieldOf(there, 'invoked') === true ||
    isFunction(there, 'load') ||
    (!Array.isArray(there) && isFunction(there, method))
  )
}

function isFunction(of: unknown, name: string): boolean {
  return typeof fieldOf(of, name) === 'function'
}

/** A list whose methods write down their calls, for the library to make when it comes. */
function queueOf(there: unknown, methods: string): Queue {
  const queue = (Array.isArray(there) ? there : []) as Queue
  const names = methods.split(' ')
  queue.invoked = true
  queue.methods = names
  each(names, (name) => {
    queue[name] = (...args: unknown[]) => {
      queue[queue.length] = [name, ...args]
      return queue
    }
  })
  return queue
}

function insert(page: Page, url: string, nonce: string, globalName?: string): void {
  const { document } = page
  const script = document.createElement('script') as ScriptTag
  script.async = true
  if (nonce) script.nonce = nonce
  // So analytics.js learns under which name its snippet stands.
  if (globalName && globalName !== 'analytics') script.setAttribute('data-global-segment-analytics-key', globalName)
  script.src = trusted(page, url)
  const parent = document.head || document.documentElement
  parent.appendChild(script as never)
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

/** A page admits a policy of this name once, and there may be two scripts to load. */
let policy: { createScriptURL(url: string): string } | undefined

/** Where a page admits only trusted script addresses, these two are vouched for by a policy that it can name. */
function trusted(page: Page, url: string): string {
  const types = page.trustedTypes as TrustedTypes | undefined
  quietly(() => {
    policy = types && (policy || types.createPolicy('drift-segment-source', { createScriptURL: (asked) => asked }))
  })
  return policy ? policy.createScriptURL(url) : url
}
