/** Visitors who talk, book and leave: events as they come in a company's life, for people to look at. */
import type { Random } from '../lib/random.ts'
import type { DriftSim } from './drift.ts'
import { fixtureTypes } from './webhook.ts'

export interface Story {
  /** What a visitor does next: one event, of one of many people. Resolves once it has been answered. */
  next(): Promise<void>
}

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
  return {
    async next() {
      const type = wheel[Math.floor(random.fraction() * wheel.length)]!
      // Most people come back, some come for the first time: the square makes low numbers frequent.
      const contact = Math.floor(random.fraction() ** 2 * peopleMax)
      turn += 1
      await drift.send(type, { to, orgId, vary: turn, contact })
    },
  }
}
