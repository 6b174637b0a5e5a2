/** What strangers can do at the address that Drift sends browsers back to: nothing that keeps an admin or an event waiting. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { eventually } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const strangersMany = 40
let rig: Rig
let walks: Walk[] = []
const walk = () => {
  const one = openWalk(rig)
  walks.push(one)
  return one
}

before(async () => {
  rig = await startRig()
  // The grant's first use refreshes it, at the address that is slow below.
  await rig.sims.drift.send('conversation_participant_removed', { to: rig.to, orgId: org })
  await rig.sims.segment.waitFor(1)
})
afterEach(async () => {
  rig.sims.drift.script('/oauth2/token', undefined)
  await Promise.all(walks.map((one) => one.close()))
  walks = []
})
after(() => rig.close())

/** Comes back with a code of its own making, as anybody can who has been sent to Drift once. */
async function strangerComesBack() {
  const stranger = walk()
  const start = await stranger.get(stranger.at('/connect'))
  const state = new URL(start.headers.location!).searchParams.get('state')
  return stranger.get(stranger.at(`/connect/callback?code=invented&state=${state}`))
}

test('strangers have at most four exchanges under way; the others hear 503, and look-ups go on', async () => {
  const admin = walk()
  const back = await admin.allow(org)
  const before = rig.sims.drift.count('/oauth2/token')
  rig.sims.drift.script('/oauth2/token', Array(strangersMany).fill({ delayMs: 3_000 }))
  let answers = 0
  const strangers = Array.from({ length: strangersMany }, async () => {
    const { status, headers } = await strangerComesBack()
    answers++
    return { status, retryAfter: headers['retry-after'] }
  })
  const exchanges = () => rig.sims.drift.count('/oauth2/token') - before
  // The last of the four may not have reached Drift when the others are refused already.
  await eventually(() => answers === strangersMany - 4 && exchanges() >= 4)

  const refused = await admin.get(back)
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '3'])
  assert.match(refused.body, /reload this page/)

  await rig.sims.drift.send('conversation_participant_added', { to: rig.to, orgId: org })
  await rig.sims.segment.waitFor(2)
  assert.deepEqual([answers, exchanges()], [strangersMany - 4, 4], 'the look-up did not wait for them')

  rig.sims.drift.script('/oauth2/token', undefined)
  const heard = await Promise.all(strangers)
  assert.deepEqual(new Set(heard.map(({ status }) => status)), new Set([400, 503]))
  assert.ok(heard.every(({ status, retryAfter }) => (status === 503) === (retryAfter === '3')))
  assert.equal((await admin.get(back)).status, 303, 'the same address, when there is room')
})

test('an admin connects however many states strangers have used up', async () => {
  const { tickets } = rig.service.store.storage
  const [at, until] = [Date.now(), Date.now() + 600_000]
  for (let n = 0; n < 12_000; n++) {
    await tickets.issue({ kind: 'state', id: `stranger-${n}`, org: '', who: '', at, until })
  }
  const admin = walk()
  assert.equal((await admin.get(await admin.allow(org))).status, 303)
})
