/** What the pages for browsers are handed. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Disconnect } from '../accounts/disconnect.ts'
import type { Keyring } from '../accounts/keyring.ts'
import type { RecipientNeeds } from '../alerts/recipients.ts'
import type { Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Storage } from '../storage/ports/storage.ts'
import type { BodyBudget } from './http/body-budget.ts'
import type { KeptTest } from './kept-test.ts'
import type { ReturnPath } from './return-path.ts'
import type { Sessions } from './session.ts'

export interface AppNeeds {
  config: Config
  /** Known once the service listens. */
  publicUrl(): string
  storage: Storage
  keyring: Keyring
  accounts: Accounts
  disconnect: Disconnect
  /** Looks at the lanes now: something was queued. */
  wake(): void
  /** The service is about to stop: what is still being sent to browsers ends. */
  closing: AbortSignal
  send: Send
  /** `canMail`: the settings name a mail server. `wake`: a message was stored. */
  alerts: Pick<RecipientNeeds, 'canMail' | 'unsafeAllowLoopback'> & { wake(): void }
  strangers: BodyBudget
  clock: Clock
  random: Random
  log: Log
}

export interface ConsoleNeeds extends AppNeeds {
  sessions: Sessions
  returnPath: ReturnPath
  keptTest: KeptTest
}

/** Whether an admin can connect this account in the browser: there is a Drift app, and the settings do not give its grant. */
export function connectsHere({ oauth, single }: Config, org: Org): boolean {
  return oauth !== undefined && single?.org !== org
}
