/** Services that break the promise on purpose: `npm run torture -- --mutants ''` shows what notices each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeMutants, nameOf, unfit } from '../../torture/mutants/run.ts'

test('every change of the list of mutants can still be made; mend torture/mutants/list.ts where the source has moved', () => {
  assert.deepEqual(unfit(), [])
})

test('a mutant is made in a copy, and caught there', { timeout: 120_000 }, async () => {
  const [judged, ...more] = await judgeMutants('takes a redirect for a success', () => {})
  assert.equal(more.length, 0)
  assert.equal(judged?.caughtBy, nameOf({ simulate: 1 }))
  assert.match(judged?.said ?? '', /lost/)
})
