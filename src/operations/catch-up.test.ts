/** What was left undone after an account's state was saved, and what must not be undone. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { org, type Stage, startStage } from '../../test/stage.ts'
import { paused } from '../accounts/state.ts'
import { silentLog } from '../lib/log.ts'
import { askLane, sendLane } from '../storage/ports/entry.ts'
import { catchingUp } from './catch-up.ts'

const id = String(org)

describe('catching up', () => {
  let stage: Stage
  let lines: object[]
  let catchUp: () => Promise<void>
  beforeEach(async () => {
    stage = await startStage()
    lines = []
    const log = { ...silentLog, warn: (event: string, fields?: object) => void lines.push({ event, ...fields }) }
    catchUp = catchingUp({ ...stage, log, wake() {} })
  })
  afterEach(() => stage.close())

  const accepted = () => stage.sims.segment.accepted.length
  const state = (changes: object) =>
    stage.accounts.change(id, stage.clock.now(), (install) => ({ ...install, ...changes }))

  for (const known of [{ state: 'live' }, { state: 'needs_attention', reason: 'segment_401' }]) {
    test(`lets go what another replica held by settings of its own: ${known.state}`, async () => {
      await stage.install()
      await state(known)
      await stage.arrive('contact_updated')
      await stage.storage.inbox.hold(sendLane(id), 'not_allowed')
      assert.equal(await stage.step('send'), false)
      await catchUp()
      assert.deepEqual(lines, [{ event: 'caught_up', org: id, lane: 'send', destination: 1, reason: 'not_allowed' }])
      await stage.run()
      assert.equal(accepted(), 1)
    })
  }

  test('claims the events of an account that was installed while the store could not do it', async () => {
    const { inbox } = stage.storage
    const { claimOnInstall } = inbox
    await stage.arrive('contact_updated')
    inbox.claimOnInstall = () => Promise.reject(new Error('away'))
    await assert.rejects(stage.install(), /away/)
    inbox.claimOnInstall = claimOnInstall
    assert.equal(await stage.step('send'), false)
    await catchUp()
    assert.deepEqual(lines, [{ event: 'caught_up', org: id, claimed: 1 }])
    await stage.run()
    assert.equal(accepted(), 1)
  })

  test('follows a destination that was added or removed by a process that ended at that moment', async () => {
    const { inbox } = stage.storage
    const [added, removed] = [inbox.addDestination, inbox.removeDestination]
    const change = async (what: 'addDestination' | 'removeDestination', destinations: object[]) => {
      inbox[what] = () => Promise.reject(new Error('ended'))
      const settings = JSON.stringify({ destinations, lastDestination: 2 })
      await assert.rejects(state({ settings }), /ended/)
      Object.assign(inbox, { addDestination: added, removeDestination: removed })
    }
    const [first, second] = [1, 2].map((number) => ({ number, name: `No. ${number}` }))
    await stage.install()
    await change('addDestination', [first!, second!])
    await catchUp()
    assert.deepEqual(await inbox.destinations(id), [1, 2])
    await change('removeDestination', [second!])
    stage.clock.advance(60_000)
    await catchUp()
    assert.deepEqual(await inbox.destinations(id), [2])
    assert.deepEqual(lines, [
      { event: 'caught_up', org: id, destination: 2, to: 'added' },
      { event: 'caught_up', org: id, destination: 1, to: 'removed' },
    ])
  })

  test('keeps what waits for a paused destination, and lets go what is held of another one', async () => {
    await stage.install()
    const [first, second] = [1, 2].map((number) => ({ number, name: `No. ${number}`, key: 'AAAA' }))
    const destinations = [first!, { ...second!, paused: true }]
    await state({ settings: JSON.stringify({ destinations, lastDestination: 2 }) })
    await stage.arrive('contact_updated')
    await stage.storage.inbox.hold(sendLane(id, 1), 'paused')
    await catchUp()
    assert.deepEqual(lines, [{ event: 'caught_up', org: id, lane: 'send', destination: 1, reason: 'paused' }])
    const holds = (await stage.storage.lookup.lanes(id)).filter(({ lane }) => lane === 'send')
    assert.deepEqual(
      holds.map(({ destination, hold }) => [destination, hold]),
      [
        [1, undefined],
        [2, 'paused'],
      ],
    )
  })

  test('keeps what another process holds, though this one has not heard of it yet', async () => {
    await stage.install()
    await stage.arrive('contact_updated')
    const there = await stage.another()
    await there.accounts.change(id, stage.clock.now(), paused)
    assert.equal(stage.accounts.get(id)?.state, 'live')
    await catchUp()
    assert.equal(await stage.step('send'), false)
    assert.deepEqual(lines, [])
  })

  test('leaves blocked lanes, their probes, and accounts that are not here as they are, and looks once a minute', async () => {
    await stage.arrive('contact_updated')
    await catchUp()
    assert.deepEqual(await stage.backlog(), [{ org: id, state: 'unclaimed', reason: 'not_installed', count: 1 }])
    await stage.install()
    stage.sims.segment.script(() => ({ status: 401 }))
    await stage.step('send')
    const sending = async () => (await stage.storage.lookup.lanes(id)).filter(({ lane }) => lane === 'send')
    const before = await sending()
    assert.equal(before[0]?.blocked, 'segment_401')
    await stage.storage.inbox.hold(askLane(id), 'disconnected')
    await catchUp()
    assert.deepEqual(lines, [], 'within a minute')
    await stage.storage.inbox.resume(askLane(id), stage.clock.now())
    stage.clock.advance(60_000)
    await catchUp()
    assert.deepEqual(await sending(), before)
    assert.deepEqual(lines, [])
  })
})
