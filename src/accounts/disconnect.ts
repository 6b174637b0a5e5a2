/** How an account leaves: everything secret and every body goes at once, the counts stay. */
import { type App, judgeTokenInfo, judgeUninstall, tokenInfoRequest, uninstallRequest } from '../drift/oauth.ts'
import type { Clock } from '../lib/clock.ts'
import type { Send } from '../lib/request.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { Alerts } from '../storage/ports/alerts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Inbox } from '../storage/ports/inbox.ts'
import type { Tickets } from '../storage/ports/sessions.ts'
import type { Accounts } from './accounts.ts'
import type { Act } from './audit.ts'
import type { Access, Grants } from './grant.ts'
import { isUnreadable, type Keyring } from './keyring.ts'
import { endSessions } from './sign-out.ts'
import { confirmed, doubted, gone, leaving, questioned, unproven } from './state.ts'

export interface Disconnect {
  /**
   * Drift said that the account disconnected, at `saidAt`. Any sender who knows the webhook token can say so: sending
   * pauses, and nothing is erased before Drift itself has said no twice, of the token and of its renewal. Where it can
   * say no only once (`unproven`: a private token, no app, no grant), or has said nothing clear for a day, a person
   * decides: they resume the account or disconnect it.
   */
  confirm(org: Org, saidAt: number): Promise<'disconnected' | 'still_connected' | 'unproven' | 'later'>
  /** Whatever may still be there of an account that has left. */
  erase(org: Org): Promise<void>
  /**
   * A person disconnects the account: Drift is asked to end its grant, and everything is erased, whatever Drift answers.
   * Doing it twice changes nothing.
   */
  leave(org: Org, who: string): Promise<Left>
}

/**
 * What became of the grant at Drift. `no_grant`: none was kept here, so nothing was ended there. `unrevoked`: Drift has
 * not confirmed that it has ended, and it must be ended by hand, in Drift's settings.
 */
export type Left = { is: 'revoked' } | { is: 'no_grant' } | { is: 'unrevoked'; reason: string }

const leftActs: Readonly<Record<Left['is'], Act>> = {
  revoked: 'disconnected',
  no_grant: 'disconnectedNoGrant',
  unrevoked: 'disconnectedUnrevoked',
}

interface Needs {
  accounts: Accounts
  grants: Grants
  keyring: Keyring
  inbox: Inbox
  tickets: Tickets
  alerts: Pick<Alerts, 'erase'>
  /**
   * Tells those who are alerted that Drift has disconnected the account, before anything of it is erased. `stopped`: the
   * service stops before they have it.
   */
  farewell?(org: Org, saidAt: number): Promise<'done' | 'stopped'>
  send: Send
  clock: Clock
  apiUrl: string
  app: App | undefined
}

/** Who acted, in the audit, where Drift itself said so. */
const drift = 'Drift'

/** After so long without a clear answer, a person decides. */
const patienceMs = 24 * 3_600_000

export function disconnecting(needs: Needs): Disconnect {
  const { accounts, grants, keyring, inbox, tickets, alerts, send, clock, apiUrl, app } = needs

  /** What Drift says of the account's grant. */
  async function ask(org: Org): Promise<'alive' | 'dead' | 'unproven' | 'later'> {
    const access = await accessOf(org)
    if (access.is === 'unrenewable' || access.is === 'unreadable') return 'unproven'
    if (access.is !== 'token') return access.is
    const info = judgeTokenInfo(await send(tokenInfoRequest(apiUrl, access.token)))
    // A token of another account says nothing of this one.
    if (info.is === 'valid') return info.orgId === org ? 'alive' : 'unproven'
    if (info.is === 'later' || info.is === 'unnamed') return 'later'
    // Drift renews no grant of an account that has left, so a new pair is an answer too.
    const renewed = await grants.renewed(org, access.token)
    if (renewed.is === 'token') return 'alive'
    if (info.is === 'unclear') return 'later'
    return renewed.is === 'unrenewable' ? 'unproven' : renewed.is
  }

  /** Whether `edit` has changed it; `act` stands in its audit then. */
  async function changed(
    org: Org,
    edit: (install: Install) => Install | undefined,
    who: string,
    act: Act,
  ): Promise<boolean> {
    let isChanged = false
    let isGone = false
    const noted = (stored: Install) => {
      const edited = edit(stored)
      isChanged = edited !== undefined
      isGone = edited?.state === 'disconnected'
      return edited
    }
    await accounts.change(org, clock.now(), noted, {
      audit: () => ({ who, act }),
      // In one transaction: an account that is connected again from then on gets a new key.
      // mutant: keeps the data key of an account that has left
      forgets: async () => (isGone ? keyring.namesOf(org) : []),
    })
    return isChanged
  }

  async function erase(org: Org): Promise<void> {
    await keyring.reload()
    // Sessions prove who is an admin of an account that has left.
    await endSessions(tickets, org)
    // mutant: keeps the addresses that alerts of an account went to that has left
    await alerts.erase(org)
    while ((await inbox.erase(org)) > 0);
  }

  /** `unreadable`: there is a grant, but it does not open, since its bytes were changed. */
  async function accessOf(org: Org): Promise<Access | { is: 'unreadable' }> {
    return grants.access(org).catch((error: unknown) => {
      if (isUnreadable(error)) return { is: 'unreadable' }
      throw error
    })
  }

  async function revoke(org: Org): Promise<Left> {
    const first = await accessOf(org)
    if (first.is === 'unrenewable') return { is: 'no_grant' }
    if (first.is === 'unreadable') return { is: 'unrevoked', reason: 'sealed_unreadable' }
    let access: Access = first
    for (let tries = 0; ; tries++) {
      // Drift has refused a token that nothing renews: it has ended.
      if (access.is === 'dead' || access.is === 'unrenewable') return { is: 'revoked' }
      if (access.is === 'later') return { is: 'unrevoked', reason: access.reason }
      if (!app) return { is: 'unrevoked', reason: 'the settings name no Drift app' }
      const answer = judgeUninstall(await send(uninstallRequest(apiUrl, app, access.token)))
      if (answer.is === 'gone') return { is: 'revoked' }
      if (answer.is === 'later' || tries > 0) return { is: 'unrevoked', reason: answer.reason }
      // The access token may have run out, and the grant live on.
      access = await grants.renewed(org, access.token)
    }
  }

  return {
    erase,
    async leave(org, who) {
      const left = await revoke(org)
      await changed(org, gone, who, leftActs[left.is])
      await erase(org)
      return left
    },
    async confirm(org, saidAt) {
      // The install says so, and not its lane alone, so that it is still so after a restart.
      await changed(org, questioned, drift, 'driftAsked')
      const judged = accounts.get(org)
      if (!judged || judged.state === 'disconnected') {
        await erase(org)
        return 'disconnected'
      }
      // Connected again while Drift was asked: that grant must be asked about, not the one before.
      const isMeant = ({ grant, reason }: Install) => reason === leaving && isSameGrant(grant, judged.grant)
      const answer = await ask(org)
      if (answer === 'dead') {
        // Its recipients go with it. A failure of this does not keep the account.
        const farewell = await needs.farewell?.(org, saidAt).catch(() => 'done')
        if (farewell === 'stopped') return 'later'
        const left = (stored: Install) => (isMeant(stored) ? gone(stored) : undefined)
        if (!(await changed(org, left, drift, 'driftConfirmed'))) return 'later'
        await erase(org)
        return 'disconnected'
      }
      if (answer === 'alive') {
        await changed(org, confirmed, drift, 'driftDenied')
        return 'still_connected'
      }
      if (answer === 'later' && clock.now() - saidAt < patienceMs) return 'later'
      await changed(org, doubted, drift, answer === 'later' ? 'driftSilent' : 'driftCannotSay')
      return accounts.get(org)?.reason === unproven ? 'unproven' : 'later'
    },
  }
}

function isSameGrant(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one && other ? Buffer.compare(one, other) === 0 : one === other
}
