/**
 * The main thread's side of the SQLite engine. A service has two threads: one writes, and one answers people's
 * pages and commands, so that a long look never stands between a webhook and its commit. A command has one for both.
 */

import { pause, systemClock } from '../../lib/clock.ts'
import type { Conversations } from '../ports/accounts.ts'
import type { Inbox, Lease } from '../ports/inbox.ts'
import type { Lookup, Query } from '../ports/lookup.ts'
import type { Mode, Purged, Risk, Storage } from '../ports/storage.ts'
import { indexTermOf } from '../query.ts'
import { copyDatabase } from './backup.ts'
import { startThread, type Thread } from './thread.ts'
import {
  receiveClaim,
  receiveGiven,
  type TransferredClaim,
  type TransferredGiven,
  transferArrivals,
} from './transfer.ts'

export async function open(path: string, mode: Mode): Promise<Storage> {
  const listeners: ((org: undefined) => void)[] = []
  const writer = await startThread(path, mode, () => {
    for (const listener of listeners) listener(undefined)
  })
  const reader = mode === 'serve' ? await startThread(path, 'look') : writer
  return storageOf(writer, reader, { listeners, backup: (copy) => copyDatabase(path, copy) })
}

/** The ports, over a function that calls the engine. */
export function storageOf(
  writer: Thread,
  reader: Thread,
  { listeners, backup }: { listeners: ((org: undefined) => void)[]; backup: Storage['backup'] },
): Storage {
  const lookup = reader.port<Lookup>('lookup')

  /** What people search by follows the entries; a search waits until it has caught up. */
  const caughtUp =
    <Args extends unknown[], Found>(search: (...args: Args) => Promise<Found>, usesIndex: (...args: Args) => boolean) =>
    async (...args: Args): Promise<Found> => {
      if (usesIndex(...args)) while (await writer.call('storage', 'index', []));
      return search(...args)
    }
  const usesIndex = (query: Query) => indexTermOf(query) !== undefined
  const searches: Partial<Lookup> = {
    find: caughtUp(lookup.find, usesIndex),
    tally: caughtUp(lookup.tally, usesIndex),
    beside: caughtUp(lookup.beside, () => true),
  }

  return {
    inbox: inboxOf(writer),
    ledger: reader.port('ledger'),
    installs: writer.port('installs'),
    vault: writer.port('vault'),
    conversations: conversationsOf(writer),
    lookup: new Proxy(lookup, { get: (port, method) => Reflect.get(searches, method) ?? Reflect.get(port, method) }),
    audit: writer.port('audit'),
    tickets: writer.port('tickets'),
    jobs: writer.port('jobs'),
    alerts: writer.port('alerts'),
    onChange: (listener) => void listeners.push(listener),
    onDue() {},
    isServed: () => writer.call('storage', 'isServed', []) as Promise<boolean>,
    broken: Promise.race([writer.broken, reader.broken.then((problem) => unlessSaid(writer.broken, problem))]),
    check: async () => void (await writer.call('storage', 'check', [])),
    purge: () => writer.call('storage', 'purge', []) as Promise<Purged>,
    logBytes: () => reader.call('storage', 'logBytes', []) as Promise<number>,
    backup,
    examine: () => reader.call('storage', 'examine', []) as Promise<string[]>,
    risks: () => reader.call('storage', 'risks', []) as Promise<Risk[]>,
    async close() {
      if (reader !== writer) await reader.close()
      await writer.close()
    },
  }
}

/** The writer looks at the file four times a second, and can say that another one was put in its place. */
function unlessSaid(writers: Promise<Error>, problem: Error): Promise<Error> {
  return Promise.race([writers, pause(systemClock, writerLooksMs).then(() => problem)])
}

const writerLooksMs = 1_000

/** As in the inbox, a lease goes to the other side without its entries. */
function conversationsOf(writer: Thread): Conversations {
  const port = writer.port<Conversations>('conversations')
  const own: Partial<Conversations> = {
    remember: (org, contactOf, lease) => port.remember(org, contactOf, lease && bare(lease)),
  }
  return new Proxy(port, { get: (_, method) => Reflect.get(own, method) ?? Reflect.get(port, method) })
}

/** The inbox's calls, with what is large packed, and without what the other side has itself: a lease's entries. */
function inboxOf(writer: Thread): Inbox {
  const port = writer.port<Inbox>('inbox')
  const own: Partial<Inbox> = {
    append(bodies, arrivals) {
      const transferred = transferArrivals(bodies, arrivals)
      return writer.call('inbox', 'append', [transferred], [transferred.bytes.buffer]) as ReturnType<Inbox['append']>
    },
    async claim(...args) {
      return receiveClaim((await writer.call('inbox', 'claim', args)) as TransferredClaim)
    },
    more: async (lease, after, limits) =>
      receiveGiven((await writer.call('inbox', 'more', [bare(lease), after, limits])) as TransferredGiven),
    renew: (lease, until) => port.renew(bare(lease), until),
    settle: (lease, settlements, ending) => port.settle(bare(lease), settlements, ending),
  }
  return new Proxy(port, { get: (_, method) => Reflect.get(own, method) ?? Reflect.get(port, method) })
}

function bare(lease: Lease): Lease {
  return { ...lease, entries: [], bodies: [] }
}
