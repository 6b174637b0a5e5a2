/** What erasing waits for before it answers, what it says when that is not to be had, and what maintenance does then. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Keyring } from '../../src/accounts/keyring.ts'
import type { Problem } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { keepUp } from '../../src/operations/maintenance.ts'
import { assertGone, trustMs, untilGone } from '../../src/pipeline/until-gone.ts'
import type { Purged } from '../../src/storage/ports/storage.ts'
import { openInMemory } from '../../src/storage/sqlite/in-memory.ts'
import { leftPage } from '../../src/web/console/left.ts'
import { type ManualClock, manualClock, timePasses } from '../clock.ts'

/** From one timer to the next, until it is done. */
async function inLeaps<T>(clock: ManualClock, doing: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => (isDone = true)
  doing.then(done, done)
  await timePasses(clock, () => isDone)
  return doing
}

/** Of a store in which no body has a text that was taken away. */
function goneIn({ purge }: { purge(): Promise<Purged> }, clock: ManualClock): Promise<Purged> {
  const { inbox } = openInMemory()
  return untilGone({ storage: { inbox, purge }, keyring: {} as Keyring, clock })
}

function storeThatSays(...answers: Purged[]) {
  const asked: Purged[] = []
  return {
    asked,
    purge: async () => {
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!
      asked.push(answer)
      return answer
    },
  }
}

test('nothing is said before every holder of a lease has asked the store again', async () => {
  const clock = manualClock()
  const store = storeThatSays('done')
  const startedAt = clock.now()
  assert.equal(await inLeaps(clock, goneIn(store, clock)), 'done')
  assert.ok(clock.now() - startedAt >= trustMs)
})

test('a log that is held is tried again until it is free, and for half a minute at most', async () => {
  const clock = manualClock()
  const free = storeThatSays('log_held', 'log_held', 'done')
  assert.equal(await inLeaps(clock, goneIn(free, clock)), 'done')
  assert.equal(free.asked.length, 3)
  const held = storeThatSays('log_held')
  const startedAt = clock.now()
  assert.equal(await inLeaps(clock, goneIn(held, clock)), 'log_held')
  assert.ok(clock.now() - startedAt >= trustMs + 30_000)
  assert.equal(await inLeaps(clock, goneIn(storeThatSays('compact'), clock)), 'compact')
})

test('a command that cannot say that all is gone exits with 75, and says what to do; a page names the code', () => {
  for (const [purged, todo] of [
    ['log_held', /service empties the log by itself/],
    ['compact', /drift-segment-source compact/],
  ] as const)
    assert.throws(
      () => assertGone(purged),
      ({ code, exitCode, hint }: Problem) => code === 'erase_pending' && exitCode === 75 && todo.test(hint ?? ''),
    )
  assertGone('done')
  assert.match(String(leftPage('revoked', false)), /erase_pending/)
  assert.doesNotMatch(String(leftPage('revoked', true)), /erase_pending/)
})

test('maintenance goes on with it, and logs once that it is pending and once that it is done', async () => {
  const clock = manualClock()
  const store = storeThatSays('log_held', 'log_held', 'done')
  const lines: unknown[] = []
  const note = (event: string, fields: object = {}) => lines.push([event, fields])
  const stop = keepUp({
    inbox: { expire: async () => 0 },
    tickets: { sweep: async () => 0 },
    jobs: { sweep: async () => 0 },
    grants: { keepAlive: async () => 0 },
    catchUp: async () => {},
    purge: store.purge,
    clock,
    log: { ...silentLog, info: note, warn: note, error: note },
    retentionDays: 1,
    mayDelete: () => true,
  } as never)
  await timePasses(clock, () => lines.some((line) => JSON.stringify(line).includes('erase_done')))
  await stop()
  assert.deepEqual(lines, [
    ['erase_pending', { reason: 'log_held' }],
    ['erase_done', {}],
  ])
})
