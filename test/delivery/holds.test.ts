/** What is held, for how long, within which bounds, how it is shown and let go; and what stays when bodies have gone. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { JsonObject } from '../../src/lib/json.ts'
import { addsUp } from '../../src/operations/totals.ts'
import { sendLane } from '../../src/storage/ports/entry.ts'
import { eventually, type ManualClock, manualClock } from '../clock.ts'
import { closeCounted, install, org, type Rig, startRig } from '../rig.ts'

const day = 24 * 3_600_000
const options = { timeout: 60_000 }
let rig: Rig
let clock: ManualClock
beforeEach(async () => {
  // Ahead of the system's clock, by which commands beside the service go.
  clock = manualClock(Date.now() + 3_600_000)
  rig = await startRig({ clock })
})
afterEach(() => closeCounted(rig))

function update(n: number, orgId = org, more = ''): JsonObject {
  const data = { endUserId: 7, timestamp: n, diff: [{ name: 'n', updated: n }], more }
  return { type: 'contact_updated', orgId, data }
}

async function post(event: JsonObject): Promise<void> {
  assert.equal((await rig.sims.drift.send(event, { to: rig.to })).status, 200)
}

/** Until it is so, while maintenance takes its rounds. */
const inTime = (isSo: () => Promise<boolean>) =>
  eventually(async () => {
    clock.advance(10_000)
    return isSo()
  })
const entries = async () => (await rig.service.store.storage.lookup.find({}, { limit: 1_000 })).entries
const pause = async () => {
  await rig.command('installs pause', { given: { org: String(org) } })
  await eventually(async () => rig.service.store.accounts.get(String(org))?.state === 'paused')
}

test(
  'events of an account that is not installed are held and shown with their age for a day, then counted as expired',
  options,
  async () => {
    for (let n = 1; n <= 3; n++) await post(update(n, 777))
    assert.equal((await rig.outcomes()).held, 3)
    assert.match((await rig.command('check')).output, /account 777: 3 unclaimed: not_installed, the oldest for \d+ min/)
    clock.jump(day - 60_000)
    await post(update(4, 777))
    await inTime(async () => (await rig.outcomes()).expired === 3)
    assert.equal((await rig.outcomes()).held, 1)
    await install(rig, 777)
    await eventually(() => rig.sims.segment.accepted.length === 1)
  },
)

test(
  'no more than 64 MiB are held of such accounts in all, the oldest go first, and no other account loses anything',
  options,
  async () => {
    await pause()
    await post(update(0))
    const kilobytes = 250
    const many = 275
    for (let n = 1; n <= many; n++) await post(update(n, 1_000 + n, 'x'.repeat(kilobytes * 1_000)))
    const fit = Math.floor((64 * 1024 * 1024) / (kilobytes * 1_000 + 200))
    await inTime(async () => (await rig.outcomes()).expired >= many - fit)
    const { expired, held } = await rig.outcomes()
    assert.deepEqual([expired, held], [many - fit, fit + 1])
    const left = (await entries()).filter(({ state }) => state === 'unclaimed').map(({ org: whose }) => Number(whose))
    assert.equal(Math.min(...left), 1_001 + many - fit)
  },
)

test('what was held of a contact goes one request at a time, however much it is', options, async () => {
  const { segment } = rig.sims
  await pause()
  // A hundred at once, so that they share commits.
  for (let n = 0; n < 1_200; n += 100)
    await Promise.all(Array.from({ length: 100 }, (_, more) => post(update(n + more))))
  assert.match(
    (await rig.command('installs list')).output,
    /5000883 {2}paused.*\n {2}1200 waiting: paused, the oldest for \d+ min\n {2}paused: a person paused/,
  )
  const unanswered: number[] = []
  segment.script(() => {
    unanswered.push(segment.requests.filter(({ status }) => status === 0).length)
    // Far longer than it takes to make the next request.
    return { delayMs: 200 }
  })
  await rig.command('installs resume', { given: { org: String(org) } })
  await eventually(() => segment.accepted.length === 1_200)
  assert.deepEqual(unanswered, [1, 1, 1])
  const sizes = segment.requests.map(({ body }) => (JSON.parse(body) as { batch: unknown[] }).batch.length)
  assert.ok(Math.max(...sizes) <= 500)
})

test(
  'bodies go when their days are over and the counts stay; what was not delivered stays, however old',
  options,
  async () => {
    for (let n = 0; n < 3; n++) await post(update(n))
    const tooLarge = [{ name: 'n', updated: 'x'.repeat(40_000) }]
    await post({ type: 'contact_updated', orgId: org, data: { endUserId: 7, timestamp: 3, diff: tooLarge } })
    await post({ type: 'contact_updated', orgId: org, data: { endUserId: [] } })
    await eventually(async () => (await rig.outcomes()).waiting === 0)
    await pause()
    await post(update(5))
    const before = await rig.outcomes()
    assert.deepEqual([before.delivered, before.dead, before.held], [3, 1, 2])

    clock.jump(7 * day - 3_600_000)
    for (let round = 0; round < 10; round++) {
      clock.advance(10_000)
      await new Promise(setImmediate)
    }
    assert.equal((await entries()).length, 6)
    await inTime(async () => (await entries()).length === 3)
    assert.deepEqual(await rig.outcomes(), before)

    clock.jump(23 * day)
    await inTime(async () => (await entries()).length === 1)
    const after = await rig.outcomes()
    assert.deepEqual([after.delivered, after.dead, after.received], [3, 1, 6])
    assert.ok(addsUp(after))

    clock.jump(40 * day)
    await rig.command('installs resume', { given: { org: String(org) } })
    await eventually(() => {
      clock.advance(1_000)
      return rig.sims.segment.accepted.length === 4
    })
  },
)

test('what nothing holds any more goes by itself, without a resume or a restart', options, async () => {
  const { inbox } = rig.service.store.storage
  await inbox.hold(sendLane(String(org)), 'not_allowed')
  await post(update(1))
  assert.equal((await rig.outcomes()).held, 1)
  await inTime(async () => rig.sims.segment.accepted.length === 1)
})
