/** The rig of the whole-system tests does not wait for a clock that a test lets stand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock, whileWaiting } from '../clock.ts'
import { org, startRig } from '../rig.ts'

test('a service whose clock stands answers a webhook that comes after a group that took milliseconds by that clock', async () => {
  const clock = manualClock()
  const rig = await startRig({ clock })
  const post = (vary: number) => rig.sims.drift.send('new_conversation', { to: rig.to, orgId: org, vary })
  try {
    for (let vary = 0; vary < 8; vary += 2) {
      await whileWaiting(clock, post(vary), 1)
      assert.equal((await post(vary + 1)).status, 200)
    }
  } finally {
    await rig.sims.segment.close()
    await rig.close()
  }
})
