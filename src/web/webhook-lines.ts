/**
 * What the log says of webhooks: one wide line for all that are answered in one turn of the event loop, which is what
 * one commit of the store lets go, and beside it a line of its own for each that was refused or has a reason. At debug
 * every webhook has a line of its own.
 */
import type { Log } from '../lib/log.ts'
import type { Received } from '../pipeline/receive.ts'

export interface Answered extends Partial<Received> {
  /** 0: the sender went away half-way. */
  status: number
  bytes?: number | undefined
  /** From the webhook's head to its answer. */
  durationMs: number
}

interface Group {
  webhooks: number
  outcomes: Map<string, number>
  types: Map<string, number>
  ignoredAs: Map<string, number>
  orgs: Set<string>
  exceptional: number
  bytes: number
  slowestMs: number
}

/** Returns what is to be called once for each webhook, after its answer. */
export function webhookLines(log: Log): (answered: Answered) => void {
  let group: Group | undefined

  return (answered) => {
    const { status, outcome, reason } = answered
    if (status >= 500) return log.error('webhook', { ...answered })
    if (status !== 200) return log.info('webhook', { ...answered })
    if (!group) {
      group = newGroup()
      setImmediate(writeGroup)
    }
    group.webhooks++
    addOne(group.outcomes, outcome!)
    addOne(group.types, answered.type!)
    if (answered.ignoredAs !== undefined) addOne(group.ignoredAs, answered.ignoredAs)
    group.orgs.add(answered.org!)
    group.bytes += answered.bytes!
    group.slowestMs = Math.max(group.slowestMs, answered.durationMs)
    if (reason === undefined) return log.debug?.('webhook', { ...answered })
    group.exceptional++
    log.info('webhook', { ...answered })
  }

  function writeGroup(): void {
    const { webhooks, outcomes, types, ignoredAs, orgs, exceptional, bytes, slowestMs } = group!
    group = undefined
    const [org] = orgs
    log.info('received', {
      webhooks,
      ...Object.fromEntries(outcomes),
      types: listed(types),
      ...(ignoredAs.size > 0 ? { ignoredAs: listed(ignoredAs) } : {}),
      ...(orgs.size === 1 ? { org } : { accounts: orgs.size }),
      ...(exceptional > 0 ? { exceptional } : {}),
      bytes,
      durationMs: slowestMs,
    })
  }
}

function newGroup(): Group {
  const [outcomes, types] = [new Map<string, number>(), new Map<string, number>()]
  return { webhooks: 0, outcomes, types, ignoredAs: new Map(), orgs: new Set(), exceptional: 0, bytes: 0, slowestMs: 0 }
}

function listed(counts: Map<string, number>): string {
  return [...counts].map(([word, count]) => `${word} ${count}`).join(', ')
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
