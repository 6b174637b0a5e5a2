// The same without code: Node-RED with a webhook, a function that maps, and an HTTP request to Segment. Answers first.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import RED from 'node-red'

const { SEGMENT_URL, WRITE_KEY, TOKEN } = process.env

const map = `
if (msg.req.headers['x-verification-token'] !== ${JSON.stringify(TOKEN)}) {
  return [{ ...msg, statusCode: 401, payload: '' }, null]
}
const { type, data } = msg.payload
const { ip, href, locale, location } = data.context
const call = {
  writeKey: ${JSON.stringify(WRITE_KEY)},
  anonymousId: String(data.author.id),
  event: 'Drift Source Event: ' + type,
  timestamp: new Date(data.createdAt).toISOString(),
  properties: { contactId: data.author.id, body: data.body, conversationId: data.conversationId, href, ip, locale, location },
}
return [{ ...msg, statusCode: 200, payload: { ok: true } }, { payload: call }]
`
const at = { z: 'flow', x: 0, y: 0 }
const flows = [
  { id: 'flow', type: 'tab', label: 'drift to segment' },
  { id: 'in', type: 'http in', url: '/webhooks/drift', method: 'post', wires: [['map']], ...at },
  { id: 'map', type: 'function', func: map, outputs: 2, wires: [['answer'], ['segment']], ...at },
  { id: 'answer', type: 'http response', wires: [], ...at },
  {
    id: 'segment',
    type: 'http request',
    method: 'POST',
    ret: 'txt',
    url: `${SEGMENT_URL}/v1/track`,
    wires: [[]],
    ...at,
  },
]

const userDir = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'node-red-'))
writeFileSync(join(userDir, 'flows.json'), JSON.stringify(flows))
const server = createServer((request, response) => RED.httpNode(request, response))
RED.init(server, {
  userDir,
  flowFile: 'flows.json',
  httpAdminRoot: false,
  httpNodeRoot: '/',
  logging: { console: { level: 'fatal' } },
})
RED.events.once('flows:started', () => {
  server.listen(0, '127.0.0.1', () => {
    process.stderr.write(`listening on http://127.0.0.1:${server.address().port}\n`)
  })
})
await RED.start()
