/** A write key that is not saved before the admin has said that it is meant: it looks unusual, or came in place of another. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { firstOf } from '../../src/accounts/destinations.ts'
import type { Seen } from '../../src/sim/visitor.ts'
import { atKeyForm, path } from '../key-form.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const another = 'ZyXwVuTsRqPoNmLkJiHgFeDcBa987654'
let rig: Rig
let admin: Walk
let sent = 0
const { save, tryOut, stored } = atKeyForm(
  () => startRig({ installed: false }),
  (at) => {
    ;({ rig, admin } = at)
  },
)

describe('a write key', () => {
  for (const unusual of ['abcde', 'a-short-one', `${another}${another}`, another.slice(1), `_${another.slice(1)}`])
    test(`that looks unusual (${unusual}) is saved by a second Save only, which the page offers`, async () => {
      const before = await stored()
      const asked = await save({ writeKey: unusual })
      assert.equal(asked.status, 422)
      assert.match(
        asked.body,
        /Is this a write key\?[\s\S]*mostly have 32 letters and digits[\s\S]*Nothing was saved yet/,
      )
      assert.ok(!asked.body.includes(unusual))
      assert.deepEqual(await stored(), before)
      const saved = await save({}, asked)
      assert.deepEqual([saved.status, saved.headers.location], [303, `${rig.sims.drift.url}/settings/apps`])
      assert.notEqual(firstOf(await stored()).key, firstOf(before).key)
    })

  test('that looks unusual is asked about in the console’s settings too, beside the key that it would replace', async () => {
    await save({ writeKey })
    const settings = await admin.get(admin.at('/console/connection'))
    const action = '/console/connection/segment'
    const before = await stored()
    const asked = await admin.submit(settings, { writeKey: 'abcde', region: 'us' }, action)
    assert.equal(asked.status, 422)
    assert.match(asked.body, /than the one that is saved[\s\S]*mostly have 32 letters and digits/)
    assert.deepEqual(await stored(), before)
  })

  test('that was chosen on the page that asks which, and cannot be opened any more, leaves the saved one as it is and says so', async () => {
    await save({ writeKey })
    const settings = await admin.get(admin.at('/console/connection'))
    const before = await stored()
    const fields = { region: 'us', chosen: 'held-under-another-key' }
    const refused = await admin.submit(settings, fields, '/console/connection/segment')
    assert.equal(refused.status, 422)
    assert.match(refused.body, /Not saved: the write key that you chose cannot be read any more: paste it again/)
    assert.deepEqual(await stored(), before)
  })

  test('that looks unusual, and was tested, is saved: the page of the test has said so', async () => {
    const tested = await tryOut({ writeKey: 'a-short-one' })
    assert.match(tested.body, /An unusual write key/)
    assert.equal((await save({ writeKey: '' }, tested)).status, 303)
  })

  test('is asked about where the key that was tested cannot be opened any more: the field may have been filled unseen', async () => {
    const before = await stored()
    const asked = await save({ writeKey: another, tested: 'held-under-another-key' })
    assert.equal(asked.status, 422)
    assert.match(
      asked.body,
      /Is this a write key\?[\s\S]*you tested cannot be read any more[\s\S]*Nothing was saved yet/,
    )
    assert.deepEqual(await stored(), before)
    assert.equal((await save({}, asked)).status, 303)
    assert.notEqual(firstOf(await stored()).key, firstOf(before).key)
  })

  describe('when the field comes back with another key than the one that was tested', () => {
    const filled = 'SavedPasswordOfTheBrowser0123456'
    let asked: Seen
    beforeEach(async () => {
      const tested = await tryOut({ writeKey: another })
      asked = await save({ writeKey: filled }, tested)
    })
    const answer = (label: string) => {
      const form = asked.body.split('<form').find((one) => one.includes(label))!
      const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(form)![1]!
      const fields = Object.fromEntries(['csrf', 'region', 'replaces', 'chosen'].map((name) => [name, field(name)]))
      return admin.post(admin.at(path), fields)
    }
    const usedKey = async () => {
      const earlier = rig.sims.segment.accepted.length
      await rig.sims.drift.send('new_meeting', { to: rig.to, orgId: org, vary: ++sent })
      return (await rig.sims.segment.waitFor(earlier + 1)).at(-1)!.writeKey
    }

    test('nothing is saved, and the page asks which of the two is meant, showing neither', async () => {
      const before = await stored()
      assert.equal(asked.status, 422)
      assert.match(asked.body, /Which write key do you mean/)
      assert.doesNotMatch(asked.body, new RegExp(`${filled}|${another}`))
      assert.deepEqual(await stored(), before)
    })

    test('the tested key is saved when the admin says so', async () => {
      assert.equal((await answer('Save the tested key')).status, 303)
      assert.equal(await usedKey(), another)
    })

    test('the other key is saved when the admin says so', async () => {
      assert.equal((await answer('Save the other key')).status, 303)
      assert.equal(await usedKey(), filled)
    })

    test('an answer that comes after another admin’s save changes nothing', async () => {
      const second = openWalk(rig)
      const theirs = await second.connect(org)
      await second.submit(theirs, { writeKey: 'KeyOfTheOtherAdmin01234567890123' }, path)
      await second.close()
      assert.equal((await answer('Save the other key')).status, 409)
    })

    test('the same key pasted once more is saved without asking', async () => {
      const tested = await tryOut({ writeKey: another })
      assert.equal((await save({ writeKey: ` ${another} ` }, tested)).status, 303)
    })

    test('a text that cannot be a key is refused, and the tested key can still be saved', async () => {
      const tested = await tryOut({ writeKey: another })
      const refused = await save({ writeKey: 'correct horse battery' }, tested)
      assert.equal(refused.status, 422)
      assert.match(refused.body, /holds a space/)
      assert.equal((await save({ writeKey: '' }, refused)).status, 303)
      assert.equal(await usedKey(), another)
    })
  })
})
