/** What people do to an account, in the console and on the command line alike: each is saved, and noted in the audit. */
import { disconnectType } from '../drift/envelope.ts'
import type { Clock } from '../lib/clock.ts'
import type { Install, Org, Storage } from '../storage/ports.ts'
import type { Accounts } from './accounts.ts'
import { doubted, holdOf, isThere, paused, resumed } from './state.ts'

interface Needs {
  accounts: Accounts
  storage: Pick<Storage, 'audit' | 'lookup'>
  clock: Clock
}

/**
 * `asked`: not resumed, because Drift is being asked whether the account has disconnected. `not_allowed`: not resumed,
 * because the settings do not list it. `gone`: it is not there.
 */
export type Done = { is: 'done'; install: Install } | { is: 'asked' } | { is: 'not_allowed' } | { is: 'gone' }

/** Nothing is sent from now on; what comes in is kept. */
export async function pauseAccount(needs: Needs, org: Org, who: string): Promise<Done> {
  return change(needs, org, paused, { who, what: 'paused' })
}

/** What waits is sent at once. */
export async function resumeAccount(needs: Needs, org: Org, who: string): Promise<Done> {
  const note = { who, what: 'resumed' }
  const known = needs.accounts.get(org)
  if (known && holdOf(known) === 'not_allowed') return { is: 'not_allowed' }
  const done = await change(needs, org, resumed, note)
  if (done.is !== 'asked' || (await isStillAsked(needs.storage, org))) return done
  // The webhook is not there any more, so Drift would never be asked: only this person can say.
  return change(needs, org, (install) => resumed(doubted(install) ?? install), note)
}

/** Whether Drift has said that the account disconnected, and has not answered yet whether it has. */
export async function isStillAsked({ lookup }: Pick<Storage, 'lookup'>, org: Org): Promise<boolean> {
  const { entries } = await lookup.find({ org, type: disconnectType, states: ['asking'] }, { limit: 1 })
  return entries.length > 0
}

async function change(
  { accounts, storage, clock }: Needs,
  org: Org,
  edit: (install: Install) => Install | undefined,
  { who, what }: { who: string; what: string },
): Promise<Done> {
  const at = clock.now()
  let isChanged = false
  const install = await accounts.change(org, at, (stored) => {
    const edited = edit(stored)
    isChanged = edited !== undefined
    return edited
  })
  if (!install || !isThere(install)) return { is: 'gone' }
  if (!isChanged) return { is: 'asked' }
  await storage.audit.add({ at, org, who, what })
  return { is: 'done', install }
}
