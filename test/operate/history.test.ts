/**
 * An operator whose account at Drift ends next month: what there is, how long it takes, bringing it in, and seeing it at
 * Segment. By the command line beside the running service; nothing is faked but the partners.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Problem } from '../../src/lib/errors.ts'
import { addsUp } from '../../src/operations/totals.ts'
import { pastOf } from '../../src/sim/past.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, settled, startRig } from '../rig.ts'

const id = String(org)
let rig: Rig
const run = (name: string, given: Record<string, string | boolean> = {}, args: string[] = []) =>
  rig.command(name, { given, args })
const events = () =>
  rig.sims.segment.accepted.map(({ message }) =>
    String(message.event ?? message.type).replace('Drift Source Event: ', ''),
  )
const many = (what: string) => events().filter((event) => event === what).length

beforeEach(async () => {
  rig = await startRig()
  rig.sims.drift.addOrg({ orgId: org, ...pastOf(Date.now(), 9) })
})
afterEach(async () => {
  const outcomes = await rig.outcomes().finally(() => rig.close())
  assert.ok(addsUp(outcomes))
})

describe('backfill', () => {
  test('says what there is and how long it takes, brings it in on request, and a second time brings nothing', async () => {
    const look = await run('backfill', { org: id, dryRun: true })
    assert.equal(look.exitCode, 0)
    assert.match(look.output, /9 {2}would be sent as events/)
    assert.match(look.output, /6 {2}contacts would be sent with their attributes/)
    assert.match(look.output, /Meetings were left out.*Reconnect to allow meetings/)
    assert.match(look.output, /takes about 1 minute \(8 requests to Drift/)
    assert.match(look.output, /at most 6 monthly tracked users/)
    assert.deepEqual(events(), [])
    const done = await run('backfill', { org: id })
    assert.match(done.output, /15 {2}sent\n.*9 {2}of these, conversations\n.*6 {2}of these, contacts/)
    await settled(rig)
    assert.deepEqual([many('new_conversation'), many('identify')], [9, 6])
    const again = await run('backfill', { org: id, json: true })
    const { state, counts } = JSON.parse(again.output) as { state: string; counts: Record<string, number> }
    assert.deepEqual([state, counts.sent, counts.known], ['done', 0, 9])
    const outcomes = await rig.outcomes()
    assert.deepEqual([outcomes.received, outcomes.backfilled, outcomes.delivered], [0, 15, 15])
  })

  test('of a time brings that time alone', async () => {
    const { output } = await run('backfill', { org: id, from: '30d', json: true })
    const { counts } = JSON.parse(output) as { counts: Record<string, number> }
    const recent = pastOf(Date.now(), 9).conversations.filter(
      ({ createdAt }) => Number(createdAt) > Date.now() - 30 * 86_400_000,
    )
    assert.ok(recent.length > 0 && recent.length < 9)
    assert.equal(counts.sent_new_conversation, recent.length)
  })

  test('refuses a time that has no moment in it, says why, and begins nothing', async () => {
    const odd: [span: Record<string, string>, says: RegExp][] = [
      [{ from: '1d', to: '2d' }, /--from is not before --to/],
      [{ from: '2026-01-31', to: '2026-01-31' }, /of one day alone, give the day after it/],
      [{ from: '2999-01-01' }, /--from is in the future/],
      [{ to: 'yesterday' }, /--to is not a time/],
    ]
    for (const [span, says] of odd)
      for (const command of ['backfill', 'reconcile'])
        await assert.rejects(
          run(command, { org: id, ...span }),
          (error: Problem) => error.code === 'filter_unusable' && says.test(`${error.message} ${error.hint}`),
          JSON.stringify(span),
        )
    assert.deepEqual(await rig.service.store.storage.jobs.list(5, id), [])
  })

  test('takes a time without a zone for UTC, wherever the command runs', async () => {
    const zone = process.env.TZ
    process.env.TZ = 'America/Los_Angeles'
    try {
      const [first] = pastOf(Date.now(), 9).conversations
      const at = (ms: number) => new Date(Number(first!.createdAt) + ms).toISOString().slice(0, 16)
      const { output } = await run('backfill', {
        org: id,
        from: at(-60_000),
        to: at(120_000),
        dryRun: true,
        json: true,
      })
      assert.equal((JSON.parse(output) as { counts: Record<string, number> }).counts.missing, 1)
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  test('goes on when its command is stopped or returns, is there once at a time, and ends when it is cancelled', async () => {
    rig.sims.drift.script('/contacts/*', { delayMs: 500 })
    const { output } = await run('backfill', { org: id, detach: true, json: true })
    const { job } = JSON.parse(output) as { job: string }
    await assert.rejects(run('backfill', { org: id }), (error: Problem) => error.code === 'history_running')
    await assert.rejects(run('reconcile', { org: id }), (error: Problem) => error.code === 'history_running')
    await run('jobs cancel', {}, [job])
    const state = async () =>
      (JSON.parse((await run('jobs show', { json: true }, [job])).output) as { state: string }).state
    await eventually(async () => (await state()) === 'cancelled')
    const stopped = await rig.command('backfill', { given: { org: id }, stopped: Promise.resolve() })
    assert.equal(stopped.exitCode, 130)
    assert.match(stopped.output, /goes on: `jobs show \w+`/)
    await eventually(() => many('new_conversation') === 9)
  })

  test('says where what it has brought in waits, and not where it is sent', async () => {
    await run('installs pause', { org: id })
    const paused = await run('backfill', { org: id, from: '30d' })
    assert.match(paused.output, /it waits, and is not sent yet: a person paused the account/)
    await run('installs resume', { org: id })
    assert.doesNotMatch((await run('backfill', { org: id })).output, /waits/)
    await settled(rig)
  })

  test('gives one destination all of it while another is paused, says so, and gives it to that one when it is resumed', async () => {
    const stdin = JSON.stringify({ writeKey: 'SecondKeyAbCdEfGhIjKlMnOpQrStUv' })
    await rig.command('destinations add', { stdin, given: { org: id, name: 'Warehouse' } })
    await run('destinations pause', { org: id, destination: 'Warehouse' })
    const { output } = await run('backfill', { org: id })
    assert.match(output, /it waits at Warehouse, and is not sent yet: /)
    const keyed = () => rig.sims.segment.accepted.filter(({ writeKey }) => writeKey.startsWith('SecondKey')).length
    await eventually(() => events().length === 15)
    assert.equal(keyed(), 0)
    await run('destinations resume', { org: id, destination: 'Warehouse' })
    await settled(rig)
    assert.deepEqual([keyed(), events().length], [15, 30])
    const {
      received,
      backfilled,
      events: webhooks,
      destinations,
    } = JSON.parse((await run('check', { json: true })).output) as Record<
      'received' | 'backfilled' | 'events',
      number
    > & { destinations: { received: number }[] }
    assert.equal(webhooks, 0)
    assert.equal(
      received + backfilled,
      destinations.reduce((sum, one) => sum + one.received, 0),
      'each destination counts all that it was given',
    )
    assert.match(
      (await run('check')).output,
      /^events +0: received counts each for every destination, and what was brought in for every one but the first$/m,
    )
  })

  test('says that no service runs, for as long as that is so, and goes on with the next one', async () => {
    rig.sims.drift.script('/conversations/list', { delayMs: 1_500 })
    let isSaid = false
    const said = (line: string) => (isSaid ||= line.includes('no service runs'))
    const done = rig.command('backfill', { given: { org: id }, said })
    await eventually(() => rig.sims.drift.count('/conversations/list') > 0)
    await rig.service.close()
    rig.sims.drift.script('/conversations/list', undefined)
    await eventually(() => isSaid)
    await rig.restart()
    const { output } = await done
    assert.match(output, /no service runs on this store; it goes on when one does/)
    assert.match(output, /15 {2}sent/)
  })

  test('a look that is stopped while no service runs does not wait for one', async () => {
    rig.sims.drift.script('/conversations/list', { delayMs: 1_500 })
    const stopped = Promise.withResolvers<void>()
    const look = rig.command('backfill', { given: { org: id, dryRun: true }, stopped: stopped.promise })
    await eventually(() => rig.sims.drift.count('/conversations/list') > 0)
    await rig.service.close()
    stopped.resolve()
    const { exitCode, output } = await look
    assert.equal(exitCode, 130)
    assert.match(output, /is cancelled, and ends when a service runs/)
    await rig.restart()
  })

  test('is begun for an account that is there, on a store that a service runs on', async () => {
    await assert.rejects(run('backfill', { org: '77' }), (error: Problem) => error.code === 'not_installed')
    const stopped = rig.service.close()
    await stopped
    await assert.rejects(run('backfill', { org: id }), (error: Problem) => error.code === 'no_service')
    await rig.restart()
  })
})

describe('reconcile', () => {
  test('says what is missing and why, sends exactly that on request, and nothing is missing then', async () => {
    const look = await run('reconcile', { org: id, from: '2024-01-01' })
    assert.match(look.output, /9 {2}missing\n/)
    assert.match(look.output, /9 {2}happened before the account was connected/)
    assert.match(look.output, /run it again with --send/)
    assert.deepEqual(events(), [])
    const sent = await run('reconcile', { org: id, from: '2024-01-01', send: true })
    assert.match(sent.output, /9 {2}sent\n/)
    await settled(rig)
    assert.deepEqual([many('new_conversation'), many('identify')], [9, 0])
    assert.match((await run('reconcile', { org: id, from: '2024-01-01' })).output, /0 {2}missing/)
  })

  test('is done every day by itself once that is chosen, and the log says what is missing', async () => {
    assert.match((await run('reconcile', { org: id, daily: 'on' })).output, /compared with Drift every day/)
    await rig.restart()
    await eventually(async () =>
      (await rig.service.store.storage.jobs.list(5, id)).some(
        ({ kind, state }) => kind === 'reconcile' && state === 'done',
      ),
    )
    await run('reconcile', { org: id, daily: 'off' })
    const [entry] = await rig.service.store.storage.audit.list(id, 1)
    assert.deepEqual([entry?.what, entry?.about], ['chose whether to compare with Drift every day', 'not every day'])
  })
})

describe('erase --undo', () => {
  test('lets a backfill bring in a person again, whom it passes over until then', async () => {
    const contact = String(pastOf(Date.now(), 9).contacts[0]!.id)
    await run('erase', { org: id, contact })
    const { output } = await run('backfill', { org: id, json: true })
    assert.equal((JSON.parse(output) as { counts: Record<string, number> }).counts.erased, 2)
    assert.match((await run('erase', { org: id, contact, undo: true })).output, /brings in what Drift has/)
    const again = JSON.parse((await run('backfill', { org: id, json: true })).output) as {
      counts: Record<string, number>
    }
    assert.deepEqual([again.counts.sent_new_conversation, again.counts.sent_contact_updated], [2, 1])
  })
})
