/**
 * The real service as a child process between the simulators, killed with -9 under load and between the steps, and
 * started again. Two ledgers decide: what was answered 200, and what Segment accepted. Each kill is made a few times; the
 * torture makes them at random times, for as long as it runs.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../src/lib/json.ts'
import { addsUp } from '../../src/operations/totals.ts'
import type { SegmentAction } from '../../src/sim/index.ts'
import { bareEnv, endChild, startChild } from '../children.ts'
import { engines, type Stores } from '../engines.ts'
import { org, type Rig, startRig } from '../rig.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The service in a process of its own, on the rig's file. */
async function startService(rig: Rig): Promise<{ process: ChildProcess; to: string; kill(): Promise<unknown> }> {
  const env = { ...bareEnv, ...rig.env, LOG_LEVEL: 'error' }
  const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'serve'], {
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  for await (const line of createInterface({ input: child.stderr! })) {
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (!url) continue
    child.stderr!.resume()
    return { process: child, to: `${url}/webhooks/drift`, kill: () => endChild(child) }
  }
  throw new Error('the service ended before it listened')
}

/** What makes one event of the load different from every other, as Segment shows it. */
function markOf(message: JsonObject): string {
  const said = (message.properties ?? message.traits) as JsonObject
  return `${message.event} ${said.id ?? ''} ${said.conversationId ?? ''} ${said.changedAt ?? ''}`
}

/** The same of a webhook, as it was sent. */
function markOfSent(body: string): string {
  const { type, data } = JSON.parse(body) as { type: string; data: JsonObject }
  const id = type === 'new_conversation' ? data.id : ''
  return `Drift Source Event: ${type} ${id} ${data.conversationId ?? ''} ${data.changedAt ?? ''}`
}

const types = ['new_conversation', 'conversation_participant_added'] as const

for (const engine of engines) {
  describe(`kill -9 on ${engine.name}`, { skip: engine.skip }, () => {
    let stores: Stores
    let rig: Rig
    let lastMark = 0
    before(async () => {
      stores = await engine.start()
      rig = await startRig({ env: { DATABASE_URL: await stores.fresh() } })
      // The pasted grant is refreshed before its first use. A kill between Drift's answer and our commit would lose the
      // new pair, which nothing can mend: the account would have to be installed again. So that is done before.
      await rig.sims.drift.send('conversation_participant_removed', { to: rig.to, orgId: org })
      await rig.sims.segment.waitFor(1)
      await rig.service.close()
    })
    after(async () => {
      await rig.close()
      await stores.close()
    })

    /** A minute later, as far as leases are concerned. */
    async function restarted() {
      await stores.leasesRunOut(rig.env.DATABASE_URL!)
      return startService(rig)
    }

    /** Posts different events, a few at once, until stopped; what is cut off simply was not answered. */
    async function load(to: string, until: Promise<unknown>, most: number): Promise<void> {
      let stopped = false
      void until.then(() => (stopped = true))
      const one = async () => {
        for (let sent = 0; sent < most && !stopped; sent++) {
          const vary = ++lastMark
          await rig.sims.drift.send(types[vary % 2]!, { to, orgId: org, vary, contact: vary % 7 })
        }
      }
      await Promise.all(Array.from({ length: 8 }, one))
    }

    async function nothingIsLost(): Promise<void> {
      const child = await restarted()
      const { drift, segment } = rig.sims
      const acknowledged = new Set(
        drift.sent.filter(({ status }) => status === 200).map(({ body }) => markOfSent(body)),
      )
      const arrived = () => new Set(segment.accepted.map(({ message }) => markOf(message)))
      await segment.waitFor(() => acknowledged.isSubsetOf(arrived()))
      await child.kill()

      const messageIds = new Map<string, Set<unknown>>()
      for (const { message } of [...segment.accepted, ...segment.duplicates]) {
        const mark = markOf(message)
        messageIds.set(mark, (messageIds.get(mark) ?? new Set()).add(message.messageId))
      }
      for (const [mark, ids] of messageIds) assert.equal(ids.size, 1, `${mark} went under more than one messageId`)
      const sent = new Set(drift.sent.map(({ body }) => markOfSent(body)))
      assert.ok(arrived().isSubsetOf(sent), 'something arrived that was never sent')
      assert.deepEqual(segment.rejected, [])
      const { exitCode, output } = await rig.command('check', { given: { json: true } })
      assert.equal(exitCode, 0, output)
      assert.ok(addsUp(JSON.parse(output)))
    }

    test('at odd times under load', { timeout: 120_000 }, async () => {
      for (const afterMs of [40, 160, 333]) {
        const child = await restarted()
        const killed = new Promise((resolve) => {
          setTimeout(() => resolve(child.kill()), afterMs)
        })
        await Promise.all([load(child.to, killed, 100), killed])
      }
      assert.ok(rig.sims.drift.sent.some(({ status }) => status === 200))
      await nothingIsLost()
    })

    test('while Segment has the batch and has not answered', { timeout: 60_000 }, async () => {
      const { segment } = rig.sims
      const faults: SegmentAction[] = [{ hang: true }, { reset: 'after' }]
      for (const fault of faults) {
        const child = await restarted()
        const struck = new Promise((resolve) => {
          segment.script(() => {
            resolve(child.kill())
            return fault
          })
        })
        await Promise.all([load(child.to, struck, 20), struck])
        segment.script(undefined)
      }
      await nothingIsLost()
    })

    test('while Drift is being asked', { timeout: 60_000 }, async () => {
      const { drift } = rig.sims
      const child = await restarted()
      const struck = new Promise((resolve) => {
        drift.script('/conversations/*', () => {
          resolve(child.kill())
          return { hang: true }
        })
      })
      await Promise.all([load(child.to, struck, 20), struck])
      drift.script('/conversations/*', undefined)
      await nothingIsLost()
    })

    test('right after an answer, before anything else could happen', { timeout: 60_000 }, async () => {
      const child = await restarted()
      const answer = await rig.sims.drift.send('new_conversation', { to: child.to, orgId: org, vary: ++lastMark })
      await child.kill()
      assert.equal(answer.status, 200)
      await nothingIsLost()
    })
  })
}

test('SIGTERM under load: what was answered is delivered, now or after the next start', {
  timeout: 60_000,
}, async () => {
  const rig = await startRig()
  try {
    await rig.service.close()
    const child = await startService(rig)
    const { drift, segment } = rig.sims
    const sending = Promise.all(
      Array.from({ length: 60 }, (_, vary) =>
        drift.send('new_conversation', { to: child.to, orgId: org, vary: vary + 1 }),
      ),
    )
    await segment.waitFor(1)
    child.process.kill('SIGTERM')
    const [[code]] = await Promise.all([once(child.process, 'exit'), sending])
    assert.equal(code, 0)
    await rig.restart()
    const acknowledged = drift.sent.filter(({ status }) => status === 200).length
    await segment.waitFor(acknowledged)
    assert.equal(segment.accepted.length, acknowledged)
  } finally {
    await rig.close()
  }
})
