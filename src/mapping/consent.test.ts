import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftOutOf, sentOf } from '../../test/mapped.ts'

const send = { consent: { attribute: 'consent', otherwise: 'send' } } as const
const leaveOut = { consent: { attribute: 'consent', otherwise: 'leave_out' } } as const

test('the categories are copied, from an object or from the text of one', async () => {
  for (const consent of [{ Analytics: true, Advertising: false }, '{"Analytics":true,"Advertising":false}']) {
    const { call } = await sentOf('button_clicked', send, { consent })
    assert.deepEqual(call.context.consent, { categoryPreferences: { Analytics: true, Advertising: false } })
  }
})

test('absent or malformed, the event is sent without, or not at all, as was chosen', async () => {
  for (const attributes of [
    undefined,
    {},
    { consent: null },
    { consent: 'yes' },
    { consent: '{"Analytics":"true"}' },
    { consent: '{"Analytics":true,"Analytics":false}' },
    { consent: '{}' },
    { consent: [true] },
  ]) {
    assert.ok(!('consent' in (await sentOf('button_clicked', send, attributes)).call.context))
    assert.equal(await leftOutOf('button_clicked', leaveOut, attributes), 'no_consent')
  }
})
