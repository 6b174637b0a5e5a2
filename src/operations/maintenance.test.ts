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

  test('refreshes grants though other parts fail, names each failure once, and lets nothing expire where events may have to go on first', async () => {
    const { inbox, jobs, tickets } = openInMemory()
    const clock = manualClock()
    const done: string[] = []
    const says = (what: string) => async () => {
      done.push(what)
      return 0
    }
    const failed: Fields[] = []
    const log = { info() {}, warn() {}, error: (_: string, fields?: Fields) => void failed.push({ ...fields }) }
    inbox.expire = async () => ({ removed: await says('expire')(), goesOn: false })
    const stop = keepUp({
      ...{ inbox, jobs, tickets, clock, log, retentionDays: 7, mayDelete: () => true },
      grants: { keepAlive: says('keepAlive') } as unknown as Parameters<typeof keepUp>[0]['grants'],
      catchUp: () => Promise.reject(Object.assign(new Error('slow'), { code: 'store_busy' })),
      purge: async () => {
        await says('purge')()
        throw Object.assign(new Error('full'), { code: 'store_full' })
      },
    })
    await eventually(() => clock.untilNext() !== undefined)
    await stop()
    assert.deepEqual(done, ['purge', 'keepAlive'])
    assert.deepEqual(failed, [
      { code: 'store_busy', durationMs: 0 },
      { code: 'store_full', durationMs: 0 },
    ])
  })
})
