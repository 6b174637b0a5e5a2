/** Alerts of an account that sends to an endpoint in Segment's place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeDestination, type Destination } from '../../src/accounts/destinations.ts'
import { partnerOf } from '../../src/alerts/audience.ts'
import { append, arrival, claimed, idle, to } from '../../src/storage/conformance.ts'
import { type AlertStage, account, eachAlertStage } from '../alert-stage.ts'

let stage: AlertStage
eachAlertStage((made) => {
  stage = made
}, 'webhook')

const now = () => stage.clock.now()
const dies = async (reason: string) => {
  await append(stage.storage, [arrival({ org: account, receivedAt: now() })])
  const lease = await claimed(stage.storage, 'send', { now: now() })
  const settlements = lease.entries.map(({ id }) => to(id, 'dead', { at: now(), reason }))
  assert.ok(await stage.storage.inbox.settle(lease, settlements, { ...idle, readyAt: now() }))
}
const goOn = async () => {
  await stage.look()
  await stage.send()
}

test('an endpoint in Segment’s place is named as who refuses, and as who is sent to', async () => {
  const texts = () =>
    stage.hook.received.flatMap(({ body }) =>
      (body.data as { alerts: { text: string }[] }).alerts.map(({ text }) => text),
    )
  const put = (change: Partial<Destination>) =>
    stage.accounts.change(account, now(), (stored) => changeDestination(stored, 1, change))
  await dies('segment_400')
  await put({ endpoint: 'lake' })
  await stage.refuse('segment_401')
  await goOn()
  await stage.refuse()
  await goOn()
  assert.deepEqual(texts(), [
    'No events are sent to lake. lake does not accept the write key (401). They are kept, and are sent when this is over.',
    '1 event failed, the first for this reason. lake refused this message when it was sent by itself (400).',
    'Events are sent to lake again.',
  ])
  assert.match(JSON.stringify(stage.operator.received[0]!.body), /the first for this reason\. lake refused/)
})

test('of destinations that are not all one place, none is named that another answered for', () => {
  const both = [{ number: 1 }, { number: 2, endpoint: 'lake' }]
  assert.equal(partnerOf(both, ''), 'its destinations')
  assert.equal(partnerOf(both, 'destination 2'), 'lake')
  assert.equal(partnerOf(both, 'destination 1'), undefined)
  assert.equal(partnerOf(both, 'segment_400', [2, 2]), 'lake')
  assert.equal(partnerOf(both, 'segment_400', [1, 2]), 'a destination')
  assert.equal(partnerOf([{ number: 1 }, { number: 2 }], ''), undefined)
})
