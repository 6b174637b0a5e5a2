/** Texts of events that were taken away, cut out of the bodies that they share with others. */
import { isUnreadable, type Keyring } from '../accounts/keyring.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/errors.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Inbox } from '../storage/ports/inbox.ts'
import { sealRest } from './texts.ts'

export interface TrimNeeds {
  inbox: Pick<Inbox, 'marked' | 'rewrite' | 'drop'>
  keyring: Keyring
  clock: Pick<Clock, 'now'>
}

/** Bodies in memory at once: up to a quarter of a megabyte each. */
const atOnce = 20

/** Resolves when no body, of this account where one is named, has a text of an event that was taken away before. */
export async function trimBodies({ inbox, keyring, clock }: TrimNeeds, org?: Org): Promise<void> {
  for (;;) {
    const bodies = await inbox.marked(atOnce, org)
    if (bodies.length === 0) return
    for (const body of bodies) {
      try {
        // One that was marked again meanwhile comes again.
        await inbox.rewrite(body, await sealRest(keyring, body, body.positions))
      } catch (error) {
        if (!isUnreadable(error)) throw error
        await inbox.drop(body, { reason: codeOf(error), now: clock.now() })
      }
    }
  }
}
