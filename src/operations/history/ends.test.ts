/** How a backfill ends, or goes on, when Drift or the account does not stay as it was. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addConversations, backfill, begin, contact, id, identified, tracked, work } from '../../../test/history.ts'
import { eachStage, org, type Stage } from '../../../test/stage.ts'
import { erasePerson } from '../erase.ts'
import { shownJob } from '../jobs.ts'
import { estimatedMs } from './estimate.ts'
import { linesOf, whyStuck } from './say.ts'
import { remainingMs } from './start.ts'

let stage: Stage
eachStage((fresh) => {
  stage = fresh
})

const ended = { status: 401, body: { error: 'invalid_token', error_description: 'it has ended' } }
const refused = { status: 400, body: { errors: [{ type: 'validation_error', message: 'no' }] } }

describe('an outage of Drift', () => {
  test('is said for as long as it lasts, ends nothing, and leaves nothing out', async () => {
    addConversations(stage, 30)
    const { drift } = stage.sims
    const job = await begin(stage, 'backfill')
    const said = new Set<string | undefined>()
    let isOut = false
    let looks = 0
    const when = () => {
      if (!isOut && drift.count('/contacts/*') > 8) {
        isOut = true
        for (const path of ['/contacts/*', '/conversations/list', '/reports/conversations'])
          drift.script(path, { status: 503, body: '<html>Bad gateway</html>' })
      }
      if (isOut && looks++ % 20 === 0)
        void stage.storage.jobs.get(job).then((found) => {
          const shown = shownJob(found!)
          said.add(whyStuck(shown))
          if (whyStuck(shown) === undefined) return
          assert.equal(remainingMs(shown), undefined)
          for (const path of ['/contacts/*', '/conversations/list', '/reports/conversations'])
            drift.script(path, undefined)
        })
      return false
    }
    const { state, counts, ...done } = await work(stage, job, { when })
    assert.deepEqual([state, counts.sent, counts.contacts_unanswered], ['done', 60, undefined])
    assert.equal(whyStuck({ counts, ...done }), undefined)
    const [why] = [...said].filter((one) => one !== undefined)
    assert.match(why!, /^Drift does not answer: Drift answered 503\. It is asked again, .* until it answers or this is/)
  })

  test('is not said of a job that has ended', () => {
    const counts = { looked: 1, stuck_drift_503: 1 }
    assert.match(whyStuck({ counts, hasEnded: false })!, /Drift answered 503/)
    assert.equal(whyStuck({ counts, hasEnded: true }), undefined)
    assert.equal(whyStuck({ counts: { looked: 1 }, hasEnded: false }), undefined)
  })
})

describe('a backfill ends with its reason', () => {
  test('when the grant ends in the middle, and nothing is counted as what Drift does not have', async () => {
    addConversations(stage, 40)
    const { drift } = stage.sims
    drift.addOrg({ orgId: org, conversations: [{ id: 900, createdAt: 1_740_000_000_000, updatedAt: 1 }] })
    const when = () => {
      if (drift.count('/contacts/*') > 20) {
        drift.script('/oauth2/token', { status: 400, body: { error: 'invalid_request', error_description: 'ended' } })
        drift.script(/.*/, ended)
      }
      return false
    }
    const { state, reason, counts } = await work(stage, await begin(stage, 'backfill'), { when })
    assert.deepEqual([state, reason], ['failed', 'grant_dead'])
    assert.deepEqual(
      [counts.barred_contacts, counts.contacts_gone, counts.no_contact],
      [undefined, undefined, undefined],
    )
    drift.script(/.*/, undefined)
    drift.script('/oauth2/token', undefined)
    await stage.install()
    const again = await backfill(stage)
    assert.deepEqual([again.state, again.counts.no_contact], ['done', 1])
    await stage.run()
    assert.equal(tracked(stage, 'new_conversation').length, 40)
    assert.equal(new Set(identified(stage)).size, 40)
  })

  test('when the account disconnects in the middle', async () => {
    addConversations(stage, 40)
    const { drift } = stage.sims
    let leaving: Promise<unknown> | undefined
    const when = () => {
      if (drift.count('/contacts/*') > 20) leaving ??= stage.disconnect.leave(id, 'an admin')
      return false
    }
    const { state, reason } = await work(stage, await begin(stage, 'backfill'), { when })
    await leaving
    assert.deepEqual([state, reason], ['failed', 'disconnected'])
    await stage.run()
    assert.equal(tracked(stage, 'new_conversation').length, 0)
    assert.deepEqual(await stage.backlog(), [])
  })

  test('when Drift has one empty page after the other', async () => {
    let page = 0
    stage.sims.drift.script('/conversations/list', () => ({
      body: { data: [], links: { next: `https://api.drift.com/conversations/list?page_token=next${++page}` } },
    }))
    const { state, reason } = await backfill(stage)
    assert.deepEqual([state, reason, page], ['failed', 'drift_endless', 50])
  })
})

test('cancelled in the middle of a page, it says exactly what it has sent', async () => {
  addConversations(stage, 90)
  const job = await begin(stage, 'backfill')
  const when = () => {
    if (stage.sims.drift.count('/contacts/*') > 30) void stage.storage.jobs.cancel(job, 'an admin', stage.clock.now())
    return false
  }
  const { state, counts } = await work(stage, job, { when })
  await stage.run()
  const sent = tracked(stage, 'new_conversation').length + identified(stage).length
  assert.deepEqual([state, counts.sent, counts.known], ['cancelled', sent, 0])
  assert.ok(sent > 40)
})

test('a list that begins again under other tokens is read to its end', async () => {
  addConversations(stage, 3)
  const all = [...stage.sims.drift.orgs.get(org)!.conversations.values()]
  let page = 0
  stage.sims.drift.script('/conversations/list', () => ({
    body: {
      data: [all[page % 3]!],
      links: { next: `https://api.drift.com/conversations/list?page_token=next${++page}` },
    },
  }))
  const { state, counts } = await backfill(stage)
  assert.deepEqual([state, counts.sent_new_conversation], ['done', 3])
})

test('meetings that Drift does not accept the question for are left out, and that is said', async () => {
  addConversations(stage, 2)
  stage.sims.drift.script('/users/meetings/org', refused)
  const job = await backfill(stage)
  assert.deepEqual([job.state, job.counts.sent_new_conversation], ['done', 2])
  assert.ok(linesOf(job).some(({ label }) => label === 'Not all meetings were read'))
  stage.sims.drift.script('/users/meetings/org', undefined)
  assert.equal(
    linesOf(await backfill(stage)).some(({ label }) => label === 'Not all meetings were read'),
    false,
  )
})

test('a conversation that Drift does not let be looked up is not counted as one without a contact', async () => {
  stage.sims.drift.addOrg({ orgId: org, conversations: [{ id: 900, createdAt: 1_740_000_000_000, updatedAt: 1 }] })
  const script = { status: 403, body: { error: 'insufficient_scope', error_description: 'no' } }
  stage.sims.drift.script('/conversations/900', script)
  const { counts } = await backfill(stage)
  assert.deepEqual([counts.barred_conversations, counts.no_contact, counts.known], [1, undefined, 0])
})

test('a person who is erased while Drift is asked for them is not brought in', async () => {
  addConversations(stage, 1)
  let erasing: Promise<unknown> | undefined
  stage.sims.drift.script('/contacts/10002', () => {
    erasing ??= erasePerson({ ...stage.storage, keyring: stage.keyring, clock: stage.clock }, id, '10002', false)
    return { delayMs: 50, body: { data: contact(10_002) } }
  })
  const { counts } = await backfill(stage)
  await erasing
  await stage.run()
  assert.deepEqual([identified(stage), tracked(stage, 'new_conversation'), counts.erased], [[], [], 1])
})

test('another process goes on as slowly as Drift wanted', async () => {
  addConversations(stage, 60)
  const { drift } = stage.sims
  const job = await begin(stage, 'backfill')
  drift.script('/contacts/10005', [{ status: 429 }])
  const cut = () => drift.count('/contacts/*') > 20
  await work(stage, job, { cutOff: 'stopped', when: cut })
  const before = drift.requests.length
  const next = () => drift.requests.length > before + 10
  await work(stage, job, { cutOff: 'stopped', when: next, parts: await stage.another() })
  const times = drift.requests.slice(before).map(({ receivedAt }) => receivedAt)
  const gaps = times.slice(1).map((at, n) => at - times[n]!)
  assert.ok(Math.min(...gaps) >= 400, `the requests came ${gaps.join(', ')} ms apart`)
  await work(stage, job)
})

test('an estimate is about what the backfill takes', async () => {
  addConversations(stage, 150)
  const look = await backfill(stage, { dryRun: true })
  const amount = { conversations: look.counts.looked!, lookUps: look.counts.contacts! }
  const startedAt = stage.clock.now()
  await backfill(stage)
  const ratio = (stage.clock.now() - startedAt) / estimatedMs(amount)
  assert.ok(ratio > 0.9 && ratio < 1.5, `${ratio.toFixed(2)} of the estimate`)
})
