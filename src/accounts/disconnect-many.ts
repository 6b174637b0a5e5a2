/** Disconnecting many accounts at once, such as all of them when a secret has leaked. Begun again, it goes on. */
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import type { Disconnect } from './disconnect.ts'
import { isThere } from './state.ts'

/** Drift documents no limit; a thousand accounts take a minute or two at a quarter of a second each. */
const atOnceMax = 4

export interface Report {
  disconnected: number
  /** Of those disconnected: no grant was kept here, so nothing was ended at Drift. */
  withoutGrant: Org[]
  /** Where Drift has not confirmed that the grant is over: to be ended in Drift's own settings, by hand. */
  unconfirmed: { org: Org; reason: string }[]
  /** Not disconnected yet: the run was stopped, or something failed. */
  left: { org: Org; reason: string }[]
}

interface Needs {
  accounts: Accounts
  disconnect: Disconnect
  /** Called after each account. */
  progress(done: number, of: number): void
  /** No further account is begun once it is given. */
  signal: AbortSignal
}

/**
 * Each account's grant is ended at Drift, and everything of it erased, whether Drift has confirmed that or not. An
 * account that has left already is passed over, so a second run does what the first one did not come to.
 */
export async function disconnectMany(needs: Needs, orgs: readonly Org[], who: string): Promise<Report> {
  const { accounts, disconnect, progress, signal } = needs
  const report: Report = { disconnected: 0, withoutGrant: [], unconfirmed: [], left: [] }
  const there = orgs.filter((org) => {
    const install = accounts.get(org)
    return install !== undefined && isThere(install)
  })
  const next = there.values()
  let done = 0
  const goOn = async () => {
    for (const org of next) {
      if (signal.aborted) report.left.push({ org, reason: 'stopped' })
      else await one(org)
      progress(++done, there.length)
    }
  }
  const one = async (org: Org) => {
    try {
      const left = await disconnect.leave(org, who)
      report.disconnected++
      if (left.is === 'no_grant') report.withoutGrant.push(org)
      if (left.is === 'unrevoked') report.unconfirmed.push({ org, reason: left.reason })
    } catch (error) {
      report.left.push({ org, reason: error instanceof Error ? error.message : 'unknown' })
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, goOn))
  return report
}
