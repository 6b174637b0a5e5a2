/** From a body to an answer: decides what is kept of a webhook, and resolves once the store has it for good. */

import type { Accounts } from '../accounts/accounts.ts'
import type { Keyring } from '../accounts/keyring.ts'
import { optionsVersionOf } from '../accounts/options.ts'
import { settingsOf } from '../accounts/settings.ts'
import {
  deletionType,
  disconnectType,
  type Envelope,
  type HeaderToken,
  isLifeCycle,
  type Opened,
  openEnvelope,
  type Tokens,
  unread,
  unreadableType,
} from '../drift/envelope.ts'
import { type EventPage, idOf, mappingOf } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/json.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import { stampOf } from '../mapping/versions.ts'
import type { IgnoredReason, Lane, NewEvent, Org } from '../storage/ports/entry.ts'
import type { Inbox } from '../storage/ports/inbox.ts'
import { type Arriving, keeping } from './keep.ts'
import { naturalKey } from './natural-key.ts'
import { searchedBy } from './resolve.ts'

export interface Received {
  outcome: 'unauthorised' | 'stored' | 'duplicate' | 'ignored'
  org?: string
  type?: string
  state?: Arriving['state']
  reason?: string
  /** Why it is ignored. */
  ignoredAs?: string
  messageId?: string
}

/** `encoding`: the body is in a content encoding that could not be taken off: its content is unknown. */
export type Receive = (body: Buffer, header: HeaderToken, encoding?: 'unknown') => Promise<Received>

const day = 24 * 3_600_000
/** How long the same event again is the same event. */
export const rememberMs = 30 * day
/** The same for events that carry neither an id nor a time of their own: a visitor may well do it again. */
const rememberTimelessMs = 10 * 60_000

interface Needs {
  tokens: Tokens
  catalogue: ReadonlyMap<string, EventPage>
  accounts: Accounts
  keyring: Keyring
  inbox: Inbox
  /** Where the settings list accounts: of any other that is not installed nothing is kept. */
  orgsAllowed?: ReadonlySet<Org> | undefined
  clock: Clock
  random: Random
  /** Called after something was stored that can be worked on at once. `isReady`: its lane had nothing due before. */
  wake(lane: Lane, org: Org, isReady: boolean): void
}

type Fate = { state: 'ignored'; reason: IgnoredReason } | { state: NewEvent['state']; reason?: string }

/** What types outside the catalogue are counted as: counts outlive bodies, so the number of types must be bounded. */
export const otherTypes = 'other'

function orgOf(opened: Opened): string {
  return opened.as === 'envelope' ? opened.envelope.orgId : opened.orgId
}

export function receiver(needs: Needs): Receive {
  const { tokens, catalogue, accounts, keyring, inbox, orgsAllowed, clock, random, wake } = needs
  const keep = keeping({ inbox, keyring, clock })
  const isUnlisted = (org: string) =>
    org !== '' && orgsAllowed !== undefined && !orgsAllowed.has(org) && !accounts.get(org)

  return async (body, header, encoding) => {
    if (encoding !== undefined && header.verdict !== 'right') return { outcome: 'unauthorised' }
    const judged =
      encoding === undefined
        ? openEnvelope(body, tokens, header)
        : { token: 'right' as const, opened: unread(body, 'content_encoding') }
    if (judged.token === 'wrong') return { outcome: 'unauthorised' }
    await lookAgain(judged.opened)
    const arrival = arrivalOf(judged.opened)
    // mutant: answers before the commit
    const { outcome, woke } = await keep(arrival)
    const { org, type, state } = arrival
    const shown = { outcome, org, type, state }
    // A line of the log for each that an operator may have to act on; the others' reasons are counted in their group's.
    if (arrival.state === 'ignored') {
      const { reason } = arrival
      return { ...shown, ignoredAs: reason, ...(reason === 'not_allowed' ? { reason } : {}) }
    }
    if (outcome !== 'stored') return shown
    // Installed while this was stored: the install has claimed what was there before, and not this.
    const isNewAccount = arrival.state === 'unclaimed' && accounts.get(org) !== undefined
    if (isNewAccount) await inbox.claimOnInstall(org, clock.now())
    // Disconnected while this was stored: what erased the account has not seen it.
    if (accounts.get(org)?.state === 'disconnected') await inbox.erase(org)
    // A grant that Drift has just ended has often blocked the lane already: this entry cannot wait for a probe.
    if (type === disconnectType) await inbox.resume({ org, lane: 'ask', destination: 0 }, clock.now())
    const isReady = woke.some((lane) => lane.org === org)
    if (arrival.state === 'waiting' || isNewAccount) wake('send', org, isReady || isNewAccount)
    if (arrival.state === 'asking') wake('ask', org, isReady)
    return { ...shown, messageId: arrival.messageId, ...(arrival.reason ? { reason: arrival.reason } : {}) }
  }

  /** An account that is not known here may have been connected through another process a moment ago. */
  async function lookAgain(opened: Opened): Promise<void> {
    const orgId = orgOf(opened)
    const known = accounts.get(orgId)
    const isActedOn = opened.as === 'envelope' && isLifeCycle(opened.envelope.type)
    const isDropped = known ? known.state === 'disconnected' : isActedOn || isUnlisted(orgId)
    // mutant: drops what comes for an account that another process has connected again
    if (isDropped) await accounts.reload(clock.now(), orgId)
  }

  function arrivalOf(opened: Opened): Arriving {
    const org = orgOf(opened)
    const unwanted = isUnlisted(org) ? 'not_allowed' : accounts.get(org)?.state === 'disconnected' && 'disconnected'
    if (unwanted) return ignored(org, opened.as === 'envelope' ? opened.envelope.type : opened.type, unwanted)
    if (opened.as === 'unreadable') {
      const { type, reason, text, identity } = opened
      // Of a type that is not in the catalogue nothing is kept, whatever its data is.
      const isOfShape = reason === 'data_unusable' || reason === 'org_contradicts'
      if (isOfShape && kindOf(type) === otherTypes) return ignored(org, type, 'unknown_type')
      const owner = accounts.get(org) ? org : ''
      return event({ org: owner, type: kindOf(type), state: 'quarantined', reason, text, identity, rememberMs })
    }
    const { envelope } = opened
    const { type, text, identity } = envelope
    const { state, reason } = fateOf(envelope)
    if (state === 'ignored') return ignored(org, type, reason)
    const page = catalogue.get(type)
    const once = page && naturalKey(keyring, org, page, envelope.data)
    const timeless = (page?.distinct(envelope.data) ?? null) === null
    const first = type === disconnectType ? { dueAt: 0 } : {}
    return event({
      org,
      type,
      state,
      text,
      identity,
      ...(page && !timeless ? { ownTime: ownTimeOf(envelope.data, page) } : {}),
      // mutant: remembers an event without id or time for a month
      rememberMs: timeless ? rememberTimelessMs : rememberMs,
      ...(page ? { mapping: stampFor(org, page), ...searchedBy(page, envelope.data) } : personIn(envelope)),
      ...(once === undefined ? {} : { once }),
      ...(reason === undefined ? {} : { reason }),
      ...first,
    })
  }

  /** By which an event is translated, and with which options it is sent: those of this moment, whatever is chosen later. */
  function stampFor(org: Org, page: EventPage): number {
    const install = accounts.get(org)
    return stampOf(mappingOf(page), install ? optionsVersionOf(install) : 0)
  }

  /** Whom a request for deletion names, if it does so as other events do. */
  function personIn({ type, data }: Envelope): { contact?: string } {
    const contact = type === deletionType ? (idOf(data.contactId) ?? idOf(data.endUserId)) : undefined
    return contact === undefined ? {} : { contact }
  }

  /** Of an event whose account is not unwanted: it is there, or may be installed yet. */
  function fateOf({ orgId, type }: Envelope): Fate {
    const install = accounts.get(orgId)
    if (type === disconnectType) return install ? { state: 'asking' } : { state: 'ignored', reason: 'disconnected' }
    if (type === deletionType && install) return { state: 'quarantined', reason: deletionType }
    if (type !== deletionType && !catalogue.has(type)) return { state: 'ignored', reason: 'unknown_type' }
    if (!install) return { state: 'unclaimed', reason: 'not_installed' }
    return settingsOf(install).offTypes.includes(type)
      ? { state: 'ignored', reason: 'switched_off' }
      : { state: 'waiting' }
  }

  /** An unreadable body that claims a type is kept, and counted for good, under it only if we know that type. */
  function kindOf(claimed: string): string {
    return isLifeCycle(claimed) || claimed === unreadableType ? claimed : countedAs(claimed)
  }

  function countedAs(type: string): string {
    return catalogue.has(type) ? type : otherTypes
  }

  /** Accounts that are not here are counted together: their number is not ours to bound. */
  function ignored(org: Org, type: string, reason: IgnoredReason): Arriving {
    const owner = accounts.get(org) ? org : ''
    return { state: 'ignored', org: owner, type: countedAs(type), reason, receivedAt: clock.now() }
  }

  function event(what: {
    org: string
    type: string
    state: NewEvent['state']
    reason?: string
    dueAt?: number
    mapping?: number
    contact?: string
    conversation?: string
    text: string | Buffer
    /** None: it is not the same as any other. */
    identity: string | Uint8Array | undefined
    /** In seconds since 1970; of an event that has none, absent or 0. */
    ownTime?: number
    once?: Uint8Array
    rememberMs: number
  }): Arriving {
    const { identity, ownTime = 0, ...rest } = what
    const receivedAt = clock.now()
    const messageId = `drift-${timeOrderedId(random, receivedAt)}`
    return {
      mapping: 0,
      ...rest,
      messageId,
      receivedAt,
      identity: placed(keyring.identity(identity ?? messageId), ownTime),
    }
  }
}

const secondsMax = 2 ** 32 - 1

/** The event's own time in seconds since 1970; 0 where it says none that four bytes hold. */
function ownTimeOf(data: JsonObject, { identityAt, at }: EventPage): number {
  const time = data[identityAt ?? at]
  const seconds = typeof time === 'number' ? Math.floor(time / 1_000) : 0
  return seconds > 0 && seconds <= secondsMax ? seconds : 0
}

/**
 * The first four bytes give way to the event's own time: identities of one hour lie together in the store, and a commit
 * writes one page of them, not one for each event. Twelve bytes are enough that two of one second never meet by chance.
 */
function placed(digest: Buffer, ownTime: number): Buffer {
  digest.writeUInt32BE(ownTime, 0)
  return digest
}
