/** The console of an account that has disconnected, for a browser whose session is still there: what it says and offers. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { gone } from '../../src/accounts/state.ts'
import type { Env } from '../../src/config.ts'
import { formsOf } from '../../src/sim/visitor.ts'
import { org, type Rig, startRig, writeKey } from '../rig.ts'
import { openWalk, type Walk } from '../walk.ts'

const id = String(org)
const pages = ['', '/events', '/not-sent', '/resend', '/connection', '/website', '/privacy', '/audit'].map(
  (page) => `/console${page}`,
)
/** What is left to do with an account that has left: these change nothing of it. */
const offered = ['/console/audit/export', '/console/sign-out', '/console/website']

describe('an account that has disconnected', () => {
  let rig: Rig
  let admin: Walk
  let before: string[]

  /** A session begins, every form of the console is seen, and the account leaves. */
  async function begin(env: Env = {}): Promise<void> {
    rig = await startRig({ installed: env.DRIFT_ORG_ID === undefined, env })
    admin = openWalk(rig)
    await admin.connect(org)
    before = await formsOfAll()
    const { accounts, clock } = rig.service.store
    await accounts.change(id, clock.now(), gone)
  }
  const look = async (path: string) => (await admin.get(admin.at(path))).body
  const formsOfAll = async () => {
    const bodies = await Promise.all(pages.map(look))
    return [...new Set(bodies.flatMap((body) => formsOf(body).flatMap(({ action }) => action ?? [])))].sort()
  }
  const installed = () => rig.service.store.accounts.get(id)!
  const audit = () => rig.service.store.storage.audit.list(id, 50)

  afterEach(async () => {
    await admin.close()
    await rig.close()
  })

  describe('and was connected in the browser', () => {
    beforeEach(() => begin())

    test('is said to be, and no page of its console has a button that would do nothing', async () => {
      assert.match(
        await look('/console'),
        /Stopped[\s\S]*This account is disconnected[\s\S]*Reconnect to Drift to start again/,
      )
      assert.match(
        await look('/console/connection'),
        /This account is disconnected[\s\S]*Reconnect to Drift to start again/,
      )
      assert.deepEqual(await formsOfAll(), offered)
    })

    test('can be connected again from Home and from Connection, and then waits for a write key', async () => {
      for (const page of ['/console', '/console/connection'])
        assert.match(await look(page), /<a class="button primary" href="\/connect\?from=console">Reconnect to Drift</)
      const overview = await admin.connect(org, 'console')
      assert.match(overview.body, /Setup incomplete[\s\S]*Enter a write key/)
      assert.equal(installed().state, 'waiting_for_key')
    })

    test('is not changed by any button of a page that was loaded before, and each leads to a page that says so', async () => {
      const [, csrf] = /name="csrf" value="([^"]*)"/.exec(await look('/console'))!
      const [{ generation }, known] = [installed(), (await audit()).length]
      const fields: Record<string, Record<string, string>> = {
        '/console/pause': {},
        '/console/resume': {},
        '/console/retry': {},
        '/console/connection/segment': { writeKey, region: 'us', generation: String(generation - 1) },
        '/console/connection/events': { on: 'new_meeting', generation: String(generation - 1) },
        '/connect/write-key': { writeKey, region: 'us' },
      }
      for (const [action, sent] of Object.entries(fields)) {
        const seen = await admin.follow(await admin.post(admin.at(action), { ...sent, csrf: csrf! }))
        assert.match(seen.body, /This account is disconnected/, action)
      }
      assert.equal(installed().generation, generation)
      assert.equal((await audit()).length, known)
      const again = await admin.post(admin.at('/console/disconnect'), { confirm: id, csrf: csrf! })
      assert.match(again.body, /<h1>Disconnected<\/h1>[\s\S]*none was ended at Drift/)
      assert.equal((await audit()).length, known)
    })
  })

  test('and was installed by the settings is offered no button to connect, since that would change nothing', async () => {
    await begin({ DRIFT_ORG_ID: id, SEGMENT_WRITE_KEY: writeKey, DRIFT_ACCESS_TOKEN: 'a-private-token-0123456789' })
    const onlyOperator = /Only the operator of this service can/
    for (const page of ['/console', '/console/connection']) {
      const body = await look(page)
      assert.match(body, onlyOperator)
      assert.doesNotMatch(body, /href="\/connect/)
    }
    assert.ok(before.includes('/console/pause'))
    assert.deepEqual(await formsOfAll(), offered)
  })
})
