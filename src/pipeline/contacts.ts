/**
 * What Drift says of contacts, for the options that take their attributes. By contact and not by event: one request at a time
 * for each, its answer remembered for minutes and shared by all that wait for it. Nothing here kills or holds an event: an
 * answer that does not come is said to be so, and the caller decides how long to wait.
 */
import type { Grants } from '../accounts/grant.ts'
import { contactRequest, judgeContact } from '../drift/contact.ts'
import type { Id } from '../events/define.ts'
import { backoffMs, retryAfterMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Random } from '../lib/random.ts'
import type { Send } from '../lib/request.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Lease } from '../storage/ports/inbox.ts'

/** Why events are sent without what Drift knows of their contact; the words of docs/errors.md. */
export const withoutReasons = [
  'contact_missing',
  'contact_forbidden',
  'contact_grant_dead',
  'contact_unanswered',
  'contact_crowded',
] as const
export type WithoutReason = (typeof withoutReasons)[number]

/** `attributes`: those that were asked for and are there. `without`: why there are none, if Drift was not able to say. */
export interface Said {
  attributes: JsonObject
  without?: WithoutReason
}

export type Looked = { is: 'said'; said: Said } | { is: 'later'; afterMs: number }

export interface Contacts {
  /** What is remembered of a contact, of after this time at the earliest; undefined: Drift must be asked. */
  known(contact: Contact, since: number): Said | undefined
  /** Asks Drift. `later`: it did not answer; before so many milliseconds are over, it is not asked again for this account. */
  look(contact: Contact): Promise<Looked>
  /**
   * A lease of a lane that sends begins. What was remembered of the account's contacts is forgotten where another process
   * has had the lane meanwhile: it may have sent what changed them.
   */
  begin(lease: Pick<Lease, 'org' | 'destination' | 'token'>): void
}

export interface Contact {
  org: Org
  id: Id
  /** The attributes that are taken; nothing else of the answer is kept. */
  names: readonly string[]
}

interface Needs {
  grants: Pick<Grants, 'access' | 'renewed'>
  send: Send
  clock: Clock
  random: Random
  driftUrl: string
}

/** A contact that changes says so by a webhook; this is for what changes without one. */
const rememberMs = 5 * 60_000
/** One that Drift does not know may only be young. */
const rememberWithoutMs = 30_000
const contactsMax = 10_000
/** Requests under way for one account; Drift documents no limit, so this is modest, as for conversations. */
const requestsMax = 4
/** While Drift does not answer, an account asks at most this far apart. */
const restMsMax = 30_000

export function openContacts({ grants, send, clock, random, driftUrl }: Needs): Contacts {
  /** In the order of their last answer, so that the oldest is the first to be forgotten. */
  const remembered = new Map<string, { at: number; said: Said }>()
  const underWay = new Map<string, Promise<Looked>>()
  /** Of accounts whose last request had no answer: how many in a row, and until when none is made, by the monotonic clock. */
  const resting = new Map<Org, { failures: number; until: number }>()
  /** Of each lane, that of the last lease here. */
  const lastTokens = new Map<string, number>()
  const turns = new Map<Org, { busy: number; waiting: (() => void)[] }>()

  function nameOf({ org, id, names }: Contact): string {
    return JSON.stringify([org, id, ...names])
  }

  function remember(name: string, at: number, said: Said): void {
    remembered.delete(name)
    remembered.set(name, { at, said })
    if (remembered.size > contactsMax) remembered.delete(remembered.keys().next().value!)
  }

  /** One of a few at once; the rest of them wait for their turn. */
  async function inTurn<Result>(org: Org, work: () => Promise<Result>): Promise<Result> {
    const turn = turns.get(org) ?? { busy: 0, waiting: [] }
    turns.set(org, turn)
    if (turn.busy >= requestsMax) await new Promise<void>((resolve) => turn.waiting.push(resolve))
    else turn.busy++
    try {
      return await work()
    } finally {
      const next = turn.waiting.shift()
      if (next) next()
      else if (--turn.busy === 0) turns.delete(org)
    }
  }

  function restMs(org: Org): number {
    return Math.max((resting.get(org)?.until ?? 0) - clock.monotonic(), 0)
  }

  function rest(org: Org, retryAfter: string | undefined): Looked {
    const failures = (resting.get(org)?.failures ?? 0) + 1
    const askedMs = retryAfterMs(retryAfter, clock.now()) ?? 0
    const afterMs = Math.max(askedMs, backoffMs(failures, random, restMsMax))
    resting.set(org, { failures, until: clock.monotonic() + afterMs })
    return { is: 'later', afterMs }
  }

  async function ask(contact: Contact): Promise<Looked> {
    const { org, id, names } = contact
    const afterMs = restMs(org)
    // It did not answer another one meanwhile.
    if (afterMs > 0) return { is: 'later', afterMs }
    const at = clock.now()
    const said = (is: Said): Looked => {
      resting.delete(org)
      remember(nameOf(contact), at, is)
      return { is: 'said', said: is }
    }
    let access = await grants.access(org)
    for (let tries = 0; ; tries++) {
      if (access.is === 'dead' || access.is === 'unrenewable')
        return { is: 'said', said: { attributes: {}, without: 'contact_grant_dead' } }
      if (access.is === 'later') return rest(org, undefined)
      const answer = judgeContact(await send(contactRequest(driftUrl, id, access.token)))
      if (answer.is === 'found') return said({ attributes: only(answer.attributes, names) })
      if (answer.is === 'missing') return said({ attributes: {}, without: 'contact_missing' })
      if (answer.is === 'forbidden') return said({ attributes: {}, without: 'contact_forbidden' })
      if (answer.is === 'unauthorised' && tries === 0) access = await grants.renewed(org, access.token)
      else return rest(org, answer.is === 'later' ? answer.retryAfter : undefined)
    }
  }

  return {
    known(contact, since) {
      const found = remembered.get(nameOf(contact))
      if (!found || found.at < since) return undefined
      const isFresh = Math.abs(clock.now() - found.at) < (found.said.without ? rememberWithoutMs : rememberMs)
      return isFresh ? found.said : undefined
    },
    look(contact) {
      const name = nameOf(contact)
      const already = underWay.get(name)
      // mutant: asks for each event of a contact
      if (already !== undefined) return already
      const looking = inTurn(contact.org, () => ask(contact)).finally(() => underWay.delete(name))
      underWay.set(name, looking)
      return looking
    },
    begin({ org, destination, token }) {
      const lane = `${org} ${destination}`
      const isNext = lastTokens.get(lane) === token - 1
      lastTokens.set(lane, token)
      if (isNext) return
      const begins = `["${org}",`
      for (const name of remembered.keys()) if (name.startsWith(begins)) remembered.delete(name)
    },
  }
}

function only(attributes: JsonObject, names: readonly string[]): JsonObject {
  const there = names.filter((name) => Object.hasOwn(attributes, name))
  return Object.fromEntries(there.map((name) => [name, attributes[name]!]))
}
