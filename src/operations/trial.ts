/** Whether an event that is to be sent again would become a call: tried before it is moved, by what sends it afterwards. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { optionsAt } from '../accounts/options.ts'
import { deletionType, reopen } from '../drift/envelope.ts'
import type { EventPage } from '../events/define.ts'
import { Problem } from '../lib/errors.ts'
import { isLeftOut } from '../mapping/option.ts'
import { attributesTaken, type Options } from '../mapping/options.ts'
import { noOptions } from '../mapping/versions.ts'
import { naturalKey } from '../pipeline/natural-key.ts'
import { type InBody, type Resolved, resolve } from '../pipeline/resolve.ts'
import { textsOf } from '../pipeline/texts.ts'
import { sentFor } from '../pipeline/translate.ts'
import { messageBytesMax, textOf } from '../segment/batch.ts'
import { type Body, firstDestination, type Org } from '../storage/ports/entry.ts'
import type { Lookup, ReadEntry, Shown } from '../storage/ports/lookup.ts'
import { historyKey } from './history/keys.ts'

interface Needs {
  catalogue: ReadonlyMap<string, EventPage>
  keyring: Keyring
  lookup: Lookup
  accounts: Pick<Accounts, 'get'>
}

interface How {
  /** The mapping that it is to have, in this account. */
  byToday(page: EventPage, org: Org): number
  /** Its contact is asked for again. */
  isToday: boolean
}

/** Which account and event it is after all, with its natural key if it has one; or the reason why it would fail. */
export type Tried =
  | { is: 'usable'; org: string; type: string; once?: Uint8Array | undefined }
  | { is: 'fails'; reason: string }

/**
 * Tries what happens to an event once it waits again: its body is opened, judged and translated by this version of its
 * page. Whose it is, where Drift must be asked, is not known before; such an event is usable.
 */
export async function tryAgain(needs: Needs, shown: Shown, { byToday, isToday }: How): Promise<Tried> {
  const { catalogue, keyring, lookup, accounts } = needs
  if (shown.type === deletionType) return { is: 'fails', reason: deletionType }
  const read = await lookup.read(shown.id)
  if (!read) return { is: 'fails', reason: shown.reason ?? 'unknown' }
  try {
    const { entry, bodies } = inBody(read)
    const envelope = reopen((await textsOf(keyring, bodies).of(entry)).toString())
    if (!envelope) return { is: 'fails', reason: shown.reason ?? 'invalid_json' }
    const page = catalogue.get(envelope.type)
    if (!page) return { is: 'fails', reason: 'type_unknown' }
    const waiting: InBody = { ...entry, type: envelope.type, state: 'waiting', mapping: byToday(page, envelope.orgId) }
    const remembered = new Map(
      entry.contact && entry.conversation ? [[entry.conversation, entry.contact] as const] : [],
    )
    const conversations = { recall: async () => remembered, remember: async () => {} }
    const [one] = await resolve({ catalogue, keyring, conversations }, entry.org, { entries: [waiting], bodies })
    const install = accounts.get(envelope.orgId)
    const options = install ? optionsAt(install, shown.destination || firstDestination, waiting.mapping) : noOptions
    const reason = one && failureOf(one, options, isToday)
    if (reason !== undefined) return { is: 'fails', reason }
    const { orgId: org, type, data } = envelope
    return { is: 'usable', org, type, once: historyKey(shown) ?? naturalKey(keyring, org, page, data) }
  } catch (error) {
    if (error instanceof Problem) return { is: 'fails', reason: error.code }
    throw error
  }
}

function failureOf(one: Resolved, options: Options, isToday: boolean): string | undefined {
  if (one.is === 'quarantined') return one.reason
  // What its contact is by then is not known.
  if (one.is === 'asking' || (isToday && attributesTaken(options).length > 0)) return undefined
  try {
    const sent = sentFor(one, options)
    if (!sent) return 'empty'
    if (isLeftOut(sent)) return sent.leftOut
    return Buffer.byteLength(textOf(sent.call)) > messageBytesMax ? 'message_too_large' : undefined
  } catch {
    return 'translation_failed'
  }
}

/** What was read of an entry, as the pipeline has it in hand; its body is damaged where it is not there. */
export function inBody({ body, ...entry }: ReadEntry): { entry: InBody; bodies: Body[] } {
  const { id, version } = body ?? { id: 0, version: 0 }
  return { entry: { ...entry, body: { id, version } }, bodies: body ? [body] : [] }
}
