import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { messageIdAt, readMessageId } from './message-id.ts'

const own = 'drift-AZNdL0gAWlpaWlpaWlpaWlpaWlpa'

describe("a destination's messageId", () => {
  test("is the event's own for the first one, and names the number of any other, and how often it was sent as new", () => {
    assert.equal(messageIdAt(own, 1), own)
    assert.equal(messageIdAt(own, 2), `${own}.2`)
    assert.equal(messageIdAt(own, 1, 3), `${own}.r3`)
    assert.equal(messageIdAt(own, 12, 1), `${own}.12.r1`)
  })

  test('is read back, also that of a Live Chat event, and any other text is taken as it is', () => {
    assert.deepEqual(readMessageId(own), { messageId: own })
    assert.deepEqual(readMessageId(`${own}.lc`), { messageId: own })
    for (const more of ['', '.r3', '.lc', '.r3.lc'])
      assert.deepEqual(readMessageId(`${own}.12${more}`), { messageId: own, destination: 12 })
    for (const text of ['', '.2', 'a.b', `${own}.0`, `${own}.2.3`, `${own}.lc.2`])
      assert.deepEqual(readMessageId(text), { messageId: text })
  })
})
