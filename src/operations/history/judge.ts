/** What is to be done with a conversation or a meeting that Drift lists: sent, or passed over, and why. */
import type { Accounts } from '../../accounts/accounts.ts'
import type { Keyring } from '../../accounts/keyring.ts'
import { settingsOf } from '../../accounts/settings.ts'
import type { Listed } from '../../drift/lists.ts'
import type { EventPage } from '../../events/define.ts'
import { naturalKey } from '../../pipeline/natural-key.ts'
import type { Conversations } from '../../storage/ports/accounts.ts'
import type { Org } from '../../storage/ports/entry.ts'
import type { Inbox } from '../../storage/ports/inbox.ts'
import { contactKey, erasedKey } from './keys.ts'

/**
 * `outside`: not of the time that was asked for. `young`: its webhook may still come. `known`: each destination has had it.
 * `erased`: its person was. `switched_off`: the account has switched its type off. `missing`: to be sent.
 */
export type Verdict = 'outside' | 'young' | 'known' | 'erased' | 'switched_off' | 'missing'

export interface Judged {
  listed: Listed
  once: Buffer
  is: Verdict
  /** As far as it is known without a lookup. */
  contactId?: string
  /** Each destination has had the contact's attributes by history. */
  contactKnown: boolean
}

export interface JudgeNeeds {
  inbox: Pick<Inbox, 'occurred' | 'destinations'>
  conversations: Pick<Conversations, 'recall'>
  keyring: Pick<Keyring, 'identity'>
  accounts: Pick<Accounts, 'get'>
}

export interface Window {
  /** Milliseconds since 1970: included, and not. */
  from: number
  to: number
}

/** A backfill passes over what is younger, since its webhook may still come. */
export const youngMs = 3_600_000

export async function judge(
  { inbox, conversations, keyring, accounts }: JudgeNeeds,
  org: Org,
  page: EventPage,
  all: readonly Listed[],
  { window, now }: { window: Window; now: number },
): Promise<Judged[]> {
  const install = accounts.get(org)
  const isOff = install !== undefined && settingsOf(install).offTypes.includes(page.type)
  const numbers = await inbox.destinations(org)
  const unsaid = all.flatMap(({ contactId, conversationId }) => (contactId || !conversationId ? [] : [conversationId]))
  const remembered = unsaid.length > 0 ? await conversations.recall(org, unsaid) : new Map<string, string>()
  const known = all.map((listed) => {
    const { contactId = remembered.get(listed.conversationId ?? '') } = listed
    return { listed, contactId, once: naturalKey(keyring, org, page, listed.data) ?? Buffer.alloc(0) }
  })
  const had = await inbox.occurred(
    org,
    known.flatMap(({ once, contactId }) => [
      once,
      ...(contactId === undefined ? [] : [erasedKey(keyring, org, contactId), contactKey(keyring, org, contactId)]),
    ]),
  )
  const hasAll = (destinations: readonly number[]) =>
    numbers.length > 0 && numbers.every((number) => destinations.includes(number))
  const next = had.values()
  return known.map(({ listed, contactId, once }): Judged => {
    const own = next.next().value!
    const erased = contactId === undefined ? [] : next.next().value!
    const contactHad = contactId === undefined ? [] : next.next().value!
    const is = (): Verdict => {
      if (listed.at < window.from || listed.at >= window.to) return 'outside'
      if (erased.includes(0)) return 'erased'
      if (hasAll(own)) return 'known'
      if (listed.at > now - youngMs) return 'young'
      return isOff ? 'switched_off' : 'missing'
    }
    return { listed, once, is: is(), ...(contactId ? { contactId } : {}), contactKnown: hasAll(contactHad) }
  })
}
