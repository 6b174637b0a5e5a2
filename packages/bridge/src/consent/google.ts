/** Google consent mode: https://developers.google.com/tag-platform/security/guides/consent */
import { type ConsentPage, openSaying } from './say.ts'

interface GooglePage extends ConsentPage {
  /** What `gtag` is called with, each call as one entry. */
  dataLayer?: unknown[]
}

export interface GoogleOptions {
  /** The type that allows it. Default: analytics_storage. */
  type?: string
}

/** Follows `gtag('consent', …)`: a default of denied is not yet a no, an update is the visitor's word. */
export function followGoogle({ type = 'analytics_storage' }: GoogleOptions = {}, page = globalThis as never): void {
  const window: GooglePage = page
  const say = openSaying(window)
  const layer = window.dataLayer || []
  window.dataLayer = layer
  let isUpdated = false
  let isDenied = false
  const read = (entry: unknown) => {
    const [command, kind, types] = (entry || []) as [unknown?, unknown?, Record<string, unknown>?]
    const state = command === 'consent' && types?.[type]
    if (state !== 'granted' && state !== 'denied') return
    if (kind === 'update') {
      isUpdated = true
      say(state)
    } else if (!isUpdated) {
      // Defaults differ by region, which only Google knows here: one that is denied counts.
      isDenied = isDenied || state === 'denied'
      say(isDenied ? 'pending' : 'granted')
    }
  }
  say('pending')
  for (const entry of layer) quietly(() => read(entry))
  const push = layer.push
  layer.push = (...entries: unknown[]) => {
    for (const entry of entries) quietly(() => read(entry))
    return push.apply(layer, entries)
  }
}

/** An entry may be anything, such as a function of a tag manager. */
function quietly(call: () => void): void {
  try {
    call()
  } catch {}
}
