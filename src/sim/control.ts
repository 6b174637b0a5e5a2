/**
 * An address on loopback where a person or a script tells the simulators to fail, so that an outage can be rehearsed:
 * `PUT /drift` or `PUT /segment` with a fault as JSON, `DELETE` ends it, `GET /` says what is set.
 */
import { z } from 'zod'
import { type Clock, systemClock } from '../lib/clock.ts'
import { readText } from '../lib/json.ts'
import type { DriftSim } from './drift.ts'
import type { PathPattern } from './script.ts'
import type { SegmentSim } from './segment.ts'
import { type Action, type Listener, listen, type Received, type Reply } from './server.ts'

/** The longest delay: above every deadline of the service, the longest of which is fifteen seconds. */
const delayMsMax = 600_000

/** What goes wrong, with which requests, and how often. Without `requests` it lasts until it is ended. */
const fault = z
  .strictObject({
    status: z.int().min(200).max(599).optional(),
    body: z.string().optional(),
    /** Seconds, in the header `Retry-After`. */
    retryAfter: z.int().min(0).optional(),
    delayMs: z.int().min(0).max(delayMsMax).optional(),
    /** `before`: the connection is reset and nothing was processed; `after`: all of it was, and the answer is lost. */
    reset: z.enum(['before', 'after']).optional(),
    requests: z.int().min(1).optional(),
    /** One path, where `*` stands for one of its parts. */
    path: z.string().startsWith('/').optional(),
  })
  .refine(({ status, body, delayMs, reset }) => [status, body, delayMs, reset].some((one) => one !== undefined), {
    error: 'it needs one of status, body, delayMs and reset',
  })
  .refine(({ status, body, retryAfter }) => retryAfter === undefined || status !== undefined || body !== undefined, {
    error: 'retryAfter needs a status or a body',
  })

type Fault = z.infer<typeof fault>

/** Whom a fault is set for. */
interface Target {
  requests: readonly Received[]
  /** What a fault without a path applies to. */
  path: PathPattern
  script(path: PathPattern, play: ((request: Received) => Action | undefined) | undefined): void
  current?: { fault: Fault; path: PathPattern; left: number | undefined } | undefined
}

/** Everything of Drift's but what a person uses to send events, and the widget's script. */
const driftPath = /^\/(?!settings\/apps$|include\/)/
/** The calls that carry messages. */
const segmentPath = /^\/v1\/(?!projects\/|m$)/

/** Listens until it is closed. Rejects where the port is taken. */
export function startControl(
  { drift, segment }: { drift: DriftSim; segment: SegmentSim },
  { port = 0, clock = systemClock }: { port?: number; clock?: Clock } = {},
): Promise<Listener> {
  const targets = new Map<string, Target>([
    ['/drift', { requests: drift.requests, path: driftPath, script: drift.script }],
    ['/segment', { requests: segment.requests, path: segmentPath, script: (path, play) => segment.script(play, path) }],
  ])
  const answer = (request: Received) => (isOurs(request) ? reply(targets, request) : refusal(403, 'another host'))
  return listen({
    clock,
    port,
    requests: [],
    pageOf: answer,
    respond: (request) => ({ answer: () => answer(request) }),
    changed() {},
  })
}

/** A name that a page on the web has pointed at this machine is not ours; a browser asks before PUT and DELETE anyway. */
function isOurs({ headers }: Received): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')
}

function reply(targets: ReadonlyMap<string, Target>, { method, path, body }: Received): Reply {
  if (path === '/') return method === 'GET' ? said(targets) : refusal(405, 'GET / says what is set')
  const target = targets.get(path)
  if (!target) return refusal(404, 'there are /drift and /segment')
  if (method === 'DELETE') end(target)
  else if (method === 'PUT') {
    const { value } = readText(body)
    if (value === undefined) return refusal(400, 'the fault is not JSON: see the table in docs/outages.md')
    const read = fault.safeParse(value)
    if (!read.success) return refusal(400, z.prettifyError(read.error))
    set(target, read.data)
  } else if (method !== 'GET') return refusal(405, 'use PUT, DELETE or GET')
  return said(targets)
}

/** Replaces what was set before. */
function set(target: Target, fault: Fault): void {
  end(target)
  const current = { fault, path: fault.path ?? target.path, left: fault.requests }
  target.current = current
  target.script(current.path, () => {
    if (current.left === 0) return undefined
    if (current.left !== undefined) current.left--
    return actionOf(fault)
  })
}

function end(target: Target): void {
  if (target.current) target.script(target.current.path, undefined)
  target.current = undefined
}

function actionOf({ status, body, retryAfter, delayMs, reset }: Fault): Action {
  return {
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(reset === undefined ? {} : { reset }),
  }
}

/** Of each: the fault that is set, for how many more requests, and how many requests have come so far. */
function said(targets: ReadonlyMap<string, Target>): Reply {
  const one = ({ current, requests }: Target) => ({
    fault: current && current.left !== 0 ? { ...current.fault, requests: current.left } : null,
    requestsSoFar: requests.length,
  })
  return { status: 200, body: Object.fromEntries([...targets].map(([path, target]) => [path.slice(1), one(target)])) }
}

function refusal(status: number, error: string): Reply {
  return { status, body: { error } }
}
