/**
 * An account's grant at Drift: the access token for those that ask Drift, and its refresh in time.
 *
 * A refresh kills the old pair at once, so there is one at a time for an account, and the new pair is stored before
 * it is used. A grant that is not used is refreshed all the same: Drift lets refresh tokens die after 14 idle days.
 */
import { type App, judgeTokens, refreshRequest, type Tokens } from '../drift/oauth.ts'
import { type Clock, pause, skewMsMax } from '../lib/clock.ts'
import { type Random, systemRandom, timeOrderedId } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import type { Install, Installs } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import { isUnreadable, type Keyring } from './keyring.ts'
import { grantDied, grantRenewed } from './state.ts'

/** Drift forgets a grant that is not used for 14 days: it is renewed at least every three days, also when idle. */
const keepAliveMs = 2.5 * 24 * 3_600_000
/** A token this close to its end is refreshed first, so that it does not die on the way. */
const marginMs = 60_000
/** Time enough for another process to store the pair that made ours invalid. */
const rereadMs = 1_000
/** Longer than an exchange with Drift and its commit may take: a process that dies with the reservation lets go then. */
const exchangeMsMax = 20_000
const waitMsMax = 30_000
const lookAgainMs = 50
/** An idle grant that could not be refreshed has days left: it is not asked for again and again. */
const keepAliveRestMs = 10 * 60_000

export interface Grant {
  accessToken: string
  /** None: a private token of Drift's, which lives until it is revoked. */
  refreshToken?: string
  /** Renewed from then on; none: until Drift refuses it. */
  expiresAt?: number
  /** What Drift lets it do; they are bound to the grant and stay the same when it is refreshed. */
  scopes?: string[]
}

export type Access =
  | { is: 'token'; token: string }
  /** Drift itself refuses to renew it. */
  | { is: 'dead' }
  /** There is none, or nothing that Drift could renew: a private token has no refresh token. */
  | { is: 'unrenewable' }
  | { is: 'later'; reason: string }

export interface Grants {
  access(org: Org): Promise<Access>
  /** Called when Drift did not accept this token; gives a newer one if there can be one. */
  renewed(org: Org, refusedToken: string): Promise<Access>
  /**
   * The same where the answer need not be about the token: a new one is worth a try, but not another after that.
   * Undefined when this token has come of such a try.
   */
  renewedOnce(org: Org, refusedToken: string): Promise<Access | undefined>
  /** Refreshes every grant that is due; resolves to how many were. */
  keepAlive(): Promise<number>
  /** Ends every wait for another process's refresh: those who wait are answered `later`, and no grant is called dead. */
  stop(): void
}

interface Needs {
  installs: Installs
  accounts: Accounts
  keyring: Keyring
  send: Send
  clock: Clock
  apiUrl: string
  app: App | undefined
  random?: Random
}

export function grantOf({ accessToken, refreshToken, expiresInMs }: Tokens, now: number): Grant {
  return {
    accessToken,
    ...(refreshToken ? { refreshToken } : {}),
    ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }),
  }
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
  const { installs, accounts, keyring, send, clock, apiUrl, app, random = systemRandom } = needs
  const underWay = new Map<Org, Promise<Access>>()
  /** By the monotonic clock. */
  const restUntil = new Map<Org, number>()
  const tried = new Map<Org, string>()
  const stopping = new AbortController()
  const isRefreshing = { is: 'later', reason: 'grant_refreshing' } as const

  async function access(org: Org): Promise<Access> {
    const grant = await stored(org)
    if (!grant) return { is: 'unrenewable' }
    const isOld = grant.expiresAt !== undefined && clock.now() >= grant.expiresAt - marginMs
    // What cannot be renewed is good until Drift says otherwise: our clock ends nothing.
    if (isOld && isRenewable(grant)) return refreshOnce(org, grant.accessToken)
    return { is: 'token', token: grant.accessToken }
  }

  function isRenewable({ refreshToken }: Grant): boolean {
    return refreshToken !== undefined && app !== undefined
  }

  async function renewed(org: Org, refusedToken: string): Promise<Access> {
    return refreshOnce(org, refusedToken)
  }

  async function renewedOnce(org: Org, refusedToken: string): Promise<Access | undefined> {
    if (tried.get(org) === refusedToken) return undefined
    const access = await refreshOnce(org, refusedToken)
    if (access.is === 'token') tried.set(org, access.token)
    return access
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

  /** In whichever process: who comes second finds the pair that the first has stored. */
  async function refresh(org: Org, oldToken: string): Promise<Access> {
    const giveUpAt = clock.monotonic() + waitMsMax
    for (;;) {
      const reservation = { org, holder: timeOrderedId(random, clock.now()), until: clock.now() + exchangeMsMax }
      if (await installs.reserve(reservation, clock.now())) {
        return refreshAlone(org, oldToken).finally(() => installs.release(reservation).catch(() => {}))
      }
      const grant = await stored(org)
      if (!grant) return { is: 'unrenewable' }
      if (grant.accessToken !== oldToken) return { is: 'token', token: grant.accessToken }
      if (stopping.signal.aborted || clock.monotonic() >= giveUpAt) return isRefreshing
      await pause(clock, lookAgainMs, stopping.signal)
    }
  }

  async function refreshAlone(org: Org, oldToken: string): Promise<Access> {
    const install = await installs.get(org)
    const before = install && (await openGrant(keyring, install))
    if (!install || !before) return { is: 'unrenewable' }
    if (before.accessToken !== oldToken) return { is: 'token', token: before.accessToken }
    if (!before.refreshToken || !app) return { is: 'unrenewable' }
    const answer = judgeTokens(await send(refreshRequest(apiUrl, app, before.refreshToken)))
    if (answer.is === 'later') return answer
    if (answer.is === 'refused') return refused(install, oldToken)
    const { orgId } = answer.tokens
    // Another account's pair must not be used for this one, however it came here.
    if (orgId !== undefined && orgId !== org) return { is: 'later', reason: 'drift_other_account' }
    return granted(install, before, answer.tokens)
  }

  /** Stores the pair, unless the account was installed again or has left since: then what the store has is newer. */
  async function granted(install: Install, before: Grant, tokens: Tokens): Promise<Access> {
    const { org } = install
    const now = clock.now()
    const { expiresAt: _, ...kept } = before
    const grant: Grant = { ...kept, ...grantOf(tokens, now) }
    const fields = await grantFields(keyring, org, grant, now)
    await accounts.change(org, now, (stored) =>
      hasGrantOf(stored, install) ? grantRenewed({ ...stored, ...fields }) : undefined,
    )
    const after = await stored(org)
    return after ? { is: 'token', token: after.accessToken } : { is: 'unrenewable' }
  }

  /** Another process may have refreshed with the same token a moment ago: then the store has, or gets, the newer pair. */
  async function refused(install: Install, oldToken: string): Promise<Access> {
    const { org } = install
    for (let tries = 0; tries < 2; tries++) {
      if (tries > 0) await pause(clock, rereadMs, stopping.signal)
      const after = await stored(org)
      if (after && after.accessToken !== oldToken) return { is: 'token', token: after.accessToken }
    }
    if (stopping.signal.aborted) return isRefreshing
    await accounts.change(org, clock.now(), (stored) => (hasGrantOf(stored, install) ? grantDied(stored) : undefined))
    return { is: 'dead' }
  }

  async function keepAlive(): Promise<number> {
    const [now, uptimeMs] = [clock.now(), clock.monotonic()]
    // Further ahead than it is ever set: a clock that has been set back since wrote that.
    const isDue = (refreshAt: number) => refreshAt <= now || refreshAt > now + keepAliveMs + skewMsMax
    const rests = (org: Org) => (restUntil.get(org) ?? uptimeMs) > uptimeMs
    const due = (await installs.list()).filter(
      ({ org, refreshAt, state }) =>
        refreshAt !== undefined && isDue(refreshAt) && state !== 'disconnected' && !rests(org),
    )
    for (const install of due) {
      const kept = await keptAlive(install).catch((error: unknown) => {
        // The stored bytes were changed: that blocks this account, and the grants of all others must still be kept alive.
        if (isUnreadable(error)) return undefined
        throw error
      })
      if (kept?.is === 'token') restUntil.delete(install.org)
      else restUntil.set(install.org, uptimeMs + keepAliveRestMs)
    }
    return due.length
  }

  async function keptAlive(install: Install): Promise<Access | undefined> {
    const grant = await openGrant(keyring, install)
    return grant && refreshOnce(install.org, grant.accessToken)
  }

  return { access, renewed, renewedOnce, keepAlive, stop: () => stopping.abort() }
}

function hasGrantOf(stored: Install, before: Install): boolean {
  if (stored.state === 'disconnected' || !stored.grant || !before.grant) return false
  return Buffer.compare(stored.grant, before.grant) === 0
}
