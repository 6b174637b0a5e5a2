/**
 * An account's grant at Drift: the access token for whoever must ask, and its refresh in time.
 *
 * A refresh kills the old pair at once, so there is one at a time for an account, and the new pair is stored before
 * anybody uses it. A grant nobody uses is refreshed all the same: Drift lets refresh tokens die after 14 idle days.
 */
import { type App, judgeTokens, refreshRequest } from '../drift/oauth.ts'
import type { Clock } from '../lib/clock.ts'
import type { Send } from '../lib/request.ts'
import type { Install, Installs, Org } from '../storage/ports.ts'
import type { Keyring } from './keyring.ts'
import type { Roster } from './roster.ts'

/** Contract with Drift's 14 days in mind: at least every three days, also when idle. */
const keepAliveMs = 2.5 * 24 * 3_600_000
/** A token this close to its end is refreshed first, so that it does not die on the way. */
const marginMs = 60_000

export interface Grant {
  accessToken: string
  /** None: a private token of Drift's, which lives until it is revoked. */
  refreshToken?: string
  expiresAt?: number
}

export type Access = { is: 'token'; token: string } | { is: 'dead' } | { is: 'later'; reason: string }

export interface Grants {
  access(org: Org): Promise<Access>
  /** Called when Drift did not accept this token; gives a newer one if there can be one. */
  renewed(org: Org, refusedToken: string): Promise<Access>
  /** Refreshes every grant that is due; resolves to how many were. */
  keepAlive(): Promise<number>
}

interface Needs {
  installs: Installs
  roster: Roster
  keyring: Keyring
  send: Send
  clock: Clock
  apiUrl: string
  app: App | undefined
}

export function sealGrant(keyring: Keyring, org: Org, grant: Grant): Promise<Buffer> {
  return keyring.seal(org, `installs grant ${org}`, JSON.stringify(grant))
}

export async function openGrant(keyring: Keyring, install: Install): Promise<Grant | undefined> {
  if (!install.grant) return undefined
  return JSON.parse((await keyring.open(`installs grant ${install.org}`, install.grant)).toString()) as Grant
}

/** The fields an install takes from a grant; `refreshAt` is when it must be refreshed at the latest. */
export async function grantFields(keyring: Keyring, org: Org, grant: Grant, now: number): Promise<Partial<Install>> {
  const sealed = await sealGrant(keyring, org, grant)
  return { grant: sealed, ...(grant.refreshToken ? { refreshAt: now + keepAliveMs } : {}) }
}

export function openGrants(needs: Needs): Grants {
  const { installs, roster, keyring, send, clock, apiUrl, app } = needs
  const underWay = new Map<Org, Promise<Access>>()

  async function access(org: Org): Promise<Access> {
    const grant = await stored(org)
    if (!grant) return { is: 'dead' }
    const fresh = grant.expiresAt === undefined || clock.now() < grant.expiresAt - marginMs
    return fresh ? { is: 'token', token: grant.accessToken } : refreshOnce(org, grant.accessToken)
  }

  async function renewed(org: Org, refusedToken: string): Promise<Access> {
    return refreshOnce(org, refusedToken)
  }

  async function stored(org: Org): Promise<Grant | undefined> {
    const install = await installs.get(org)
    return install && openGrant(keyring, install)
  }

  function refreshOnce(org: Org, oldToken: string): Promise<Access> {
    const already = underWay.get(org)
    if (already !== undefined) return already
    const refreshing = refresh(org, oldToken).finally(() => underWay.delete(org))
    underWay.set(org, refreshing)
    return refreshing
  }

  async function refresh(org: Org, oldToken: string): Promise<Access> {
    const before = await stored(org)
    if (!before) return { is: 'dead' }
    if (before.accessToken !== oldToken) return { is: 'token', token: before.accessToken }
    if (!before.refreshToken || !app) return { is: 'dead' }
    const answer = judgeTokens(await send(refreshRequest(apiUrl, app, before.refreshToken)))
    if (answer.is === 'later') return answer
    const now = clock.now()
    if (answer.is === 'refused') {
      // Another process may have refreshed with the same token a moment ago: then the store has the newer pair.
      const after = await stored(org)
      if (after && after.accessToken !== oldToken) return { is: 'token', token: after.accessToken }
      await roster.change(org, now, (install) =>
        install.state === 'disconnected'
          ? undefined
          : withoutRefresh({ ...install, state: 'needs_attention', reason: 'grant_dead' }),
      )
      return { is: 'dead' }
    }
    const { accessToken, refreshToken, expiresInMs } = answer.tokens
    const grant: Grant = {
      accessToken,
      refreshToken: refreshToken ?? before.refreshToken,
      expiresAt: now + expiresInMs,
    }
    const fields = await grantFields(keyring, org, grant, now)
    await roster.change(org, now, (install) =>
      install.state === 'disconnected' ? undefined : { ...install, ...fields },
    )
    return { is: 'token', token: accessToken }
  }

  async function keepAlive(): Promise<number> {
    const due = (await installs.list()).filter(
      ({ refreshAt, state }) => refreshAt !== undefined && refreshAt <= clock.now() && state !== 'disconnected',
    )
    for (const install of due) {
      const grant = await openGrant(keyring, install)
      if (grant) await refreshOnce(install.org, grant.accessToken)
    }
    return due.length
  }

  return { access, renewed, keepAlive }
}

/** A dead grant is not tried again until the account is installed anew. */
function withoutRefresh(install: Install): Install {
  const { refreshAt: _, ...rest } = install
  return rest
}
