/**
 * The inline starter, its reserve and a copy of the file under policies that forbid what can be forbidden, in a real browser
 * with the real analytics.js. The doubles: see site.ts.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bridgeText } from '../../src/web/bridge.ts'
import { policyHash, type SnippetOptions } from '../../src/web/snippet.ts'
import { type Made, type Parts, useSite } from '../site.ts'
import { firstArrives, isWholeFirst, refusals } from '../site-messages.ts'
import { holdFile, loads, scriptsFrom, simulate } from '../starter-page.ts'

const site = useSite()

const first = 'conversation:firstInteraction'
const named = (name: string) => `Drift Source Event: ${name}`
const policy = (parts: Parts, hash: string) =>
  `default-src 'none'; connect-src ${parts.sims.segment.url}; script-src 'self' ${hash} ${scriptsFrom(parts)}`

describe("a copy of the file on the site's own server", { timeout: 90_000 }, () => {
  const fallback = '/own/chat.js'
  const copy = { contentType: 'text/javascript', body: bridgeText }

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

describe('a starter in a page as strict as pages get', { timeout: 60_000 }, () => {
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
      under({}, (parts, hash) => `script-src ${hash} ${scriptsFrom(parts)}`),
      firstArrives,
    )
  })

  test('its file is held to its bytes', async () => {
    await site.visit(
      under({ pinned: true }, (parts, hash) => `script-src ${hash} ${scriptsFrom(parts)}`),
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
          `script-src ${hash} ${scriptsFrom(parts)}; require-trusted-types-for 'script'; trusted-types drift-segment-starter drift-segment-source`,
      ),
      firstArrives,
    )
  })

  test('the reserve loads Segment and Drift where the service does not answer, and what it sent is not sent again', async () => {
    const trusting = "require-trusted-types-for 'script'; trusted-types drift-segment-starter drift-segment-source"
    const pages = [
      under({}, (parts, hash) => `script-src ${hash} ${scriptsFrom(parts)}`),
      under({ pinned: true, nonce: 'n0nce' }, () => `script-src 'nonce-n0nce'`),
      under({ nonce: 'n0nce' }, () => `script-src 'nonce-n0nce' 'strict-dynamic'`),
      under({ trustedTypes: true }, (parts, hash) => `script-src ${hash} ${scriptsFrom(parts)}; ${trusting}`),
    ]
    for (const made of pages)
      await site.visit(made, async (visit) => {
        const letGo = await holdFile(visit)
        await visit.until('window.drift?.simulate && window.analytics?.initialized')
        await simulate(visit, first)
        const [message] = await visit.received(1)
        await isWholeFirst(visit, message!)
        await letGo()
        await visit.until('driftSegmentBridge.state')
        await simulate(visit, 'campaign:open')
        assert.deepEqual(
          (await visit.received(2)).map(({ event }) => event),
          [named(first), named('campaign:open')],
        )
        assert.equal(await visit.run(`document.querySelectorAll('script[src*="/include/"]').length`), 1)
        assert.deepEqual(refusals(visit), [])
      })
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
