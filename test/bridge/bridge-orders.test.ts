/**
 * However a site is built, each of the twelve events reaches Segment once and as documented, by both ways to identify: in
 * a real browser, through the real analytics.js. The oracle is the table of bridge-page.ts and the page view that the site
 * itself sends; messages are compared whole. The doubles: see site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { expected, samples } from '../bridge-page.ts'
import { type Parts, useSite, type Visit } from '../site.ts'
import { whole, withoutChance } from '../site-messages.ts'

const site = useSite()

const events = Object.keys(expected)
const [first, second] = events
const firstContact = '21760538950'
const secondContact = '21760538951'

type Mode = Readonly<Record<string, string>>
const modes: readonly Mode[] = [{}, { 'data-identify': 'link' }]
const both = ({ loads }: Parts) => ({ ...loads.drift, ...loads.segment })
const replacing = `<script>window.embedId = 'replacing'</script>`

/** What the page holds, in order. */
const orders: readonly [order: string, made: (parts: Parts, mode: Mode) => string][] = [
  ['Segment, Drift, the bridge', ({ segment, drift, bridge }, mode) => segment + drift + bridge(mode)],
  ['Segment, the bridge, Drift', ({ segment, drift, bridge }, mode) => segment + bridge(mode) + drift],
  ['Drift, Segment, the bridge', ({ segment, drift, bridge }, mode) => drift + segment + bridge(mode)],
  ['Drift, the bridge, Segment', ({ segment, drift, bridge }, mode) => drift + bridge(mode) + segment],
  ['the bridge, Segment, Drift', ({ segment, drift, bridge }, mode) => bridge(mode) + segment + drift],
  ['the bridge, Drift, Segment', ({ segment, drift, bridge }, mode) => bridge(mode) + drift + segment],
  [
    'the bridge, at its leisure',
    ({ segment, drift, bridge }, mode) => bridge({ ...mode, async: '' }) + segment + drift,
  ],
  ['the bridge, which loads both', (parts, mode) => parts.bridge({ ...mode, ...both(parts) })],
  [
    'Segment, the bridge with Drift',
    ({ segment, bridge, loads }, mode) => segment + bridge({ ...mode, ...loads.drift }),
  ],
  [
    'the bridge with Drift, Segment',
    ({ segment, bridge, loads }, mode) => bridge({ ...mode, ...loads.drift }) + segment,
  ],
  ['Drift, the bridge with Segment', ({ drift, bridge, loads }, mode) => drift + bridge({ ...mode, ...loads.segment })],
  ['the bridge with Segment, Drift', ({ drift, bridge, loads }, mode) => bridge({ ...mode, ...loads.segment }) + drift],
  [
    'the bridge with both, then the snippets all the same',
    (parts, mode) => parts.bridge({ ...mode, ...both(parts) }) + parts.segment + parts.drift,
  ],
  [
    'the snippets, then the bridge asked for both all the same',
    (parts, mode) => parts.segment + parts.drift + parts.bridge({ ...mode, ...both(parts) }),
  ],
  [
    'a widget that takes the place of its snippet',
    ({ segment, drift, bridge }, mode) => replacing + segment + drift + bridge(mode),
  ],
]

describe('in every order, by both ways', { timeout: 120_000 }, () => {
  for (const [order, made] of orders) {
    for (const mode of modes) {
      const way = mode['data-identify'] ?? 'contact'
      test(`${order}: ${way}`, async () => {
        await site.visit(
          (parts) => made(parts, mode),
          async (visit) => {
            await visit.until('window.analytics && analytics.initialized')
            for (const event of events) await visit.fire(event, samples[event])
            await hasAll(visit, way)
            // One library and one widget: no second one was loaded.
            assert.deepEqual(await visit.run(loaded), [1, 1])
          },
        )
      })
    }
  }
})

const loaded = `['/analytics.min.js', '/include/'].map((part) =>
  [...document.scripts].filter(({ src }) => src.includes(part)).length)`

/** Every event of `samples` is there, once, whole. */
async function hasAll(visit: Visit, way: string): Promise<void> {
  const received = await visit.received(events.length)
  const pageView = await visit.pageView()
  assert.notEqual(pageView.anonymousId, firstContact)
  const wanted = events.map((event) => {
    const contact = event === first ? firstContact : secondContact
    if (way === 'contact') {
      const former = event === first ? pageView.anonymousId : undefined
      return whole(pageView, event, expected[event]!, { anonymousId: contact, former })
    }
    const externalId = event === first || event === second ? contact : undefined
    return whole(pageView, event, expected[event]!, { anonymousId: pageView.anonymousId, externalId })
  })
  assert.deepEqual(byName(received.map(withoutChance)), byName(wanted))
}

function byName(messages: readonly object[]): readonly object[] {
  return messages.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)))
}

function nameOf(message: object): string {
  return String((message as { event: unknown }).event)
}

describe('early and late', { timeout: 60_000 }, () => {
  const oneContact = { ...samples[second!], endUserId: Number(firstContact) }
  const sources = (tags: string) => [...tags.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)

  for (const mode of modes) {
    const way = mode['data-identify'] ?? 'contact'
    test(`Segment comes after everything has happened: ${way}`, async () => {
      await site.visit(
        ({ drift, bridge }) => bridge(mode) + drift,
        async (visit) => {
          const before = Date.now()
          for (const event of events) await visit.fire(event, event === second ? oneContact : samples[event])
          const after = Date.now()
          assert.deepEqual([(await visit.state()).kept, (await visit.state()).segment], [events.length, false])
          for (const text of sources(visit.segment)) await visit.run(text)
          const received = await visit.tracks(events.length)
          assert.equal((await visit.received(events.length)).length, events.length)
          for (const { anonymousId, timestamp } of received) {
            assert.equal(anonymousId === firstContact, way === 'contact')
            const at = Date.parse(String(timestamp))
            assert.ok(before <= at && at <= after, 'it says when it happened, not when it was sent')
          }
        },
      )
    })
  }

  test('the bridge comes last, when the widget and the library have long been there', async () => {
    await site.visit(
      ({ segment, drift }) => segment + drift,
      async (visit) => {
        await visit.until('analytics.initialized && drift.simulate')
        await visit.page.addScriptTag({ url: `${visit.service}/bridge.js` })
        for (const event of events) await visit.fire(event, samples[event])
        await hasAll(visit, 'contact')
      },
    )
  })

  test('Drift comes late', async () => {
    await site.visit(
      ({ segment, bridge }) => segment + bridge(),
      async (visit) => {
        await visit.until('analytics.initialized')
        assert.equal((await visit.state()).drift, false)
        for (const text of sources(visit.drift)) await visit.run(text)
        for (const event of events) await visit.fire(event, samples[event])
        await hasAll(visit, 'contact')
      },
    )
  })
})
