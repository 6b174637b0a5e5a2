/**
 * "Retry now" for each reason for which an account's events are kept: where something is sent, a request is made and what
 * came of it is said; where nothing is, that is said. Both in the words of the table of reasons on the command line, and of
 * the console's own table in the console.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AccountReason, accountReasons } from '../../src/accounts/needs-attention.ts'
import { adviceOn } from '../../src/web/console/ui/reasons.ts'
import { eventually, whileWaiting } from '../clock.ts'
import { engines } from '../engines.ts'
import { causesAt } from '../retry-causes.ts'
import { retryStage } from '../retry-stage.ts'

describe('an account whose events are kept', () => {
  const stage = retryStage(engines.find(({ name }) => name === 'sqlite')!)
  const { clock, retry, lane, audit, update, post, open, offers, press, pressStale, requests } = stage
  const means = (reason: AccountReason) => accountReasons[reason].means
  /** The text of a page. */
  const read = (page: string) => page.replaceAll('&#39;', "'").replaceAll('&quot;', '"').toLowerCase()
  const causes = causesAt(stage)
  const reasons = Object.entries(causes.reasons) as [AccountReason, (typeof causes.reasons)['paused']][]

  for (const [reason, row] of reasons)
    if (row?.is === 'refused') {
      const { begin, requests: wanted } = row
      const makes = wanted === 0 ? 'finds that no request can be made' : 'makes a request at once'
      test(`${reason}: "Retry now" ${makes}, and says what came of it`, async () => {
        // Signing in through Drift later would connect the account again.
        await open()
        await begin()
        const attempt = async (wording: string, go: () => Promise<string>) => {
          const before = requests()
          const said = read(await go())
          assert.ok(said.includes(wording.toLowerCase()), said)
          assert.equal(requests() - before, wanted)
        }
        await attempt(`${means(reason)}; next attempt at`, async () => {
          const { output, exitCode } = await whileWaiting(clock(), retry())
          assert.equal(exitCode, 1)
          return output
        })
        assert.deepEqual((await audit())[0], 'retried')
        clock().advance(10_000)
        const { happened } = adviceOn(reason)
        await attempt(`Attempt failed: ${happened.slice(0, -1)}</strong>Next attempt`, () => press('retry'))
      })
    }

  for (const [reason, row] of reasons)
    if (row?.is === 'held')
      test(`${reason}: "Retry now" sends nothing, says why, and is not offered`, async () => {
        const { begin, resumes } = row
        await open()
        await begin()
        await eventually(async () => (await lane('send'))?.hold === reason)
        await post(update())
        const { todo } = accountReasons[reason]
        await assert.rejects(retry(), (error: Error & { hint?: string }) => {
          assert.ok(error.message.includes(means(reason)) && error.hint === todo, error.message)
          return true
        })
        // The service notices what a command did within a second.
        await eventually(async () => (await offers('resume')) === resumes)
        const page = await open()
        assert.ok(!page.body.includes('action="/console/retry"'))
        const said = read(await pressStale('retry', page))
        assert.ok(said.includes('no attempt was made') && said.includes(adviceOn(reason).short.toLowerCase()), said)
        assert.equal(requests(), 0)
        assert.ok(!(await audit()).includes('retried'))
      })
})
