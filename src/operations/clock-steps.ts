/**
 * The wall clock may be set back or forward while the service runs, or while it does not. That is noticed here, logged,
 * and undone where it would make accounts wait, or make us delete what is not old.
 */
import { type Clock, lookAt, movedMs, skewMsMax } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Inbox } from '../storage/ports/inbox.ts'
import type { Lookup } from '../storage/ports/lookup.ts'

const everyMs = 10_000
/** A clock that is slewed, as time servers do by themselves, moves by far less between two looks. */
const stepMsMin = 2_000
/** A step forward that makes much seem old. */
const leapMsMin = 3_600_000
/** Time to set a clock right again, before anything is deleted by it. */
const mistrustMs = 3_600_000

export interface Steps {
  /** False for an hour after the clock has leapt forward: what it calls old need not be. */
  mayDelete(): boolean
  stop(): Promise<void>
}

interface Needs {
  inbox: Pick<Inbox, 'clockSetBack'>
  clock: Clock
  log: Log
  /** Called after a step: what is due may be another now. */
  wake(): void
}

/** By how much the event that came last is ahead of this clock, in milliseconds; 0: it is not. */
export async function aheadMsOf(lookup: Pick<Lookup, 'lastReceivedAt'>, now: number): Promise<number> {
  return Math.max(((await lookup.lastReceivedAt()) ?? now) - now, 0)
}

/** Corrects the times that a clock which was ahead wrote before this start. */
export async function startInStep(lookup: Pick<Lookup, 'lastReceivedAt'>, { inbox, clock, log }: Needs): Promise<void> {
  const now = clock.now()
  const aheadMs = await aheadMsOf(lookup, now)
  if (aheadMs <= skewMsMax) return
  log.warn('clock_stepped', { byMs: -aheadMs, noticed: 'start' })
  await inbox.clockSetBack(aheadMs, now)
}

export function watchSteps({ inbox, clock, log, wake }: Needs): Steps {
  let before = lookAt(clock)
  let mistrustUntil = Number.NEGATIVE_INFINITY
  /** By how much the clock was set back, as far as it is not applied to the store yet. */
  let unappliedMs = 0
  let stopped = false
  let cancel = () => {}
  let round = Promise.resolve()

  function look(): void {
    const after = lookAt(clock)
    const byMs = movedMs(before, after)
    before = after
    if (Math.abs(byMs) < stepMsMin) return
    log.warn('clock_stepped', { byMs, noticed: 'running' })
    // mutant: does not notice that the clock is set back
    if (byMs < 0) unappliedMs -= byMs
    if (byMs >= leapMsMin) mistrustUntil = after.monotonic + mistrustMs
    wake()
  }

  async function once(): Promise<void> {
    look()
    try {
      const byMs = unappliedMs
      if (byMs > 0) {
        await inbox.clockSetBack(byMs, clock.now())
        unappliedMs -= byMs
        wake()
      }
    } catch (error) {
      log.error('clock_failed', { code: codeOf(error) })
    }
    if (!stopped) cancel = clock.after(everyMs, start)
  }

  function start(): void {
    round = once()
  }

  cancel = clock.after(everyMs, start)
  return {
    mayDelete() {
      look()
      // mutant: deletes by a clock that has just leapt ahead
      return clock.monotonic() >= mistrustUntil
    },
    async stop() {
      stopped = true
      cancel()
      await round
    },
  }
}
