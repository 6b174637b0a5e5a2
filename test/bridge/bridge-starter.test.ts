/**
 * The inline starter and its reserve in a real browser, with the real analytics.js: whatever the file does, and wherever they
 * stand, what the chat says is sent, and once. The doubles: see site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { expected, samples } from '../bridge-page.ts'
import { type Made, type Parts, useSite } from '../site.ts'
import { becomes, whole, withoutChance } from '../site-messages.ts'
import { holdFile, simulate } from '../starter-page.ts'

const site = useSite()

const builtFile = fileURLToPath(new URL('../../packages/bridge/built/bridge.min.js', import.meta.url))
const events = Object.keys(expected)
const first = 'conversation:firstInteraction'
const named = (name: string) => `Drift Source Event: ${name}`
/** What a page is made of, where `snippet` prints the starter alone. */
const small =
  (made: Made): Made =>
  (parts) =>
    made({ ...parts, starter: (options) => parts.starter({ small: true, ...options }) })

describe('what the chat says before the file has come arrives', { timeout: 60_000 }, () => {
  const orders: readonly [order: string, made: Made][] = [
    ['the starter, Segment, Drift', ({ starter, segment, drift }) => starter() + segment + drift],
    ['Segment, Drift, the starter', ({ starter, segment, drift }) => segment + drift + starter()],
    ['Drift, the starter, Segment', ({ starter, segment, drift }) => drift + starter() + segment],
    [
      'the starter, Segment, a widget that takes the place of its snippet',
      ({ starter, segment, drift }) => `<script>window.embedId = 'replacing'</script>${starter()}${segment}${drift}`,
    ],
    ['the starter twice', ({ starter, segment, drift }) => starter() + segment + drift + starter()],
  ]
  for (const [order, made] of orders) {
    test(`all twelve, once, with the time at which they happened: ${order}`, async () => {
      await site.visit(small(made), async (visit) => {
        const letGo = await holdFile(visit)
        await visit.until('window.drift?.simulate && window.analytics?.initialized')
        for (const event of events) await simulate(visit, event)
        const spoken = Date.now()
        await letGo()
        const messages = await visit.received(12)
        assert.deepEqual(messages.map(({ event }) => event).sort(), events.map(named).sort())
        for (const { timestamp } of messages) assert.ok(Date.parse(String(timestamp)) <= spoken)
        await simulate(visit, 'campaign:click', { campaignId: 1 })
        assert.equal((await visit.received(13)).length, 13)
      })
    })

    test(`by the reserve, as long as the file does not come, and nothing twice when it does: ${order}`, async () => {
      await site.visit(made, async (visit) => {
        const letGo = await holdFile(visit)
        await visit.until('window.drift?.simulate && window.analytics?.initialized')
        const who = await becomes(visit)
        for (const event of events) await simulate(visit, event)
        const messages = await visit.received(12)
        const sent = (name: string) => messages.find(({ event }) => event === named(name))!
        for (const event of events) assert.deepEqual(sent(event).properties, expected[event])
        assert.deepEqual(withoutChance(sent(first)), whole(await visit.pageView(), first, expected[first]!, who))
        await letGo()
        await visit.until('driftSegmentBridge.state')
        await simulate(visit, 'campaign:click', { campaignId: 1 })
        assert.equal((await visit.received(13)).length, 13)
        assert.deepEqual((await visit.state()).sent, 1)
      })
    })
  }

  test('with the page on which it happened', async () => {
    await site.visit(
      small(({ starter, segment, drift }) => `<title>Shop</title>${starter()}${segment}${drift}`),
      async (visit) => {
        const letGo = await holdFile(visit)
        await visit.until('window.drift?.simulate && window.analytics?.initialized')
        await visit.run(`history.pushState({}, '', '/cart?full=1#top'); document.title = 'Cart'`)
        await simulate(visit, 'campaign:open')
        await visit.run(`history.pushState({}, '', '/paid'); document.title = 'Paid'`)
        await letGo()
        const [message] = await visit.received(1)
        const { page } = message!.context as { page: Record<string, unknown> }
        const { path, search, title, url } = page
        const origin = new URL(String(url)).origin
        assert.deepEqual(
          { path, search, title, url },
          { path: '/cart', search: '?full=1', title: 'Cart', url: `${origin}/cart?full=1` },
        )
      },
    )
  })

  test('with the choice that the visitor made meanwhile, by the file or by the reserve', async () => {
    const pending: Made = ({ starter, segment, drift }) => starter({ consent: 'pending' }) + segment + drift
    for (const choice of ['granted', 'denied'])
      for (const made of [pending, small(pending)])
        await site.visit(made, async (visit) => {
          const letGo = await holdFile(visit)
          await visit.until('window.drift?.simulate && window.analytics?.initialized')
          await simulate(visit, first)
          // That no look of the reserve sends it is in bridge-reserve.test.ts; here it may not have looked yet.
          assert.equal((await visit.received(0)).length, 0)
          await visit.run(`driftSegmentBridge.consent('${choice}')`)
          const count = choice === 'granted' ? 1 : 0
          if (made === pending) assert.equal((await visit.received(count)).length, count)
          await letGo()
          await visit.until('driftSegmentBridge.state')
          assert.equal((await visit.received(count)).length, count)
        })
  })
})

test('options that a page writes into the place of the starter add to those of the starter, and nothing kept is lost', {
  timeout: 60_000,
}, async () => {
  const fallback = '/own/chat.js'
  for (const printed of [{}, { small: true }, { fallback }])
    await site.visit(
      ({ starter, segment, drift }) =>
        starter({ consent: 'pending', ...printed }) +
        `<script>window.driftSegmentBridge = { omit: ['contactId'] }</script>${segment}${drift}`,
      async (visit) => {
        await visit.context.route(`**${fallback}`, (route) => route.fulfill({ path: builtFile }))
        const letGo = await holdFile(visit)
        await visit.until('window.drift?.simulate && window.analytics?.initialized')
        await simulate(visit, first)
        if (!('fallback' in printed)) await letGo()
        await visit.until('driftSegmentBridge.state')
        const { consent, kept, sent } = await visit.state()
        assert.deepEqual({ consent, kept, sent }, { consent: 'pending', kept: 1, sent: 0 })
        await visit.run(`driftSegmentBridge.consent('granted')`)
        const [message] = await visit.received(1)
        const { contactId, ...others } = expected[first]!
        assert.deepEqual([message!.properties, message!.anonymousId], [others, String(contactId)])
      },
    )
})

test('a consent manager is followed by the script beside the bridge, in whatever order they come', {
  timeout: 60_000,
}, async () => {
  const manager = ({ service }: Parts) =>
    `<script>window.Cookiebot = { consent: { statistics: false }, hasResponse: false }</script>
    <script async src="${service}/bridge-consent-cookiebot.js"></script>`
  const orders: Made[] = [
    (parts) => parts.starter({ consent: 'pending' }) + manager(parts) + parts.segment + parts.drift,
    (parts) => manager(parts) + parts.segment + parts.drift + parts.starter({ consent: 'pending' }),
  ]
  for (const made of orders)
    await site.visit(made, async (visit) => {
      await visit.fire('campaign:open', samples['campaign:open'])
      assert.equal((await visit.state()).consent, 'pending')
      await visit.run(`Cookiebot.consent.statistics = Cookiebot.hasResponse = true
        window.dispatchEvent(new Event('CookiebotOnAccept'))`)
      assert.equal((await visit.received(1)).length, 1)
    })
})

test('a service that hangs holds back neither the load event of the page nor its chat', {
  timeout: 60_000,
}, async () => {
  await site.visit(
    ({ starter, segment, drift }) => starter() + segment + drift,
    async (visit) => {
      const letGo = await holdFile(visit)
      await visit.page.waitForLoadState('load')
      await visit.page.locator('#drift-widget').waitFor({ state: 'visible' })
      await letGo()
    },
  )
})

test('a chat that is loaded late, behind a click, loses nothing, with or without the file', {
  timeout: 60_000,
}, async () => {
  const late = (load: string) => `<button onclick="${load.replaceAll('"', '&quot;')}">Chat</button>`
  await site.visit(
    ({ segment, starter, drift }) =>
      segment + starter() + late(`window.speaks = true; ${drift.replaceAll(/<\/?script>/g, '')}`),
    async (visit) => {
      await visit.until('driftSegmentBridge.state && analytics.initialized')
      // It speaks as soon as it is there: in the same turn in which its script runs.
      await visit.run(`Object.defineProperty(Object.prototype, 'init', { configurable: true, set(value) {
        delete Object.prototype.init
        this.init = value
        setTimeout(() => this.simulate('campaign:open', { campaignId: 7 }))
      } })`)
      await visit.page.click('button')
      assert.deepEqual(
        (await visit.received(1)).map(({ event }) => event),
        [named('campaign:open')],
      )
    },
  )
})
