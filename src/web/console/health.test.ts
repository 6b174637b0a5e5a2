import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openForgetful } from '../../storage/memory/open.ts'
import type { Install } from '../../storage/ports.ts'
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

test('an account that fell silent weeks ago still needs attention; one that never sent anything does not, nor one that left', async () => {
  const storage = openForgetful()
  const [body, now] = [Buffer.alloc(1), start + 20 * 24 * hour]
  const common = { state: 'waiting', org: '1', type: 'an_event', rememberMs: hour, mapping: 1 } as const
  const titles = async (org: string, install?: Install) =>
    (await overviewOf(storage, org, install, now)).attention.map(({ title }) => title)
  await storage.inbox.append([{ ...common, messageId: 'm', receivedAt: start, identity: Buffer.alloc(16), body }])
  assert.deepEqual(await titles('1'), ['Drift has fallen silent'])
  assert.deepEqual(await titles('2'), [])
  const left = { org: '1', state: 'disconnected' as const, settings: '{}' }
  const titlesLeft = await titles('1', { ...left, createdAt: start, updatedAt: start, generation: 1 })
  assert.ok(!titlesLeft.includes('Drift has fallen silent'), `${titlesLeft}`)
})
