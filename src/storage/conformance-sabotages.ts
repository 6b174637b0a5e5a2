/** Engines that break one promise on purpose; the suite must notice each. */
import { idle } from './conformance.ts'
import type { Installs } from './ports/accounts.ts'
import { type Appended, type Placed, sendLane } from './ports/entry.ts'
import type { Ending, Inbox, Lease } from './ports/inbox.ts'
import type { Ledger, Lookup } from './ports/lookup.ts'
import type { Tickets } from './ports/sessions.ts'

type Sabotage = (
  inbox: Inbox,
  lookup: Lookup,
  tickets: Tickets,
  ledger: Ledger,
  installs: Installs,
) => Partial<Inbox & Lookup & Tickets & Ledger & Installs>
export const sabotages: Record<string, Sabotage> = {
  'takes every arrival for new': (inbox) => ({
    append: (bodies, arrivals) =>
      inbox.append(
        bodies,
        arrivals.map((one) =>
          'identity' in one ? { ...one, identity: Buffer.from(`${one.messageId} ${performance.now()}`) } : one,
        ),
      ),
  }),
  'acknowledges what it does not keep': (inbox) => ({
    append: async (bodies, arrivals) =>
      arrivals.length > 3
        ? { is: 'kept', outcomes: arrivals.map(() => 'stored'), woke: [] }
        : inbox.append(bodies, arrivals),
  }),
  'gives entries in another order': (inbox) => ({ claim: mapEntries(inbox, (entries) => entries.toReversed()) }),
  'changes the messageId': (inbox) => ({
    claim: mapEntries(inbox, (entries) => entries.map((entry) => ({ ...entry, messageId: `${entry.messageId}!` }))),
  }),
  'loses what Drift answered': (inbox) => ({
    claim: mapEntries(inbox, (entries) => entries.map(({ known: _, ...entry }) => entry)),
  }),
  'cuts bodies at a NUL': (inbox) => ({
    async claim(...args) {
      const { leases } = await inbox.claim(...args)
      const cut = (sealed: Uint8Array) => sealed.subarray(0, Math.max(sealed.indexOf(0), 0))
      const bodiesOf = ({ bodies }: Lease) => bodies.map((body) => ({ ...body, sealed: cut(body.sealed) }))
      return { leases: leases.map((lease) => ({ ...lease, bodies: bodiesOf(lease) })) }
    },
  }),
  'gives more than was asked for': (inbox) => ({
    claim: (lane, options) => inbox.claim(lane, { ...options, limit: 1_000 }),
  }),
  'lets anybody settle': (inbox) => ({
    settle: async (lease, settlements, ending) => {
      await inbox.settle(lease, settlements, ending)
      return true
    },
  }),
  'forgets that a lane rests': (inbox) => ({
    settle: (lease, settlements, ending) => inbox.settle(lease, settlements, ending && { ...ending, readyAt: 0 }),
  }),
  'forgets what blocks a lane': (inbox) => ({
    settle: (lease, settlements, ending) =>
      inbox.settle(lease, settlements, ending && { readyAt: ending.readyAt, failures: ending.failures }),
  }),
  'does not renew': () => ({ renew: async () => true }),
  'lets a process wait for its own lease': (inbox) => ({
    claim: (lane, { holder: _, ...options }) => inbox.claim(lane, options),
  }),
  'gives a process twice what it works on': (inbox) => ({
    claim: (lane, { holder, ...options }) =>
      inbox.claim(lane, { ...options, ...(holder && { holder: { ...holder, busy: [] } }) }),
  }),
  'wakes nothing': (inbox) => ({
    append: async (...given) => ({ ...(await inbox.append(...given)), woke: [] }) as Appended,
  }),
  'wakes whatever it appends to': (inbox) => ({
    append: async (bodies, arrivals) =>
      ({ ...(await inbox.append(bodies, arrivals)), woke: arrivals.map(({ org }) => sendLane(org)) }) as Appended,
  }),
  'leases one account a claim': (inbox) => ({ claim: (lane, options) => inbox.claim(lane, { ...options, room: 1 }) }),
  'says with no claim when the next is due': (inbox) => ({
    claim: async (lane, options) => ({ leases: (await inbox.claim(lane, options)).leases }),
  }),
  'counts no failed work as a crash': (inbox) => ({
    settle(lease, settlements, ending) {
      const { crashed: _, ...rest } = ending ?? { readyAt: 0, failures: 0 }
      return inbox.settle(lease, settlements, ending && rest)
    },
  }),
  'does not hold': () => ({ hold: async () => {} }),
  'keeps what is to be erased': () => ({ erase: async () => 0 }),
  'takes away what is still wanted': (inbox) => ({
    expire: (limits) => inbox.expire({ ...limits, failedBefore: 1e15 }),
  }),
  'takes away what a person must handle': (inbox) => ({
    expire: (limits) => inbox.expire({ ...limits, kept: [] }),
  }),
  'makes nothing due for a person who asks': () => ({ retry: async () => ({ is: 'asked' }) }),
  'forgets what blocks a lane when a person asks': (inbox) => ({
    retry: async (lane, now) => {
      await inbox.resume(lane, now)
      return { is: 'asked' }
    },
  }),
  'forgets a Retry-After': (inbox) => ({
    settle(lease, settlements, ending) {
      const { retryAfterAt: _, ...rest }: Ending = ending ?? idle
      return inbox.settle(lease, settlements, ending && rest)
    },
  }),
  'lets a person ask as often as they like': (inbox) => {
    let asked = 0
    return { retry: (lane, now) => inbox.retry(lane, now + 10_000 * asked++) }
  },
  'resumes for a person without an attempt': (inbox) => ({
    resume: (lane, now) => inbox.resume(lane, now),
  }),
  'lets no lane follow its account': () => ({ follow: async () => {} }),
  'holds no lane for good when many follow': (inbox) => ({
    follow: (lanes, now) =>
      inbox.follow(
        lanes.filter(({ is }) => is === 'resumed'),
        now,
      ),
  }),
  'finds nothing of accounts that are not installed': () => ({ waitingForInstall: async () => [] }),
  'claims nothing on install': () => ({ claimOnInstall: async () => 0 }),
  'does not say when it is due': () => ({ nextDue: async () => undefined }),
  'drives nothing again': () => ({ redrive: async (moves) => moves.length }),
  'lets a lease go on when its entries are taken away': (inbox) => {
    const given: Lease[] = []
    return {
      claim: async (lane, options) => {
        const claimed = await inbox.claim(lane, options)
        given.push(...claimed.leases)
        return claimed
      },
      renew: async (lease, until) => given.includes(lease) || inbox.renew(lease, until),
    }
  },
  'keeps what is to be taken away': () => ({ take: async (_org, ids) => ids.length }),
  'shows one account what is another’s': (_, lookup) => ({
    find: ({ org: _org, ...query }, page) => lookup.find(query, page),
  }),
  'ends a list after one page': (_, lookup) => ({
    find: async (query, page) => ({ entries: (await lookup.find(query, page)).entries }),
  }),
  'gives a ticket to everybody who asks': (_, _lookup, tickets) => ({
    redeem: (named, now) => tickets.get(named, now),
  }),
  'keeps a successor a moment after its ticket was taken': (_, _lookup, tickets) => ({
    redeem: async (named, now, successor) => {
      const taken = await tickets.redeem(named, now)
      await new Promise(setImmediate)
      if (taken && successor) await tickets.issue(successor)
      return taken
    },
  }),
  'keeps the successor of a ticket that was taken before': (_, _lookup, tickets) => ({
    redeem: async (named, now, successor) => {
      if (successor) await tickets.issue(successor)
      return tickets.redeem(named, now)
    },
  }),
  'reads its totals and its backlog at two times': (_, _lookup, _tickets, ledger) => ({
    snapshotOfAll: async () => {
      const totals = await ledger.totals()
      await new Promise(setImmediate)
      return { totals, backlog: await ledger.backlog() }
    },
  }),
  'counts what is sent again in the time of the resending': (_, _lookup, _tickets, ledger) => ({
    snapshot: async (org, { from, to }) => {
      const shown = await ledger.snapshot(org, { from, to })
      return { ...shown, open: (await ledger.snapshot(org, { from, to: Number.MAX_SAFE_INTEGER })).open }
    },
  }),
  'forgets why something was ignored': (_, _lookup, _tickets, ledger) => ({
    totals: async () => (await ledger.totals()).map(({ reason: _r, ...rest }) => rest),
  }),
  'ignores all for the same reason': (inbox) => ({
    append: (bodies, arrivals) =>
      inbox.append(
        bodies,
        arrivals.map((one) => (one.state === 'ignored' ? { ...one, reason: 'switched_off' } : one)),
      ),
  }),
  'does not keep the reason of what it settles as ignored': (inbox) => ({
    settle: (lease, settlements, ending) =>
      inbox.settle(
        lease,
        settlements.map((one) => (one.to === 'ignored' ? { ...one, reason: 'unknown_type' } : one)),
        ending,
      ),
  }),
  'does not say when something was ignored': (_, _lookup, _tickets, ledger) => ({
    timeBuckets: async (org, from, until) =>
      (await ledger.timeBuckets(org, from, until)).filter(({ outcome }) => outcome !== 'ignored'),
  }),
  'does not say when a duplicate came': (_, _lookup, _tickets, ledger) => ({
    timeBuckets: async (org, from, until) =>
      (await ledger.timeBuckets(org, from, until)).filter(({ outcome }) => outcome !== 'duplicate'),
  }),
  'writes settings in its own way': (_, _lookup, _tickets, _ledger, installs) => ({
    save: (install) => installs.save({ ...install, settings: install.settings.replaceAll(' ', '') }),
  }),
  'keeps a change without its entry in the audit': (_, _lookup, _tickets, _ledger, installs) => ({
    save: (install) => installs.save(install),
  }),
  'finds entries that are gone': (_, lookup) => {
    const seen = new Map<string, Awaited<ReturnType<Lookup['find']>>>()
    return {
      find: async (query, page) => {
        const key = JSON.stringify([query, page])
        seen.set(key, seen.get(key) ?? (await lookup.find(query, page)))
        return seen.get(key)!
      },
    }
  },
}

function mapEntries(inbox: Inbox, change: (entries: Placed[]) => Placed[]): Inbox['claim'] {
  return async (lane, options) => {
    const claimed = await inbox.claim(lane, options)
    const leases = claimed.leases.map((lease) => ({ ...lease, entries: change(lease.entries) }))
    return { ...claimed, leases }
  }
}
