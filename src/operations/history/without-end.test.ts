import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchForEnd } from './without-end.ts'

/** After how many pages it says that the list has no end; undefined when it says nothing. */
function ends(pages: number, page: (nth: number) => readonly string[]): [says: string, after: number] | undefined {
  const watch = watchForEnd()
  for (let nth = 0; nth < pages; nth++) {
    const says = watch.page(page(nth))
    if (says) return [says, nth + 1]
  }
  return undefined
}

test('a list that goes in a circle is noticed, wherever the circle begins and however long it is', () => {
  for (const lead of [0, 1, 7, 40])
    for (const around of [1, 2, 3, 17]) {
      const [says, after] = ends(1_000, (nth) => [`${nth < lead ? nth : lead + ((nth - lead) % around)}`]) ?? []
      assert.equal(says, 'circle', `${around} pages after ${lead}`)
      assert.ok(after! <= 6 * (lead + around) + 5, `${after} pages of a circle of ${around} after ${lead}`)
    }
})

test('fifty pages in a row without a record are an end, fewer are not', () => {
  assert.deepEqual(
    ends(1_000, () => []),
    ['endless', 50],
  )
  assert.equal(
    ends(1_000, (nth) => (nth % 50 === 49 ? [String(nth)] : [])),
    undefined,
  )
})

test('a long list, and one whose page came again once because records had moved, are read on', () => {
  assert.equal(
    ends(10_000, (nth) => [`${nth}`]),
    undefined,
  )
  assert.equal(
    ends(1_000, (nth) => [nth === 70 ? '63' : `${nth}`]),
    undefined,
  )
})
