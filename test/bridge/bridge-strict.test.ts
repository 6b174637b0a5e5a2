/**
 * Pages that forbid what can be forbidden, pages that are hostile, and pages that are built: in a real browser, with the
 * real analytics.js. What docs/bridge.md says to put into a Content Security Policy is what is put there. The doubles: see
 * site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { startBridge } from '../../packages/bridge/src/index.ts'
import { snippet } from '../../src/web/snippet.ts'
import { expected, fakePage, fakeSegment, fakeWidget, samples } from '../bridge-page.ts'
import { type Made, type Parts, useSite, type Visit } from '../site.ts'
import { becomes, firstArrives, whole, withoutChance } from '../site-messages.ts'
import { readTree } from '../tree.ts'

const site = useSite()

const first = 'conversation:firstInteraction'
const contact = '21760538950'
const document = readTree().find(({ path }) => path === 'docs/bridge.md')!.text

/** The directives of the document, for the addresses of this site. */
function documented({ service, sims }: Parts): string {
  const [, directives = ''] = /```\n(script-src[\s\S]*?)```/.exec(document)!
  const here: Readonly<Record<string, string>> = {
    'https://events.example.com': service,
    'https://cdn.segment.com': sims.segment.url,
    'https://api.segment.io': sims.segment.url,
    'https://js.driftt.com': sims.drift.url,
  }
  return directives.replace(/https:\/\/[\w.]+/g, (address) => here[address] ?? assert.fail(address))
}

describe('the tag in a page as strict as pages get', { timeout: 60_000 }, () => {
  const underPolicy =
    (policy: (parts: Parts) => string, more: Readonly<Record<string, string>> = {}): Made =>
    (parts) => ({
      html: parts.bridge({ ...parts.loads.drift, ...parts.loads.segment, ...more }),
      headers: { 'content-security-policy': policy(parts).replaceAll('\n', ' ') },
    })

  test('the documented directives are enough, beside default-src none', async () => {
    await site.visit(
      underPolicy((parts) => `default-src 'none'; ${documented(parts)}`),
      firstArrives,
    )
  })

  test('the documented policy for trusted addresses is enough, for both scripts', async () => {
    const trusting = "require-trusted-types-for 'script'; trusted-types drift-segment-source"
    await site.visit(
      underPolicy((parts) => `default-src 'none'; ${documented(parts)} ${trusting}`),
      firstArrives,
    )
  })

  test('a nonce on the tag is handed on', async () => {
    await site.visit(
      underPolicy(({ sims }) => `default-src 'none'; script-src 'nonce-n0nce'; connect-src ${sims.segment.url}`, {
        nonce: 'n0nce',
      }),
      firstArrives,
    )
  })

  test('strict-dynamic is enough', async () => {
    const dynamic = "script-src 'nonce-n0nce' 'strict-dynamic'"
    await site.visit(
      underPolicy(({ sims }) => `default-src 'none'; ${dynamic}; connect-src ${sims.segment.url}`, { nonce: 'n0nce' }),
      firstArrives,
    )
  })

  test('a pinned tag loads from its address; one whose hash is another loads nothing, and nothing else goes wrong', async () => {
    const pinned = (parts: Parts) => snippet({ url: parts.service, as: 'tag', pinned: true })
    await site.visit((parts) => parts.segment + parts.drift + pinned(parts), firstArrives)
    await site.visit(
      (parts) => parts.segment + parts.drift + pinned(parts).replace(/sha384-.{8}/, 'sha384-AAAAAAAA'),
      async (visit) => {
        await visit.page.waitForLoadState()
        assert.equal(await visit.run('window.driftSegmentBridge'), undefined)
        await visit.pageView()
      },
    )
  })
})

describe('in a page that is up to no good', { timeout: 60_000 }, () => {
  const all = ({ segment, drift, bridge }: Parts) => segment + drift + bridge()

  test('everything has a prototype with options in it', async () => {
    const polluted = `<script>Object.assign(Object.prototype, { identify: 'link', consent: 'denied', drift: 'evil', omit: 'contactId' })</script>`
    await site.visit(
      (parts) => `${polluted}${parts.bridge()}`,
      async (visit) => {
        assert.equal((await visit.state()).consent, 'granted')
        assert.equal(await visit.run('document.scripts.length'), 2)
      },
    )
  })

  test('elements have the names of what is not there yet, as a section with the id analytics has: both are loaded', async () => {
    const sections = ['drift', 'driftt', 'analytics'].map((id) => `<p id="${id}"></p>`)
    await site.visit(
      ({ bridge, loads }) => `${sections.join('')}${bridge({ ...loads.drift, ...loads.segment })}`,
      firstArrives,
    )
  })

  test('an element takes the name of the bridge, and parts of it the names of its options: it is not listened to', async () => {
    const forms = [
      '<a id="driftSegmentBridge" name="drift-segment-source"></a>',
      '<form id="driftSegmentBridge"><input name="consent"><input name="identify"><input name="omit"></form>',
      '<a id="driftSegmentBridge"></a><a id="driftSegmentBridge" name="consent"></a>',
    ]
    for (const form of forms) {
      await site.visit(({ bridge, loads }) => `${form}${bridge({ ...loads.drift, ...loads.segment })}`, firstArrives)
    }
  })

  test('elements have the names of what the document does: nothing is loaded, nothing is thrown', async () => {
    const images = ['currentScript', 'head', 'createElement'].map((name) => `<img name="${name}" data-drift="evil">`)
    await site.visit(
      ({ bridge, loads }) => `${images.join('')}${bridge({ ...loads.drift, ...loads.segment })}`,
      async (visit) =>
        assert.deepEqual([(await visit.state()).drift, await visit.run('document.scripts.length')], [false, 1]),
    )
  })

  test('it takes the bridge away, replaces it, and asks it for nonsense: the events go on', async () => {
    await site.visit(all, async (visit) => {
      await visit.until('analytics.initialized')
      await visit.run(`
        const hostile = { get drift() { throw new Error('drift') }, toString() { throw new Error('text') } }
        window.driftSegmentBridge = hostile
        for (const name of ['consent', 'state', 'name']) try { driftSegmentBridge[name] = hostile } catch {}
        driftSegmentBridge.consent(hostile)
        driftSegmentBridge.consent('granted')`)
      await firstArrives(visit)
    })
  })

  test('it fires ten thousand events at once: a hundred go out', async () => {
    await site.visit(all, async (visit) => {
      await visit.until('analytics.initialized')
      await visit.fire('campaign:open', { campaignId: 0 })
      await visit.run(`for (let n = 1; n < 10000; n++) drift.simulate('campaign:open', { campaignId: n })`)
      assert.equal((await visit.received(100)).length, 100)
      assert.equal((await visit.state()).dropped, 9_900)
    })
  })
})

describe('in a site that is built', { timeout: 60_000 }, () => {
  const entry = fileURLToPath(new URL('../../packages/bridge/src/index.ts', import.meta.url))

  /** A page whose own program has analytics.js from npm, and not in the window. */
  async function built(program: string): Promise<Made> {
    const contents = `
      import { AnalyticsBrowser } from '@segment/analytics-next'
      import { driftSegmentSource, startBridge } from ${JSON.stringify(entry)}
      ${program}
      analytics.page()
      window.own = analytics`
    const resolveDir = fileURLToPath(new URL('..', import.meta.url))
    const { outputFiles } = await build({
      stdin: { contents, resolveDir },
      bundle: true,
      write: false,
      format: 'iife',
      define: { 'process.env.NODE_ENV': '"production"' },
    })
    const text = outputFiles[0]!.text.replaceAll('</script', '<\\/script')
    return ({ sims, writeKey, drift }) =>
      `<script>window.where = { writeKey: '${writeKey}', cdnURL: '${sims.segment.url}' }</script>${drift}<script>${text}</script>`
  }

  const arrives = async (visit: Visit, who: { anonymousId: unknown; externalId?: string; former?: unknown }) => {
    await visit.fire(first, samples[first])
    const [message] = await visit.tracks(1)
    const pageView = await visit.pageView()
    const wanted = whole(
      pageView,
      first,
      expected[first]!,
      who.externalId ? { ...who, anonymousId: pageView.anonymousId } : who,
    )
    assert.deepEqual(withoutChance(message!), wanted)
    assert.equal(await visit.run('typeof window.analytics'), 'undefined')
  }

  test('as a plugin that the library is loaded with', async () => {
    const program = `const analytics = AnalyticsBrowser.load({ ...window.where, plugins: [driftSegmentSource()] })`
    await site.visit(await built(program), async (visit) => arrives(visit, await becomes(visit)))
  })

  test('as a plugin, of which the settings of Segment come after the chat has spoken', async () => {
    const program = `const analytics = AnalyticsBrowser.load({ ...window.where, plugins: [driftSegmentSource()] })`
    let letGo = () => {}
    const spoken = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await site.visit(await built(program), async (visit) => {
      await visit.context.route(/\/settings$/, async (route) => {
        await spoken
        await route.continue()
      })
      await visit.page.reload({ waitUntil: 'domcontentloaded' })
      await visit.fire(first, samples[first])
      await visit.fire('campaign:open', samples['campaign:open'])
      assert.equal((await visit.state()).kept, 2)
      letGo()
      const names = (await visit.tracks(2)).map(({ event }) => event)
      assert.deepEqual(
        names,
        [first, 'campaign:open'].map((name) => `Drift Source Event: ${name}`),
      )
    })
  })

  test('as a plugin that is registered later', async () => {
    const program = `const analytics = AnalyticsBrowser.load(window.where)
      void analytics.ready(() => analytics.register(driftSegmentSource({ identify: 'link' })))`
    await site.visit(await built(program), (visit) => arrives(visit, { anonymousId: '', externalId: contact }))
  })

  test('by a call, before the library is up', async () => {
    const program = `const analytics = AnalyticsBrowser.load(window.where)
      startBridge({ analytics })`
    await site.visit(await built(program), async (visit) => arrives(visit, await becomes(visit)))
  })
})

test("the document's sample of a message is what analytics.js gets", () => {
  const sample = JSON.parse(/```json\n([\s\S]*?)```/.exec(document)![1]!)
  const segment = fakeSegment()
  const widget = fakeWidget()
  startBridge({}, fakePage({ drift: widget, analytics: segment }))
  widget.fire(first, samples[first])
  const [who, what] = segment.calls
  const anonymousId = who![1]
  const [, event, properties, options] = what!
  const { integrations } = options as { integrations: object }
  assert.deepEqual({ type: 'track', event, anonymousId, properties, integrations }, sample)
})
