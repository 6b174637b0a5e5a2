/**
 * Every change of state that is worth an alert, by every rule and channel: raised once when it begins, however often it is
 * looked at, and recovered once when it is over.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changeDestination, firstOf } from '../../src/accounts/destinations.ts'
import { accountReasons } from '../../src/accounts/needs-attention.ts'
import { changeSettings } from '../../src/accounts/settings.ts'
import { listRecipients, removeRecipient } from '../../src/alerts/recipients.ts'
import type { RuleName } from '../../src/alerts/rules.ts'
import { watching } from '../../src/alerts/watch.ts'
import { deletionType } from '../../src/drift/envelope.ts'
import type { AlertReceived } from '../../src/sim/alert-receiver.ts'
import { type Alone, append, arrival, claimed, idle, to } from '../../src/storage/conformance.ts'
import type { Install } from '../../src/storage/ports/accounts.ts'
import type { Settlement } from '../../src/storage/ports/inbox.ts'
import { type AlertStage, account, eachAlertStage } from '../alert-stage.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
let stage: AlertStage
eachAlertStage(
  async (made) => {
    stage = made
    // The mail that asks for confirmation.
    await stage.send()
    stage.smtp.mails.length = 0
  },
  'webhook',
  'slack',
  'email',
)

interface Change {
  rule: RuleName
  what: string
  begin(): Promise<void>
  end(): Promise<void>
  /** It is raised when it is still found after so long. */
  afterMs?: number
}

const now = () => stage.clock.now()
const event = (said: Partial<Alone> = {}) =>
  append(stage.storage, [arrival({ org: account, receivedAt: now(), ...said })])
const turn = async (settlement: Settlement['to'], reason?: string, tried?: { lastError?: string }) => {
  const lease = await claimed(stage.storage, 'send', { now: now() })
  const settlements = lease.entries.map(({ id }) =>
    to(id, settlement, { at: now(), ...(reason ? { reason } : {}) } as Partial<Settlement>),
  )
  const ending = { ...idle, readyAt: now(), ...(tried ? { failures: 1, tried: { at: now(), ...tried } } : {}) }
  assert.ok(await stage.storage.inbox.settle(lease, settlement === 'same' ? [] : settlements, ending))
}
const takeAll = async (state: 'dead' | 'quarantined') => {
  const { entries } = await stage.storage.lookup.find({ org: account, states: [state] }, { limit: 100 })
  await stage.storage.inbox.take(
    account,
    entries.map(({ id }) => id),
  )
}
const become = (said: Partial<Install>) => async () =>
  void (await stage.accounts.change(account, now(), ({ reason: _, ...stored }) => ({ ...stored, ...said })))

const refusals = Object.entries(accountReasons)
  .filter(
    ([reason, { owner }]) =>
      owner !== 'admin' && !['not_allowed', 'settings_unreadable', 'endpoint_not_allowed'].includes(reason),
  )
  .map(([reason]) => reason)

const changes: Change[] = [
  ...refusals.map((reason) => ({
    rule: 'stopped' as const,
    what: `the account is stopped by ${reason}`,
    begin: () => stage.refuse(reason),
    end: () => stage.refuse(),
  })),
  {
    rule: 'delayed',
    what: 'Segment answers 503 for longer than the minutes that the account has chosen',
    async begin() {
      await event()
      stage.clock.advance(16 * minuteMs)
      await turn('same', undefined, { lastError: 'segment_503' })
    },
    afterMs: minuteMs,
    end: () => turn('delivered', undefined, {}),
  },
  {
    rule: 'silence',
    what: 'an account that was heard of sends nothing for days',
    async begin() {
      await event()
      await turn('delivered', undefined, {})
      stage.clock.jump(6 * dayMs)
    },
    async end() {
      await event()
      await turn('delivered', undefined, {})
    },
  },
  {
    rule: 'failed',
    what: 'an event is dead for the first time for its reason',
    async begin() {
      await event()
      await turn('dead', 'segment_400', {})
    },
    end: () => takeAll('dead'),
  },
  {
    rule: 'unrecognized',
    what: 'a webhook is not recognized',
    begin: async () => void (await event({ state: 'quarantined', reason: 'shape_unknown' })),
    end: () => takeAll('quarantined'),
  },
  {
    rule: 'deletion_request',
    what: 'Drift requests that a person is deleted',
    begin: async () => void (await event({ state: 'quarantined', type: deletionType, reason: deletionType })),
    end: () => takeAll('quarantined'),
  },
  {
    rule: 'missing',
    what: 'a daily comparison finds that events never came',
    async begin() {
      await stage.accounts.change(account, now(), (one) => changeSettings(one, { dailyReconcile: true }))
      await compare(3)
    },
    end: () => compare(0),
  },
]

/** A comparison with Drift that has ended, with so much missing. */
let compared = 0
async function compare(missing: number): Promise<void> {
  const { jobs } = stage.storage
  const id = `comparison ${++compared}`
  const at = now()
  await jobs.create({ id, kind: 'reconcile', org: account, who: 'a test', input: '{}', createdAt: at + compared })
  const lease = (await jobs.claim(['reconcile'], at, at + 15_000, id))!
  const counts = JSON.stringify({ dry_run: 1, missing, why_unknown: missing })
  assert.ok(await jobs.end(lease, { state: 'done', counts, at, keepUntil: at + 30 * dayMs }))
}

/** What each channel has got, in its own form, as `raised` and `recovered`. */
function got(): Record<'webhook' | 'slack' | 'email' | 'operator', string[]> {
  const word = (text: string) => (text.includes('What to do:') ? 'raised' : 'recovered')
  const byType = ({ type }: AlertReceived) => type.replace('alert.', '')
  return {
    webhook: stage.hook.received.map(byType),
    slack: stage.slack.received.map(({ body }) => word(String(body.text))),
    email: stage.smtp.mails.map(({ text }) => word(text.replaceAll('=\n', ''))),
    operator: stage.operator.received.map(byType),
  }
}

/** Looks and sends several times, as time goes by in which nothing new happens. */
async function goOn(afterMs = 0): Promise<void> {
  for (const ms of [0, afterMs, 30_000, 30_000, 2 * minuteMs]) {
    stage.clock.jump(ms)
    await stage.look()
    await stage.send()
  }
}

const everyChannel = (...said: string[]) => ({ webhook: said, slack: said, email: said, operator: said })

for (const { rule, what, begin, end, afterMs } of changes)
  describe(what, () => {
    test('is raised once by every channel, and recovers once', async () => {
      await goOn()
      assert.deepEqual(got(), everyChannel())
      await begin()
      await goOn(afterMs)
      assert.deepEqual(got(), everyChannel('raised'))
      const [alert] = stage.hook.received
      const [item] = (alert!.body.data as { alerts: { rule: string; state: string }[] }).alerts
      assert.deepEqual([item?.rule, item?.state, alert!.isSigned], [rule, 'raised', true])
      await end()
      await goOn()
      assert.deepEqual(got(), everyChannel('raised', 'recovered'))
    })

    test('is not sent to an account that has switched its rule off, and is sent to the operator', async () => {
      await stage.accounts.change(account, now(), (stored) => changeSettings(stored, { alertsOff: [rule] }))
      await begin()
      await goOn(afterMs)
      await end()
      await goOn()
      assert.deepEqual(got(), { ...everyChannel(), operator: ['raised', 'recovered'] })
    })

    // Silence takes days to begin.
    if (rule !== 'silence')
      test('is raised again when it lasts an hour after it was raised, however often it came and went before', async () => {
        const startedAt = now()
        for (const change of [begin, end, begin]) {
          await change()
          await goOn(afterMs)
        }
        assert.ok(now() - startedAt < 60 * minuteMs)
        assert.deepEqual(got(), everyChannel('raised', 'recovered'))
        await goOn(60 * minuteMs)
        assert.deepEqual(got(), everyChannel('raised', 'recovered', 'raised'))
      })
  })

test('several changes between two looks are one message', async () => {
  const begin = (rule: RuleName) => changes.find((change) => change.rule === rule)!.begin()
  for (const rule of ['failed', 'unrecognized', 'deletion_request'] as const) await begin(rule)
  await stage.refuse('segment_401')
  await goOn()
  assert.deepEqual(got(), everyChannel('raised'))
  const { alerts } = stage.hook.received[0]!.body.data as { alerts: { rule: string }[] }
  assert.deepEqual(
    alerts.map(({ rule }) => rule),
    ['stopped', 'failed', 'unrecognized', 'deletion_request'],
  )
})

test('an outage of a hundred accounts is two messages to the operator, which name twenty of them and count all', async () => {
  const orgs = Array.from({ length: 99 }, (_, n) => String(6_000_000 + n))
  for (const org of orgs) await stage.install(org)
  const all = [account, ...orgs]
  for (const org of all) await stage.refuse('not_segment', org)
  await goOn()
  for (const org of all) await stage.refuse(undefined, org)
  await goOn()
  assert.deepEqual(got(), everyChannel('raised', 'recovered'))
  const [item] = (stage.operator.received[0]!.body.data as { alerts: Record<string, unknown>[] }).alerts
  assert.deepEqual([(item!.accounts as unknown[]).length, item!.accountsInAll], [20, 100])
  assert.match(String(item!.text), /^Events of 100 accounts are not sent, or not all of them\. They are kept/)
})

test('the operator hears that an outage is over although another account has been paused for long', async () => {
  await stage.install('6000993')
  const pause = (stored: Install) => changeDestination({ ...stored, state: 'paused' as const }, 1, { paused: true })
  await stage.accounts.change('6000993', now(), pause)
  await stage.refuse('segment_401')
  await goOn()
  await stage.refuse()
  await goOn()
  assert.deepEqual(got(), everyChannel('raised', 'recovered'))
})

test('of several destinations the one that is stopped is named by its number, and the others go on', async () => {
  await stage.accounts.change(account, now(), (stored) => {
    const second = { number: 2, name: 'Warehouse', region: 'us', key: 'AAAA', reason: 'segment_401' } as const
    return changeSettings(
      { ...stored, state: 'needs_attention' as const },
      { destinations: [firstOf(stored), second], lastDestination: 2 },
    )
  })
  await goOn()
  const [item] = (stage.hook.received[0]!.body.data as { alerts: Record<string, unknown>[] }).alerts
  assert.deepEqual([item!.destination, item!.rule], [2, 'stopped'])
  assert.match(String(item!.text), /^No events are sent to destination 2\. Segment does not accept the write key/)
  await stage.accounts.change(account, now(), (stored) => changeDestination(stored, 2, { reason: undefined }))
  await goOn()
  assert.deepEqual(got(), everyChannel('raised', 'recovered'))
  assert.doesNotMatch(JSON.stringify(stage.hook.received), /Warehouse/, 'what the admin called it is in none')
})

test('of two replicas that look at the same moment one stores the messages', async () => {
  const other = watching(stage.needs)
  await stage.refuse('segment_401')
  await Promise.all([stage.look(), other(), stage.look(), other()])
  await goOn()
  assert.deepEqual(got(), everyChannel('raised'))
})

test('an account that gets its first recipient is alerted about what is wrong then', async () => {
  for (const { id } of await listRecipients(stage.needs, account))
    await removeRecipient(stage.needs, account, id, 'a test')
  await stage.refuse('segment_401')
  await goOn()
  assert.deepEqual(stage.hook.received, [])
  await stage.add('webhook')
  await goOn()
  assert.deepEqual(got().webhook, ['raised'])
})

test('an account that has disconnected keeps no recipient, no state and no message', async () => {
  await stage.refuse('segment_401')
  await stage.look()
  stage.clock.advance(1)
  await become({ state: 'disconnected' })()
  await goOn()
  const { alerts } = stage.storage
  assert.deepEqual([await alerts.recipients(account), await alerts.list(account, 9)], [[], []])
  assert.deepEqual(
    (await alerts.watches()).map(({ org }) => org),
    [''],
  )
  assert.deepEqual(got(), { ...everyChannel(), operator: ['raised', 'recovered'] })
})
