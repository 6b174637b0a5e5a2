import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { append } from '../storage/conformance.ts'
import { openInMemory } from '../storage/sqlite/in-memory.ts'
import { countSilent, isSilent } from './silence.ts'

const hour = 3_600_000
const day = 24 * hour
const monday = Date.UTC(2025, 5, 2)

describe('a silence is alarming when it is much longer than the account’s usual ones', () => {
  const everyHour = Array.from({ length: 48 }, (_, n) => monday + n * hour)
  /** Nine to five, Monday to Friday. */
  const office = Array.from({ length: 5 }, (_, n) => n).flatMap((d) =>
    Array.from({ length: 8 }, (_, h) => monday + d * day + (9 + h) * hour),
  )
  const lastOf = (times: number[]) => times.at(-1)!

  const cases: [name: string, times: number[], silentMs: number, isAlarming: boolean][] = [
    ['one that is heard of every hour, after two hours', everyHour, 2 * hour, false],
    ['one that is heard of every hour, after four hours', everyHour, 4 * hour, true],
    ['one with office hours, over night', office, 17 * hour, false],
    ['one with office hours, over the weekend', office.slice(0, 40), 40 * hour, false],
    ['one with office hours, after four days', office, 4 * day, true],
    ['one heard of three times, after a day', [monday, monday + day, monday + 2 * day], day, false],
    ['one heard of three times, after six days', [monday, monday + hour, monday + 2 * hour], 6 * day, true],
  ]
  for (const [name, times, silentMs, isAlarming] of cases) {
    test(`${name}: ${isAlarming ? 'yes' : 'no'}`, () => {
      assert.equal(isSilent(times, true, lastOf(times) + silentMs), isAlarming)
    })
  }

  test('one that nothing was ever heard of is not counted; one that fell silent weeks ago is', async () => {
    const { ledger, inbox } = openInMemory()
    const count = (now: number) => countSilent(ledger, ['1', 'never heard of'], now)
    assert.equal(await count(monday), 0)
    await append({ inbox }, [
      {
        state: 'waiting',
        org: '1',
        type: 'an_event',
        messageId: 'm',
        receivedAt: monday,
        identity: Buffer.alloc(16),
        rememberMs: day,
        mapping: 1,
        sealed: Buffer.alloc(1),
      },
    ])
    assert.equal(await count(monday + hour), 0)
    assert.equal(await count(monday + 6 * day), 1)
    assert.equal(await count(monday + 20 * day), 1)
  })
})
