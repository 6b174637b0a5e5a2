/** How an account leaves: everything secret and every body goes at once, the counts stay. */
import { type App, judgeTokenInfo, judgeUninstall, tokenInfoRequest, uninstallRequest } from '../drift/oauth.ts'
import type { Clock } from '../lib/clock.ts'
import type { Send } from '../lib/request.ts'
import type { Audit, Inbox, Install, Org, Tickets } from '../storage/ports.ts'
import type { Grants } from './grant.ts'
import type { Keyring } from './keyring.ts'
import { leaving, type Roster } from './roster.ts'

export interface Disconnect {
  /**
   * Drift said that the account disconnected. Whoever knows the webhook token can say so, so sending pauses and Drift
   * is asked whether the grant still lives before anything is erased.
   */
  confirm(org: Org): Promise<'disconnected' | 'still_connected' | 'later'>
  /** Whatever may still be there of an account that has left; true when it had not left before. */
  erase(org: Org): Promise<boolean>
  /**
   * Somebody wants the account to be gone: Drift is told that its grant ends, and everything is erased, whether Drift
   * answered or not. Doing it twice changes nothing. Resolves to what Drift must still be told by hand, in its settings.
   */
  leave(org: Org, who: string): Promise<{ is: 'revoked' } | { is: 'unrevoked'; reason: string }>
}

interface Needs {
  roster: Roster
  grants: Grants
  keyring: Keyring
  inbox: Inbox
  tickets: Tickets
  audit: Audit
  send: Send
  clock: Clock
  apiUrl: string
  app: App | undefined
}

/** Whose deed it is when nobody here did it. */
const drift = 'Drift'

export function disconnecting(needs: Needs): Disconnect {
  const { roster, grants, keyring, inbox, tickets, audit, send, clock, apiUrl, app } = needs
  const note = (org: Org, who: string, what: string) => audit.add({ at: clock.now(), org, who, what })

  async function isAlive(org: Org): Promise<boolean | 'later'> {
    const access = await grants.access(org)
    if (access.is !== 'token') return access.is === 'later' ? 'later' : false
    const info = judgeTokenInfo(await send(tokenInfoRequest(apiUrl, access.token)))
    if (info.is === 'later' || info.is === 'unnamed') return 'later'
    if (info.is === 'valid') return info.orgId === org
    // Drift gives no new pair to somebody who has left, so a pair that it gives is an answer too.
    const renewed = await grants.renewed(org, access.token)
    return renewed.is === 'later' ? 'later' : renewed.is === 'token'
  }

  async function erase(org: Org): Promise<boolean> {
    const isNew = await markGone(org, () => true)
    await eraseRest(org)
    return isNew
  }

  async function markGone(org: Org, isMeant: (install: Install) => boolean): Promise<boolean> {
    let isNew = false
    await roster.change(org, clock.now(), (stored) => {
      isNew = stored.generation > 0 && stored.state !== 'disconnected' && isMeant(stored)
      const { grant: _g, writeKey: _w, refreshAt: _r, reason: _why, ...install } = stored
      return isNew ? { ...install, state: 'disconnected' } : undefined
    })
    return isNew
  }

  async function eraseRest(org: Org): Promise<void> {
    await keyring.forget(org)
    // Whoever is signed in proved to be an admin of an account that is no more.
    for (const kind of ['session', 'link'] as const) await tickets.revoke(kind, org)
    while ((await inbox.erase(org)) > 0);
  }

  /** The install says so, and not its lane alone, so that it is still so after a restart. */
  async function pauseSending(org: Org): Promise<void> {
    await roster.change(org, clock.now(), (stored) => {
      const isThere = stored.generation > 0 && stored.state !== 'disconnected'
      return isThere && stored.reason !== leaving ? { ...stored, reason: leaving } : undefined
    })
  }

  /** What troubled the account before, if anything, is found again by sending: an install has one reason only. */
  async function goOn(org: Org): Promise<void> {
    await roster.change(org, clock.now(), ({ reason: _, ...stored }) => ({
      ...stored,
      state: stored.state === 'needs_attention' ? 'live' : stored.state,
    }))
  }

  async function revoke(org: Org): Promise<{ is: 'revoked' } | { is: 'unrevoked'; reason: string }> {
    let access = await grants.access(org)
    for (let tries = 0; ; tries++) {
      if (access.is === 'dead') return { is: 'revoked' }
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
      const revoked = await revoke(org)
      if (await erase(org))
        await note(org, who, revoked.is === 'revoked' ? 'disconnected' : 'disconnected; Drift could not be told')
      return revoked
    },
    async confirm(org) {
      await pauseSending(org)
      const judged = roster.get(org)?.grant
      const alive = await isAlive(org)
      if (alive === 'later') return 'later'
      if (alive) {
        await goOn(org)
        await note(org, drift, 'said that the account disconnected, but its grant lives: sending goes on')
        return 'still_connected'
      }
      const isGone = (roster.get(org)?.state ?? 'disconnected') === 'disconnected'
      // Connected anew while Drift was asked: that grant must be asked about, not the one that is dead.
      if (!isGone && !(await markGone(org, ({ grant }) => isSameGrant(grant, judged)))) return 'later'
      await eraseRest(org)
      if (!isGone) await note(org, drift, 'disconnected the account')
      return 'disconnected'
    },
  }
}

function isSameGrant(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one && other ? Buffer.compare(one, other) === 0 : one === other
}
