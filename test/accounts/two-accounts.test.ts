/**
 * As a property: an admin of one account walks every route of the
 * service, with every name of another account's things in paths, queries, fields and headers, and neither sees nor moves
 * anything of it. The routes are those that the app has, so that a new one is walked without being named here.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { readConfig } from '../../src/config.ts'
import { formsOf } from '../../src/sim/visitor.ts'
import { openApp } from '../../src/web/app.ts'
import type { AppNeeds } from '../../src/web/needs.ts'
import { install, org, type Rig, settled, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const other = 6_000_993
const theirs = {
  contact: '21760000222',
  conversation: '3969000222',
  text: 'said-to-the-other-account',
  email: 'person@other-account.example',
  writeKey: 'OtherOtherOtherOtherOtherOther99',
}
const ours = {
  contact: '21760000111',
  conversation: '3969000111',
  text: 'said-to-this-account',
  email: 'p@this.example',
}
type Things = typeof ours

let rig: Rig
let admin: Walk
let neighbour: Walk
let csrf: string
let messages: string[]
let routes: string[]
/** What the forms of our own pages send, by the route they send it to. */
const forms = new Map<string, Record<string, string>>()

/** One event delivered, with personal data, and one quarantined. */
async function fill(orgId: number, { contact, conversation, text, email }: Things): Promise<void> {
  const [contactId, conversationId] = [Number(contact), Number(conversation)]
  const webhooks = [
    { type: 'button_clicked', data: { id: 7, createdAt: Date.now(), contactId, conversationId, body: text } },
    {
      type: 'contact_updated',
      data: { endUserId: contactId, timestamp: Date.now(), diff: [{ name: 'attributes.email', updated: email }] },
    },
    { type: 'new_meeting', data: { schedulerId: { odd: text } } },
  ]
  for (const webhook of webhooks) await rig.sims.drift.send({ ...webhook, orgId }, { to: rig.to })
}

const id = String(other)
async function stateOfTheOther() {
  const { installs, lookup, audit } = rig.service.store.storage
  const { entries } = await lookup.find({ org: id }, { limit: 100 })
  const { generation, state, settings, reason } = (await installs.get(id))!
  const lanes = await lookup.lanes(id)
  return { entries, lanes, install: { generation, state, settings, reason }, auditEntries: await audit.list(id, 100) }
}

before(async () => {
  rig = await startRig()
  await install(rig, other, { writeKey: theirs.writeKey })
  await fill(org, ours)
  await fill(other, theirs)
  await settled(rig, ({ delivered }) => delivered === 4)
  admin = openWalk(rig)
  neighbour = openWalk(rig)
  await neighbour.connect(other, 'console')
  const page = await admin.connect(org, 'console')
  csrf = /name="csrf" value="([^"]+)"/.exec(page.body)![1]!
  const { lookup, audit } = rig.service.store.storage
  messages = (await lookup.find({ org: id }, { limit: 100 })).entries.map(({ messageId }) => messageId)
  await audit.add({ at: 1, org: id, who: 'a person', what: 'did', about: theirs.text })
  const needs = { ...rig.service.store, config: readConfig(rig.env), publicUrl: () => '' } as unknown as AppNeeds
  const made = openApp(needs).routes.filter(({ method }) => method !== 'ALL')
  routes = [...new Set(made.map(({ method, path }) => `${method} ${path}`))]
  const own = (await lookup.find({ org: String(org) }, { limit: 100 })).entries.map(({ messageId }) => messageId)
  const pages = [
    '/console',
    '/console/events',
    '/console/connection',
    '/console/website',
    '/console/resend?preview=1',
    '/console/not-sent',
    '/console/privacy',
    '/console/audit',
  ]
  for (const path of [...pages, '/connect/write-key', ...own.map((one) => `/console/events/${one}`)]) {
    for (const { action, fields } of formsOf((await admin.get(admin.at(path))).body)) {
      const message = own.find((one) => action?.includes(one)) ?? ' '
      forms.set((action ?? path).replace(message, ':message'), fields)
    }
  }
})
after(async () => {
  await admin.close()
  await neighbour.close()
  await rig.close()
})

/** What must not be seen by us; what we have typed ourselves may be repeated to us. */
function seen(text: string, typed: readonly string[]): string[] {
  const marks = [id, ...Object.values(theirs), ...messages]
  return marks.filter((mark) => text.includes(mark) && !typed.some((one) => one.includes(mark)))
}

describe('an admin of one account', { timeout: 60_000 }, () => {
  test('who is of the other sees there what is looked for here', async () => {
    const pages = ['/console', '/console/events', '/console/audit', ...messages.map((one) => `/console/events/${one}`)]
    const texts = await Promise.all(pages.map((path) => neighbour.get(neighbour.at(path))))
    const all = texts.map(({ body }) => body).join('\n')
    for (const mark of [id, theirs.text, ...messages]) assert.ok(all.includes(mark), mark)
  })

  test('hears nothing of another from the live list', async () => {
    const stream = await fetch(admin.at('/console/live'), {
      headers: {
        cookie: [...admin.cookies.get(rig.service.url)!].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    })
    const reader = stream.body!.getReader()
    let text = ''
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: other })
    await rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org })
    while (!/event: change/.test(text)) text += Buffer.from((await reader.read()).value!).toString()
    await reader.cancel()
    assert.deepEqual(seen(text, []), [])
  })

  test('sees and moves nothing of another account, wherever and however it is named', async (context) => {
    await settled(rig)
    const earlier = await stateOfTheOther()
    const words = () => [id, theirs.contact, theirs.conversation, ...messages, 'all', '']
    const names = 'org orgId account message contact conversation type state from to before id look'.split(' ')
    const some = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...words())), { maxLength: 2 })
    const walked = fc.record({
      route: fc.constantFrom(...routes.filter((route) => !/sign-out|\/live$/.test(route))),
      named: fc.constantFrom(...words().filter(Boolean), 'x'),
      query: some,
      form: some,
      header: fc.constantFrom('x-org', 'x-org-id', 'x-tenant', 'x-forwarded-user'),
    })
    const statuses = new Map<string, Set<number>>()
    const onesOf = (among: string[], chosen: [number, string][]) =>
      Object.fromEntries(chosen.flatMap(([n, word]) => (among.length > 0 ? [[among[n % among.length]!, word]] : [])))
    await fc.assert(
      fc.asyncProperty(walked, async ({ route, named, query, form, header }) => {
        const [method, path] = route.split(' ') as [string, string]
        const asked = onesOf(names, query)
        const search = new URLSearchParams(asked).toString()
        const url = admin.at(path.replace(/:\w+/, encodeURIComponent(named)) + (search ? `?${search}` : ''))
        const own = forms.get(path) ?? {}
        const filled = { ...own, ...onesOf(Object.keys(own), form), csrf }
        const headers = { [header]: id }
        const answer = method === 'GET' ? await admin.get(url, headers) : await admin.post(url, filled, headers)
        statuses.set(route, (statuses.get(route) ?? new Set()).add(answer.status))
        assert.ok(answer.status >= 200 && answer.status < 500, `${route}: ${answer.status}`)
        const told = `${answer.body} ${answer.headers.location ?? ''} ${answer.headers['set-cookie'] ?? ''}`
        assert.deepEqual(seen(told, [named, ...Object.values(asked), ...Object.values(filled)]), [], route)
      }),
      { numRuns: 1_000, seed: 7 },
    )
    assert.ok(statuses.size >= routes.length - 3, `walked: ${[...statuses.keys()].join(', ')}`)
    assert.equal((await admin.get(admin.at('/console'))).status, 200, 'we were signed in all the time')
    context.diagnostic([...statuses].map(([route, all]) => `${route}: ${[...all].sort().join(' ')}`).join('; '))
    assert.deepEqual(await stateOfTheOther(), earlier)
    assert.equal((await neighbour.get(neighbour.at('/console'))).status, 200, 'and their session lives')
  })
})
