/** One person's events, gone: bodies, what waits, whose conversations they were, and jobs that look for them. */

import type { Keyring } from '../accounts/keyring.ts'
import type { Clock } from '../lib/clock.ts'
import type { Shown, Tallied } from '../storage/ports/lookup.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { erasedKey } from './history/keys.ts'
import { findAll } from './inspect.ts'
import { abandonJobsOf } from './jobs.ts'

export interface Erased {
  entries: number
  conversations: number
}

/** `dryRun` changes nothing and says what would go. What Segment has already is not touched. */
export async function erasePerson(
  {
    lookup,
    inbox,
    conversations,
    jobs,
    keyring,
    clock,
  }: Pick<Storage, 'lookup' | 'inbox' | 'conversations' | 'jobs'> & {
    keyring: Pick<Keyring, 'identity'>
    clock: Clock
  },
  org: string,
  contact: string,
  dryRun: boolean,
): Promise<Erased> {
  let entries = 0
  // First: what history reads at Drift from now on is not kept, and what it kept before is found below.
  // mutant: forgets that a person was erased
  if (!dryRun) await inbox.markErased(org, [erasedKey(keyring, org, contact)])
  for (;;) {
    const theirs = await conversations.of(org, contact)
    const ids = await theirIds(lookup, org, contact, theirs)
    if (dryRun) return { entries: ids.length, conversations: theirs.length }
    // mutant: leaves a job that looks for a person who is erased
    await abandonJobsOf({ jobs, clock }, org, new Set([contact, ...theirs]))
    if (ids.length === 0) {
      await conversations.forget(org, contact)
      return { entries, conversations: theirs.length }
    }
    // In steps that keep a transaction short.
    for (let at = 0; at < ids.length; at += 500) entries += await inbox.take(org, ids.slice(at, at + 500))
    // Looked for again: meanwhile Drift may have said of others whose they are, or more of theirs has come in.
  }
}

/** What would go, and in which states that is. */
export async function wouldErase(
  { lookup, conversations }: Pick<Storage, 'lookup' | 'conversations'>,
  org: string,
  contact: string,
): Promise<Erased & { rows: Tallied[] }> {
  const theirs = await conversations.of(org, contact)
  const rows = new Map<string, Tallied>()
  let entries = 0
  for await (const page of theirEntries(lookup, org, contact, theirs)) {
    entries += page.length
    for (const { state, reason } of page) {
      const key = `${state} ${reason}`
      const count = (rows.get(key)?.count ?? 0) + 1
      rows.set(key, { state, ...(reason === undefined ? {} : { reason }), count })
    }
  }
  return { entries, conversations: theirs.length, rows: [...rows.values()] }
}

/** From now on a backfill brings in again what is at Drift of this person, as far as no destination has had it. */
export async function allowPerson(
  { inbox, keyring }: { inbox: Pick<Storage['inbox'], 'markErased'>; keyring: Pick<Keyring, 'identity'> },
  org: string,
  contact: string,
): Promise<void> {
  await inbox.markErased(org, [erasedKey(keyring, org, contact)], 'undo')
}

async function theirIds(
  lookup: Storage['lookup'],
  org: string,
  contact: string,
  conversations: readonly string[],
): Promise<number[]> {
  const ids: number[] = []
  for await (const page of theirEntries(lookup, org, contact, conversations)) ids.push(...page.map(({ id }) => id))
  return ids
}

/** Entries that name the contact, and those of their conversations that name no other; each once. */
async function* theirEntries(
  lookup: Storage['lookup'],
  org: string,
  contact: string,
  conversations: readonly string[],
): AsyncGenerator<Shown[]> {
  const seen = new Set<number>()
  const queries = [{ org, contact }, ...conversations.map((conversation) => ({ org, conversation }))]
  for (const query of queries) {
    for await (const page of findAll(lookup, query)) {
      const fresh = page.filter((shown) => (shown.contact ?? contact) === contact && !seen.has(shown.id))
      for (const { id } of fresh) seen.add(id)
      yield fresh
    }
  }
}
