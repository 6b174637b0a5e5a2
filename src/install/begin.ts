/**
 * How an install begins: a browser is sent to Drift with a `state` that only this browser can bring back, once, within
 * ten minutes. Nothing is kept for it until it comes back, so that nobody can fill the store by beginning.
 */
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { digestOf, isSame, newSecret } from '../lib/secret.ts'
import type { Tickets } from '../storage/ports.ts'
import type { Keyring } from './keyring.ts'

/** Where it began, and so where it leads. */
export type From = 'tile' | 'console'

export type Redeemed = { is: 'valid'; from: From } | { is: 'foreign' | 'expired' | 'used' | 'busy' }

export interface States {
  /** `browser` is a secret that the browser keeps in a cookie. */
  begin(browser: string, from: From): string
  /** Uses it up, for one caller only. */
  redeem(state: string, browser: string): Promise<Redeemed>
}

const stateMs = 10 * 60_000
/** Redeemed ones are remembered until they would have run out; each has cost its browser a way through here. */
const statesMax = 10_000

interface Needs {
  keyring: Keyring
  tickets: Tickets
  clock: Clock
  random: Random
}

export function openStates({ keyring, tickets, clock, random }: Needs): States {
  const markOf = (browser: string, said: string) =>
    keyring.identity(`oauth state\n${browser}\n${said}`).toString('base64url')

  return {
    begin(browser, from) {
      const said = `${newSecret(random)}.${clock.now().toString(36)}.${from}`
      return `${said}.${markOf(browser, said)}`
    },
    async redeem(state, browser) {
      const [, said, nonce, began, from, mark] =
        /^(([\w-]{43})\.([0-9a-z]{1,11})\.(tile|console))\.([\w-]{22})$/.exec(state) ?? []
      if (!said || !nonce || !began || !mark || !isSame(mark, markOf(browser, said))) return { is: 'foreign' }
      const now = clock.now()
      const until = Number.parseInt(began, 36) + stateMs
      if (until <= now) return { is: 'expired' }
      const ticket = { kind: 'state', id: digestOf(nonce), org: '', who: '', at: now, until } as const
      const issued = await tickets.issue(ticket, statesMax)
      if (issued !== 'issued') return { is: issued === 'there' ? 'used' : 'busy' }
      return { is: 'valid', from: from as From }
    },
  }
}
