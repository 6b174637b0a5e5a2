// A backlog sent with Segment's own library: as many events as it is told, to the receiver; then it says in how much
// memory.
import { Analytics } from '@segment/analytics-node'
import { webhookOf } from '../webhook.ts'

const { segmentUrl, writeKey, events } = JSON.parse(process.argv[2])
const analytics = new Analytics({ writeKey, host: segmentUrl, path: '/v1/batch', flushAt: 100, flushInterval: 1_000 })
analytics.on('error', () => {})

let sent = 0
await new Promise((resolve) => {
  const more = () => {
    // A few hundred under way at once: more is only more memory.
    for (let burst = 0; burst < 500 && sent < events; burst++) {
      const { type, data } = JSON.parse(webhookOf(1, ++sent, Date.now()))
      const { ip, href, locale, location } = data.context
      analytics.track({
        anonymousId: String(data.author.id),
        event: `Drift Source Event: ${type}`,
        timestamp: new Date(data.createdAt),
        properties: {
          contactId: data.author.id,
          body: data.body,
          conversationId: data.conversationId,
          href,
          ip,
          locale,
          location,
        },
      })
    }
    if (sent < events) setImmediate(more)
    else resolve()
  }
  more()
})
await analytics.flush({ close: true, timeout: 120_000 })
process.stdout.write(JSON.stringify({ peakMb: process.resourceUsage().maxRSS / 1_024 }))
