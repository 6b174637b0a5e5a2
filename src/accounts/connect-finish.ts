/** How an install is finished: the code becomes a grant, Drift says whose it is, and the account has it. */
import {
  type App,
  exchangeRequest,
  judgeTokenInfo,
  judgeTokens,
  judgeUninstall,
  type TokenInfo,
  tokenInfoRequest,
  uninstallRequest,
} from '../drift/oauth.ts'
import type { Clock } from '../lib/clock.ts'
import type { Send } from '../lib/request.ts'
import type { Install, Vault } from '../storage/ports/accounts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Accounts } from './accounts.ts'
import { grantFields, grantOf } from './grant.ts'
import type { Keyring } from './keyring.ts'
import { connected, isThere } from './state.ts'

/**
 * `code`: Drift does not know the code. `client`: it does not know our app. `grant`: it does not know the token that it
 * has just given. `account`: it does not say, or contradicts itself, whose it is. `stranger`: it is another app's.
 * `not_allowed`: the settings list the accounts that may connect, and not this one; its grant was ended at Drift.
 * `not_ended`: the same, but Drift did not say that the grant has ended. `not_allowed_any_more`: the same of an account
 * that is installed here.
 */
export type Unfinished =
  | 'code'
  | 'client'
  | 'grant'
  | 'account'
  | 'stranger'
  | 'not_allowed'
  | 'not_ended'
  | 'not_allowed_any_more'
  | 'unavailable'

export type Finished =
  | { is: 'installed'; org: Org; isNew: boolean }
  /** Nothing was stored. */
  | { is: 'unfinished'; why: Unfinished; reason?: string }

interface Needs {
  accounts: Accounts
  keyring: Keyring
  vault: Vault
  send: Send
  clock: Clock
  apiUrl: string
  app: App
  /** The account of single-account mode: the settings give its grant, here it only proves itself. */
  single: Org | undefined
  /** The accounts that may connect; undefined: any. */
  orgsAllowed?: ReadonlySet<Org> | undefined
}

/** Who acted, in the audit: Drift lets only its admins allow the app. */
export const driftAdmin = 'Drift admin'

/** The browser waits meanwhile, and it cannot be tried again later: nothing of the grant is kept. */
const endingTries = 2

export type Finish = (code: string) => Promise<Finished>

export function finishing(needs: Needs): Finish {
  const { accounts, keyring, vault, send, clock, apiUrl, app, single, orgsAllowed } = needs
  return async (code) => {
    const answer = judgeTokens(await send(exchangeRequest(apiUrl, app, code)))
    if (answer.is === 'refused') return unfinished('code', answer.reason)
    if (answer.is === 'later')
      return unfinished(answer.reason === 'drift_invalid_client' ? 'client' : 'unavailable', answer.reason)
    const { tokens } = answer
    const info = judgeTokenInfo(await send(tokenInfoRequest(apiUrl, tokens.accessToken)))
    if (info.is === 'invalid') return unfinished('grant')
    if (info.is === 'later' || info.is === 'unclear') return unfinished('unavailable', info.reason)
    if (info.is === 'unnamed') return unfinished('account')
    const { orgId: org, scopes } = info
    if (tokens.orgId !== undefined && tokens.orgId !== org) return unfinished('account')
    if (orgsAllowed && !orgsAllowed.has(org)) return notAllowed(org, tokens.accessToken)
    if (!(await isOurs(info))) return unfinished('stranger')
    if (org === single) return { is: 'installed', org, isNew: false }
    const now = clock.now()
    const grant = { ...grantOf(tokens, now), ...(scopes ? { scopes } : {}) }
    let isNew = false
    const edit = async (stored: Install) => {
      isNew = !isThere(stored)
      // Its key may have been forgotten, also a moment ago by another process.
      await keyring.reload()
      return connected({ ...stored, ...(await grantFields(keyring, org, grant, now)) })
    }
    await accounts.change(org, now, edit, {
      audit: () => ({ who: driftAdmin, act: isNew ? 'connected' : 'reconnected' }),
    })
    return { is: 'installed', org, isNew }
  }

  async function notAllowed(org: Org, accessToken: string): Promise<Finished> {
    // It may have been installed through another process a moment ago.
    await accounts.reload(clock.now(), org)
    const install = accounts.get(org)
    // Drift ends all grants of an account at once, and then says that it disconnected: what is kept of it would be erased.
    if (install && isThere(install)) return unfinished('not_allowed_any_more')
    for (let tries = 1; ; tries++) {
      const ended = judgeUninstall(await send(uninstallRequest(apiUrl, app, accessToken)))
      if (ended.is === 'gone') return unfinished('not_allowed')
      if (tries === endingTries) return unfinished('not_ended', ended.reason)
    }
  }

  /**
   * Drift calls it the app's id and does not say whether that is the client id. So whatever it says at the first install
   * is kept, and every later one must say the same.
   */
  async function isOurs({ app: said }: Extract<TokenInfo, { is: 'valid' }>): Promise<boolean> {
    if (said === undefined) return true
    const kept = await vault.create(`drift-app/${app.clientId}`, Buffer.from(said))
    return said === app.clientId || said === Buffer.from(kept).toString()
  }
}

function unfinished(why: Unfinished, reason?: string): Finished {
  return { is: 'unfinished', why, ...(reason === undefined ? {} : { reason }) }
}
