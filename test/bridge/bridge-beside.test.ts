/**
 * Drift's own example of client-side events (drifts-example.html, unchanged but for the addresses and keys it asks to
 * replace) and the bridge on the same odd pages, in a real browser with the real analytics.js. A widget speaks 150 ms after it
 * is ready: two events. What arrives is the table that docs/bridge.md shows; WRITE_DOCS=1 writes it.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { settings } from '../../src/sim/segment-pages.ts'
import type { SnippetOptions } from '../../src/web/snippet.ts'
import { samples } from '../bridge-page.ts'
import { type Conditions, type Parts, useSite, type Visit } from '../site.ts'

const site = useSite()
const example = readFileSync(new URL('./drifts-example.html', import.meta.url), 'utf8')
const first = 'conversation:firstInteraction'
const spoken = [first, 'campaign:open']

/** What stands on a page: Segment's part and Drift's part, and whatever listens. */
interface Code {
  head(parts: Parts, situation: Situation): string
  /** Drift's part, which some pages put in later. */
  chat(parts: Parts, situation: Situation): string
  /** How `snippet` prints it; Drift's example is not printed. */
  as?: NonNullable<SnippetOptions['as']>
}

const [segmentPart = '', driftPart = ''] = example.split(/(?=<!-- Beginning of Drift)/)
const adapted = (html: string, { sims, writeKey }: Parts) =>
  html
    .replaceAll('https://cdn.segment.com', sims.segment.url)
    .replaceAll('https://js.driftt.com', sims.drift.url)
    .replace(/REPLACE_WITH_YOUR_(WRITE_KEY|LOAD_ID)/g, writeKey)
    .replace('REPLACE_WITH_YOUR_EMBED_ID', 'embed1')
    // The library recognizes only https addresses as where it came from.
    .replace('analytics.load(', `analytics._cdn = '${sims.segment.url}'; analytics.load(`)

const bridge = (as: NonNullable<SnippetOptions['as']>): Code => ({
  as,
  head({ starter, segment, sims, writeKey }, { consent, isToLoad }) {
    const loads = { drift: 'embed1', driftUrl: sims.drift.url, segment: writeKey, segmentUrl: sims.segment.url }
    return starter({ as, ...(consent ? { consent: 'pending' } : isToLoad ? loads : {}) }) + (isToLoad ? '' : segment)
  },
  chat: ({ drift }, { isToLoad }) => (isToLoad ? '' : drift),
})
const codes: Readonly<Record<string, Code>> = {
  "Drift's example": {
    head: (parts) => adapted(segmentPart, parts),
    chat: (parts) => adapted(driftPart, parts),
  },
  'the bridge': bridge('starter'),
  '`--inline`': bridge('inline'),
}

/** Speaks once, 150 ms after the widget is ready, and when it may. */
const speaker = `<script>
  var speaking = setInterval(function () {
    if (sessionStorage.spoken || !window.drift || !drift.simulate || window.maySpeak === false) return
    clearInterval(speaking)
    setTimeout(function () {
      if (window.before) window.before()
      drift.simulate('campaign:open', ${JSON.stringify(samples['campaign:open'])})
      drift.simulate('${first}', ${JSON.stringify(samples[first])})
      sessionStorage.spoken = Date.now()
      if (window.afterwards) window.afterwards()
    }, 150)
  }, 10)
</script>`

interface Situation {
  /** Before everything else on the page. */
  prelude?: string
  conditions?: Conditions
  /** The page has the chat only when this is clicked. */
  isLate?: boolean
  /** The page waits for the visitor's word. */
  consent?: 'granted' | 'denied'
  /** What happens on the page, beside what the visitor does. */
  happens?(visit: Visit): Promise<void>
  /** The page has Segment and Drift by the bridge alone. */
  isToLoad?: boolean
  /** The chat never speaks, or Segment is never there: nothing can arrive. */
  isQuiet?: boolean
  /** analytics.js sends what it still can: how much is chance, for all of them. */
  isChance?: boolean
}

const file = /\/bridge[\w-]*\.js$/
const hasSpoken = 'sessionStorage.spoken'

const noAnswer: Situation = {
  async happens(visit) {
    await visit.context.route(file, () => {})
    await visit.page.reload({ waitUntil: 'load' })
    await visit.until(hasSpoken)
  },
  prelude:
    '<script>sessionStorage.loads = 1 + Number(sessionStorage.loads || 0); window.maySpeak = sessionStorage.loads > 1</script>',
}

const situations: Readonly<Record<string, Situation>> = {
  'everything works': {},
  'the file comes after the chat has spoken': {
    async happens(visit) {
      let letGo = () => {}
      const gone = new Promise<void>((resolve) => {
        letGo = resolve
      })
      await visit.context.route(file, async (route) => {
        await gone
        await route.continue()
      })
      await visit.page.reload({ waitUntil: 'domcontentloaded' })
      await visit.until(hasSpoken)
      letGo()
    },
    prelude:
      '<script>sessionStorage.loads = 1 + Number(sessionStorage.loads || 0); window.maySpeak = sessionStorage.loads > 1</script>',
  },
  'the service never answers': noAnswer,
  'the service never answers, and the visitor goes on a second later': {
    ...noAnswer,
    async happens(visit) {
      await noAnswer.happens!(visit)
      await visit.until('analytics.initialized && Date.now() - sessionStorage.spoken > 1000')
      await visit.page.goto('about:blank')
      await visit.page.goBack({ waitUntil: 'commit' })
    },
  },
  'the service never answers, and the bridge is to load Segment and Drift': { ...noAnswer, isToLoad: true },
  'the file is blocked': { conditions: { blocks: file } },
  'Segment is blocked': { conditions: { blocks: /analytics\.min\.js/ }, isQuiet: true },
  'Drift is blocked': { conditions: { blocks: /\/include\// }, isQuiet: true },
  'a destination of Segment is blocked': {
    conditions: {
      segment: ({ writeKey, sims }) => ({
        [`/v1/projects/${writeKey}/settings`]: { body: withBroken(writeKey, sims.segment.url) },
      }),
    },
  },
  'the chat is loaded late, behind a click': { isLate: true },
  'consent is pending, then given': { consent: 'granted' },
  'consent is pending, then denied': { consent: 'denied', isQuiet: true },
  'a single-page app, where the widget is ready again': {
    prelude: `<script>window.before = function () {
      history.pushState({}, '', '/next')
      drift.simulate('ready', drift.api, {})
    }</script>`,
  },
  'the page is loaded again in the same instant': {
    isChance: true,
    prelude: `<script>
      sessionStorage.loads = 1 + Number(sessionStorage.loads || 0)
      window.afterwards = function () { location.reload() }
    </script>`,
    happens: (visit) => mayCome(visit, 'sessionStorage.loads > 1 && window.analytics && analytics.initialized'),
  },
  'the network is gone for a while': {
    prelude: '<script>window.maySpeak = false</script>',
    async happens(visit) {
      await visit.until(
        'window.drift?.simulate && analytics.initialized && (!window.driftSegmentBridge || driftSegmentBridge.state)',
      )
      await visit.context.setOffline(true)
      await visit.run('window.maySpeak = true')
      await visit.until(hasSpoken)
      await visit.context.setOffline(false)
    },
  },
}

interface Outcome {
  arrived: number
  doubled: number
  chat: boolean
}

const outcomes = new Map<string, Map<string, Outcome>>()

async function tryOut(code: Code, situation: Situation): Promise<Outcome> {
  let outcome: Outcome = { arrived: 0, doubled: 0, chat: false }
  const { consent, isLate, isQuiet, conditions = {}, prelude = '' } = situation
  await site.visit(
    (parts) => {
      const head = code.head(parts, situation)
      const chat = isLate ? '' : code.chat(parts, situation)
      // The example has no options: it waits for consent by not being there.
      return `<title>Shop</title>${prelude}${speaker}${consent && !code.as ? '' : head + chat}`
    },
    async (visit) => {
      const put = (html: string) =>
        visit.run(`document.body.appendChild(document.createRange().createContextualFragment(${JSON.stringify(html)}))`)
      if (isLate) {
        await visit.until('analytics.initialized && (!window.driftSegmentBridge || driftSegmentBridge.state)')
        await put(code.chat(visit, situation))
      }
      if (consent && !code.as) {
        if (consent === 'granted') await put(code.head(visit, situation) + code.chat(visit, situation))
      } else if (consent) {
        await visit.until(`${hasSpoken} && driftSegmentBridge.consent`)
        await visit.run(`driftSegmentBridge.consent('${consent}')`)
      }
      await situation.happens?.(visit)
      if (isQuiet) await visit.page.waitForLoadState('load')
      else await mayCome(visit, hasSpoken)
      const names = isQuiet ? [] : await arrivedOf(visit)
      const distinct = new Set(names).size
      // A chat that is to come comes soon after the page is there.
      const chat = await visit.page
        .locator('#drift-widget')
        .waitFor({ timeout: 1_000 })
        .then(
          () => true,
          () => false,
        )
      outcome = { arrived: distinct, doubled: names.length - distinct, chat }
    },
    { ...conditions, isOthers: true },
  )
  return outcome
}

/** Ends the wait for what may never come. */
const waitMs = 8_000

/** Also where the page is loaded again meanwhile. */
async function mayCome(visit: Visit, expression: string): Promise<void> {
  await visit.page.waitForFunction(expression, undefined, { timeout: waitMs }).catch(() => {})
}

/** The events that have arrived: all of them, or those that came in a time in which all could. */
async function arrivedOf(visit: Visit): Promise<string[]> {
  const { segment } = visit.sims
  const mine = () => segment.accepted.filter(({ writeKey }) => writeKey === visit.writeKey)
  const names = () => mine().map(({ message }) => String(message.event).replace('Drift Source Event: ', ''))
  const isThere = () => spoken.every((name) => names().includes(name))
  await segment.waitFor(isThere, waitMs).catch(() => {})
  // What else was sent is there before the page's next two.
  for (let more = 0; more < 2; more++) await visit.received(0)
  return names().filter((name) => spoken.includes(name))
}

/** Settings with a destination whose script is not there. */
function withBroken(writeKey: string, url: string): object {
  const { integrations, ...rest } = settings(writeKey, url)
  const versionSettings = { version: '1.0.0', componentTypes: ['browser'] }
  const broken = { type: 'browser', bundlingStatus: 'bundled', versionSettings }
  return { ...rest, integrations: { ...integrations, Broken: broken } }
}

describe("beside Drift's own example", { timeout: 120_000 }, () => {
  for (const [name, situation] of Object.entries(situations)) {
    test(`the bridge does at least as well: ${name}`, async () => {
      const row = new Map<string, Outcome>()
      for (const [code, one] of Object.entries(codes)) row.set(code, await tryOut(one, situation))
      outcomes.set(name, row)
      const theirs = row.get("Drift's example")!
      for (const [code, ours] of row) {
        const isAsGood = situation.isChance || ours.arrived >= theirs.arrived
        assert.ok(
          isAsGood && ours.doubled <= theirs.doubled && ours.chat >= theirs.chat,
          `${code}: ${JSON.stringify([...row])}`,
        )
      }
    })
  }

  after(() => {
    const url = new URL('../../docs/bridge.md', import.meta.url)
    const text = readFileSync(url, 'utf8')
    const told = (name: string, { arrived, doubled, chat }: Outcome) => {
      const { isQuiet, isChance } = situations[name]!
      const count = isQuiet ? 'none' : isChance ? 'by chance' : `${arrived} of 2`
      return `${count}${doubled > 0 ? `, ${doubled} twice` : ''}; chat: ${chat ? 'yes' : 'no'}`
    }
    const rows = [...outcomes].map(([name, row]) => [name, ...[...row.values()].map((outcome) => told(name, outcome))])
    const head = ['where', ...Object.keys(codes)]
    const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
    const marked = /(<!-- beside -->\n)([\s\S]*?)(<!-- \/beside -->)/
    if (process.env.WRITE_DOCS)
      writeFileSync(
        url,
        text.replace(marked, (_, start, __, end) => `${start}${table}\n${end}`),
      )
    else assert.equal(marked.exec(text)?.[2], `${table}\n`)
  })
})
