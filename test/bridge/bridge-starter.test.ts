/**
 * The inline starter in a real browser, with the real analytics.js: whatever its file does, and wherever it stands, what the
 * chat says is kept until the file has come. The doubles: see site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Route } from 'playwright-core'
import { bridgeText } from '../../src/web/bridge.ts'
import { policyHash, type SnippetOptions } from '../../src/web/snippet.ts'
import { expected, samples } from '../bridge-page.ts'
import { becomes, type Made, type Parts, useSite, type Visit, whole, withoutChance } from '../site.ts'

const site = useSite()

const events = Object.keys(expected)
const first = 'conversation:firstInteraction'
const named = (name: string) => `Drift Source Event: ${name}`
const loads = ({ sims, writeKey }: Parts): Partial<SnippetOptions> => ({
  drift: 'embed1',
  driftUrl: sims.drift.url,
  segment: writeKey,
  segmentUrl: sims.segment.url,
})

/** Whose scripts a page runs. */
const from = ({ service, sims }: Parts) => `${service} ${sims.segment.url} ${sims.drift.url}`

/** The file's requests wait until they are let go. */
async function holdFile(visit: Visit): Promise<() => Promise<void>> {
  const waiting: Route[] = []
  await visit.context.route(/\/bridge[\w-]*\.js$/, (route) => void waiting.push(route))
  await visit.page.reload({ waitUntil: 'domcontentloaded' })
  return async () => {
    await visit.context.unroute(/\/bridge[\w-]*\.js$/)
    for (const route of waiting) await route.continue()
  }
}

const simulate = (visit: Visit, event: string, data: unknown = samples[event]) =>
  visit.run(`drift.simulate(${JSON.stringify(event)}, ${JSON.stringify(data)})`)

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
  for (const [order, made] of orders)
    test(`all twelve, once, with the time at which they happened: ${order}`, async () => {
      await site.visit(made, async (visit) => {
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

  test('with the page on which it happened', async () => {
    await site.visit(
      ({ starter, segment, drift }) => `<title>Shop</title>${starter()}${segment}${drift}`,
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

  test('with the choice that the visitor made meanwhile', async () => {
    for (const choice of ['granted', 'denied'])
      await site.visit(
        ({ starter, segment, drift }) => starter({ consent: 'pending' }) + segment + drift,
        async (visit) => {
          const letGo = await holdFile(visit)
          await visit.until('window.drift?.simulate && window.analytics?.initialized')
          await simulate(visit, first)
          await visit.run(`driftSegmentBridge.consent('${choice}')`)
          await letGo()
          await visit.until('driftSegmentBridge.state')
          const count = choice === 'granted' ? 1 : 0
          assert.equal((await visit.received(count)).length, count)
        },
      )
  })
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

describe("a copy of the file on the site's own server", { timeout: 90_000 }, () => {
  const fallback = '/own/chat.js'
  const copy = { contentType: 'text/javascript', body: bridgeText }
  const policy = (parts: Parts, hash: string) =>
    `default-src 'none'; connect-src ${parts.sims.segment.url}; script-src 'self' ${hash} ${from(parts)}`

  test('is loaded when the service does not answer, under a strict policy too, and nothing is lost or sent twice when it then does', async () => {
    const pages: Made[] = [
      ({ starter, segment, drift }) => starter({ fallback }) + segment + drift,
      (parts) => {
        const html = parts.starter({ ...loads(parts), fallback, pinned: true })
        return { html, headers: { 'content-security-policy': policy(parts, policyHash(html)!) } }
      },
      (parts) => {
        const html = parts.starter({ ...loads(parts), fallback, trustedTypes: true })
        const names = 'drift-segment-starter drift-segment-fallback drift-segment-source'
        const trusted = `require-trusted-types-for 'script'; trusted-types ${names}`
        return { html, headers: { 'content-security-policy': `${policy(parts, policyHash(html)!)}; ${trusted}` } }
      },
      (parts) => ({
        html: parts.starter({ ...loads(parts), fallback, nonce: 'n0nce' }),
        headers: { 'content-security-policy': `script-src 'nonce-n0nce' 'strict-dynamic'` },
      }),
    ]
    for (const made of pages)
      await site.visit(made, async (visit) => {
        await visit.context.route(`**${fallback}`, (route) => route.fulfill(copy))
        const letGo = await holdFile(visit)
        await visit.until('window.drift?.simulate')
        await simulate(visit, first)
        await visit.until('driftSegmentBridge.state')
        assert.equal((await visit.received(1)).length, 1)
        await letGo()
        await visit.page.waitForLoadState('networkidle')
        await simulate(visit, 'campaign:open')
        const messages = await visit.received(2)
        assert.deepEqual(
          messages.map(({ event }) => event),
          [named(first), named('campaign:open')],
        )
      })
  })

  test('is not asked for when the service answers', async () => {
    await site.visit(
      ({ starter, segment, drift }) => starter({ fallback }) + segment + drift,
      async (visit) => {
        const asked: string[] = []
        visit.page.on('request', (request) => asked.push(new URL(request.url()).pathname))
        await visit.run('window.loaded = true; setTimeout(() => { window.waited = true }, 4500)')
        await visit.until('driftSegmentBridge.state && window.waited')
        assert.ok(!asked.includes(fallback))
      },
    )
  })
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

describe('in a page as strict as pages get', { timeout: 60_000 }, () => {
  async function firstArrives(visit: Visit): Promise<void> {
    await visit.until('window.analytics && analytics.initialized')
    await visit.fire(first, samples[first])
    const [message] = await visit.received(1)
    const wanted = whole(await visit.pageView(), first, expected[first]!, await becomes(visit))
    assert.deepEqual(withoutChance(message!), wanted)
    assert.deepEqual(
      visit.console.filter((line) => /content security policy|trusted|integrity/i.test(line)),
      [],
    )
  }
  const under =
    (options: Partial<SnippetOptions>, policy: (parts: Parts, hash: string) => string): Made =>
    (parts) => {
      const html = parts.starter({ ...loads(parts), ...options })
      const { sims } = parts
      const policies = `default-src 'none'; connect-src ${sims.segment.url}; ${policy(parts, policyHash(html)!)}`
      return { html, headers: { 'content-security-policy': policies } }
    }
  test('the hash of the starter is enough, without unsafe-inline', async () => {
    await site.visit(
      under({}, (parts, hash) => `script-src ${hash} ${from(parts)}`),
      firstArrives,
    )
  })

  test('its file is held to its bytes', async () => {
    await site.visit(
      under({ pinned: true }, (parts, hash) => `script-src ${hash} ${from(parts)}`),
      firstArrives,
    )
  })

  test('a file with other bytes is not run, and nothing else goes wrong', async () => {
    await site.visit(
      ({ starter, segment, drift }) =>
        segment + drift + starter({ pinned: true }).replace(/sha384-.{8}/, 'sha384-AAAAAAAA'),
      async (visit) => {
        await visit.page.waitForLoadState()
        assert.equal(await visit.run('typeof driftSegmentBridge.state'), 'undefined')
        await visit.pageView()
      },
    )
  })

  test('a nonce is handed on to the file and to what it loads', async () => {
    await site.visit(
      under({ nonce: 'n0nce' }, () => `script-src 'nonce-n0nce'`),
      firstArrives,
    )
  })

  test('strict-dynamic is enough, by nonce', async () => {
    await site.visit(
      under({ nonce: 'n0nce', pinned: true }, () => `script-src 'nonce-n0nce' 'strict-dynamic'`),
      firstArrives,
    )
  })

  test('trusted addresses: both policies are named', async () => {
    await site.visit(
      under(
        { trustedTypes: true },
        (parts, hash) =>
          `script-src ${hash} ${from(parts)}; require-trusted-types-for 'script'; trusted-types drift-segment-starter drift-segment-source`,
      ),
      firstArrives,
    )
  })

  test('everything in the page: the hash is enough, and the service is not asked', async () => {
    await site.visit((parts) => {
      const html = parts.starter({ ...loads(parts), as: 'inline' })
      const { segment, drift } = parts.sims
      const policy = `default-src 'none'; connect-src ${segment.url}; script-src ${policyHash(html)} ${segment.url} ${drift.url}`
      return { html, headers: { 'content-security-policy': policy } }
    }, firstArrives)
  })
})
