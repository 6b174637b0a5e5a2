/** The promises about tickets: what a browser holds for a while. */
import assert from 'node:assert/strict'
import { one, other, type Promised } from './conformance.ts'
import type { Ticket } from './ports/sessions.ts'

let made = 0

function ticket(said: Partial<Ticket> = {}): Ticket {
  return { kind: 'session', id: `ticket-${++made}`, org: one, who: 'an admin', at: 1_000, until: 2_000, ...said }
}

export const ticketPromises: readonly Promised[] = [
  {
    promise: 'a ticket is found whole until it runs out, by its kind and id together',
    async check({ tickets }) {
      const kept = ticket()
      assert.equal(await tickets.issue(kept, 10), 'issued')
      assert.deepEqual({ ...(await tickets.get(kept, 1_999)) }, kept)
      assert.equal(await tickets.get(kept, 2_000), undefined)
      assert.equal(await tickets.get({ ...kept, kind: 'link' }, 1_000), undefined)
      assert.equal(await tickets.get({ ...kept, id: 'another' }, 1_000), undefined)
      assert.equal(await tickets.redeem(kept, 2_000), undefined)
    },
  },
  {
    promise: 'a ticket is issued once: the first stays, also when it has run out, until that is cleared away',
    async check({ tickets }) {
      const first = ticket()
      const issued = await Promise.all(Array.from({ length: 5 }, () => tickets.issue(first, 10)))
      assert.deepEqual(issued.sort(), ['issued', 'there', 'there', 'there', 'there'])
      assert.equal(await tickets.issue({ ...first, org: other, at: 5_000, until: 6_000 }, 10), 'there')
      assert.equal((await tickets.get(first, 1_000))?.org, one)
      assert.equal(await tickets.sweep(2_000), 1)
      assert.equal(await tickets.issue({ ...first, org: other, at: 5_000, until: 6_000 }, 10), 'issued')
    },
  },
  {
    promise:
      'no more of a kind are there than its limit, if it has one; those that have run out and other kinds do not count',
    async check({ tickets }) {
      await tickets.issue(ticket(), 2)
      await tickets.issue(ticket({ until: 3_000 }), 2)
      assert.equal(await tickets.issue(ticket(), 2), 'full')
      assert.equal(await tickets.issue(ticket()), 'issued')
      assert.equal(await tickets.issue(ticket({ kind: 'state' }), 2), 'issued')
      assert.equal(await tickets.issue(ticket({ at: 2_000, until: 4_000 }), 2), 'issued')
    },
  },
  {
    promise: 'a ticket is taken by one caller only, however many ask at once',
    async check({ tickets }) {
      const kept = ticket({ kind: 'link' })
      await tickets.issue(kept, 10)
      const taken = await Promise.all(Array.from({ length: 5 }, () => tickets.redeem(kept, 1_500)))
      assert.equal(taken.filter(Boolean).length, 1)
      assert.equal(await tickets.get(kept, 1_500), undefined)
    },
  },
  {
    promise: 'a ticket’s successor is there if and only if the ticket was taken for it, and from that moment on',
    async check({ tickets }) {
      const link = ticket({ kind: 'link' })
      await tickets.issue(link)
      const successors = Array.from({ length: 5 }, () => ticket())
      const taken = await Promise.all(successors.map((successor) => tickets.redeem(link, 1_500, successor)))
      for (const [at, successor] of successors.entries())
        assert.deepEqual({ ...(await tickets.get(successor, 1_500)) }, taken[at] ? successor : {})
      assert.equal(taken.filter(Boolean).length, 1)
      for (let round = 0; round < 10; round++) {
        const [another, successor] = [ticket({ kind: 'link' }), ticket()]
        await tickets.issue(another)
        const taken = tickets.redeem(another, 1_500, successor)
        await tickets.revoke('link', one)
        await tickets.revoke('session', one)
        await taken
        assert.equal(await tickets.get(successor, 1_500), undefined)
      }
    },
  },
  {
    promise: 'a ticket is extended while it is there, and not brought back',
    async check({ tickets }) {
      const kept = ticket()
      await tickets.issue(kept, 10)
      assert.equal(await tickets.extend(kept, 9_000), true)
      assert.equal((await tickets.get(kept, 8_999))?.until, 9_000)
      await tickets.redeem(kept, 8_999)
      assert.equal(await tickets.extend(kept, 99_000), false)
      assert.equal(await tickets.get(kept, 1_000), undefined)
    },
  },
  {
    promise:
      'revoking gives what an account has of a kind, takes it away, and nothing else; clearing takes what has run out alone',
    async check({ tickets }) {
      const [mine, link, theirs] = [ticket(), ticket({ kind: 'link' }), ticket({ org: other, until: 3_000 })]
      for (const each of [mine, link, theirs, ticket()]) await tickets.issue(each, 10)
      const revoked = await tickets.revoke('session', one)
      assert.equal(revoked.length, 2)
      assert.deepEqual({ ...revoked.find(({ id }) => id === mine.id) }, mine)
      assert.deepEqual(await tickets.revoke('session', one), [])
      assert.equal(await tickets.get(mine, 1_000), undefined)
      assert.ok(await tickets.get(link, 1_000))
      assert.equal(await tickets.sweep(2_000), 1)
      assert.ok(await tickets.get(theirs, 2_000))
    },
  },
  {
    promise: 'revoking where no account is named ends what all accounts have of the kind, and nothing else',
    async check({ tickets }) {
      const [mine, theirs, link] = [ticket(), ticket({ org: other }), ticket({ kind: 'link' })]
      for (const each of [mine, theirs, link]) await tickets.issue(each, 10)
      const revoked = await tickets.revoke('session')
      assert.deepEqual(revoked.map(({ id }) => id).sort(), [mine.id, theirs.id].sort())
      assert.equal(await tickets.get(theirs, 1_000), undefined)
      assert.ok(await tickets.get(link, 1_000))
    },
  },
]
