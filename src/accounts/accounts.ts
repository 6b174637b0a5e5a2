/** The accounts as the service sees them: all of them in memory, changed only through `change`. */
import { Problem } from '../lib/errors.ts'
import type { Install, Installs } from '../storage/ports/accounts.ts'
import { askLane, type Org, sendLane } from '../storage/ports/entry.ts'
import type { Following, Inbox } from '../storage/ports/inbox.ts'
import { type AuditEntry, entryOf } from './audit.ts'
import { noSettings, settingsOf, settingsProblem } from './settings.ts'
import { holdOf } from './state.ts'

export interface Accounts {
  get(org: Org): Install | undefined
  all(): Install[]
  /**
   * Looks at the store again, for what another process has changed, in this account or in any; unclaimed events of new
   * accounts are adopted, and what came in for one that has left meanwhile is erased.
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
  audit?(before: Install, after: Install): AuditEntry
  /** A person wants what waits to be tried then. */
  asks?: boolean
  /** Names that leave the vault with this change. */
  forgets?(): Promise<readonly string[]>
}

/** `orgsAllowed`: the accounts whose events are sent, where the settings list them. */
export async function openAccounts(
  installs: Installs,
  inbox: Inbox,
  orgsAllowed?: ReadonlySet<Org>,
): Promise<Accounts> {
  /**
   * Whether the environment lists the account, and whether this version can read its settings, is never stored, but
   * judged wherever one is read.
   */
  const judged = (install: Install): Install => {
    const isListed = orgsAllowed?.has(install.org) ?? true
    const isReadable = settingsProblem(install) === undefined
    if (isListed && isReadable) return install
    return { ...install, ...(isListed ? {} : { notAllowed: true }), ...(isReadable ? {} : { unreadable: true }) }
  }
  let known = new Map<Org, Install>()
  const eraseAll = async (org: Org) => {
    while ((await inbox.erase(org)) > 0);
  }
  const listeners: ((before: Install, after: Install) => void)[] = []
  const seeing: ((before: Install, after: Install) => void)[] = []
  return {
    onChange: (listener) => void listeners.push(listener),
    onSeen: (listener) => void seeing.push(listener),
    get: (org) => known.get(org),
    all: () => [...known.values()],
    async reload(now, org) {
      const before = known
      const listed = org === undefined ? await installs.list() : await withOnly(installs, known, org)
      // What was changed here while the list was on its way is newer than the list.
      const newer = (install: Install) => {
        const here = known.get(install.org)
        return here && here.generation > install.generation ? here : install
      }
      known = new Map(listed.map((install) => [install.org, newer(judged(install))]))
      for (const after of known.values()) {
        const was = before.get(after.org) ?? blank(after.org, now)
        if (after.generation > was.generation) for (const seen of seeing) seen(was, after)
      }
      const isNew = ({ org, state }: Install) => state !== 'disconnected' && !before.has(org)
      const fresh = [...known.values()].filter(isNew).map(({ org }) => org)
      if (fresh.length > 0) for (const org of await inbox.unclaimed(fresh)) await inbox.adopt(org, now)
      // Webhooks that were received here before the word came, sealed by a key that is forgotten by now.
      const hasLeft = ({ org, state }: Install) =>
        state === 'disconnected' && (before.get(org)?.state ?? state) !== 'disconnected'
      for (const { org } of [...known.values()].filter(hasLeft)) await eraseAll(org)
    },
    async change(org, now, edit, { audit, asks = false, forgets } = {}) {
      for (let tries = 0; tries < 10; tries++) {
        const stored = judged((await installs.get(org)) ?? blank(org, now))
        const edited = await edit(stored)
        if (!edited) {
          if (stored.generation === 0) return undefined
          known.set(org, stored)
          return stored
        }
        const next = { ...edited, updatedAt: now }
        const { notAllowed: _n, unreadable: _u, ...toStore } = next
        const entry = audit && entryOf(org, now, audit(stored, next))
        // mutant: lets an account that connects again find what was left of it
        if (stored.state === 'disconnected' && next.state !== 'disconnected') await eraseAll(org)
        if (!(await installs.save(toStore, entry, await forgets?.()))) continue
        const saved = { ...next, generation: next.generation + 1 }
        known.set(org, saved)
        if (holdsDiffer(stored, saved))
          await followState(inbox, saved, now, { asks, isNewKey: keysDiffer(stored, saved) })
        if (stored.generation === 0) await inbox.adopt(org, now)
        for (const changed of listeners) changed(stored, saved)
        return saved
      }
      throw new Problem('install_contended', `account ${org} is being changed by other processes all the time`)
    },
  }
}

/** What is known, with one account as it is stored. */
async function withOnly(
  installs: Pick<Installs, 'get'>,
  known: ReadonlyMap<Org, Install>,
  org: Org,
): Promise<Install[]> {
  const stored = await installs.get(org)
  return [...new Map(known).set(org, stored ?? blank(org, 0)).values()].filter(({ generation }) => generation > 0)
}

/**
 * Brings the account's lanes in line with its state. One that needs attention is probed at the times that its lanes have;
 * a new key or region is tried at once also where Drift's refusal is what the account shows.
 */
export async function followState(
  inbox: Inbox,
  install: Install,
  now: number,
  { asks = false, isNewKey = false } = {},
): Promise<void> {
  for (const { is, ...lane } of followingOf(install, isNewKey)) {
    if (is === 'resumed') await inbox.resume(lane, now, asks)
    else await inbox.hold(lane, is.held)
  }
}

/** The same for many accounts, in few steps. */
export function followStates(inbox: Inbox, installs: readonly Install[], now: number): Promise<void> {
  return inbox.follow(
    installs.flatMap((install) => followingOf(install)),
    now,
  )
}

function followingOf(install: Install, isNewKey = false): Following[] {
  const { org, state } = install
  const hold = holdOf(install)
  const isResumed = !hold && (state === 'live' || isNewKey)
  // mutant: holds an account for good that is refused, and is listed again
  const send: Following[] = [{ ...sendLane(org), is: isResumed ? 'resumed' : { held: hold } }]
  if (state === 'disconnected') return [...send, { ...askLane(org), is: { held: 'disconnected' } }]
  return state === 'needs_attention' ? send : [...send, { ...askLane(org), is: 'resumed' }]
}

/** A new key, region or state is a reason to try again at once; a refreshed grant is none. */
function holdsDiffer(before: Install, after: Install): boolean {
  return (
    before.generation === 0 ||
    before.state !== after.state ||
    holdOf(before) !== holdOf(after) ||
    keysDiffer(before, after)
  )
}

function keysDiffer(before: Install, after: Install): boolean {
  return settingsOf(before).region !== settingsOf(after).region || before.writeKey !== after.writeKey
}

function blank(org: Org, now: number): Install {
  return { org, state: 'waiting_for_key', settings: noSettings, createdAt: now, updatedAt: now, generation: 0 }
}
