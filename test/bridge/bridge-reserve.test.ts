/**
 * The reserve that stands behind the starter says what the file says, or nothing: both are given the same pages, options,
 * choices and events, drawn by lot, and what Segment gets is compared. In a real browser: bridge-starter.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compileFunction, runInNewContext } from 'node:vm'
import { openBridge } from '../../packages/bridge/src/bridge.ts'
import { widgetEvents } from '../../packages/bridge/src/index.ts'
import { reserveScripts } from '../../src/web/bridge.ts'
import { type Call, expected, type FakePage, fakePage, samples } from '../bridge-page.ts'
import { seeded } from '../clock.ts'

type Kept = [called: [name: string, data: unknown, from: unknown], at: number, url: string, title: string]

/** What a page has when the file or the reserve runs: what starters keep, and what Segment is. */
interface Scene {
  starters: { o: object; c?: unknown; q: Kept[] }[]
  /** What the page wrote into the window before. */
  written?: object
  segment(calls: Call[]): unknown
  navigator?: { globalPrivacyControl?: boolean; doNotTrack?: string }
}

interface Played {
  page: FakePage & { driftSegmentBridge: { q?: Kept[]; g?: unknown; consent(choice: unknown): void } }
  calls: Call[]
  /** As Segment would get them. */
  told(): unknown
}

function scene({ starters, written, segment, navigator = {} }: Scene): Played {
  const calls: Call[] = []
  const page = fakePage({ analytics: segment(calls), navigator }) as Played['page']
  Object.assign(page.document, { URL: 'https://shop.example/cart?full=1', title: 'Cart' })
  const chain = starters.reduceRight<object | undefined>((g, { o, c, q }) => {
    const starter = {
      o,
      g,
      q: [...q],
      c,
      h() {},
      consent(choice: unknown) {
        starter.c = choice
      },
    }
    return starter
  }, written)
  page.driftSegmentBridge = chain as Played['page']['driftSegmentBridge']
  return { page, calls, told: () => JSON.parse(JSON.stringify(calls)) as unknown }
}

function byFile(given: Scene): Played {
  const played = scene(given)
  openBridge(undefined, played.page)
  return played
}

const itself = compileFunction(reserveScripts.sends, ['window', 'document', 'navigator', 'setTimeout']) as (
  ...globals: unknown[]
) => unknown

function byReserve(given: Scene, run: (...globals: unknown[]) => unknown = itself): Played {
  const played = scene(given)
  const { document, navigator, setTimeout } = played.page
  run(played.page, document, navigator, setTimeout)
  return played
}

/** An analytics.js that is up, for a visitor of this id. */
const up =
  (anonymousId?: unknown, more: object = {}) =>
  (calls: Call[]) => ({
    initialized: true,
    track: (...args: unknown[]) => void calls.push(['track', ...args]),
    setAnonymousId: (...args: unknown[]) => void calls.push(['setAnonymousId', ...args]),
    user: () => ({ anonymousId: () => anonymousId }),
    ...more,
  })

const now = Date.now()
const widget = {}
const kept = (name: string, data: unknown = samples[name], at = now, from: unknown = widget): Kept => [
  [name, data, from],
  at,
  'https://shop.example/cart?full=1',
  'Cart',
]

describe('what the reserve sends', () => {
  test('is exactly what each of the twelve events carries', () => {
    for (const { name } of widgetEvents) {
      const { calls } = byReserve({ starters: [{ o: {}, q: [kept(name)] }], segment: up() })
      const [, event, properties] = calls.at(-1)!
      assert.equal(event, `Drift Source Event: ${name}`)
      assert.deepEqual({ ...(properties as object) }, expected[name])
    }
  })

  test('is what the file sends, with whatever options, choices and events there are', () => {
    const next = seeded(20)
    const one = <T>(...of: T[]): T => of[Math.floor(next() * of.length)]!
    const none = undefined
    const value = () =>
      one<unknown>(
        1,
        0,
        -1,
        1.5,
        '1',
        '007',
        '',
        'Ada',
        '21760538950',
        21760538950,
        2 ** 60,
        '9007199254740993',
        Number.NaN,
        true,
        false,
        null,
        none,
        {},
        [5],
      )
    const data = () =>
      one<() => unknown>(
        () => none,
        () => null,
        () => 'text',
        () => ({
          get authorId() {
            throw new Error('no')
          },
          campaignId: value(),
        }),
        ...Array.from({ length: 6 }, () => () => ({
          authorId: value(),
          endUserId: value(),
          endUserEmail: value(),
          conversationId: value(),
          playbookId: value(),
          campaignId: value(),
          inboxId: value(),
          teamMember: one<unknown>(none, null, { id: value(), name: value() }),
          messageId: value(),
        })),
      )()
    const options = () => {
      const drawn = {
        identify: one<unknown>(none, none, 'contact', 'link', 'odd', null),
        consent: one<unknown>(none, none, none, 'granted', 'pending', 'denied', 'odd', null),
        respectOptOut: one<unknown>(none, none, true, 'true', '', false, 'no'),
        omit: one<unknown>(none, none, 'email', 'contactId campaignId', ['playbookId'], ''),
      }
      return Object.fromEntries(Object.entries(drawn).filter(([, said]) => said !== none))
    }
    const queue = () => {
      let at = now
      return Array.from({ length: Math.floor(next() * 6) }, (): Kept[] => {
        at += 50
        const [called, , url, title] = kept(one(...widgetEvents).name, data(), at)
        const moment = one<[string, string]>([url, title], [url, ''], ['https://a.example/', 'A'], ['about:blank', ''])
        // A widget that took over its snippet's wishes tells of it twice.
        return one([widget], [widget], [widget, {}]).map((from) => [[called[0], called[1], from], at, ...moment])
      }).flat()
    }
    let sent = 0
    for (let round = 0; round < 1_500; round++) {
      const q = queue()
      const choice = () => one<unknown>(none, none, none, 'granted', 'denied', 'pending', 'odd')
      const given: Scene = {
        // Of two starters, each hears the same.
        starters: Array.from({ length: one(1, 1, 1, 2) }, (_, nth) => ({
          o: options(),
          c: choice(),
          q: nth ? q.slice(1) : q,
        })),
        segment: one<Scene['segment']>(
          up('a-visitor'),
          up('a-visitor'),
          up('21760538950'),
          up(7),
          up(none, { user: none }),
          up(none, { instance: { user: () => ({ anonymousId: () => 'another' }) } }),
          up(none, { setAnonymousId: none, initialized: none }),
          (calls) => Object.assign([], up('a-visitor')(calls)),
          (calls) => Object.assign([], up()(calls), { initialized: false }),
          () => none,
          () => ({}),
        ),
        navigator: one<NonNullable<Scene['navigator']>>({}, { globalPrivacyControl: true }, { doNotTrack: '1' }),
      }
      const [file, reserve] = [byFile(given), byReserve(given)]
      assert.deepEqual(reserve.told(), file.told(), `round ${round}`)
      sent += reserve.calls.length
    }
    assert.ok(sent > 500, `${sent} calls`)
  })

  test('the file, when it comes, does not find again; and what is kept for want of Segment or consent, it finds whole', () => {
    const q = ['campaign:open', 'conversation:firstInteraction'].map((name) => kept(name))
    const { page, calls } = byReserve({
      starters: [
        { o: {}, q },
        { o: {}, q },
      ],
      segment: up(),
    })
    assert.equal(calls.length, 3)
    openBridge(undefined, page)
    assert.equal(calls.length, 3)

    const waits = byReserve({ starters: [{ o: { consent: 'pending' }, q }], segment: up() })
    assert.equal(waits.calls.length, 0)
    openBridge(undefined, waits.page)
    waits.page.driftSegmentBridge.consent('granted')
    assert.equal(waits.calls.length, 3)
  })

  test('goes on until the file is there, and waits for Segment and for the choice; denied is forgotten', () => {
    const { page, calls } = byReserve({ starters: [{ o: { consent: 'pending' }, q: [] }], segment: up() })
    const say = (name: string) => page.driftSegmentBridge.q!.push(kept(name))
    say('campaign:open')
    page.look()
    assert.equal(calls.length, 0)
    page.driftSegmentBridge.consent('granted')
    page.look()
    assert.equal(calls.length, 1)
    say('campaign:click')
    page.look()
    assert.equal(calls.length, 2)
    page.driftSegmentBridge.consent('denied')
    say('campaign:submit')
    page.look()
    page.driftSegmentBridge.consent('granted')
    page.look()
    assert.equal(calls.length, 2)
    openBridge(undefined, page)
    page.driftSegmentBridge = { consent() {} }
    page.look(5)
    assert.equal(calls.length, 2)
  })

  test('is nothing where the page wants more than it knows, which the file then does', () => {
    const q = [kept('campaign:open')]
    const filter = { beforeSend: () => false }
    for (const given of [
      { starters: [{ o: {}, q }], written: filter },
      { starters: [{ o: filter, q }] },
      {
        starters: [
          { o: {}, q },
          { o: { except: 'campaign:open' }, q },
        ],
      },
      { starters: [{ o: { globalName: 'segment' }, q }] },
    ]) {
      const { page, calls } = byReserve({ ...given, segment: up() })
      page.look(20)
      openBridge(undefined, page)
      assert.equal(calls.length, 0)
      assert.equal(given.starters[0]!.q.length, 1)
    }
  })

  test('is bounded where a broken page says very much', () => {
    const q = Array.from({ length: 500 }, () => kept('campaign:open'))
    const { calls } = byReserve({ starters: [{ o: {}, q }], segment: up() })
    assert.equal(calls.length, 100)
  })

  test('throws nothing into the page, and a page without a starter, or with broken lists, is left alone', async (t) => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    t.after(() => process.off('unhandledRejection', note))
    const q = ['conversation:firstInteraction', 'campaign:open'].map((name) => kept(name))
    let tracked = 0
    const refusing = () => ({
      setAnonymousId: () => Promise.reject(new Error('no')),
      track() {
        tracked++
        if (tracked === 1) throw new Error('first')
        return Promise.reject(new Error('rejected'))
      },
    })
    byReserve({ starters: [{ o: {}, q }], segment: refusing })
    await new Promise(setImmediate)
    assert.deepEqual([tracked, unhandled], [2, []])
    for (const written of [undefined, { consent: 'granted' }])
      byReserve({ starters: [], ...(written ? { written } : {}), segment: up() })
    const elsewhere = `Array.prototype.map = () => {};${reserveScripts.sends}`
    const broken = byReserve({ starters: [{ o: {}, q }], segment: up() }, (window, document, navigator, setTimeout) =>
      runInNewContext(elsewhere, { window, document, navigator, setTimeout }),
    )
    assert.deepEqual([broken.calls.length, broken.page.driftSegmentBridge.q!.length], [0, 2])
  })
})
