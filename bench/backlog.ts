/** A backlog as an outage leaves it: received the way webhooks are, sealed and committed, and not yet sent. */

import type { Env } from '../src/config.ts'
import { moduleOf } from './product.ts'
import { firstOrg, token, webhookOf } from './webhook.ts'

/** As many as are received at once; each group is one commit. */
const groupMax = 2_000

/** Adds so many webhooks to the store of these settings, in turn to so many accounts, numbered from 1. */
export async function addBacklog(root: string, env: Env, events: number, accountCount: number): Promise<void> {
  const { readConfig } = await moduleOf<typeof import('../src/config.ts')>(root, 'src/config.ts')
  const { tokensOf } = await moduleOf<typeof import('../src/drift/envelope.ts')>(root, 'src/drift/envelope.ts')
  const { catalogue } = await moduleOf<typeof import('../src/events/index.ts')>(root, 'src/events/index.ts')
  const { systemRandom } = await moduleOf<typeof import('../src/lib/random.ts')>(root, 'src/lib/random.ts')
  const { receiver } = await moduleOf<typeof import('../src/pipeline/receive.ts')>(root, 'src/pipeline/receive.ts')
  const { openStore } = await moduleOf<typeof import('../src/service.ts')>(root, 'src/service.ts')
  const { storage, keyring, accounts, clock, close } = await openStore(readConfig(env, 'store'), 'create')
  const tokens = tokensOf([token])
  const { inbox } = storage
  const needs = { tokens, catalogue, accounts, keyring, inbox, clock, random: systemRandom, wake() {} }
  const receive = receiver(needs)
  try {
    for (let sent = 0; sent < events; sent += groupMax) {
      const group = Array.from({ length: Math.min(groupMax, events - sent) }, (_, at) => {
        const n = 1 + sent + at
        return receive(Buffer.from(webhookOf(firstOrg + (n % accountCount), n, clock.now())), { verdict: 'right' })
      })
      const outcomes = await Promise.all(group)
      if (outcomes.some(({ outcome }) => outcome !== 'stored')) throw new Error('a webhook of the backlog was not kept')
    }
    // What people search by follows the entries; in an outage there is time enough for it.
    await storage.lookup.find({ message: 'none' }, { limit: 1 })
  } finally {
    await close()
  }
}
