import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { estimatedMs, requestsFor, spoken } from '../../src/operations/history/estimate.ts'
import { linesOf } from '../../src/operations/history/say.ts'
import { explained } from './docs-history.ts'

const text = readFileSync(new URL('../../docs/history.md', import.meta.url), 'utf8')

test('docs/history.md says how long a backfill takes as an estimate would', () => {
  for (const conversations of [10_000, 1_000_000]) {
    // Seven of ten conversations are another contact's: a share that is not measured, and must stand for something.
    const amount = { conversations, lookUps: conversations * 0.7 }
    const numbers = [conversations, amount.lookUps, requestsFor(amount)].map((one) => one.toLocaleString('en'))
    const row = `| ${[...numbers, spoken(estimatedMs(amount))].join(' | ')} |`
    assert.ok(text.includes(row), `docs/history.md should say: ${row}`)
  }
})

test('docs/history.md explains every number that a backfill and a comparison show', () => {
  const all = new Proxy({} as Record<string, number>, { get: () => 1 })
  const lines = [true, false].flatMap((isLook) =>
    linesOf({
      kind: 'reconcile',
      counts: isLook ? all : new Proxy(all, { get: (_, name) => Number(name !== 'dry_run') }),
    }),
  )
  const names = [...new Set(lines.map(({ name }) => name))]
  assert.ok(names.length > 20)
  assert.deepEqual(
    names.filter((name) => !explained.includes(name)),
    [],
  )
})
