/** The account of a stage as Drift has it: its grant and tokens, and what Drift says and does when it leaves. */
import { openGrant } from '../src/accounts/grant.ts'
import { org, type Stage } from './stage.ts'

let said = 0

/** `stage`: the one of the test that runs. */
export function accountAtDrift(stage: () => Stage) {
  const install = async () => (await stage().storage.installs.get(String(org)))!
  return {
    install,
    /** Its grant as the service stores it. */
    stored: async () => (await openGrant(stage().keyring, await install()))!,
    refreshes: () => stage().sims.drift.count('/oauth2/token'),
    isLive: (token: string) => stage().sims.drift.accessTokens.has(token),
    /** What Drift does when an admin removes the app: every token of the account dies, and the service has not noticed. */
    uninstall: () => stage().sims.drift.revokeAll(),
    /** Drift says that the account disconnected. */
    saysSo: () => stage().arrive({ type: 'app_disconnected', orgId: org, data: { said: ++said } }),
  }
}
