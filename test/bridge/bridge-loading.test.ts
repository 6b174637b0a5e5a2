/**
 * What the bridge loads when it is asked to, and what it leaves alone. The doubles are those of bridge.test.ts; in a real
 * page: bridge-orders.test.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startBridge, widgetEvents } from '../../packages/bridge/src/index.ts'
import { fakePage, tagWith } from '../bridge-page.ts'

describe('loading Drift and Segment', () => {
  test('each has its queue and its script, and one that fails does not keep the other away', () => {
    const page = fakePage()
    startBridge({ drift: 'embed1', segment: 'writekey1' }, page)
    const [drift, segment] = page.scripts.map(({ src }) => src)
    assert.match(drift!, /^https:\/\/js\.driftt\.com\/include\/\d+00000\/embed1\.js$/)
    assert.equal(Number(drift!.split('/')[4]) % 300_000, 0)
    assert.equal(segment, 'https://cdn.segment.com/analytics.js/v1/writekey1/analytics.min.js')
    assert.equal(page.drift, page.driftt)
    assert.deepEqual(
      (page.drift as unknown[][]).map(([method, event]) => [method, event]),
      widgetEvents.map((event) => ['on', event.name]),
    )
    const queue = page.analytics as unknown[] & { _writeKey: string; _cdn: string }
    assert.deepEqual([queue._writeKey, queue._cdn, queue[0]], ['writekey1', 'https://cdn.segment.com', ['page']])
  })

  test('neither is loaded where its snippet or the library is there, and a snippet after it finds the place taken', () => {
    const snippets = [Object.assign([], { invoked: true }), Object.assign([], { load() {} }), { on() {}, track() {} }]
    for (const there of snippets) {
      const page = fakePage({ drift: there, driftt: there, analytics: there })
      startBridge({ drift: 'embed1', segment: 'writekey1' }, page)
      assert.deepEqual([page.scripts, page.drift, page.analytics], [[], there, there])
    }
    const page = fakePage()
    startBridge({ drift: 'embed1', segment: 'writekey1' }, page)
    const { invoked, load } = page.drift as unknown as { invoked: boolean; load(id: string): void }
    assert.equal(invoked, true)
    load('embed2')
    ;(page.analytics as { load(key: string): void }).load('writekey2')
    assert.equal(page.scripts.length, 2)
  })

  test('calls that the page wrote down in a bare list stay', () => {
    const page = fakePage({ analytics: [['identify', 'user1']] })
    startBridge({ segment: 'writekey1', segmentPage: false }, page)
    assert.deepEqual([...(page.analytics as unknown[])], [['identify', 'user1']])
    assert.equal(page.scripts.length, 1)
  })

  test("attributes of its own tag win over the window's word, and its nonce is handed on", () => {
    const page = fakePage({
      driftSegmentBridge: { drift: 'window', omit: 'email', identify: 'link' },
    })
    const tag = tagWith({ 'data-drift': 'tag', 'data-segment': 'key1', 'data-consent': 'granted' }, 'n0nce')
    const bridge = startBridge(undefined, { ...page, document: { ...page.document, currentScript: tag } })
    assert.match(page.scripts[0]!.src, /\/tag\.js$/)
    assert.deepEqual(
      page.scripts.map(({ nonce }) => nonce),
      ['n0nce', 'n0nce'],
    )
    assert.equal(bridge.state().consent, 'granted')
  })

  test("the visitor's choice, said in the window before the script is there, wins over the tag", () => {
    for (const [chosen, tagged] of [
      ['granted', 'pending'],
      ['denied', 'granted'],
    ] as const) {
      const page = fakePage({ driftSegmentBridge: { consent: chosen } })
      const currentScript = tagWith({ 'data-consent': tagged })
      const bridge = startBridge(undefined, { ...page, document: { ...page.document, currentScript } })
      assert.equal(bridge.state().consent, chosen)
    }
  })

  test('an element that took the name of the current script is not asked', () => {
    const image = { ...tagWith({ 'data-drift': 'evil' }), tagName: 'IMG' }
    const page = fakePage()
    startBridge(undefined, { ...page, document: { ...page.document, currentScript: image } })
    assert.deepEqual(page.scripts, [])
  })

  test('where only trusted addresses may be loaded, a policy that the page can name vouches for them', () => {
    const policies: string[] = []
    const trustedTypes = {
      createPolicy(policy: string, rules: { createScriptURL(url: string): string }) {
        if (policies.includes(policy)) throw new TypeError(`a page admits ${policy} once`)
        policies.push(policy)
        return { createScriptURL: (url: string) => `trusted ${rules.createScriptURL(url)}` }
      },
    }
    const page = fakePage({ trustedTypes })
    startBridge({ drift: 'embed1', segment: 'writekey1' }, page)
    assert.deepEqual(policies, ['drift-segment-source'])
    for (const { src } of page.scripts) assert.match(src, /^trusted https:\/\/(js\.driftt|cdn\.segment)\.com\//)
    assert.equal(page.scripts.length, 2)
  })
})
