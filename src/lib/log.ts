/**
 * One wide line per unit of work. Only named, safe fields are ever handed to it: ids, types, counts, codes, durations.
 * Never a token, a key, a body, an error's message or a URL with a query.
 */
import { type DestinationStream, pino } from 'pino'

export type Fields = Record<string, string | number | boolean | undefined>

export interface Log {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export function openLog(level: (typeof logLevels)[number], stream?: DestinationStream): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' }
  const logger = stream ? pino(options, stream) : pino(options)
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  }
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
