/** What ends without a message: it has not recovered, it is not there or not looked for any more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AlertStage, account, eachAlertStage } from '../../test/alert-stage.ts'
import { firstOf } from '../accounts/destinations.ts'
import { changeSettings, type DestinationSettings } from '../accounts/settings.ts'
import { append, arrival } from '../storage/conformance.ts'
import { readBody } from './body.ts'

const minuteMs = 60_000
const second = { number: 2, name: 'Warehouse', region: 'us', key: 'AAAA' } as const

let stage: AlertStage
eachAlertStage((made) => {
  stage = made
}, 'webhook')

const change = (settings: Parameters<typeof changeSettings>[1]) =>
  stage.accounts.change(account, stage.clock.now(), (stored) => changeSettings(stored, settings))
const besideFirst = (...more: DestinationSettings[]) =>
  change({ destinations: [firstOf(stage.accounts.get(account)!), ...more], lastDestination: 2 })

/** What is said when it is looked again and again, in the order of time. */
async function said(): Promise<string[]> {
  for (let look = 0; look < 3; look++) {
    await stage.look()
    stage.clock.jump(minuteMs)
  }
  const bodies = (await stage.messages()).reverse().flatMap(({ body }) => readBody(body)?.items ?? [])
  return bodies.map(({ rule, change: to, destination }) => [rule, ...(destination ? [destination] : []), to].join(' '))
}

test('a destination that is removed while it is refused has not recovered', async () => {
  await besideFirst({ ...second, reason: 'segment_401' })
  assert.deepEqual(await said(), ['stopped 2 raised'])
  await besideFirst()
  assert.deepEqual(await said(), ['stopped 2 raised'])
})

test('of a destination that is removed while its events are late nothing has been sent', async () => {
  await besideFirst(second)
  await append(stage.storage, [arrival({ org: account, receivedAt: stage.clock.now() })])
  stage.clock.jump(16 * minuteMs)
  const late = ['delayed 1 raised', 'delayed 2 raised']
  assert.deepEqual(await said(), late)
  await besideFirst()
  assert.deepEqual(await said(), late)
})

test('a daily comparison that is switched off has not found that nothing is missing', async () => {
  const { jobs } = stage.storage
  const at = stage.clock.now()
  await change({ dailyReconcile: true })
  await jobs.create({ id: 'daily', kind: 'reconcile', org: account, who: 'a test', input: '{}', createdAt: at })
  const lease = (await jobs.claim(['reconcile'], at, at + 15_000, 'daily'))!
  const counts = JSON.stringify({ dry_run: 1, missing: 3, why_unknown: 3 })
  assert.ok(await jobs.end(lease, { state: 'done', counts, at, keepUntil: at + 30 * 86_400_000 }))
  assert.deepEqual(await said(), ['missing raised'])
  await change({ dailyReconcile: false })
  assert.deepEqual(await said(), ['missing raised'])
})
