/**
 * One wide line per unit of work. Only named, safe fields are ever handed to it: ids, types, counts, codes, durations.
 * Never a token, a key, a body, an error's message or a URL with a query.
 */
import { writeSync } from 'node:fs'
import { type DestinationStream, pino } from 'pino'

export type Fields = Record<string, string | number | boolean | undefined>

export interface Log {
  /** Absent where the level does not write it, so that `log.debug?.(…)` builds no fields then. */
  debug?(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/**
 * Lines that cannot be written, because the log's disk is full or its reader gone, are lost and counted, and the work
 * goes on: no webhook waits for a log.
 */
export function openLog(level: (typeof logLevels)[number], stream: DestinationStream = standardOutput): Log {
  let lost = 0
  const write = (line: string) => {
    try {
      stream.write(line)
    } catch {
      lost++
      return
    }
    const lines = lost
    lost = 0
    if (lines > 0) log.warn('log_lost', { lines })
  }
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' }
  const logger = pino(options, { write })
  const log: Log = {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  }
  if (logger.isLevelEnabled('debug')) log.debug = (event, fields = {}) => logger.debug(fields, event)
  return log
}

const standardOutput: DestinationStream = {
  write(text) {
    const line = Buffer.from(text)
    for (let written = 0; written < line.length; ) written += writeSync(1, line, written)
  },
}

export const silentLog: Log = { info() {}, warn() {}, error() {} }
