/** What comes of an attempt that a person asked for, as the command line waits for it and prints it. */
import { destinationOf, destinationsOf } from '../accounts/destinations.ts'
import { type Attempt, afterAttempt, type LaneAt } from '../accounts/retry.ts'
import { pause as wait } from '../lib/clock.ts'
import { brought, laterSaid } from '../operations/attempt-outcome.ts'
import type { Store } from '../service.ts'
import type { Context } from './command.ts'
import { destinationSaid } from './store.ts'

/** Waits for what the service's attempt brings, and prints it; of one of several destinations with its name. */
export async function tellAttempt({ print }: Context, store: Store, id: string, { asked, later }: Attempt) {
  const install = store.accounts.get(id)
  const isOne = !install || destinationsOf(install).length === 1
  const known = (at: LaneAt) => (install && at.lane === 'send' ? destinationOf(install, at.destination) : undefined)
  const whose = (at: LaneAt) => {
    const destination = isOne ? undefined : known(at)
    return destination ? `${id}, ${destinationSaid(destination)}` : id
  }
  const shown = await afterAttempt(store, id, asked)
  const said = shown.map((lane) => ({ ...brought(lane, known(lane)?.endpoint), whose: whose(lane) }))
  for (const { is, says, whose: named } of said)
    print(`${named}: ${is === 'open' ? `nothing came of it within 20 s: ${says}` : says}`)
  for (const one of later) print(`${whose(one)}: ${laterSaid(one, known(one)?.endpoint)}`)
  return {
    isAccepted: later.length === 0 && said.every(({ is }) => is === 'good'),
    isRefused: said.some(({ is }) => is === 'bad'),
  }
}

/** One that has lost its connection for a moment is looked for again. */
export async function isServed({ storage, clock }: Store): Promise<boolean> {
  if (await storage.isServed()) return true
  await wait(clock, 1_000)
  return storage.isServed()
}
