/** Visitors who talk, book and leave: events as they come in a company's life, for people to look at. */

import { fixtureTypes } from '../events/fixtures.ts'
import { type Clock, pause } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { DriftSim } from './drift.ts'

export interface Story {
  /** What a visitor does next: one event, of one of many people. Resolves once it has been answered. */
  next(): Promise<void>
  /** A few at once, so that there is something to see, then one now and then, until the signal is given. */
  goOn(clock: Clock, signal: AbortSignal): Promise<void>
}

const firstMany = 40
/** Between two events: a lively morning, and a page that one can still read. */
const gapMsMax = 12_000

/** How often each kind happens, beside the others. Kinds that are not here happen rarely. */
const often: Readonly<Record<string, number>> = {
  contact_updated: 34,
  new_conversation: 18,
  button_clicked: 22,
  conversation_push: 9,
  conversation_participant_added: 6,
}
const peopleMax = 400

export async function openStory(
  drift: DriftSim,
  { to, orgId, random }: { to: string; orgId: number; random: Pick<Random, 'fraction'> },
): Promise<Story> {
  const types = await fixtureTypes()
  const wheel = types.flatMap((type) => new Array<string>(often[type] ?? 3).fill(type))
  let turn = 0
  const story: Story = {
    async next() {
      const type = wheel[Math.floor(random.fraction() * wheel.length)]!
      // Most people come back, some come for the first time: the square makes low numbers frequent.
      const contact = Math.floor(random.fraction() ** 2 * peopleMax)
      turn += 1
      await drift.send(type, { to, orgId, vary: turn, contact })
    },
    async goOn(clock, signal) {
      for (let first = 0; first < firstMany && !signal.aborted; first++) await story.next()
      while (!signal.aborted) {
        await pause(clock, random.fraction() ** 2 * gapMsMax, signal)
        if (!signal.aborted) await story.next()
      }
    },
  }
  return story
}
