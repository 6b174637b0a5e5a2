import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { manualClock } from '../../test/clock.ts'
import { readyRoute } from './health.ts'

test('however many ask whether the service is ready, the store is looked at once in a quarter of a second', async () => {
  const clock = manualClock()
  let looks = 0
  let fails = false
  let isDraining = false
  const check = async () => {
    looks++
    if (fails) throw new Error('full')
  }
  const ready = readyRoute({ check }, () => isDraining, clock)
  const ask = async () => {
    const request = new IncomingMessage(new Socket())
    const response = new ServerResponse(request)
    await ready(request, response, () => {})
    return response.statusCode
  }
  const many = () => Promise.all(Array.from({ length: 100 }, ask))

  assert.deepEqual([new Set(await many()), looks], [new Set([200]), 1])
  fails = true
  clock.advance(249)
  assert.deepEqual([new Set(await many()), looks], [new Set([200]), 1])
  clock.advance(1)
  assert.deepEqual([new Set(await many()), looks], [new Set([503]), 2])
  fails = false
  clock.advance(250)
  assert.deepEqual([await ask(), looks], [200, 3])
  isDraining = true
  assert.deepEqual([await ask(), looks], [503, 3])
})

test('a look at the store that never ends is 503 after five seconds, for all who wait, and no second look is begun', async () => {
  const clock = manualClock()
  let looks = 0
  const answers: (() => void)[] = []
  let hangs = true
  const check = () => {
    looks++
    if (!hangs) return Promise.resolve()
    return new Promise<void>((resolve) => answers.push(resolve))
  }
  const ready = readyRoute({ check }, () => false, clock)
  const ask = async () => {
    const request = new IncomingMessage(new Socket())
    const response = new ServerResponse(request)
    await ready(request, response, () => {})
    return response.statusCode
  }
  const first = ask()
  clock.advance(4_999)
  const second = ask()
  clock.advance(1)
  assert.deepEqual(await Promise.all([first, second]), [503, 503])
  const third = ask()
  clock.advance(4_999)
  assert.deepEqual([await third, looks], [503, 1])
  hangs = false
  answers[0]!()
  await new Promise(setImmediate)
  assert.deepEqual([await ask(), looks], [200, 2])
})
