/** A request that a person wants their data deleted, off the list: a person has acted on it. */
import { deletionType } from '../drift/envelope.ts'
import type { Org, Shown, Storage } from '../storage/ports.ts'

/** Whether it is such a request, and still open. */
export function isOpenRequest({ state, reason }: Pick<Shown, 'state' | 'reason'>): boolean {
  return state === 'quarantined' && reason === deletionType
}

/** Takes the request away and notes in the audit who has handled it; false when the account has no such open request. */
export async function handleRequest(
  { lookup, inbox, audit }: Pick<Storage, 'lookup' | 'inbox' | 'audit'>,
  org: Org,
  message: string,
  by: { who: string; at: number },
): Promise<boolean> {
  const [shown] = (await lookup.find({ org, message }, { limit: 1 })).entries
  if (!shown || !isOpenRequest(shown) || (await inbox.take(org, [shown.id])) === 0) return false
  await audit.add({ ...by, org, what: 'handled a request for deletion', about: message })
  return true
}
