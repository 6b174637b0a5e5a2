import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually, manualClock } from '../../test/clock.ts'
import type { Fields } from '../lib/log.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { keepUp } from './maintenance.ts'

describe('maintenance', () => {
  async function linesOf(keepAlive: () => Promise<number>): Promise<[level: string, event: string, Fields][]> {
    const lines: [string, string, Fields][] = []
    const at = (level: string) => (event: string, fields?: Fields) => void lines.push([level, event, { ...fields }])
    const log = { info: at('info'), warn: at('warn'), error: at('error') }
    const { inbox, jobs, tickets } = openInMemory()
    const clock = manualClock()
    let rounds = 0
    const grants = {
      keepAlive() {
        rounds++
        return keepAlive()
      },
    } as unknown as Parameters<typeof keepUp>[0]['grants']
    const [purge, catchUp] = [async () => 'done' as const, async () => {}]
    const common = { inbox, jobs, tickets, grants, clock, log, retentionDays: 7 }
    const stop = keepUp({ ...common, catchUp, purge, mayDelete: () => true })
    await eventually(() => rounds === 1 && clock.untilNext() !== undefined)
    await stop()
    return lines
  }

  test('that did something is one line of the log', async () => {
    assert.deepEqual(await linesOf(async () => 2), [
      ['info', 'maintenance', { expired: 0, refreshed: 2, durationMs: 0 }],
    ])
  })

  test('that found nothing to do is not in the log', async () => {
    assert.deepEqual(await linesOf(async () => 0), [])
  })

  test('that failed is an error line, whose event the metrics count', async () => {
    const failing = () => Promise.reject(Object.assign(new Error('away'), { code: 'store_unreachable' }))
    const failed = { code: 'store_unreachable', durationMs: 0 }
    assert.deepEqual(await linesOf(failing), [['error', 'maintenance_failed', failed]])
  })
})
