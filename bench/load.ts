/** Load from both generators, each a process of its own. */
import type { Stand } from './contenders.ts'
import type { Bench } from './line.ts'
import { measure } from './process.ts'
import { webhooksOf } from './product.ts'

export interface Closed {
  url: string
  connections: number
  seconds: number
  /** Webhooks go to so many accounts in turn. */
  accounts?: number
  /** The first webhook's number. */
  from?: number
  /** Answers of the first second are not counted, unless said otherwise. */
  warmSeconds?: number
}

export interface Answered {
  /** 200s a second, after the warming up. */
  perSecond: number
  /** Milliseconds from post to answer. */
  p50: number
  p99: number
  /** All 200s, those of the warming up included. */
  answered: number
  refused: number
  /** The number that the next webhook may have. */
  next: number
  /** Which webhooks were answered 200, where that was asked for. */
  ids?: number[]
}

/** autocannon: each connection posts again as soon as it is answered. */
export function flood(options: Closed): Promise<Answered> {
  return measure('bench/load.mjs', options)
}

/** Full load before what is measured, so that what is measured is compiled, and all of it sent. */
export async function warmUp(
  { warmSeconds }: Pick<Bench, 'warmSeconds'>,
  { receiver, segment }: Pick<Stand, 'receiver' | 'segment'>,
  accounts = 1,
): Promise<Answered> {
  const load = { url: webhooksOf(receiver), connections: 16, seconds: warmSeconds, warmSeconds: 0, accounts }
  const warm = await flood(load)
  await segment.until(warm.answered, 3_000)
  return warm
}

/** Enough to have the service compiled, where the load before the measurement is paced as well. */
export const warmPerSecond = 500

export interface Paced {
  url: string
  perSecond: number
  seconds: number
  /** The account, or the first of several in turn. */
  org?: number
  accounts?: number
  from?: number
  /** Seconds of load before those that are measured: a generator that has just begun is slow itself. None, unless said. */
  warmSeconds?: number
  /** True: the result names the webhooks that were answered 200. */
  ids?: boolean
}

/** Ours: so many webhooks a second, whatever the answers do; a late start counts as waiting. */
export function pace(options: Paced): Promise<Answered> {
  return measure('bench/pace.ts', options)
}
