/** Cookiebot: https://www.cookiebot.com/en/developer/ */
import { type ConsentPage, openSaying } from './say.ts'

interface CookiebotPage extends ConsentPage {
  Cookiebot?: { consent?: Record<string, unknown>; hasResponse?: boolean }
}

export interface CookiebotOptions {
  /** The category that allows it: statistics, the default, marketing or preferences. */
  category?: string
}

/** Follows what the visitor chooses there. */
export function followCookiebot({ category = 'statistics' }: CookiebotOptions = {}, page = globalThis as never): void {
  const window: CookiebotPage = page
  const say = openSaying(window)
  const read = () => {
    const { Cookiebot } = window
    if (!Cookiebot?.hasResponse) return say('pending')
    say(Cookiebot.consent?.[category] === true ? 'granted' : 'denied')
  }
  for (const event of ['ConsentReady', 'Accept', 'Decline']) window.addEventListener(`CookiebotOn${event}`, read)
  read()
}
