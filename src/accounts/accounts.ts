/** The accounts as the service sees them: all of them in memory, changed only through `change`. */
import { Problem } from '../lib/errors.ts'
import type { Install, Installs } from '../storage/ports/accounts.ts'
import { askLane, type Destination as DestinationNumber, type Org, sendLane } from '../storage/ports/entry.ts'
import type { Following, Inbox } from '../storage/ports/inbox.ts'
import { entryOf, type NewAuditEntry } from './audit.ts'
import { destinationsOf, goesElsewhere } from './destinations.ts'
import { noSettings, settingsProblem } from './settings.ts'
import { holdOf, summed } from './state.ts'

export interface Accounts {
  get(org: Org): Install | undefined
  all(): Install[]
  /**
   * Looks at the store again, for what another process has changed, in this account or in any. A new account claims the
   * events that came in before it was installed; what came in for one that has left meanwhile is erased.
   */
  reload(now: number, org?: Org): Promise<void>
  /**
   * Reads, changes and saves one account, again if another process was quicker; its lanes then follow its state. Where
   * `edit` gives undefined, nothing is saved. Whatever was left of an account that had disconnected is erased before it is
   * there again.
   */
  change(
    org: Org,
    now: number,
    edit: (install: Install) => Install | undefined | Promise<Install | undefined>,
    how?: Change,
  ): Promise<Install | undefined>
  /**
   * Calls back when an account was changed here and its lanes follow: something may be due. The pipeline wakes this, so
   * that no action can forget to wake it: see docs/decisions/0027-a-change-and-its-audit-entry-are-one-write.md.
   */
  onChange(listener: (before: Install, after: Install) => void): void
  /** Calls back when a look at the store has shown what another process changed. */
  onSeen(listener: (before: Install, after: Install) => void): void
}

export interface Change {
  /** What the audit says of the change. It is kept together with it or not at all; without a change there is none. */
  audit?(before: Install, after: Install): NewAuditEntry
  /** A person wants what waits to be tried then. */
  asks?: boolean
  /** Names that leave the vault with this change. */
  forgets?(): Promise<readonly string[]>
}

/** What the environment allows: nothing of this is stored. */
export interface Allowed {
  /** The accounts whose events are sent, where the settings list them. */
  orgs?: ReadonlySet<Org> | undefined
  /** The endpoints of DESTINATION_ENDPOINTS, by name. */
  endpoints?: { has(name: string): boolean } | undefined
}

export async function openAccounts(installs: Installs, inbox: Inbox, allowed: Allowed = {}): Promise<Accounts> {
  /**
   * Whether the environment lists the account and its endpoints, and whether this version can read its settings, is never
   * stored, but judged wherever one is read.
   */
  const judged = ({ notAllowed: _n, unreadable: _u, unlisted: _l, ...install }: Install): Install => {
    const isListed = allowed.orgs?.has(install.org) ?? true
    if (settingsProblem(install) !== undefined)
      return { ...install, unreadable: true, ...(isListed ? {} : { notAllowed: true }) }
    const named = destinationsOf(install).flatMap(({ endpoint }) => endpoint ?? [])
    const unlisted = named.filter((name) => !allowed.endpoints?.has(name))
    return {
      ...summed(install),
      ...(isListed ? {} : { notAllowed: true }),
      ...(unlisted.length > 0 ? { unlisted } : {}),
    }
  }

  /** The store gives events to those that the account has now. */
  async function follow(before: Install, after: Install, now: number): Promise<void> {
    const [were, are] = [before, after].map((install) => new Set(destinationsOf(install).map(({ number }) => number)))
    for (const number of are!) if (!were!.has(number)) await inbox.addDestination(after.org, number)
    for (const number of were!) if (!are!.has(number)) await inbox.removeDestination(after.org, number, now)
  }
  const known = new Map<Org, Install>()
  /** Gives what is known from then on: answers overtake each other, and one that was read before a change is older than that. */
  function learn(install: Install): Install {
    const here = known.get(install.org)
    if (here && here.generation > install.generation) return here
    known.set(install.org, install)
    return install
  }
  const eraseAll = async (org: Org) => {
    while ((await inbox.erase(org)) > 0);
  }
  const listeners: ((before: Install, after: Install) => void)[] = []
  const seeing: ((before: Install, after: Install) => void)[] = []
  const accounts: Accounts = {
    onChange: (listener) => void listeners.push(listener),
    onSeen: (listener) => void seeing.push(listener),
    get: (org) => known.get(org),
    all: () => [...known.values()],
    async reload(now, org) {
      const read = org === undefined ? await installs.list() : [await installs.get(org)]
      // No account ever leaves the store: one that is not in the list is younger than the list.
      const looks = read.flatMap((install) => {
        if (!install) return []
        const was = known.get(install.org)
        return [{ was, after: learn(judged(install)) }]
      })
      for (const { was, after } of looks) {
        const before = was ?? blank(after.org, now)
        if (after.generation > before.generation) for (const seen of seeing) seen(before, after)
      }
      const fresh = looks.flatMap(({ was, after }) => (!was && after.state !== 'disconnected' ? [after.org] : []))
      if (fresh.length > 0) for (const org of await inbox.waitingForInstall(fresh)) await inbox.claimOnInstall(org, now)
      // Webhooks that were received here before the word came, sealed by a key that is forgotten by now.
      const hasLeft = looks.filter(
        ({ was, after }) => was && was.state !== 'disconnected' && after.state === 'disconnected',
      )
      for (const { after } of hasLeft) await eraseAll(after.org)
    },
    async change(org, now, edit, { audit, asks = false, forgets } = {}) {
      for (let tries = 0; tries < 10; tries++) {
        const stored = judged((await installs.get(org)) ?? blank(org, now))
        const edited = await edit(stored)
        if (!edited) {
          return stored.generation === 0 ? undefined : learn(stored)
        }
        const next = { ...summed(edited), updatedAt: now }
        const { notAllowed: _n, unreadable: _u, unlisted: _l, ...toStore } = next
        const entry = audit && entryOf(org, now, audit(stored, next))
        // mutant: lets an account that connects again find what was left of it
        if (stored.state === 'disconnected' && next.state !== 'disconnected') await eraseAll(org)
        if (!(await installs.save(toStore, entry, await forgets?.()))) continue
        const saved = judged({ ...toStore, generation: next.generation + 1 })
        learn(saved)
        await follow(stored, saved, now)
        await followChanges(inbox, stored, saved, now, asks)
        if (stored.generation === 0) await inbox.claimOnInstall(org, now)
        for (const changed of listeners) changed(stored, saved)
        return saved
      }
      throw new Problem('install_contended', `account ${org} is being changed by other processes all the time`)
    },
  }
  return accounts
}

/**
 * Makes all lanes of these accounts follow their state, at a start. One that needs attention is probed at the times
 * that its lanes have.
 */
export function followStates(inbox: Inbox, installs: readonly Install[], now: number): Promise<void> {
  const sending = (install: Install) => destinationsOf(install).map(({ number }) => sendingOf(install, number))
  return inbox.follow(
    installs.flatMap((install) => [...sending(install), ...lookupLaneOf(install)]),
    now,
  )
}

/**
 * Makes the lanes that a change concerns follow it: those of other destinations keep their backoff. A new key or place is
 * tried at once, also where Drift's refusal is what the account shows; after a refreshed grant nothing is tried early.
 */
async function followChanges(inbox: Inbox, before: Install, after: Install, now: number, asks: boolean): Promise<void> {
  const were = new Map(destinationsOf(before).map((one) => [one.number, one]))
  const isOwn =
    before.generation === 0 ||
    before.reason !== after.reason ||
    before.notAllowed !== after.notAllowed ||
    (before.state === 'disconnected') !== (after.state === 'disconnected')
  const sending = destinationsOf(after).flatMap((one) => {
    const was = were.get(one.number)
    const isMoved = was === undefined || goesElsewhere(was, one)
    const isFollowed = isMoved || was.reason !== one.reason || holdOf(before, one.number) !== holdOf(after, one.number)
    return isFollowed || isOwn ? [sendingOf(after, one.number, isMoved)] : []
  })
  const lanes = isOwn || asks || sending.length > 0 ? [...sending, ...lookupLaneOf(after)] : []
  for (const { is, ...lane } of lanes) {
    if (is === 'resumed') await inbox.resume(lane, now, asks)
    else await inbox.hold(lane, is.held)
  }
}

function sendingOf(install: Install, number: DestinationNumber, isMoved = false): Following {
  const hold = holdOf(install, number)
  const isRefused = destinationsOf(install).some((one) => one.number === number && one.reason !== undefined)
  const isResumed = hold === undefined && (!isRefused || isMoved)
  // mutant: holds an account for good that is refused, and is listed again
  return { ...sendLane(install.org, number), is: isResumed ? 'resumed' : { held: hold } }
}

/** Drift is asked whatever holds back what is sent. */
function lookupLaneOf(install: Install): Following[] {
  const lane = askLane(install.org)
  if (install.state === 'disconnected') return [{ ...lane, is: { held: 'disconnected' } }]
  return install.state === 'needs_attention' ? [] : [{ ...lane, is: 'resumed' }]
}

function blank(org: Org, now: number): Install {
  return { org, state: 'waiting_for_key', settings: noSettings, createdAt: now, updatedAt: now, generation: 0 }
}
