/** A page without a browser: a window with only what a test puts there, and a clock that stands until it is turned. */
import { type Bridge, type BridgeOptions, startBridge } from '../packages/bridge/src/index.ts'
import type { Page, ScriptTag } from '../packages/bridge/src/page.ts'

/** One of the calls that Segment got: its method and its arguments. */
export type Call = [method: string, ...args: unknown[]]

export interface FakePage extends Page {
  /** Addresses of the scripts that were put into the page, in order. */
  scripts: ScriptTag[]
  /** Lets the bridge look again, so many times. */
  look(times?: number): void
  /** How long the bridge wants to wait before it looks again. */
  untilLookMs(): number
}

export function fakePage(fields: Partial<Page> = {}): FakePage {
  const timers: { callback: () => void; delayMs: number }[] = []
  const scripts: ScriptTag[] = []
  const parent = { appendChild: (node: ScriptTag) => scripts.push(node) }
  return {
    document: {
      currentScript: null,
      head: parent,
      documentElement: parent,
      createElement: () => ({}),
    },
    setTimeout: (callback, delayMs) => (delayMs === 0 ? queueMicrotask(callback) : timers.push({ callback, delayMs })),
    scripts,
    look(times = 1) {
      for (let left = times; left > 0; left--) timers.shift()?.callback()
    },
    untilLookMs: () => timers[0]!.delayMs,
    ...fields,
  }
}

/** The tag that a page loads the bridge with, as `document.currentScript` shows it. */
export function tagWith(attributes: Record<string, string>, nonce = '') {
  const camel = (name: string) => name.slice('data-'.length).replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())
  const dataset = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [camel(name), value]))
  return { tagName: 'SCRIPT', nonce, dataset }
}

export interface FakeWidget {
  on(event: string, handler: (data?: unknown) => void): void
  /** How many listen to this event. */
  listeners(event: string): number
  /** Tells everybody who listens; returns what they threw. */
  fire(event: string, data?: unknown): unknown[]
}

export function fakeWidget(): FakeWidget {
  const handlers: { event: string; handler: (data?: unknown) => void }[] = []
  return {
    on: (event, handler) => void handlers.push({ event, handler }),
    listeners: (event) => handlers.filter((one) => one.event === event).length,
    fire(event, data) {
      const thrown: unknown[] = []
      for (const one of handlers.filter((each) => each.event === event)) {
        try {
          one.handler(data)
        } catch (error) {
          thrown.push(error)
        }
      }
      return thrown
    },
  }
}

/** An analytics.js that writes down the calls that it gets. */
export function fakeSegment() {
  const calls: Call[] = []
  return {
    calls,
    track: (...args: unknown[]) => void calls.push(['track', ...args]),
    setAnonymousId: (...args: unknown[]) => void calls.push(['setAnonymousId', ...args]),
    /** What happened and to whom, without the options. */
    told: () => calls.map(([method, ...args]) => [method, ...args.slice(0, 2)]),
  }
}

/** A page where widget and Segment are there, and a bridge that runs. */
export function runningBridge(options: BridgeOptions = {}) {
  const widget = fakeWidget()
  const segment = fakeSegment()
  const page = fakePage({ drift: widget, analytics: segment })
  const bridge: Bridge = startBridge(options, page)
  return { widget, segment, page, bridge }
}

/** What each event carries in the tests: every value another, and some of it not documented. */
export const samples: Readonly<Record<string, Record<string, unknown>>> = {
  'conversation:firstInteraction': {
    messageId: 'm1',
    createdAt: 1714419312425,
    authorId: 21760538950,
    conversationId: 3969707702,
    playbookId: 2750462,
    interactionId: 5201,
    campaignId: 1870,
  },
  startConversation: {
    conversationId: 3969707703,
    inboxId: 642330,
    endUserId: 21760538951,
    endUserEmail: 'visitor@example.com',
  },
  'conversation:selected': { conversationId: 3969707704, playbookId: 2750463, interactionId: 5202, campaignId: 1871 },
  'scheduling:requestMeeting': { teamMember: { id: 2322756, name: 'Ada Example' } },
  'conversation:playbookFired': {
    messageId: 'm2',
    createdAt: 1714419312430,
    authorId: 99,
    conversationId: 3969707705,
    playbookId: 2750464,
    interactionId: 5203,
    campaignId: 1872,
  },
  'conversation:playbookClicked': { conversationId: 3969707706, playbookId: 2750465, campaignId: 1873 },
  'conversation:playbookDismissed': {
    conversationId: 3969707707,
    messageId: 'm3',
    playbookId: 2750466,
    campaignId: 1874,
  },
  'campaign:open': { campaignId: 1875, data: { widgetVisible: true, isOnline: true } },
  'campaign:dismiss': { campaignId: 1876, data: { widgetVisible: true, isOnline: false } },
  'campaign:click': { campaignId: 1877, data: { widgetVisible: true, isOnline: true, sidebarOpen: true } },
  'campaign:submit': { campaignId: 1878, data: { widgetVisible: true, isOnline: true } },
  'sliderMessage:close': { botMessage: true, playbookId: 2750467, interactionId: 5204, campaignId: 1879 },
}

/** The properties that Segment gets of each, written out by hand. */
export const expected: Readonly<Record<string, Record<string, unknown>>> = {
  'conversation:firstInteraction': {
    conversationId: 3969707702,
    playbookId: 2750462,
    campaignId: 1870,
    contactId: 21760538950,
  },
  startConversation: {
    conversationId: 3969707703,
    inboxId: 642330,
    contactId: 21760538951,
    email: 'visitor@example.com',
  },
  'conversation:selected': { driftConversationId: 3969707704 },
  'scheduling:requestMeeting': { driftTeamMemberId: 2322756, driftTeamMemberName: 'Ada Example' },
  'conversation:playbookFired': { playbookId: 2750464, campaignId: 1872 },
  'conversation:playbookClicked': { playbookId: 2750465, campaignId: 1873 },
  'conversation:playbookDismissed': { playbookId: 2750466, campaignId: 1874 },
  'campaign:open': { campaignId: 1875 },
  'campaign:dismiss': { campaignId: 1876 },
  'campaign:click': { campaignId: 1877 },
  'campaign:submit': { campaignId: 1878 },
  'sliderMessage:close': { campaignId: 1879, playbookId: 2750467 },
}
