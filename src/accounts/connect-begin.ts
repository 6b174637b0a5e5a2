/**
 * How an install begins: a browser is sent to Drift with a `state` that only this browser can bring back, once, within
 * ten minutes. Nothing is kept for it until it comes back, so a stranger cannot fill the store by beginning.
 */
import { type Clock, skewMsMax } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { digestOf, isSame, newSecret } from '../lib/secret.ts'
import type { Tickets } from '../storage/ports/sessions.ts'
import type { Keyring } from './keyring.ts'

/** Where it began, and so where it leads. */
export type From = 'tile' | 'console'

/** A state that was begun in this browser, and may still be used. */
export interface Begun {
  is: 'valid'
  from: From
  nonce: string
  until: number
}

export interface States {
  /** `browser` is a secret that the browser keeps in a cookie. */
  begin(browser: string, from: From): string
  /** Looks at what came back; costs nothing and keeps nothing, however many strangers come back. */
  judge(state: string, browser: string): Begun | { is: 'foreign' | 'expired' }
  /** Uses it up, for one caller only: false when it was used before. */
  use(begun: Begun): Promise<boolean>
}

const stateMs = 10 * 60_000

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
    judge(state, browser) {
      const [, said, nonce, began, from, mark] =
        /^(([\w-]{43})\.([0-9a-z]{1,11})\.(tile|console))\.([\w-]{22})$/.exec(state) ?? []
      // mutant: takes an OAuth state from any browser
      if (!said || !nonce || !began || !mark || !isSame(mark, markOf(browser, said))) return { is: 'foreign' }
      const [at, now] = [Number.parseInt(began, 36), clock.now()]
      const until = at + stateMs
      // Begun later than now: by a clock that has been set back since, so its age is not known.
      const isOver = until <= now || at > now + skewMsMax
      return isOver ? { is: 'expired' } : { is: 'valid', from: from as From, nonce, until }
    },
    // Used states are remembered until they would have run out. Their number needs no limit, which strangers could
    // exhaust: a browser that uses one has to wait for one of a few exchanges with Drift (see web/connect.ts).
    async use({ nonce, until }) {
      const ticket = { kind: 'state', id: digestOf(nonce), org: '', who: '', at: clock.now(), until } as const
      return (await tickets.issue(ticket)) === 'issued'
    },
  }
}
