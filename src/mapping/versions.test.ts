import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Options } from './options.ts'
import {
  added,
  latest,
  optionsIn,
  pageOf,
  stampOf,
  stricter,
  type Versions,
  versionOf,
  versionsSchema,
} from './versions.ts'

const none = versionsSchema.parse({})
/** With one more version, made of the last one. */
const withOptions = (versions: Versions, destination: number, options: Options) =>
  added(versions, latest(versions), destination, options)

test('before any save there is version 0, in which every option is off', () => {
  assert.equal(latest(none), 0)
  assert.deepEqual(optionsIn(none, 1, 0), {})
  assert.equal(optionsIn(none, 1, 1), undefined, 'saved by another process')
})

test('a save is one more version, and those before stay what they were', () => {
  const one = withOptions(none, 1, { externalIds: true })
  const two = withOptions(one, 2, { drop: ['ip'] })
  const three = withOptions(two, 1, {})
  assert.equal(latest(three), 3)
  assert.deepEqual(
    [1, 2, 3].map((version) => optionsIn(three, 1, version)),
    [{ externalIds: true }, { externalIds: true }, {}],
  )
  assert.deepEqual(
    [1, 2, 3].map((version) => optionsIn(three, 2, version)),
    [{}, { drop: ['ip'] }, { drop: ['ip'] }],
  )
})

test('a version can be made of an older one, for one destination alone', () => {
  const two = withOptions(withOptions(none, 1, { externalIds: true }), 2, { safeNames: true })
  const three = added(two, 1, 2, { drop: ['ip'] })
  assert.deepEqual(optionsIn(three, 1, 3), { externalIds: true })
  assert.deepEqual(optionsIn(three, 2, 3), { drop: ['ip'] })
})

test('what waits can be sent as it would have been, and dropped and hashed as it is now', () => {
  const one = withOptions(none, 1, { externalIds: true, drop: ['a'] })
  const two = withOptions(one, 2, { safeNames: true })
  const options = { drop: ['a', 'b'], hash: ['c'], prefix: 'x' }
  const { versions, moves } = stricter(two, 1, options)
  assert.deepEqual(moves, [
    { from: 0, to: 3 },
    { from: 2, to: 4 },
    { from: 1, to: 5 },
  ])
  assert.deepEqual(optionsIn(versions, 1, 3), { drop: ['a', 'b'], hash: ['c'] })
  assert.deepEqual(optionsIn(versions, 1, 4), { externalIds: true, drop: ['a', 'b'], hash: ['c'] })
  assert.deepEqual(optionsIn(versions, 2, 4), { safeNames: true }, 'other destinations send as before')
  assert.deepEqual(stricter(two, 1, { drop: ['a'] }).moves, [{ from: 0, to: 3 }], 'nothing where it did so before')
  const saved = added(versions, latest(two), 1, options)
  assert.deepEqual(
    [optionsIn(saved, 1, latest(saved)), optionsIn(saved, 2, latest(saved))],
    [options, { safeNames: true }],
  )
})

test('equal options are stored once, and what is older than 200 versions is forgotten', () => {
  let versions = none
  for (let save = 0; save < 300; save++)
    versions = withOptions(versions, 1, save % 2 ? { drop: ['a'] } : { drop: [`b${save}`] })
  assert.equal(latest(versions), 300)
  assert.equal(versions.list.length, 200)
  assert.equal(versions.sets.length, 101)
  assert.deepEqual(optionsIn(versions, 1, 300), { drop: ['a'] })
  assert.deepEqual(optionsIn(versions, 1, 5), optionsIn(versions, 1, 101), 'the oldest that is known')
})

test("an entry's mapping says the version of its page and that of the options", () => {
  const stamp = stampOf(3, 41)
  assert.deepEqual([pageOf(stamp), versionOf(stamp)], [3, 41])
  assert.deepEqual([pageOf(1), versionOf(1)], [1, 0], 'as before there were options')
})
