/** IAB TCF 2: the CMP API, "addEventListener", of the IAB Tech Lab. */
import { type ConsentPage, openSaying } from './say.ts'

interface TcData {
  gdprApplies?: boolean
  eventStatus?: string
  purpose?: { consents?: Record<string, boolean> }
  vendor?: { consents?: Record<string, boolean> }
}

interface TcfPage extends ConsentPage {
  __tcfapi?(command: string, version: 2, callback: (data: TcData | null, success: boolean) => void): void
}

export interface TcfOptions {
  /** Purposes that must all be consented to. Default: 1 (store) and 8 (measure content). */
  purposes?: string | readonly number[]
  /** A vendor that must be consented to as well, by its number. */
  vendor?: string | number
}

const lookMs = 200

/** Follows what the visitor chooses there; where GDPR does not apply it counts as granted. */
export function followTcf({ purposes = [1, 8], vendor }: TcfOptions = {}, page = globalThis as never): void {
  const window: TcfPage = page
  const say = openSaying(window)
  const wanted = typeof purposes === 'string' ? purposes.split(/[\s,]+/) : purposes
  const listen = () => {
    // A CMP puts its stub there first; where none is, it may be loaded later.
    if (!window.__tcfapi) return void window.setTimeout(listen, lookMs)
    window.__tcfapi('addEventListener', 2, (data, success) => {
      if (!success || !data) return
      if (data.gdprApplies === false) return say('granted')
      if (data.eventStatus !== 'tcloaded' && data.eventStatus !== 'useractioncomplete') return
      const isGiven =
        wanted.every((purpose) => data.purpose?.consents?.[purpose]) && (!vendor || data.vendor?.consents?.[vendor])
      say(isGiven ? 'granted' : 'denied')
    })
  }
  say('pending')
  listen()
}
