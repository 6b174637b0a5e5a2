/** The bridge itself: what Drift's widget says reaches Segment, in whatever order the two of them appear. */
import { openListener } from './listen.ts'
import { loadDrift, loadSegment } from './load.ts'
import { type BridgeOptions, type Consent, nonceOf, optionsOf, ownTag, readSettings } from './options.ts'
import { momentOf, openOutbox } from './outbox.ts'
import { each, fieldOf, isOfScript, ownField, type Page, quietly, succeeds } from './page.ts'
import { before } from './starter.ts'

/** What the page can do with a running bridge. It is also `window.driftSegmentBridge`. */
export interface Bridge {
  readonly name: 'drift-segment-source'
  /** Says what the visitor chose. Granted: what was kept is sent. Denied: what was kept is forgotten. */
  consent(choice: Consent): void
  /** Counts and conditions, for finding out what is missing; nothing about the visitor. */
  state(): BridgeState
  /** Ends it: nothing is heard or sent any more, and what was kept is forgotten. */
  stop(): void
}

export interface BridgeState {
  readonly consent: Consent
  /** The widget, or its snippet, is there and is listened to. */
  readonly drift: boolean
  /** Segment, or its snippet, is there. */
  readonly segment: boolean
  /** Events that wait for Segment or for consent. */
  readonly kept: number
  readonly sent: number
  /** Events that consent, the bounds, or a Segment that threw them back did not let through. */
  readonly dropped: number
}

const lookOftenMs = 100
const lookSeldomMs = 1_000
/** After half a minute of looking often, what has not come comes late or not at all. */
const looksOftenMax = 300

/** For good: were options that a page writes there too late to push it out, the next copy of the script would start again. */
function takePlace(page: Page, bridge: Bridge, written: (options: unknown) => void): void {
  const place = { get: () => bridge, set: written, configurable: true }
  if (succeeds(() => Object.defineProperty(page, 'driftSegmentBridge', place))) return
  // The place of a page's own `var` can be filled, but not changed.
  quietly(() => {
    page.driftSegmentBridge = bridge
  })
}

/** What a copy of this script may ask of a bridge that another one has started. */
export interface Running extends Bridge {
  add(options: unknown): void
}

/** The bridge that runs in this page, whichever copy of the script has started it. */
export function runningIn(page: Page): Running | undefined {
  const there = fieldOf(page, 'driftSegmentBridge')
  return isOfScript(there) && fieldOf(there, 'name') === 'drift-segment-source' ? (there as Running) : undefined
}

/** What is not said by options: where to send to, and that this one runs beside the bridge that there is. */
export interface Beside {
  target?(): unknown
  isBeside?: boolean
}

/** Starts the bridge, or adds to the one that runs in this page already. Never throws. */
export function openBridge(options: BridgeOptions | undefined, page: Page, { target, isBeside }: Beside = {}): Running {
  const tag = options ? undefined : ownTag(page)
  const given = options || (tag && optionsOf(tag))
  const there = runningIn(page)
  if (there && !isBeside) {
    quietly(() => there.add(given))
    return there
  }
  const found = before(there ? ({} as Page) : page, fieldOf(tag, 'b'))
  // A tag that cannot be read, as that of a module, may have asked to wait.
  const unread = given || found.starter ? given : { consent: 'pending' }
  let sources: readonly unknown[] = [unread, ...found.options]
  let choice = found.choice
  let settings = readSettings({ sources, choice }, page, nonceOf(tag))
  const outbox = openOutbox(page, () => settings, target)
  const listener = openListener(page, (event, data, moment = momentOf(page)) => outbox.hold(event, data, moment))
  let looks = 0
  let isStopped = false
  listener.want(settings.events)
  // A chat that is loaded late may speak before the next look, but not before its script is put into the page.
  const watcher = quietly(() => new page.MutationObserver!(() => quietly(lookOnce)))

  function lookOnce(): void {
    listener.look()
    if (listener.isListening()) watcher!.disconnect()
  }

  /** The widget and Segment appear, and are replaced, without a word: the only way to notice is to look. */
  function look(): void {
    if (isStopped) return
    quietly(lookOnce)
    quietly(outbox.send)
    looks++
    const { segment, kept } = outbox.counts()
    const isAllThere = listener.isListening() && segment && kept === 0
    quietly(() => page.setTimeout(look, isAllThere || looks > looksOftenMax ? lookSeldomMs : lookOftenMs))
  }

  function load(): void {
    quietly(() => loadDrift(page, settings))
    if (settings.consent === 'granted') quietly(() => loadSegment(page, settings))
  }

  /** More was said, or the visitor has chosen. */
  function reread(): void {
    settings = readSettings({ sources, choice }, page, settings.nonce)
    if (isStopped) return
    listener.want(settings.events)
    outbox.choose(settings.consent)
    load()
    quietly(lookOnce)
    quietly(outbox.send)
  }

  const bridge: Running = Object.freeze({
    name: 'drift-segment-source',
    consent(chosen: Consent) {
      choice = chosen
      reread()
    },
    state: () => ({ drift: listener.isListening(), ...outbox.counts() }),
    add(more: unknown) {
      sources = [...sources, more]
      reread()
    },
    stop() {
      isStopped = true
      listener.want([])
      outbox.choose('denied')
      quietly(() => watcher!.disconnect())
      if (runningIn(page) === bridge) quietly(() => delete page.driftSegmentBridge)
    },
  } as const)
  if (!isBeside)
    takePlace(page, bridge, (written) => {
      if (!isOfScript(written)) return
      choice = ownField(written, 'consent') || choice
      bridge.add(written)
    })
  const { starter } = found
  if (starter) {
    if (starter.w) listener.adopt(starter.w)
    found.handOver(listener.told)
    each(starter.q, ([called, at, url, title]) => {
      quietly(() => listener.told(...called, { at, url, title }))
    })
  }
  quietly(() => watcher!.observe(page.document, { childList: true, subtree: true }))
  load()
  look()
  return bridge
}
