/** What an event is known by for good, whether a webhook brought it or it was read at Drift. */
import type { Keyring } from '../accounts/keyring.ts'
import type { EventPage } from '../events/define.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Org } from '../storage/ports/entry.ts'

/**
 * The digest of the natural key that the event's page gives it; undefined where it has none, and where the event cannot be sent
 * as it is: another one of the same key may be the one that can. Differs between accounts.
 */
export function naturalKey(
  keyring: Pick<Keyring, 'identity'>,
  org: Org,
  page: Pick<EventPage, 'once' | 'data' | 'whose'>,
  data: JsonObject,
): Buffer | undefined {
  const key = page.once?.(data)
  // mutant: lets an event that is never sent stand for the one that could be
  const isUsable = key !== undefined && page.data.safeParse(data).success && page.whose(data) !== undefined
  return !isUsable ? undefined : keyring.identity(`natural key\n${org}\n${key}`)
}
