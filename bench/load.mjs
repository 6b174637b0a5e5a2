// Load by autocannon, in a process of its own: every connection posts its next webhook when the last one is answered.
// node bench/load.mjs '{"url","connections","seconds","accounts","from"}' prints what was answered, as JSON.
import autocannon from 'autocannon'
import { firstOrg, webhookHeaders, webhookOf } from './webhook.ts'

const { url, connections, seconds, accounts = 1, from = 1, warmSeconds = 1 } = JSON.parse(process.argv[2])
let n = from

const instance = autocannon({
  url,
  connections,
  duration: warmSeconds + seconds,
  timeout: 10,
  headers: webhookHeaders,
  requests: [
    {
      method: 'POST',
      setupRequest(request) {
        n++
        return { ...request, body: webhookOf(firstOrg + (n % accounts), n, Date.now()) }
      },
    },
  ],
})

const warmAt = performance.now() + warmSeconds * 1_000
const latencies = []
let answered = 0
let refused = 0
let lastAt = warmAt
instance.on('response', (_client, status, _bytes, latencyMs) => {
  const now = performance.now()
  if (status === 200) answered++
  else refused++
  if (now < warmAt || status !== 200) return
  latencies.push(latencyMs)
  lastAt = now
})
const { errors, timeouts } = await instance
latencies.sort((a, b) => a - b)
const at = (percent) => latencies[Math.ceil((percent / 100) * latencies.length) - 1]
process.stdout.write(
  JSON.stringify({
    perSecond: (latencies.length * 1_000) / (lastAt - warmAt),
    p50: at(50),
    p99: at(99),
    answered,
    refused: refused + errors + timeouts,
    next: n + 1,
  }),
)
