/**
 * Load at a fixed rate, in a process of its own: a webhook is due at its time, whether or not those before it have been
 * answered, and its latency counts from then. autocannon's rates come in bursts by the second, which is not a fixed rate.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { percentile } from './arithmetic.ts'
import type { Answered, Paced } from './load.ts'
import { firstOrg, webhookHeaders, webhookOf } from './webhook.ts'

const options = JSON.parse(process.argv[2]!) as Paced
const { url, perSecond, seconds, org = firstOrg, accounts = 1, from = 1, warmSeconds = 0, ids = false } = options
const { origin, pathname } = new URL(url)
const pool = new Pool(origin, { connections: 64, pipelining: 1 })
const latencies: number[] = []
const answered: number[] = []
let refused = 0

async function post(n: number, dueAt: number): Promise<void> {
  const body = webhookOf(org + (n % accounts), n, Date.now())
  try {
    const answer = await pool.request({ method: 'POST', path: pathname, headers: webhookHeaders, body })
    await answer.body.dump()
    if (answer.statusCode !== 200) {
      refused++
      return
    }
    answered.push(n)
    if (dueAt >= measuredAt) latencies.push(performance.now() - dueAt)
  } catch {
    refused++
  }
}

const startedAt = performance.now()
const measuredAt = startedAt + warmSeconds * 1_000
const count = Math.round(perSecond * (warmSeconds + seconds))
const posts: Promise<void>[] = []
while (posts.length < count) {
  const due = Math.min(Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) + 1, count)
  while (posts.length < due) posts.push(post(from + posts.length, startedAt + (posts.length / perSecond) * 1_000))
  await pause(1)
}
await Promise.all(posts)
await pool.close()
const result: Answered = {
  perSecond: (latencies.length * 1_000) / (performance.now() - measuredAt),
  p50: percentile(latencies, 50),
  p99: percentile(latencies, 99),
  answered: answered.length,
  refused,
  next: from + count,
  ...(ids ? { ids: answered } : {}),
}
process.stdout.write(JSON.stringify(result))
