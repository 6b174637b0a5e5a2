/**
 * The Segment of the bench, a process of its own: takes calls as the Tracking API does, counts every event once by what
 * it says, and how long each took from the post of its webhook. `POST /mode` sets how it answers, `GET /report` tells.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { markOf, numbersEach } from './webhook.ts'

export interface Mode {
  status?: number
  /** How long Segment takes to answer. */
  delayMs?: number
  /** Forgets what was seen. */
  reset?: boolean
  /** Latencies count from the webhook of this number on, of each generator. */
  measuredFrom?: number
}

export interface Report {
  /** Events that arrived, each counted once. */
  events: number
  duplicates: number
  /** Messages that no webhook of the bench brought. */
  others: number
  /** When the first event arrived, in milliseconds since 1970. */
  firstAt: number
  /** When the last new one did. */
  lastAt: number
  /** By write key: from post to arrival, in milliseconds. */
  latencies: Record<string, number[]>
  /** Which events arrived: asked for with `?ids`. */
  ids?: number[]
}

type Message = Parameters<typeof markOf>[0]

let mode: Mode = { status: 200, delayMs: 0 }
let seen = new Set<number>()
let duplicates = 0
let others = 0
let firstAt = 0
let lastAt = 0
let latencies: Record<string, number[]> = {}

function take(writeKey: string, message: Message, now: number): void {
  const { n, at } = markOf(message)
  if (n === undefined) {
    others++
    return
  }
  if (seen.has(n)) {
    duplicates++
    return
  }
  if (seen.size === 0) firstAt = now
  seen.add(n)
  lastAt = now
  if (n % numbersEach < (mode.measuredFrom ?? 0)) return
  latencies[writeKey] ??= []
  latencies[writeKey].push(now - at)
}

function change(next: Mode): void {
  mode = { ...mode, ...next }
  if (!next.reset) return
  seen = new Set()
  duplicates = 0
  others = 0
  latencies = {}
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const server = createServer(async (request, response) => {
  const body = await bodyOf(request)
  const path = request.url ?? '/'
  if (path.startsWith('/report')) {
    const report: Report = { events: seen.size, duplicates, others, firstAt, lastAt, latencies }
    response.end(JSON.stringify(path.endsWith('?ids') ? { ...report, ids: [...seen] } : report))
    return
  }
  if (path === '/mode') {
    change(JSON.parse(body) as Mode)
    response.end()
    return
  }
  const { status = 200, delayMs = 0 } = mode
  const answer = () => response.writeHead(status, { 'content-type': 'application/json' }).end('{"success":true}')
  if (status === 200) {
    const call = JSON.parse(body) as { writeKey: string; batch?: Message[] } & Message
    const now = Date.now()
    for (const message of call.batch ?? [call]) take(call.writeKey, message, now)
  }
  if (delayMs > 0) setTimeout(answer, delayMs)
  else answer()
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
