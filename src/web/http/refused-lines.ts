import type { Fields } from '../../lib/log.ts'

/** The kind of a log line that a stranger can cause at will, by what it says; undefined for every other line. */
export function refusedLine(event: string, { status, reason, outcome, code }: Fields): string | undefined {
  // While the store is away, each look at a page fails.
  if (event === 'page_failed') return `page_failed ${code}`
  if (event === 'webhook' && status !== 200 && Number(status) < 500) return `webhook ${status} ${reason ?? outcome}`
  return event === 'connect' && outcome !== 'installed' ? `connect ${outcome}` : undefined
}
