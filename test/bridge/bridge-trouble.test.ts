/**
 * Whatever is blocked, broken or refused, the visitor has the chat, the page notices nothing, and what can arrive arrives:
 * in a real browser, through the real analytics.js. The doubles: see site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settings } from '../../src/sim/segment-pages.ts'
import { samples } from '../bridge-page.ts'
import { eventually } from '../clock.ts'
import { type Made, useSite, type Visit } from '../site.ts'
import { isWholeFirst } from '../site-messages.ts'

const site = useSite()

const first = 'conversation:firstInteraction'

/** The ways to have both of them on a page, which differ in who loads Segment. */
const builds: readonly [build: string, made: Made][] = [
  ["with the site's snippets", ({ segment, drift, bridge }) => segment + drift + bridge()],
  ['with the bridge loading both', ({ bridge, loads }) => bridge({ ...loads.drift, ...loads.segment })],
]

async function chatWorks(visit: Visit): Promise<void> {
  await visit.page.locator('#drift-widget').waitFor({ state: 'visible' })
  await visit.fire(first, samples[first])
}

async function firstHasArrived(visit: Visit): Promise<void> {
  const [message] = await visit.received(1)
  await isWholeFirst(visit, message!)
}

const libraryOf = (writeKey: string) => `/analytics.js/v1/${writeKey}/analytics.min.js`
const settingsOf = (writeKey: string) => `/v1/projects/${writeKey}/settings`

describe('the chat is there, and the page notices nothing, when Segment', { timeout: 60_000 }, () => {
  for (const [build, made] of builds) {
    test(`is blocked, ${build}`, async () => {
      await site.visit(
        made,
        async (visit) => {
          await chatWorks(visit)
          assert.notEqual(await visit.run('analytics.initialized'), true)
        },
        { blocks: /analytics\.min\.js/ },
      )
    })

    for (const [what, action] of [
      ['answers 503 where its library is', { status: 503 }],
      ['hangs', { hang: true }],
    ] as const) {
      test(`${what}, ${build}`, async () => {
        await site.visit(made, chatWorks, { segment: ({ writeKey }) => ({ [libraryOf(writeKey)]: action }) })
      })
    }

    test(`has no settings for the write key, ${build}`, async () => {
      await site.visit(
        made,
        async (visit) => {
          await chatWorks(visit)
          // Its library stops trying, and says so to Segment under an address of its own.
          await eventually(() => visit.strays.length > 0)
        },
        {
          segment: ({ writeKey }) => ({ [settingsOf(writeKey)]: { status: 404 } }),
          strays: ['https://api.segment.io/v1/m'],
        },
      )
    })

    test(`has a destination that fails, so that it is never ready: what happened arrives all the same, ${build}`, async () => {
      await site.visit(
        (parts) => `${made(parts)}<script>analytics.ready(() => { window.wasReady = true })</script>`,
        async (visit) => {
          await chatWorks(visit)
          await firstHasArrived(visit)
          assert.equal(await visit.run('window.wasReady'), undefined)
        },
        {
          segment: ({ writeKey, sims }) => ({
            [settingsOf(writeKey)]: { body: withBroken(writeKey, sims.segment.url) },
          }),
        },
      )
    })
  }
})

/** Settings with a destination whose script is not there. */
function withBroken(writeKey: string, url: string): object {
  const { integrations, ...rest } = settings(writeKey, url)
  const versionSettings = { version: '1.0.0', componentTypes: ['browser'] }
  const broken = { type: 'browser', bundlingStatus: 'bundled', versionSettings }
  return { ...rest, integrations: { ...integrations, Broken: broken } }
}

describe('Segment works, and the page notices nothing, when', { timeout: 60_000 }, () => {
  for (const [build, made] of builds) {
    test(`Drift is blocked, ${build}`, async () => {
      await site.visit(
        made,
        async (visit) => {
          assert.deepEqual(await visit.received(0), [])
          assert.equal((await visit.pageView()).type, 'page')
          assert.equal(await visit.page.locator('#drift-widget').count(), 0)
          const { segment, kept, dropped } = await visit.state()
          assert.deepEqual({ segment, kept, dropped }, { segment: true, kept: 0, dropped: 0 })
        },
        { blocks: /\/include\// },
      )
    })

    test(`the bridge itself is blocked, ${build}`, async () => {
      await site.visit(
        made,
        async ({ page, run }) => {
          await page.waitForLoadState()
          assert.equal(await run('window.driftSegmentBridge'), undefined)
        },
        { blocks: /bridge\.js/ },
      )
    })
  }

  test('the network is gone for a while: what happened arrives when it is back', async () => {
    await site.visit(
      ({ segment, drift, bridge }) => segment + drift + bridge(),
      async (visit) => {
        await visit.pageView()
        await visit.fire('campaign:open', samples['campaign:open'])
        await visit.tracks(1)
        await visit.context.setOffline(true)
        await visit.fire(first, samples[first])
        await visit.context.setOffline(false)
        const messages = await visit.tracks(2)
        await isWholeFirst(visit, messages[1]!)
      },
    )
  })

  test('the bridge puts one name into the window, and nothing into what is stored', async () => {
    const names = 'Object.getOwnPropertyNames(window)'
    let without: string[] = []
    await site.visit(
      () => '<title>Shop</title>',
      async ({ run }) => {
        without = await run(names)
      },
    )
    await site.visit(
      ({ bridge }) => bridge(),
      async ({ run }) => {
        const added = (await run<string[]>(names)).filter((name) => !without.includes(name))
        assert.deepEqual(added, ['driftSegmentBridge'])
        assert.deepEqual(await run('[document.cookie, localStorage.length, sessionStorage.length]'), ['', 0, 0])
      },
    )
  })

  test('the bridge puts nothing into the page but the two scripts that it is asked for', async () => {
    const kinds = `[...document.querySelectorAll('*')].map(({ localName }) => localName).sort().join(' ')`
    await site.visit(
      ({ bridge }) => `<title>Shop</title><main>${bridge()}</main>`,
      async ({ run }) => assert.equal(await run(kinds), 'body head html main script title'),
    )
    await site.visit(
      ({ bridge, loads }) => `<title>Shop</title><main>${bridge({ ...loads.drift, ...loads.segment })}</main>`,
      async ({ run }) => assert.equal(await run(kinds), 'body head html main script script script title'),
      { blocks: /\/include\/|analytics\.min\.js/ },
    )
  })
})
