import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openForgetful } from '../../storage/memory/open.ts'
import { overviewOf } from './health.ts'

const hour = 3_600_000
const start = Date.UTC(2025, 5, 2)

test('a silence that is much longer than usual needs attention, with what to do; a usual one does not', async () => {
  const storage = openForgetful()
  const common = { state: 'waiting', org: '1', type: 'an_event', rememberMs: hour, mapping: 1 } as const
  const arrivals = Array.from({ length: 24 }, (_, n) => ({
    ...common,
    messageId: `m${n}`,
    receivedAt: start + n * hour,
    identity: Buffer.from(`identity-${n}`.padEnd(16)),
    body: Buffer.alloc(1),
  }))
  await storage.inbox.append(arrivals)
  const titlesAfter = async (hours: number) => {
    const { attention } = await overviewOf(storage, '1', undefined, start + (23 + hours) * hour)
    return attention.map(({ title }) => title)
  }
  assert.deepEqual(await titlesAfter(2), [])
  assert.deepEqual(await titlesAfter(10), ['Drift has fallen silent'])
})
