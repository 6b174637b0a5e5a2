/** The word that something changed: who hears it, for how long, and how many at once. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

let rig: Rig
let admin: Walk
before(async () => {
  rig = await startRig()
})
after(() => rig.close())
afterEach(() => admin.close())

const signIn = async (account = org) => {
  admin = openWalk(rig)
  await admin.connect(account)
}

async function listen(method = 'GET') {
  const hangUp = new AbortController()
  const headers = { cookie: `sid=${admin.cookies.get(rig.service.url)!.get('sid')}` }
  const answer = await fetch(admin.at('/console/live'), { method, headers, signal: hangUp.signal })
  return { status: answer.status, said: () => answer.text(), hangUp: () => hangUp.abort() }
}

test('a person who has signed out hears no more', { timeout: 60_000 }, async () => {
  await signIn()
  const { said } = await listen()
  await admin.submit(await admin.get(admin.at('/console')), {}, '/console/sign-out')
  const event = { type: 'contact_updated', orgId: org, data: { endUserId: 7, timestamp: 1, diff: [] } }
  await rig.sims.drift.send(event, { to: rig.to })
  assert.equal(await said(), 'event: ready\ndata: \n\n')
})

test('a page that stands open learns within seconds that its session has ended, though nothing else happens', {
  timeout: 10_000,
}, async () => {
  await signIn()
  const { said } = await listen()
  await rig.command('sign-out', { given: { org: String(org) } })
  assert.equal(await said(), 'event: ready\ndata: \n\n')
})

test('an account gets so many and no more, whatever another has; one that hangs up makes room', async () => {
  await signIn()
  const many = await Promise.all(Array.from({ length: 50 }, () => listen()))
  assert.deepEqual([...new Set(many.map(({ status }) => status))], [200])
  assert.equal((await listen()).status, 429)
  const first = admin
  await signIn(7_000_333)
  const other = await listen()
  assert.equal(other.status, 200)
  other.hangUp()
  await admin.close()
  admin = first
  for (const { hangUp } of many) hangUp()
  while ((await listen('HEAD')).status === 429);
  const again = await listen()
  assert.equal(again.status, 200)
  again.hangUp()
})

test('a look at the head alone holds no place', async () => {
  await signIn()
  for (let n = 0; n < 60; n++) assert.equal((await listen('HEAD')).status, 200)
})
