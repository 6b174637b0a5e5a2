/** How an account leaves: everything secret and every body goes at once, the counts stay. */
import { judgeTokenInfo, tokenInfoRequest } from '../drift/oauth.ts'
import type { Clock } from '../lib/clock.ts'
import type { Send } from '../lib/request.ts'
import type { Inbox, Org } from '../storage/ports.ts'
import type { Grants } from './grant.ts'
import type { Keyring } from './keyring.ts'
import { leaving, type Roster } from './roster.ts'

export interface Disconnect {
  /**
   * Drift said that the account disconnected. Whoever knows the webhook token can say so, so sending pauses and Drift
   * is asked whether the grant still lives before anything is erased.
   */
  confirm(org: Org): Promise<'disconnected' | 'still_connected' | 'later'>
  erase(org: Org): Promise<void>
}

interface Needs {
  roster: Roster
  grants: Grants
  keyring: Keyring
  inbox: Inbox
  send: Send
  clock: Clock
  apiUrl: string
}

export function disconnecting({ roster, grants, keyring, inbox, send, clock, apiUrl }: Needs): Disconnect {
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

  async function erase(org: Org): Promise<void> {
    await roster.change(org, clock.now(), ({ grant: _g, writeKey: _w, refreshAt: _r, reason: _why, ...install }) =>
      install.state === 'disconnected' ? undefined : { ...install, state: 'disconnected' },
    )
    await keyring.forget(org)
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

  return {
    erase,
    async confirm(org) {
      await pauseSending(org)
      const alive = await isAlive(org)
      if (alive === 'later') return 'later'
      if (alive) {
        await goOn(org)
        return 'still_connected'
      }
      await erase(org)
      return 'disconnected'
    },
  }
}
