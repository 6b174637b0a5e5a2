/** Drift and Segment in this very process, behind a network that loses, delays and refuses: no socket, no real time. */
import type { JsonObject } from '../../src/lib/json.ts'
import type { Answered, Outgoing, Send } from '../../src/lib/request.ts'
import { lookUp } from '../../src/sim/drift-api.ts'
import { token, tokenInfo } from '../../src/sim/drift-oauth.ts'
import type { DriftState } from '../../src/sim/drift-state.ts'
import { type Arrivals, intake, readPost } from '../../src/sim/segment-intake.ts'
import type { Received, Reply } from '../../src/sim/server.ts'
import type { ManualClock } from '../../test/clock.ts'
import { isPoison, markOf } from '../events.ts'
import { type Ledger, markAt } from '../ledger.ts'
import type { SimulatedProcess } from './time.ts'

/** How a partner is disposed at the moment. */
export type Mood = 'well' | 'flaky' | 'down' | 'refusing' | 'unreachable'

export interface Partners {
  sendFor(process: SimulatedProcess): Send
  mood(of: 'drift' | 'segment', mood: Mood): void
}

export const addresses = { drift: 'http://drift.simulated', segment: 'http://segment.simulated' }

type Answer = { status: number; body?: string | object; headers?: Record<string, string> }

/** What a flaky partner answers instead. */
const flaky: readonly Answer[] = [
  { status: 500 },
  { status: 502, body: '<html>' },
  { status: 503, headers: { 'retry-after': '7' } },
  { status: 429, headers: { 'retry-after': '0' } },
  { status: 429, headers: { 'retry-after': '86400' } },
  { status: 408 },
]
/** What a proxy answers in Drift's place: it says nothing of a grant, a conversation or an account. */
const proxies: readonly Answer[] = [
  { status: 401, body: '<html>' },
  { status: 403, body: '{"message":"Forbidden"}' },
  { status: 404, body: '{"error":"Not Found"}' },
  { status: 400, body: '{"error":"invalid_request"}' },
  { status: 200, body: '<html>' },
]
/** What holds an account of Segment's: nothing of it may die. */
const refusals: readonly Answer[] = [
  { status: 401 },
  { status: 403 },
  { status: 404 },
  { status: 400, body: 'An invalid write key was provided' },
  { status: 307, headers: { location: 'http://elsewhere.simulated/' } },
  { status: 200, body: '{"success":false}' },
]

export function openPartners(world: ManualClock, drift: DriftState, ledger: Ledger, fraction: () => number): Partners {
  const moods = { drift: 'well' as Mood, segment: 'well' as Mood }
  const arrivals: Arrivals = { accepted: [], rejected: [], duplicates: [], messageIds: new Set() }
  const pick = <T>(from: readonly T[]): T => from[Math.floor(fraction() * from.length)]!

  const markIn = (message: JsonObject) => markAt(markOf(message) ?? 'unknown', String(message.messageId))

  function segment(request: Received): Answer {
    const post = readPost(request)
    if (!post) return { status: 400, body: 'malformed JSON' }
    const messages = post.messages as JsonObject[]
    for (const message of messages) {
      const { writeKey } = post
      const messageId = String(message.messageId)
      ledger.transmissions.push({ mark: markIn(message), writeKey, messageId, text: JSON.stringify(message) })
    }
    if (moods.segment === 'down') return pick(flaky)
    if (moods.segment === 'refusing') return pick(refusals)
    if (moods.segment === 'flaky' && fraction() < 0.4) return pick(flaky)
    if (messages.some(isPoison)) return { status: 400, body: { success: false, message: 'The request was refused' } }
    const before = arrivals.accepted.length
    intake(arrivals, post, true, world.now())
    for (const { message } of arrivals.accepted.slice(before)) ledger.arrivals.push(markIn(message))
    return { status: 200, body: '{"success": true}' }
  }

  function askDrift(request: Received): Answer {
    if (moods.drift === 'down' || (moods.drift === 'flaky' && fraction() < 0.4)) return pick([...flaky, ...proxies])
    const route: Record<string, (state: DriftState, request: Received) => Reply> = {
      '/oauth2/token': token,
      '/app/token_info': tokenInfo,
    }
    return route[request.path]?.(drift, request) ?? lookUp(drift, request) ?? { status: 404 }
  }

  function exchange(outgoing: Outgoing): Answered {
    const { pathname, origin, searchParams } = new URL(outgoing.url)
    const { method, headers = {}, body = '' } = outgoing
    const request: Received = {
      method,
      path: pathname,
      query: searchParams,
      headers,
      body,
      receivedAt: world.now(),
      status: 0,
    }
    const answer = origin === addresses.segment ? segment(request) : askDrift(request)
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '')
    return { status: answer.status, headers: answer.headers ?? {}, body: text }
  }

  function sendFor(process: SimulatedProcess): Send {
    return async (outgoing) => {
      const mood = moods[outgoing.url.startsWith(addresses.segment) ? 'segment' : 'drift']
      const wayMs = 1 + fraction() * (mood === 'flaky' ? 3_000 : 60)
      const lost = (failure: string, afterMs: number) => process.hear(afterMs, (): Answered => ({ status: 0, failure }))
      if (mood === 'unreachable') return lost('ECONNREFUSED', wayMs)
      const fate = mood === 'flaky' ? fraction() : 1
      if (fate < 0.1) return lost('UND_ERR_SOCKET', wayMs)
      if (fate < 0.15) return lost('TIMEOUT', outgoing.deadlineMs)
      // The request has left, whatever becomes of the process that sent it.
      const answered = new Promise<Answered>((resolve) => world.after(wayMs, () => resolve(exchange(outgoing))))
      const answer = await answered
      // Drift takes a refresh token once: an answer lost there costs the account its grant, which only a person mends.
      if (fate < 0.25) return lost('UND_ERR_SOCKET', wayMs)
      if (fate < 0.3) return lost('TIMEOUT', Math.max(outgoing.deadlineMs - wayMs, 1))
      return process.hear(wayMs, () => answer)
    }
  }

  return {
    sendFor,
    mood(of, mood) {
      moods[of] = mood
    },
  }
}
