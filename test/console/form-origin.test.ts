/**
 * Which POSTs are taken for one of our own forms: every combination of what a browser can say of where one comes from,
 * for every form that there is. The routes are those that the app has.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { formsOf, type Seen } from '../../src/sim/visitor.ts'
import { openApp } from '../../src/web/app.ts'
import type { AppNeeds } from '../../src/web/needs.ts'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const evil = 'https://evil.example'
type Headers = Record<string, string>
let rig: Rig
let routes: string[]
let admin: Walk
before(async () => {
  rig = await startRig()
  const needs = { ...rig.service.store, config: readConfig(rig.env), publicUrl: () => '' } as unknown as AppNeeds
  const made = openApp(needs).routes.filter(({ method }) => method === 'POST')
  routes = [...new Set(made.map(({ path }) => path))]
})
after(() => rig.close())
beforeEach(async () => {
  admin = openWalk(rig)
  await admin.connect(org)
})
afterEach(() => admin.close())

/** Absent, or a value. */
const sites = [undefined, 'same-origin', 'none', 'same-site', 'cross-site']
const origins = () => [
  undefined,
  rig.service.url,
  'null',
  evil,
  'http://127.0.0.1:1',
  `${rig.service.url}.evil.example`,
]
const referrers = () => [undefined, `${rig.service.url}/console/connection`, `${evil}/${rig.service.url}`, 'no address']

/** As browsers are: the newest header that is there decides. */
function judged(site?: string, origin?: string, referrer?: string): 'ours' | 'elsewhere' | 'hidden' {
  if (site) return ['same-origin', 'none'].includes(site) ? 'ours' : 'elsewhere'
  if (origin && origin !== 'null') return origin === rig.service.url ? 'ours' : 'elsewhere'
  if (referrer) return referrer.startsWith(`${rig.service.url}/`) ? 'ours' : 'elsewhere'
  return origin === 'null' ? 'hidden' : 'ours'
}

function combinations(): { headers: Headers; from: ReturnType<typeof judged> }[] {
  return sites.flatMap((site) =>
    origins().flatMap((origin) =>
      referrers().map((referer) => {
        const said = { 'sec-fetch-site': site, origin, referer }
        const headers = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Headers
        return { headers, from: judged(site, origin, referer) }
      }),
    ),
  )
}

/** What was refused, in the word of its JSON. */
async function errorOf(route: string, fields: Record<string, string>, headers: Headers): Promise<string> {
  const path = route.replace(/:\w+/, 'none')
  const { status, body } = await admin.post(admin.at(path), fields, { accept: 'application/json', ...headers })
  return status === 403 ? (JSON.parse(body) as { error: string }).error : String(status)
}

const tokenOf = async () => formsOf((await admin.get(admin.at('/console'))).body)[0]!.fields.csrf!

describe('a form', { timeout: 120_000 }, () => {
  test('from elsewhere is refused by every route, whatever its token; any other without its token is refused too', async () => {
    const csrf = await tokenOf()
    for (const route of routes) {
      const isLink = route.endsWith('/:token')
      // Another site that signs a browser in can mislead its admin; one that knows the link of a mail has the proof.
      const hidden = route === '/console/sign-in/:token' ? 'cross_site' : '410'
      for (const { headers, from } of combinations()) {
        const what = `${route} ${JSON.stringify(headers)}`
        if (from === 'elsewhere') {
          assert.equal(await errorOf(route, { csrf }, headers), 'cross_site', what)
          continue
        }
        // A link that does not exist is as far as a request can come without using one up.
        const refusal = isLink ? (from === 'hidden' ? hidden : '410') : 'form_stale'
        assert.equal(await errorOf(route, { csrf: 'made-up' }, headers), refusal, what)
      }
    }
    assert.equal((await admin.get(admin.at('/console'))).status, 200, 'nothing has happened to the session')
  })

  const ways: [what: string, headers: () => Headers][] = [
    ['with Sec-Fetch-Site', () => ({ 'sec-fetch-site': 'same-origin', origin: rig.service.url })],
    ['with Origin alone', () => ({ origin: rig.service.url })],
    ['with a hidden origin alone', () => ({ origin: 'null' })],
    ['with a hidden origin and Referer', () => ({ origin: 'null', referer: `${rig.service.url}/console` })],
    ['with Referer alone', () => ({ referer: `${rig.service.url}/console` })],
    ['with none of them', () => ({})],
  ]
  for (const [what, headers] of ways) {
    test(`of our own works in a browser that sends it ${what}: write key, test, console, sign-in link`, async () => {
      const submit = async (at: string, fields: Record<string, string>, action: string): Promise<Seen> => {
        const page = await admin.get(admin.at(at))
        const form = formsOf(page.body).find((one) => one.action === action) ?? formsOf(page.body)[0]!
        return admin.post(admin.at(action), { ...form.fields, ...fields }, headers())
      }
      const writeKey = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
      const key = '/connect/write-key'
      assert.equal((await submit(key, { writeKey, region: 'us' }, `${key}/test`)).status, 200)
      assert.equal((await submit(key, { writeKey }, key)).status, 303)
      assert.equal((await submit('/console/connection', { region: 'us' }, '/console/connection/segment')).status, 303)
      assert.equal((await submit('/console/connection', {}, '/console/connection/events')).status, 303)
      assert.equal((await submit('/console/connection', {}, '/console/pause')).status, 303)
      assert.equal((await submit('/console/connection', {}, '/console/resume')).status, 303)
      assert.equal((await submit('/console/website', {}, '/console/website')).status, 200)
      const out = await submit('/console/connection', {}, '/console/sign-out')
      assert.deepEqual([out.status, out.headers.location], [303, '/console/sign-in'])
      const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
      const link = new URL(output.split('\n')[0]!).pathname
      assert.equal((await submit(link, {}, link)).headers.location, '/console')
      assert.equal((await admin.get(admin.at('/console'))).status, 200)
    })
  }

  test('of the sign-in link that hides its origin is not taken with the token of another browser, or without its cookie', async () => {
    const link = async () => {
      const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
      return output.split('\n')[0]!
    }
    const attacker = openWalk(rig)
    const url = await link()
    const [theirs] = formsOf((await attacker.get(url)).body)
    const victim = openWalk(rig)
    assert.equal((await victim.post(url, theirs!.fields, { origin: 'null' })).status, 403)
    await victim.get(url)
    assert.equal((await victim.post(url, theirs!.fields, { origin: 'null' })).status, 403)
    assert.equal(victim.cookies.get(rig.service.url)!.has('sid'), false)
    assert.equal(
      (await attacker.post(url, theirs!.fields, { origin: 'null' })).status,
      303,
      'and the link was not used up',
    )
    await attacker.close()
    await victim.close()
  })
})
