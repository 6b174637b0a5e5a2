/** What a released version has written is read by every later one. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { releasedVersions } from '../../build/release/changelog.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { engines, type Stores } from '../engines.ts'
import { readTree } from '../tree.ts'
import { editedSteps, type Frozen, isFrozen, makeFrozen, readFrozen, restore } from './frozen.ts'
import { playOut } from './sample.ts'

const frozen = readFrozen()
const yearsMs = 3 * 365 * 24 * 3_600_000

test('no step of a schema that was released is edited', () => {
  for (const one of frozen) assert.deepEqual(editedSteps(one), [], `${one.engine}: add a step instead`)
})

test('a version is not released before its schema has a sample', () => {
  const { text } = readTree().find(({ path }) => path === 'CHANGELOG.md')!
  if (releasedVersions(text).length > 0) assert.ok(frozen.length > 0, 'npm run freeze')
  assert.equal(isFrozen('a folder that is not there'), false)
})

for (const engine of engines) {
  describe(`on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let present: Frozen
    before(async () => {
      stores = await engine.start()
      // As one that was kept for years.
      const clock = { ...systemClock, now: () => systemClock.now() - yearsMs }
      present = await makeFrozen(engine, 'this one', clock)
    })
    after(() => stores.close())

    async function playOutOf(one: Frozen): Promise<void> {
      const url = await stores.fresh()
      await restore(one, url)
      await playOut(url, one.sample)
    }

    for (const one of frozen.filter((each) => each.engine === engine.name))
      test(`a store of version ${one.version} keeps all that was in it, and what waits is delivered once`, () =>
        playOutOf(one))

    test('a store that this version froze three years ago keeps all that was in it, and what waits is delivered once', () =>
      playOutOf(present))

    test('an edited step is noticed, and a further one is not an edit', () => {
      const { steps } = present
      assert.deepEqual(editedSteps(present), [])
      assert.deepEqual(editedSteps({ ...present, steps: [...steps, 'a step that is not there'] }), [steps.length + 1])
      assert.deepEqual(editedSteps({ ...present, steps: ['of another text', ...steps.slice(1)] }), [1])
    })
  })
}
