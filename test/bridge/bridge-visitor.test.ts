/**
 * One visitor, from page to page and from choice to choice: consent, signing in as another person, a page that changes
 * without being loaded, a tag that is there twice; and the same contact seen by the browser and by the service. In a real
 * browser, through the real analytics.js. The doubles: see site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readFixture } from '../../src/events/fixtures.ts'
import { expected, samples } from '../bridge-page.ts'
import { org, writeKey as serviceKey, settled } from '../rig.ts'
import { type Made, useSite, type Visit } from '../site.ts'
import { whole, withoutChance } from '../site-messages.ts'
import { readTree } from '../tree.ts'

const site = useSite()

const first = 'conversation:firstInteraction'
const contact = '21760538950'
const all: Made = ({ segment, drift, bridge }) => segment + drift + bridge()
const named = (name: string) => `Drift Source Event: ${name}`
const whose = async ({ received }: Visit, count: number) =>
  (await received(count)).map(({ event, anonymousId }) => [event, anonymousId])

const [, visitorChose = ''] = /```js\n(function visitorChose[\s\S]*?)```/.exec(
  readTree().find(({ path }) => path === 'docs/bridge.md')!.text,
)!

interface Asked {
  bridge(attributes: Readonly<Record<string, string>>): string
  loads: Readonly<Record<string, string>>
  run: string
}

describe('consent', { timeout: 60_000 }, () => {
  const asked: Made = ({ bridge, loads }) => bridge({ ...loads.drift, ...loads.segment, 'data-consent': 'pending' })
  const nothingOf = ({ sims, writeKey }: Visit) => {
    assert.deepEqual(
      sims.segment.requests.filter(({ path, body }) => (path + body).includes(writeKey)),
      [],
    )
  }

  test('given: until then Segment is not even asked for its library; then all that happened arrives, with its time', async () => {
    await site.visit(asked, async (visit) => {
      for (const event of Object.keys(samples)) await visit.fire(event, samples[event])
      nothingOf(visit)
      assert.equal(await visit.run('typeof window.analytics'), 'undefined')
      const given = Date.now()
      await visit.run(`driftSegmentBridge.consent('granted')`)
      const messages = await visit.tracks(12)
      for (const { timestamp } of messages) assert.ok(Date.parse(String(timestamp)) <= given)
      assert.equal((await visit.received(12)).length, 12)
    })
  })

  test('denied, and given after all: what happened before is forgotten, what happens after it arrives', async () => {
    await site.visit(asked, async (visit) => {
      await visit.fire(first, samples[first])
      await visit.run(`driftSegmentBridge.consent('denied')`)
      await visit.fire('campaign:open', samples['campaign:open'])
      nothingOf(visit)
      await visit.run(`driftSegmentBridge.consent('granted')`)
      await visit.fire('campaign:click', samples['campaign:click'])
      const { anonymousId } = await visit.pageView()
      assert.notEqual(anonymousId, contact)
      assert.deepEqual(await whose(visit, 1), [[named('campaign:click'), anonymousId]])
    })
  })

  for (const [when, html] of [
    ['before the script is there', ({ bridge, loads, run }: Asked) => run + bridge({ ...loads, async: '' })],
    ['when it is there', ({ bridge, loads, run }: Asked) => bridge(loads) + run],
  ] as const) {
    test(`said as the document says it, ${when}`, async () => {
      await site.visit(
        ({ bridge, loads }) =>
          html({
            bridge,
            loads: { ...loads.drift, ...loads.segment, 'data-consent': 'pending' },
            run: `<script>${visitorChose}; visitorChose('granted')</script>`,
          }),
        async (visit) => {
          await visit.fire(first, samples[first])
          assert.deepEqual(await whose(visit, 1), [[named(first), contact]])
        },
      )
    })
  }

  test('taken back: nothing more is sent', async () => {
    await site.visit(all, async (visit) => {
      await visit.fire('campaign:open', samples['campaign:open'])
      await visit.tracks(1)
      await visit.run(`driftSegmentBridge.consent('denied')`)
      await visit.fire(first, samples[first])
      const { anonymousId } = await visit.pageView()
      assert.deepEqual(await whose(visit, 1), [[named('campaign:open'), anonymousId]])
    })
  })

  test('a consent manager that brings Segment only when it may: the bridge waits, whatever its options say', async () => {
    await site.visit(
      ({ drift, bridge }) => drift + bridge(),
      async (visit) => {
        await visit.fire(first, samples[first])
        nothingOf(visit)
        await visit.run(visit.segment.replaceAll(/<\/?script>/g, ''))
        assert.deepEqual(await whose(visit, 1), [[named(first), contact]])
      },
    )
  })
})

describe('who it is', { timeout: 60_000 }, () => {
  test('by contact: Segment keeps the contact id, on the next page too', async () => {
    await site.visit(all, async (visit) => {
      await visit.fire(first, samples[first])
      await visit.tracks(1)
      await visit.reload()
      await visit.fire('campaign:open', samples['campaign:open'])
      assert.deepEqual((await whose(visit, 2)).at(-1), [named('campaign:open'), contact])
    })
  })

  test('reset(): the bridge does not bring the old visitor back; who speaks next is known by a contact id again', async () => {
    await site.visit(all, async (visit) => {
      await visit.fire(first, samples[first])
      await visit.tracks(1)
      await visit.run('analytics.reset()')
      const fresh = await visit.run<string>('analytics.user().anonymousId()')
      await visit.fire('campaign:open', samples['campaign:open'])
      await visit.tracks(2)
      await visit.fire('startConversation', samples.startConversation)
      assert.notEqual(fresh, contact)
      assert.deepEqual(await whose(visit, 3), [
        [named(first), contact],
        [named('campaign:open'), fresh],
        [named('startConversation'), '21760538951'],
      ])
    })
  })

  test('another user signs in: Segment makes a new anonymousId, and the bridge leaves it', async () => {
    await site.visit(all, async (visit) => {
      await visit.until('analytics.initialized')
      await visit.run(`analytics.identify('user-1').then(() => {})`)
      await visit.fire(first, samples[first])
      await visit.tracks(1)
      await visit.run(`analytics.identify('user-2').then(() => {})`)
      const fresh = await visit.run<string>('analytics.user().anonymousId()')
      await visit.fire('campaign:open', samples['campaign:open'])
      const messages = (await visit.received(4)).filter(({ type }) => type === 'track')
      assert.deepEqual(
        messages.map(({ event, anonymousId, userId }) => [event, anonymousId, userId]),
        [
          [named(first), contact, 'user-1'],
          [named('campaign:open'), fresh, 'user-2'],
        ],
      )
      assert.notEqual(fresh, contact)
    })
  })

  test('by link: signing in and resetting are none of its business', async () => {
    await site.visit(
      ({ segment, drift, bridge }) => segment + drift + bridge({ 'data-identify': 'link' }),
      async (visit) => {
        await visit.until('analytics.initialized')
        await visit.run(`analytics.identify('user-1').then(() => {})`)
        await visit.fire(first, samples[first])
        await visit.tracks(1)
        const [identify, message] = await visit.received(2)
        const { anonymousId } = await visit.pageView()
        assert.equal(identify!.type, 'identify')
        const wanted = whole(await visit.pageView(), first, expected[first]!, { anonymousId, externalId: contact })
        assert.deepEqual(withoutChance(message!), { ...wanted, userId: 'user-1' })
      },
    )
  })
})

describe('a page that changes', { timeout: 60_000 }, () => {
  const arrived = async (visit: Visit, count: number) =>
    (await visit.received(count)).map(({ event }) => event).toSorted()

  test('a single-page app: what happens carries the address that is shown at that moment', async () => {
    await site.visit(all, async (visit) => {
      await visit.until('analytics.initialized')
      await visit.fire('campaign:open', samples['campaign:open'])
      await visit.run(`history.pushState({}, '', '/cart?step=2')`)
      await visit.fire('campaign:click', samples['campaign:click'])
      const { properties } = (await visit.pageView()) as { properties: { path: string } }
      const pages = (await visit.received(2)).map(({ context }) => (context as { page: { path: string } }).page.path)
      assert.deepEqual(pages.toSorted(), ['/cart', String(properties.path)].toSorted())
    })
  })

  test('a tag that is there twice, pinned and not, and put in again later: every event once', async () => {
    await site.visit(
      ({ segment, drift, bridge }) => bridge({ async: '' }) + segment + drift + bridge() + bridge(),
      async (visit) => {
        await visit.fire('campaign:open', samples['campaign:open'])
        const { hashedPath } = (await import('../../src/web/bridge.ts')).bridgeScript
        await visit.page.addScriptTag({ url: visit.service + hashedPath })
        await visit.page.addScriptTag({ url: `${visit.service}/bridge.js?again` })
        await visit.fire('campaign:click', samples['campaign:click'])
        assert.deepEqual(await arrived(visit, 2), [named('campaign:click'), named('campaign:open')])
      },
    )
  })

  test('a widget that is ready twice, and one that is taken away and put in again', async () => {
    await site.visit(all, async (visit) => {
      await visit.fire('ready')
      await visit.fire('ready')
      await visit.fire('campaign:open', samples['campaign:open'])
      await visit.run('delete window.drift; delete window.driftt')
      await visit.run(visit.drift.replaceAll(/<\/?script>/g, ''))
      await visit.until('drift.simulate')
      await visit.fire('campaign:click', samples['campaign:click'])
      assert.deepEqual(await arrived(visit, 2), [named('campaign:click'), named('campaign:open')])
    })
  })

  test('a message that another window posts in the form of an event is not taken for one', async () => {
    await site.visit(all, async (visit) => {
      const event = JSON.stringify({ type: first, event: first, data: samples[first], ...samples[first] })
      await visit.run(`window.postMessage(${event}, '*'); window.postMessage(JSON.stringify(${event}), '*')`)
      await visit.fire('campaign:open', samples['campaign:open'])
      assert.deepEqual(await arrived(visit, 1), [named('campaign:open')])
    })
  })
})

test('the browser and the service say the same anonymousId for the same contact', { timeout: 60_000 }, async () => {
  await site.visit(all, async (visit) => {
    const { drift } = await readFixture('new_conversation')
    const { contactId } = drift.data as { contactId: number }
    await visit.fire(first, { ...samples[first], authorId: contactId })
    await visit.sims.drift.send('new_conversation', { to: site.rig.to, orgId: org })
    await settled(site.rig)
    const fromService = visit.sims.segment.accepted.find(({ writeKey }) => writeKey === serviceKey)!.message
    const [fromBrowser] = await visit.received(1)
    assert.equal(fromBrowser!.event, named(first))
    assert.equal(fromService.event, named('new_conversation'))
    assert.equal(fromService.anonymousId, String(contactId))
    assert.deepEqual(fromBrowser!.anonymousId, fromService.anonymousId)
    assert.equal((fromBrowser!.properties as { contactId: unknown }).contactId, contactId)
    assert.equal((fromService.properties as { contactId: unknown }).contactId, contactId)
  })
})
