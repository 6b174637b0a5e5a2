import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, manualClock } from '../../test/clock.ts'
import { catalogue } from '../events/index.ts'
import { contactWaits } from './contact-waits.ts'
import type { Needing } from './prepare.ts'

test('what waits for its contact rests for whole milliseconds by a clock that counts in fractions: they are stored', async () => {
  const clock = manualClock()
  let looks = 0
  const inFractions = { ...clock, monotonic: () => clock.monotonic() + ++looks * 0.001 }
  const needs = {
    contacts: {
      begin() {},
      known: () => undefined,
      look: async () => ({ is: 'later' as const, afterMs: 1_000 }),
      forget() {},
    },
    keyring: { seal: async () => new Uint8Array() },
    clock: inFractions,
    isOurs: async () => true,
    note: async () => true,
    settleUnsent: async () => true,
    withExtra: new Map(),
    most: () => 10,
    came() {},
  } as unknown as Parameters<typeof contactWaits>[0]
  const waits = contactWaits(needs, '1')
  const page = catalogue.get('new_conversation')!
  const one = { page, entry: { id: 1, receivedAt: clock.now() }, learnt: {}, known: { contactId: '7' } }
  await waits.take([{ id: 1, whose: '7', names: ['externalId'], options: {}, one } as unknown as Needing])
  await eventually(() => !waits.isLookingUp())
  await waits.next()
  assert.ok(waits.restMs() > 900, `${waits.restMs()} ms`)
  assert.ok(Number.isInteger(waits.restMs()), `${waits.restMs()} ms`)
})
