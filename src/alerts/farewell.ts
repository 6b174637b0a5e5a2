/** The last alert of an account: Drift has disconnected it, and everything of it is about to be erased. */
import type { Accounts } from '../accounts/accounts.ts'
import { settingsOf } from '../accounts/settings.ts'
import { type Clock, pause } from '../lib/clock.ts'
import type { Alerts } from '../storage/ports/alerts.ts'
import type { Org } from '../storage/ports/entry.ts'
import { writeBody } from './body.ts'

interface Needs {
  storage: { alerts: Pick<Alerts, 'recipients' | 'create' | 'get'> }
  accounts: Pick<Accounts, 'get'>
  clock: Clock
  /** A message was stored. */
  wake(): void
  /** Given when alerts are not sent any more: the service stops. */
  closing: AbortSignal
}

/** Erasing an account does not wait longer for its receivers. */
const patienceMs = 8_000
const lookAgainMs = 100

/**
 * Resolves to `done` when each recipient has it, or refuses it, or after eight seconds: what was not sent by then is erased
 * with the rest. `stopped`: the service stops before that, and the next one must call again. `saidAt`: when Drift said that
 * the account disconnected; a second call for the same moment stores nothing again.
 */
export function farewells({ storage: { alerts }, accounts, clock, wake, closing }: Needs) {
  return async function farewell(org: Org, saidAt: number): Promise<'done' | 'stopped'> {
    const install = accounts.get(org)
    if (!install || settingsOf(install).alertsOff.includes('stopped')) return 'done'
    const to = (await alerts.recipients(org)).filter(({ confirmedAt }) => confirmedAt !== undefined)
    const createdAt = clock.now()
    const item = { rule: 'stopped', change: 'raised', since: saidAt, reason: 'disconnected' } as const
    const body = writeBody({ is: 'raised', items: [item] })
    const ids = to.map(({ id }) => `farewell-${org}-${id}-${saidAt}`)
    for (const [at, { id: recipient, channel }] of to.entries())
      await alerts.create({ id: ids[at]!, org, recipient, channel, kind: 'alert', body, createdAt })
    if (to.length > 0) wake()
    const until = clock.monotonic() + patienceMs
    for (const id of ids) {
      while ((await alerts.get(id))?.dueAt !== undefined && clock.monotonic() < until) {
        // mutant: erases an account with its last alert unsent when the service stops
        if (closing.aborted) return 'stopped'
        await pause(clock, lookAgainMs, closing)
      }
    }
    return 'done'
  }
}
