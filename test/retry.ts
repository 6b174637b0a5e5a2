/** "Retry now" and "Resume" as a person has them, in the console and on the command line. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gone } from '../src/accounts/state.ts'
import { readConfig } from '../src/config.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { openService } from '../src/service.ts'
import { eventually } from './clock.ts'
import { type Engine, engines } from './engines.ts'
import { causesAt } from './retry-causes.ts'
import { id, retryStage } from './retry-stage.ts'

const minute = 60_000

/** Each engine in a file of its own, so that both are under way at once. */
export function retrySuite(name: Engine['name']): void {
  const engine = engines.find((one) => one.name === name)!
  describe(`on ${engine.name}`, { skip: engine.skip }, () => {
    const stage = retryStage(engine)
    const {
      rig,
      look,
      clock,
      command,
      retry,
      installed,
      lane,
      audit,
      update,
      post,
      failing,
      open,
      offers,
      press,
      requests,
      segmentRequests,
    } = stage
    const { waits, reasons } = causesAt(stage)

    for (const [what, { wait, says, shows, code }] of Object.entries(waits)) {
      test(`where ${what}, "Retry now" makes one request at once and says what it brought`, async () => {
        await wait()
        const before = requests()
        const { output, exitCode } = await retry()
        assert.match(output, says)
        assert.deepEqual([requests() - before, exitCode], [1, code])
        assert.equal((await audit())[0], 'retried')
        if (says.test('Segment accepted')) return
        clock().advance(10_000)
        await failing(what.startsWith('Drift') ? 'ask' : 'send')
        const once = requests()
        assert.match(await press('retry'), shows)
        assert.equal(requests() - once, 1)
      })
    }

    test('the page of an event that waits for a later time has the button too', async () => {
      await waits['Segment is down']!.wait()
      const [event] = (await rig().service.store.storage.lookup.find({ org: id }, { limit: 1 })).entries
      await open()
      const page = await look(`/console/events/${event!.messageId}`)
      assert.match(page, /Segment (answered|returned) 503[\s\S]*action="\/console\/retry"/)
      assert.doesNotMatch(page, /action="\/console\/resume"/)
    })

    test('nothing waits: nothing is sent, and "Retry now" is not offered', async () => {
      const { output, exitCode } = await retry()
      assert.deepEqual([output, exitCode, requests()], [`${id}: nothing waits`, 0, 0])
      assert.equal(await offers('retry'), false)
    })

    test('an account that has disconnected is not retried', async () => {
      await rig().service.store.accounts.change(id, clock().now(), gone)
      await assert.rejects(retry(), { code: 'not_installed' })
    })

    test('within a Retry-After nothing is sent, neither by "Retry now" nor by "Resume", which say until when', async () => {
      rig().sims.segment.script({ status: 429, headers: { 'retry-after': '120' } })
      await post(update())
      await failing('send')
      const until = new Date((await lane('send'))!.retryAfterAt!)
      assert.ok(until.getTime() - clock().now() > minute)
      const said = new RegExp(
        `Segment asked to be left alone until ${until.toISOString().slice(0, 10)}.*nothing is sent`,
      )
      const { output, exitCode } = await retry()
      assert.match(output, said)
      assert.equal(exitCode, 1)
      assert.match(await press('retry'), /Segment asked for a pause[\s\S]*No attempt is made before/)
      await command('pause')
      assert.match((await command('resume')).output, said)
      await eventually(() => installed().state === 'live')
      assert.equal(segmentRequests(), 1)
      rig().sims.segment.script(undefined)
      clock().advance(121_000)
      await eventually(() => rig().sims.segment.accepted.length === 1)
    })

    test('at most one manual attempt is made in ten seconds, by whichever door', async () => {
      await waits['Segment is down']!.wait()
      const before = segmentRequests()
      await retry()
      clock().advance(9_000)
      const { output, exitCode } = await retry()
      assert.match(output, /an attempt was made a moment ago: the next one is possible at/)
      assert.equal(exitCode, 1)
      assert.equal(segmentRequests() - before, 1)
      clock().advance(1_000)
      await retry()
      assert.equal(segmentRequests() - before, 2)
      await command('pause')
      await command('resume')
      assert.equal(segmentRequests() - before, 2)
    })

    test('"Resume" ends a pause, makes one attempt at once, and says what it brought', async () => {
      await command('pause')
      await post(update())
      const { output, exitCode } = await command('resume')
      assert.match(output, new RegExp(`^${id}: resumed\n${id}: Segment accepted$`))
      assert.deepEqual([exitCode, segmentRequests()], [0, 1])
      clock().advance(10_000)
      await command('pause')
      await post(update(2))
      assert.match(await press('resume'), /Sending is resumed[\s\S]*Segment accepted/)
      assert.equal(segmentRequests(), 2)
    })

    test('"Resume" of a refused account says whether it is refused again', async () => {
      await reasons.segment_401!.begin()
      const before = segmentRequests()
      assert.equal(await offers('resume'), true)
      const { output, exitCode } = await command('resume')
      assert.match(output, /Segment does not accept the write key \(401\)/)
      assert.deepEqual([exitCode, segmentRequests() - before], [1, 1])
      rig().sims.segment.script(undefined)
      clock().advance(10_000)
      assert.match(await press('resume'), /Sending is resumed/)
      await eventually(() => rig().sims.segment.accepted.length === 2)
      assert.equal(installed().state, 'live')
    })

    test('"Resume" of an account that is neither paused nor refused changes nothing, and names retry', async () => {
      await assert.rejects(command('resume'), (error: Error & { code?: string; hint?: string }) => {
        assert.deepEqual([error.code, /installs retry/.test(error.hint!)], ['not_paused', true])
        return true
      })
      assert.equal(await offers('resume'), false)
    })

    test('no service runs: "retry" says so and changes nothing, "resume" resumes and says so', async () => {
      await waits['Segment is down']!.wait()
      await command('pause')
      await rig().service.close()
      const { exitCode, output } = await command('resume')
      assert.match(output, /resumed\nno service runs on this store/)
      assert.equal(exitCode, 0)
      const before = segmentRequests()
      await assert.rejects(retry(), { code: 'no_service' })
      assert.equal(segmentRequests(), before)
      await rig().restart()
      await eventually(() => segmentRequests() > before)
    })

    test('an answer that does not come in time is said to be missing', async () => {
      await waits['Segment is down']!.wait()
      rig().sims.segment.script([{ hang: true }])
      // A hundred times as quick as the wall.
      const quick: Clock = {
        now: () => clock().now(),
        monotonic: () => systemClock.monotonic() * 100,
        after: (ms, callback) => systemClock.after(ms / 100, callback),
      }
      const { output, exitCode } = await command('retry', quick)
      assert.match(output, /nothing came of it within 20 s/)
      assert.equal(exitCode, 1)
    })

    test('of two services one makes the attempt', {
      skip: engine.name === 'sqlite' && 'one service at a time has an SQLite file',
    }, async () => {
      const other = await openService(readConfig(rig().env), { clock: clock(), log: silentLog })
      try {
        await waits['Segment is down']!.wait()
        const before = segmentRequests()
        assert.match((await retry()).output, /Segment answered 503/)
        for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
        assert.equal(segmentRequests() - before, 1)
        await rig().service.close()
        clock().advance(10_000)
        await retry()
        assert.ok(segmentRequests() - before > 1, 'the one that is left makes it')
      } finally {
        await other.close()
        await rig().restart()
      }
    })
  })
}
