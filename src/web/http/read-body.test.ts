import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesHeld } from '../../../test/memory.ts'
import { openBodyBudget } from './body-budget.ts'
import { readBody } from './read-body.ts'

const bytesMax = 256 * 1024
const asItIs = (whole: Buffer) => whole

/** A sender whose body comes piece by piece. */
function openSender() {
  const stream = new Readable({ read() {} })
  return { request: stream as IncomingMessage, send: (piece: Buffer | null) => void stream.push(piece) }
}

describe('a body', () => {
  test('is whole, in whatever pieces it comes', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 6_000 }), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(pieces, async (all) => {
        const { request, send } = openSender()
        const read = readBody(request, { bytesMax, budget: undefined, make: asItIs })
        for (const piece of all) send(Buffer.from(piece))
        send(null)
        assert.deepEqual(await read, Buffer.concat(all))
      }),
      { numRuns: 50 },
    )
  })

  test('that comes byte by byte takes little more memory than it has bytes', async () => {
    const [bodies, bytes] = [200, 4_000]
    const before = bytesHeld()
    const senders = Array.from({ length: bodies }, openSender)
    const reading = senders.map(({ request }) => readBody(request, { bytesMax, budget: undefined, make: asItIs }))
    for (const { request } of senders) {
      for (let n = 0; n < bytes; n++) request.emit('data', Buffer.alloc(1, 'x'))
    }
    const each = (bytesHeld() - before) / bodies
    assert.ok(each < 16 * 1024, `${each} bytes for each of ${bytes}`)
    for (const { send } of senders) send(null)
    assert.equal((await Promise.all(reading)).length, bodies)
  })

  test('counts in the budget until it has been made into what is worked on, and can be cut until then', async () => {
    const budget = openBodyBudget()
    const read = (make: () => Promise<Buffer>) => {
      const { request, send } = openSender()
      const reading = readBody(request, { bytesMax, budget, make })
      request.once('end', () => assert.equal(budget.taken() > 0, true))
      send(Buffer.alloc(bytesMax))
      send(null)
      return reading
    }
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    const slow = read(() => promise)
    const others = Array.from({ length: 192 }, () => read(() => new Promise(() => {})))
    assert.equal(await Promise.race([slow, ...others]), 'cut')
    resolve(Buffer.from('made'))
    const quick = read(async () => Buffer.from('made'))
    assert.deepEqual(await quick, Buffer.from('made'))
  })

  test('that cannot be made into what is worked on counts in the budget no more', async () => {
    const budget = openBodyBudget()
    for (const make of [
      () => Promise.reject(new Error('not made')),
      () => {
        throw new Error('not made')
      },
    ]) {
      const { request, send } = openSender()
      const reading = readBody(request, { bytesMax, budget, make })
      send(Buffer.alloc(1_000))
      send(null)
      await assert.rejects(reading, /not made/)
      assert.equal(budget.taken(), 0)
    }
  })

  test('that was cut is not made into anything when its rest has come', async () => {
    const budget = openBodyBudget()
    const made: number[] = []
    const make = (whole: Buffer) => made.push(whole.length)
    const senders = Array.from({ length: 193 }, openSender)
    const reading = senders.map(({ request }) => readBody(request, { bytesMax, budget, make }))
    for (const { send } of senders) send(Buffer.alloc(bytesMax))
    assert.equal(await Promise.race(reading), 'cut')
    for (const { send } of senders) send(null)
    await Promise.all(reading)
    assert.deepEqual(
      made,
      Array.from({ length: 192 }, () => bytesMax),
    )
  })
})
