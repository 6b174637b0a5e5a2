import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openBodyBudget } from './body-budget.ts'

const kib = 1024
const mib = 1024 * kib

describe('the budget of bodies whose senders have proved nothing', () => {
  test('cuts the largest unfinished body when it is full, and never the newcomer', () => {
    const budget = openBodyBudget()
    const cut: string[] = []
    const begin = (name: string, bytes: number) => budget.begin(() => cut.push(name)).add(bytes)
    for (let n = 0; n < 245; n++) begin(`of 200 KiB ${n}`, 200 * kib)
    assert.equal(cut.length, 0)
    begin('the largest', 256 * kib)
    assert.equal(cut.length, 1, 'one of the others makes room')
    assert.ok(!cut.includes('the largest'))
    begin('of 20 KiB', 20 * kib)
    begin('of 200 KiB, late', 200 * kib)
    assert.ok(cut.includes('the largest') && !cut.includes('of 20 KiB'))
  })

  test('keeps a part for bodies up to 16 KiB, however much larger ones take', () => {
    const budget = openBodyBudget()
    let cut = 0
    for (let n = 0; n < 1_000; n++) budget.begin(() => cut++).add(256 * kib)
    const before = cut
    for (let n = 0; n < 1_024; n++) budget.begin(() => assert.fail('a small body was cut')).add(16 * kib)
    assert.equal(cut, before)
  })

  test('is free again when a body has ended, and a body that was cut ends only once', () => {
    const budget = openBodyBudget()
    const bodies = Array.from({ length: 100 }, () => budget.begin(() => assert.fail('there was room')))
    for (const body of bodies) body.add(100 * kib)
    assert.equal(budget.taken(), 10_000 * kib)
    for (const body of [...bodies, ...bodies]) body.end()
    bodies[0]!.add(100 * kib)
    assert.equal(budget.taken(), 0)
  })

  test('never takes more than 64 MiB, and has nothing left when all bodies have ended', () => {
    const steps = fc.array(fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 256 * kib }), fc.boolean()), {
      maxLength: 3_000,
    })
    fc.assert(
      fc.property(steps, (all) => {
        const budget = openBodyBudget()
        const bodies = new Map<number, ReturnType<typeof budget.begin>>()
        for (const [name, bytes, ends] of all) {
          const body = bodies.get(name) ?? budget.begin(() => bodies.delete(name))
          bodies.set(name, body)
          body.add(bytes)
          if (ends) {
            body.end()
            bodies.delete(name)
          }
          assert.ok(budget.taken() <= 64 * mib)
        }
        for (const body of bodies.values()) body.end()
        assert.equal(budget.taken(), 0)
      }),
      { numRuns: 20 },
    )
  })
})
