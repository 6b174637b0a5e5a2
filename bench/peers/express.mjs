// What a developer writes in an afternoon: Express and Segment's own library. Answers first, keeps it in memory.
import { Analytics } from '@segment/analytics-node'
import express from 'express'

const { SEGMENT_URL, WRITE_KEY, TOKEN } = process.env
const analytics = new Analytics({
  writeKey: WRITE_KEY,
  host: SEGMENT_URL,
  path: '/v1/batch',
  flushAt: 100,
  flushInterval: 1_000,
})
analytics.on('error', () => {})

const app = express()
app.use(express.json({ limit: '256kb' }))
app.post('/webhooks/drift', (request, response) => {
  if (request.get('x-verification-token') !== TOKEN) return response.status(401).end()
  const { type, data } = request.body
  response.json({ ok: true })
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
})
const server = app.listen(0, '127.0.0.1', () => {
  process.stderr.write(`listening on http://127.0.0.1:${server.address().port}\n`)
})
