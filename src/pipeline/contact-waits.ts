/**
 * The events of one lease whose options take attributes of their contact. Each waits until Drift has said them, and what is
 * behind it of the same contact waits with it, so that the order stays; others pass. What an event is made of is written down
 * before it is sent first, so that each attempt is the same.
 */
import type { Keyring } from '../accounts/keyring.ts'
import type { Id } from '../events/define.ts'
import type { Clock } from '../lib/clock.ts'
import type { Packed } from '../segment/batch.ts'
import type { Settlement } from '../storage/ports/inbox.ts'
import type { Contact, Contacts, Looked, Said } from './contacts.ts'
import type { WithExtra } from './extras.ts'
import { finished, type Item, type Needing } from './prepare.ts'
import { type Learnt, sealLearnt } from './resolve.ts'

export interface ContactWaits {
  /** Takes up what comes next, in order; gives those that can be sent now, in order. */
  take(items: readonly Item[]): Promise<Packed[]>
  /** Those that can be sent now of what was taken up before, each contact's in order; asks Drift where it is time to. */
  next(): Promise<Packed[]>
  /** Drift is being asked. */
  isLookingUp(): boolean
  /** How long until `next` may give something though nothing was answered; without end when nothing waits for a time. */
  restMs(): number
  /** Nothing waits. */
  isEmpty(): boolean
  /** The lease is not the caller's any more: nothing is given from then on. */
  isLost(): boolean
}

interface Needs {
  contacts: Contacts
  keyring: Pick<Keyring, 'seal'>
  clock: Clock
  isOurs(): Promise<boolean>
  /** Writes down what entries are made of; false when the lease is not the caller's any more. */
  note(settlements: readonly Settlement[]): Promise<boolean>
  /** Settles those that are not sent; false as well. */
  settleUnsent(settlements: readonly Settlement[]): Promise<boolean>
  withExtra: WithExtra
  /** How many may wait. */
  most(): number
  /** Called when something was answered. */
  came(): void
}

/** An outage of Drift's keeps an event waiting for so long at most. */
export const waitMsMax = 10 * 60_000

interface Line {
  items: Item[]
  isLooking: boolean
  /** What the last look brought for the first item. */
  looked?: Looked
  /** When Drift is asked again, by the monotonic clock. */
  againAt: number
}

type Passing = Packed | { item: Needing; said: Said }

export function contactWaits(needs: Needs, org: string): ContactWaits {
  const { contacts, keyring, clock, isOurs, note, settleUnsent, withExtra, most, came } = needs
  /** By contact; the one that has waited longest first. */
  const lines = new Map<Id, Line>()
  /** When these began to wait for an answer that did not come. */
  const askedSince = new Map<number, number>()
  let isLost = false
  let failure: { error: unknown } | undefined

  const contactOf = ({ whose, names }: Needing): Contact => ({ org, id: whose, names })

  /** An update of a contact is not sent with what was known before it. */
  const knownFor = ({ whose, names, one }: Needing) =>
    contacts.known({ org, id: whose, names }, one.page.sends === 'attributes' ? one.entry.receivedAt : 0)

  function sinceOf({ id, one }: Needing): number | undefined {
    return askedSince.get(id) ?? one.learnt.askedSince
  }

  function givesUpInMs(item: Needing): number {
    const since = sinceOf(item)
    if (since === undefined) return Number.POSITIVE_INFINITY
    // A clock that was set back since does not say how long it has waited: the difference counts, without its sign.
    return Math.max(waitMsMax - Math.abs(clock.now() - since), 0)
  }

  function withoutAnswer(item: Needing): Said | undefined {
    // mutant: waits for an outage without end
    return givesUpInMs(item) === 0 ? { attributes: {}, without: 'contact_unanswered' } : undefined
  }

  /** What can pass of a line, from its beginning. `said`: what the look for the first one brought. */
  function passingOf(line: Line, said?: Said): Passing[] {
    const passing: Passing[] = []
    let first = said
    for (let item = line.items[0]; item; item = line.items[0]) {
      if (!isNeeding(item)) passing.push(item)
      else {
        const found = first ?? knownFor(item) ?? withoutAnswer(item)
        if (!found) break
        passing.push({ item, said: found })
      }
      first = undefined
      line.items.shift()
    }
    return passing
  }

  function look(line: Line): void {
    const [item] = line.items
    if (!item || !isNeeding(item) || line.isLooking || clock.monotonic() < line.againAt) return
    line.isLooking = true
    isOurs()
      .then(async (ours) => {
        if (ours) line.looked = await contacts.look(contactOf(item))
        else isLost = true
      })
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => {
        line.isLooking = false
        came()
      })
  }

  /** Their time runs from the first answer that did not come, also after a restart. */
  async function noteWaiting({ items }: Line): Promise<void> {
    const since = clock.now()
    const fresh = items.filter((item): item is Needing => isNeeding(item) && sinceOf(item) === undefined)
    for (const { id } of fresh) askedSince.set(id, since)
    await write(fresh.map((item) => ({ item, learnt: { ...learntOf(item), askedSince: since } })))
  }

  async function write(all: readonly { item: Needing; learnt: Learnt }[]): Promise<void> {
    if (all.length === 0 || isLost) return
    const at = clock.now()
    const settlements = await Promise.all(
      all.map(async ({ item, learnt }): Promise<Settlement> => {
        return { id: item.id, to: 'same', at, known: await sealLearnt(keyring, item.one.entry, learnt) }
      }),
    )
    if (!(await note(settlements))) isLost = true
  }

  async function pass(passing: readonly Passing[]): Promise<Packed[]> {
    const made = passing.map((one) => ('said' in one ? madeOf(one) : one))
    // mutant: sends an event before what it is made of is written down
    await write(made.filter((one) => 'learnt' in one))
    const notSent = made.flatMap((one) => ('learnt' in one && !('text' in one.result) ? [one.result] : []))
    if (notSent.length > 0 && !isLost && !(await settleUnsent(notSent))) isLost = true
    if (isLost) return []
    return made.flatMap((one) => {
      if (!('learnt' in one)) return [one]
      if (!('text' in one.result)) return []
      if (one.result.alone !== undefined) withExtra.set(one.item.id, { entry: one.item.one.entry, learnt: one.learnt })
      return [one.result]
    })
  }

  function madeOf({ item, said }: Exclude<Passing, Packed>) {
    askedSince.delete(item.id)
    const { askedSince: _, ...before } = learntOf(item)
    const learnt: Learnt = { ...before, ...said }
    return { item, learnt, result: finished({ ...item.one, learnt }, item.options, clock.now()) }
  }

  function count(): number {
    return [...lines.values()].reduce((sum, { items }) => sum + items.length, 0)
  }

  /** Where too many wait, those that have waited longest go without: what comes behind them must find room. */
  function crowdedOut(): Passing[] {
    const passing: Passing[] = []
    for (let over = count() - most(); over > 0; over = count() - most()) {
      const [whose, { items }] = [...lines][0]!
      lines.delete(whose)
      passing.push(...items.map((item) => (isNeeding(item) ? { item, said: crowded } : item)))
    }
    return passing
  }

  async function next(): Promise<Packed[]> {
    if (failure) throw failure.error
    const passing: Passing[] = []
    for (const [whose, line] of lines) {
      const { looked } = line
      delete line.looked
      if (looked?.is === 'later') {
        line.againAt = clock.monotonic() + looked.afterMs
        await noteWaiting(line)
      }
      if (line.isLooking) continue
      passing.push(...passingOf(line, looked?.is === 'said' ? looked.said : undefined))
      if (line.items.length === 0) lines.delete(whose)
      else look(line)
    }
    return passing.length > 0 ? pass(passing) : []
  }

  return {
    async take(items) {
      const passing: Passing[] = []
      for (const item of items) {
        // mutant: lets an event pass one of its contact that waits
        const line = lines.get(item.whose)
        if (line) line.items.push(item)
        else if (!isNeeding(item)) passing.push(item)
        else {
          const said = knownFor(item)
          if (said) passing.push({ item, said })
          else lines.set(item.whose, { items: [item], isLooking: false, againAt: Number.NEGATIVE_INFINITY })
        }
      }
      return [...(await pass([...passing, ...crowdedOut()])), ...(await next())]
    },
    next,
    isLookingUp: () => [...lines.values()].some(({ isLooking }) => isLooking),
    restMs() {
      const waits = [...lines.values()].map(({ items: [first], isLooking, againAt }) => {
        if (isLooking) return Number.POSITIVE_INFINITY
        const againMs = Math.max(againAt - clock.monotonic(), 0)
        return first && isNeeding(first) ? Math.min(againMs, givesUpInMs(first)) : 0
      })
      // What is stored is whole, and the monotonic clock is not.
      return Math.ceil(Math.min(...waits))
    },
    isEmpty: () => lines.size === 0,
    isLost: () => isLost,
  }
}

const crowded: Said = { attributes: {}, without: 'contact_crowded' }

function isNeeding(item: Item): item is Needing {
  return 'names' in item
}

function learntOf({ one }: Needing): Learnt {
  return { ...one.learnt, ...one.known }
}
