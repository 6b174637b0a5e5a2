import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addConversations,
  backfill,
  begin,
  contact,
  conversation,
  dayMs,
  hourMs,
  id,
  identified,
  messages,
  tracked,
  work,
} from '../../../test/history.ts'
import { eachStage, org, type Stage } from '../../../test/stage.ts'
import { erasedKey } from './keys.ts'

let stage: Stage
eachStage((fresh) => {
  stage = fresh
})
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => String(from + n)).sort()

describe('a backfill', () => {
  test('sends a Track for each conversation with its own time, and an Identify for each contact with what it is now', async () => {
    addConversations(stage, 3)
    const job = await backfill(stage)
    assert.deepEqual([job.state, job.counts.sent, job.counts.sent_new_conversation], ['done', 6, 3])
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), numbers(2, 4))
    assert.deepEqual(identified(stage).sort(), ['10002', '10003', '10004'])
    const all = messages(stage.sims.segment.accepted)
    const track = all.find(({ properties }) => properties?.id === 2)!
    assert.equal(track.timestamp, new Date(Date.UTC(2025, 5, 1) - 2 * hourMs).toISOString())
    assert.equal(track.properties?.contactId, 10_002)
    assert.match(track.messageId, /^drift-h-/)
    const identify = all.find(({ anonymousId, type }) => type === 'identify' && anonymousId === '10002')!
    assert.deepEqual(identify.traits, { contactId: 10_002, email: 'visitor10002@shop.example' })
    assert.match(identify.messageId, /^drift-h-/)
  })

  test('passes over what webhooks have brought, and a webhook over what it has brought', async () => {
    addConversations(stage, 2)
    const webhook = (n: number) => ({
      type: 'new_conversation',
      orgId: org,
      data: { ...conversation(stage, n), orgId: org, participants: [] },
    })
    await stage.arrive(webhook(2))
    const job = await backfill(stage)
    assert.deepEqual([job.counts.known, job.counts.sent_new_conversation], [1, 1])
    await stage.arrive(webhook(3))
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), ['2', '3'])
    const again = await backfill(stage)
    assert.deepEqual([again.counts.known, again.counts.sent], [2, 0])
  })

  test('passes over what is younger than an hour, and what is not of the time that was asked for', async () => {
    const now = stage.clock.now()
    const at = [10 * 60_000, 2 * hourMs, 3 * dayMs].map((ago) => now - ago)
    stage.sims.drift.addOrg({
      orgId: org,
      conversations: at.map((each, n) => conversation(stage, n + 1, { at: each })),
    })
    const job = await backfill(stage, { from: now - dayMs, to: now + 1 })
    assert.deepEqual([job.counts.young, job.counts.sent_new_conversation, job.counts.looked], [1, 1, 3])
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation'), ['2'])
  })

  test('brings meetings of the last 30 days where the grant allows it, and says where it does not', async () => {
    const at = stage.clock.now() - 2 * dayMs
    const meeting = {
      eventId: 'm-1',
      schedulerId: 77,
      slotStart: at + dayMs,
      scheduledAt: at,
      status: 'ACTIVE',
      orgId: org,
    }
    stage.sims.drift.addOrg({ orgId: org, meetings: [meeting], contacts: [contact(77)] })
    assert.equal((await backfill(stage)).counts.barred_meetings, 1)
    stage.sims.drift.settings.lists.meetingScopes = ['conversation_read']
    const job = await backfill(stage)
    assert.deepEqual([job.counts.barred_meetings, job.counts.sent_new_meeting], [undefined, 1])
    await stage.run()
    const [sent] = messages(stage.sims.segment.accepted).filter(({ type }) => type === 'track')
    assert.deepEqual(
      [sent?.event, sent?.anonymousId, sent?.timestamp],
      ['Drift Source Event: new_meeting', '77', new Date(at).toISOString()],
    )
    assert.deepEqual(identified(stage), ['77'])
    stage.sims.drift.addOrg({ orgId: org, meetings: [{ ...meeting, eventId: 'm-2', schedulerId: null }] })
    assert.equal((await backfill(stage)).counts.no_contact, 1)
    assert.equal(stage.sims.drift.count('/conversations/m-2'), 0)
  })

  test('a dry run counts, sends nothing, and counts each contact once', async () => {
    const conversations = [2, 3, 4].map((n) => conversation(stage, n, { contactId: n === 4 ? 10_003 : 10_000 + n }))
    stage.sims.drift.addOrg({ orgId: org, conversations })
    const { counts } = await backfill(stage, { dryRun: true })
    assert.deepEqual([counts.missing, counts.contacts, counts.people, counts.sent], [3, 2, 2, undefined])
    assert.equal(stage.sims.drift.count('/contacts/*'), 1, 'one of them, to find out whether Drift lets it be read')
    assert.equal(counts.barred_contacts, undefined)
    stage.sims.drift.script('/contacts/*', {
      status: 403,
      body: { error: 'insufficient_scope', error_description: 'no' },
    })
    assert.equal((await backfill(stage, { dryRun: true })).counts.barred_contacts, 1)
    await stage.run()
    assert.equal(stage.sims.segment.accepted.length, 0)
  })

  test('an erased person is passed over and counted, also one who is known only when Drift has been asked', async () => {
    addConversations(stage, 3)
    const nameless = { ...conversation(stage, 9), contactId: null }
    stage.sims.drift.addOrg({ orgId: org, conversations: [nameless as never] })
    stage.sims.drift.script('/conversations/9', { body: { data: { ...nameless, contactId: 10_003 } } })
    await stage.storage.inbox.markErased(id, [erasedKey(stage.keyring, id, '10003')])
    const job = await backfill(stage)
    assert.equal(job.counts.erased, 2)
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), ['2', '4'])
    assert.deepEqual(identified(stage).sort(), ['10002', '10004'])
    await stage.storage.inbox.markErased(id, [erasedKey(stage.keyring, id, '10003')], 'undo')
    await backfill(stage)
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), ['2', '3', '4', '9'])
  })

  test('cut off anywhere, killed or stopped, it goes on in another process and sends each once', async () => {
    addConversations(stage, 130)
    const job = await begin(stage, 'backfill')
    for (const cutOff of ['killed', 'stopped', 'killed'] as const) {
      const requests = stage.sims.drift.requests.length
      const when = () => stage.sims.drift.requests.length > requests + 40
      const shown = await work(stage, job, { cutOff, when, parts: await stage.another() })
      assert.equal(shown.hasEnded, false)
    }
    const done = await work(stage, job)
    assert.deepEqual(
      [done.state, done.counts.total, done.counts.sent_contact_updated, done.counts.sent_new_conversation],
      ['done', 130, 130, 130],
    )
    assert.equal(done.counts.known, 0)
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), numbers(2, 131))
    assert.equal(new Set(identified(stage)).size, 130)
    assert.equal(identified(stage).length, 130)
  })

  test('a process that stood still asks Drift nothing more when another one has taken the job over', async () => {
    addConversations(stage, 50)
    const job = await begin(stage, 'backfill')
    const { jobs } = stage.storage
    const { requests } = stage.sims.drift
    let [asked, seen] = [0, 0]
    let taken: ReturnType<typeof jobs.claim> | undefined
    let isTaken = false
    const when = () => {
      const isQuiet = requests.length === seen && requests.every(({ status }) => status !== 0)
      seen = requests.length
      if (seen < 10 || !isQuiet || asked > 0) return false
      const later = stage.clock.now() + 20_000
      taken ??= jobs.claim(['backfill'], later, later + 15_000)
      void taken.then((lease) => (isTaken = lease !== undefined))
      if (!isTaken) return false
      asked = requests.length
      stage.clock.jump(20_000)
      return false
    }
    await work(stage, job, { cutOff: 'killed', when })
    assert.equal(isTaken, true)
    assert.equal(requests.length, asked)
  })

  test('cancelled, it ends within seconds and keeps what it has sent', async () => {
    addConversations(stage, 50)
    const job = await begin(stage, 'backfill')
    let isCancelled = false
    const when = () => {
      if (!isCancelled && stage.sims.drift.requests.length > 20) {
        isCancelled = true
        void stage.storage.jobs.cancel(job, 'an admin', stage.clock.now())
      }
      return false
    }
    const shown = await work(stage, job, { cutOff: 'stopped', when })
    assert.deepEqual([shown.state, shown.cancelledBy], ['cancelled', 'an admin'])
    assert.ok(stage.sims.drift.requests.length < 60)
  })

  test('a destination that is added later gets its history, and no other gets it again', async () => {
    addConversations(stage, 2)
    await backfill(stage)
    await stage.run()
    await stage.storage.inbox.addDestination(id, 2)
    const job = await backfill(stage)
    assert.equal(job.counts.sent, 4)
    const waiting = await stage.storage.ledger.backlog()
    assert.deepEqual(
      waiting.map(({ destination, count }) => [destination, count]),
      [[2, 4]],
    )
    await stage.storage.inbox.removeDestination(id, 2, stage.clock.now())
  })

  test('a contact that changes while it is read is read again', async () => {
    addConversations(stage, 1)
    let asked = 0
    stage.sims.drift.script('/contacts/10002', () => {
      asked += 1
      if (asked > 1) return { body: { data: contact(10_002, { email: 'new@shop.example' }) } }
      void stage.arrive({
        type: 'contact_updated',
        orgId: org,
        data: {
          endUserId: 10_002,
          timestamp: stage.clock.now(),
          orgId: org,
          diff: [{ name: 'attributes.email', previous: null, updated: 'new@shop.example' }],
        },
      })
      return { delayMs: 50, body: { data: contact(10_002, { email: 'old@shop.example' }) } }
    })
    await backfill(stage)
    await stage.run()
    const emails = messages(stage.sims.segment.accepted).flatMap(({ traits }) => (traits ? [traits.email] : []))
    assert.deepEqual(emails, ['new@shop.example', 'new@shop.example'])
  })

  test('what is not readable, has no contact or is gone at Drift is counted, and the rest is sent', async () => {
    addConversations(stage, 20)
    const { drift } = stage.sims
    drift.settings.lists.odd.add('records').add('no_contact').add('repeats').add('loop').add('no_times')
    drift.orgs.get(org)!.contacts.delete('10005')
    const job = await backfill(stage)
    assert.equal(job.state, 'done')
    assert.ok(job.counts.unreadable! > 0)
    assert.equal(job.counts.contacts_gone, 1)
    await stage.run()
    assert.deepEqual(tracked(stage, 'new_conversation').sort(), numbers(2, 21))
  })

  test('what moves to the top of the list while it is read is found when it is read again', async () => {
    addConversations(stage, 150)
    const { drift } = stage.sims
    let isMoved = false
    drift.script('/contacts/*', () => {
      if (!isMoved) {
        isMoved = true
        drift.addOrg({ orgId: org, conversations: [{ ...conversation(stage, 150), updatedAt: stage.clock.now() }] })
      }
      return undefined
    })
    const job = await backfill(stage)
    assert.deepEqual([job.counts.sent_new_conversation, job.counts.known], [150, 0])
    await stage.run()
    assert.equal(new Set(tracked(stage, 'new_conversation')).size, 150)
  })

  test('a grant that does not reach the conversations, and an account that has left, end it with the reason', async () => {
    addConversations(stage, 1)
    stage.sims.drift.script('/conversations/list', {
      status: 403,
      body: { error: 'insufficient_scope', error_description: 'no' },
    })
    const barred = await backfill(stage)
    assert.deepEqual([barred.state, barred.reason], ['failed', 'drift_forbidden'])
    await stage.accounts.change(id, stage.clock.now(), (install) => ({ ...install, state: 'disconnected' }))
    const left = await backfill(stage)
    assert.deepEqual([left.state, left.reason], ['failed', 'disconnected'])
  })
})
