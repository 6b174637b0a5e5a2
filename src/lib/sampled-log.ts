/** A log in which lines that any stranger can cause are few: the first of a minute are written, the rest are counted. */
import type { Clock } from './clock.ts'
import type { Fields, Log } from './log.ts'

const minuteMs = 60_000
/** Enough to see who sends and why, and less than one line in five seconds. */
const linesMax = 10

/**
 * `kindOf` names the kind of a line that is to be sampled, of a few kinds; each has its own minute. The first line after
 * that minute says in `unlogged` how many were left out.
 */
export function sampledLog(log: Log, clock: Clock, kindOf: (event: string, fields: Fields) => string | undefined): Log {
  const minutes = new Map<string, { since: number; lines: number }>()

  /** What is written of a line; undefined: nothing. */
  function sample(event: string, fields: Fields): Fields | undefined {
    const kind = kindOf(event, fields)
    if (kind === undefined) return fields
    const [now, before] = [clock.monotonic(), minutes.get(kind)]
    if (before && now - before.since < minuteMs) return ++before.lines > linesMax ? undefined : fields
    minutes.set(kind, { since: now, lines: 1 })
    const unlogged = (before?.lines ?? 0) - linesMax
    return unlogged > 0 ? { ...fields, unlogged } : fields
  }

  const sampled =
    (write: Log['info']): Log['info'] =>
    (event, fields = {}) => {
      const written = sample(event, fields)
      if (written) write(event, written)
    }
  return { ...log, info: sampled(log.info), warn: sampled(log.warn), error: sampled(log.error) }
}
