/** One person's events, gone: bodies, what waits, and whose conversations they were. */

import type { Storage } from '../storage/ports.ts'
import { findAll } from './inspect.ts'

export interface Erased {
  entries: number
  conversations: number
}

/** `dryRun` changes nothing and says what would go. What Segment has already is not touched. */
export async function erasePerson(
  { lookup, inbox, conversations }: Pick<Storage, 'lookup' | 'inbox' | 'conversations'>,
  org: string,
  contact: string,
  dryRun: boolean,
): Promise<Erased> {
  const theirs = await conversations.of(org, contact)
  const ids = new Set<number>()
  const queries = [{ org, contact }, ...theirs.map((conversation) => ({ org, conversation }))]
  for (const query of queries) {
    for await (const page of findAll(lookup, query)) {
      for (const shown of page) if (shown.contact === undefined || shown.contact === contact) ids.add(shown.id)
    }
  }
  if (dryRun) return { entries: ids.size, conversations: theirs.length }
  const all = [...ids]
  let entries = 0
  // In steps that keep a transaction short.
  for (let at = 0; at < all.length; at += 500) entries += await inbox.take(org, all.slice(at, at + 500))
  await conversations.forget(org, contact)
  return { entries, conversations: theirs.length }
}
