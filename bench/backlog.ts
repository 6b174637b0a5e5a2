/** A backlog as an outage leaves it: received the way webhooks are, sealed and committed, and not yet sent. */

import type { Env } from '../src/config.ts'
import { readConfig } from '../src/config.ts'
import { tokensOf } from '../src/drift/envelope.ts'
import { catalogue } from '../src/events/index.ts'
import { systemRandom } from '../src/lib/random.ts'
import { receiver } from '../src/pipeline/receive.ts'
import { openStore } from '../src/service.ts'
import { firstOrg, token, webhookOf } from './webhook.ts'

/** As many as are received at once; each group is one commit. */
const groupMax = 2_000

/** Adds so many webhooks to the store of these settings, in turn to so many accounts, numbered from `from`. */
export async function addBacklog(env: Env, events: number, accountCount: number, from = 1): Promise<void> {
  const { storage, keyring, accounts, clock, close } = await openStore(readConfig(env, 'store'), 'create')
  const tokens = tokensOf([token])
  const { inbox } = storage
  const needs = { tokens, catalogue, accounts, keyring, inbox, clock, random: systemRandom, wake() {} }
  const receive = receiver(needs)
  try {
    for (let sent = 0; sent < events; sent += groupMax) {
      const group = Array.from({ length: Math.min(groupMax, events - sent) }, (_, at) => {
        const n = from + sent + at
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
