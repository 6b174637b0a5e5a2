/** The promises about alerts: where accounts want them, and what was announced. */
import assert from 'node:assert/strict'
import { one, other, type Promised } from './conformance.ts'
import {
  claimAll,
  claimed,
  ended,
  entry,
  ids,
  later,
  message,
  most,
  plain,
  recipient,
} from './conformance-alert-messages.ts'
import type { Alerts, NewMessage } from './ports/alerts.ts'

export const alertPromises: readonly Promised[] = [
  {
    promise: 'a recipient is found whole, by its account, the oldest first, and its entry is in the audit',
    async check({ alerts, audit }) {
      const recipients = [
        recipient({ createdAt: 2_000 }),
        recipient({ confirmedAt: 1_500 }),
        recipient({ org: other, channel: 'slack' }),
      ]
      for (const each of recipients)
        assert.equal(await alerts.addRecipient(each, most, { ...entry, org: each.org }), 'added')
      const [late, early, elsewhere] = recipients
      const shown = (await alerts.recipients(one)).map((each) => ({
        ...each,
        sealed: Buffer.from(each.sealed).toString(),
      }))
      const wanted = [early!, late!].map((each) => ({ ...each, sealed: Buffer.from(each.sealed).toString() }))
      assert.deepEqual(plain(shown), plain(wanted))
      assert.equal((await alerts.recipients()).length, 3)
      assert.equal((await alerts.recipients(other))[0]?.id, elsewhere!.id)
      assert.equal((await audit.list(one, 9)).length, 2)
    },
  },
  {
    promise: 'an account has so many recipients at most, and so many of a channel, however many are added at once',
    async check({ alerts, audit }) {
      const mails = Array.from({ length: 8 }, () => alerts.addRecipient(recipient({ channel: 'email' }), most, entry))
      const added = await Promise.all(mails)
      assert.equal(added.filter((is) => is === 'added').length, 5)
      for (let n = 0; n < 5; n++) assert.equal(await alerts.addRecipient(recipient(), most, entry), 'added')
      assert.equal(await alerts.addRecipient(recipient({ channel: 'slack' }), most, entry), 'full')
      assert.equal(await alerts.addRecipient(recipient({ org: other }), most, { ...entry, org: other }), 'added')
      assert.equal((await audit.list(one, 99)).length, 10)
    },
  },
  {
    promise: 'a recipient is confirmed once, with one entry in the audit',
    async check({ alerts, audit }) {
      const mail = recipient({ channel: 'email' })
      await alerts.addRecipient(mail, most, entry)
      const confirmed = await Promise.all(Array.from({ length: 3 }, () => alerts.confirmRecipient(mail, 2_000, entry)))
      assert.deepEqual(confirmed.sort(), [false, false, true])
      assert.equal((await alerts.recipients(one))[0]?.confirmedAt, 2_000)
      assert.equal(await alerts.confirmRecipient({ org: other, id: mail.id }, 2_000, entry), false)
      assert.equal((await audit.list(one, 9)).length, 2)
    },
  },
  {
    promise: 'removing a recipient ends what waits for it, also what is being sent, and nothing else',
    async check(storage) {
      const { alerts, audit } = storage
      const [gone, stays] = [recipient(), recipient()]
      for (const each of [gone, stays]) await alerts.addRecipient(each, most, entry)
      const [first, second, third] = [
        message({ recipient: gone.id }),
        message({ recipient: gone.id }),
        message({ recipient: stays.id }),
      ]
      for (const each of [first, second, third]) await alerts.create(each)
      const lease = await claimed(storage)
      assert.equal(lease.message.id, first.id)
      assert.equal(await alerts.removeRecipient(gone, ended, entry), true)
      assert.equal(await alerts.removeRecipient(gone, ended, entry), false)
      assert.equal(await alerts.settle(lease, later(3_000)), false)
      assert.deepEqual(ids(await alerts.list(one, 9)), [third.id, second.id, first.id])
      const { end, endedAt, dueAt } = (await alerts.get(second.id))!
      assert.deepEqual([end, endedAt, dueAt], ['removed', 3_000, undefined])
      assert.deepEqual(await claimAll(storage), [third.id])
      assert.deepEqual([(await alerts.recipients(one)).length, (await audit.list(one, 9)).length], [1, 3])
    },
  },
  {
    promise: 'what is announced and its messages are stored together, by one of those who move it at once',
    async check({ alerts }) {
      const move = (generation: number, state: string, messages: NewMessage[]) =>
        alerts.move({ org: one, generation, state }, messages)
      const begun = await Promise.all(Array.from({ length: 4 }, (_, n) => move(0, `{ "n": ${n} }`, [message()])))
      assert.equal(begun.filter(Boolean).length, 1)
      assert.equal((await alerts.list(one, 9)).length, 1)
      const moved = await Promise.all(Array.from({ length: 4 }, () => move(1, '{ "n" : 9 }', [message(), message()])))
      assert.equal(moved.filter(Boolean).length, 1)
      assert.equal((await alerts.list(one, 9)).length, 3)
      assert.deepEqual(plain(await alerts.watches()), [{ org: one, state: '{ "n" : 9 }', generation: 2 }])
      assert.equal(await move(1, '{}', [message()]), false)
      assert.equal(await move(7, '{}', []), false)
      assert.equal((await alerts.list(one, 9)).length, 3)
    },
  },
]

/** Engines that break one of these promises on purpose; each must be caught. */
export const alertSabotages: Readonly<Record<string, (alerts: Alerts) => Partial<Alerts>>> = {
  'gives a message to two at once': (alerts) => ({
    claim: (now, until, limit) => alerts.claim(now + 120_000, until + 240_000, limit),
  }),
  'sends a later alert before an earlier one': (alerts) => ({
    create: (message, since) => alerts.create({ ...message, kind: 'test' }, since),
  }),
  'keeps a message although its rules were moved by another': (alerts) => ({
    move: async (watch, messages) => {
      const isMoved = await alerts.move(watch, messages)
      if (!isMoved) for (const message of messages) await alerts.create(message)
      return isMoved
    },
  }),
  'keeps what was announced, and loses the message': (alerts) => ({ move: (watch) => alerts.move(watch, []) }),
  'lets a test follow another at once': (alerts) => ({ create: (message) => alerts.create(message) }),
  'lets any holder settle': (alerts) => ({
    settle: async (lease, outcome) => {
      await alerts.settle(lease, outcome)
      return true
    },
  }),
  'does not limit mails': (alerts) => ({
    claim: (now, until, limit) => alerts.claim(now, until, { ...limit, most: 1_000 }),
  }),
  'does not limit recipients': (alerts) => ({
    addRecipient: (recipient, _most, entry) => alerts.addRecipient(recipient, { recipients: 99, ofChannel: 99 }, entry),
  }),
  'keeps what was to be sent on a recipient that is gone': (alerts) => {
    const gone = new Set<string>()
    return {
      removeRecipient: async (recipient) => !gone.has(recipient.id) && Boolean(gone.add(recipient.id)),
      recipients: async (org) => (await alerts.recipients(org)).filter(({ id }) => !gone.has(id)),
    }
  },
  'confirms a recipient without its entry in the audit': (alerts) => ({
    confirmRecipient: (recipient, now, entry) => alerts.confirmRecipient(recipient, now, { ...entry, org: '9' }),
  }),
  'keeps ended messages for good': () => ({ sweep: async () => 0 }),
  'keeps what was to be erased': () => ({ erase: async () => {} }),
}
