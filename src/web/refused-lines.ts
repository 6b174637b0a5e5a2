import type { Fields } from '../lib/log.ts'

/** The kind of a log line that a stranger can cause at will, by what it says; undefined for every other line. */
export function refusedLine(event: string, { status, reason, outcome }: Fields): string | undefined {
  if (event === 'webhook' && status !== 200 && Number(status) < 500) return `webhook ${status} ${reason ?? outcome}`
  return event === 'connect' && outcome !== 'installed' ? `connect ${outcome}` : undefined
}
