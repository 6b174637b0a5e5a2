/** For the crash tests: a process of its own on a store, which does one job and says what it has done. */
import { setTimeout as forever } from 'node:timers/promises'
import { append, arrival, claimOne } from '../../src/storage/conformance.ts'
import { openStorage } from '../../src/storage/open.ts'

const [url = '', job = ''] = process.argv.slice(2)
const say = (word: string) => process.stdout.write(`${word}\n`)
const storage = await openStorage(url, 'serve')

if (job === 'append') {
  // Says each messageId once it is promised to be kept; killed at any moment.
  const one = async () => {
    for (;;) {
      const next = arrival({ identity: Buffer.from(crypto.randomUUID()), messageId: crypto.randomUUID() })
      // A server that is away for a moment refuses: nothing is promised then.
      const kept = await append(storage, [next]).catch(() => undefined)
      if (kept) say(next.messageId)
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
}

if (job === 'settle') {
  say('open')
  // Settles one entry a lease, and says so; killed at any moment.
  for (;;) {
    const options = { now: 2_000, leaseMs: 60_000, limit: 1, bytesMax: 1_000 }
    const lease = await claimOne(storage.inbox, 'send', options)
    if (!lease) break
    const [entry] = lease.entries
    await storage.inbox.settle(lease, [{ id: entry!.id, to: 'delivered', at: 2_000 }], { readyAt: 2_000, failures: 0 })
    say(entry!.messageId)
  }
}

if (job === 'claim') {
  await claimOne(storage.inbox, 'send', { now: 2_000, leaseMs: 3_600_000, limit: 100, bytesMax: 1_000_000 })
  say('claimed')
}

await forever(60_000)
