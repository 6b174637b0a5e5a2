/**
 * What a person chose when an entry was sent again, by destination, as JSON in its row; null where it is sent as it came. What
 * is chosen for one destination leaves what another one gets as it was, also where that waits for its next attempt.
 */
import { wasTried } from './history.ts'
import type { Destination, Entry } from './ports/entry.ts'
import type { Redriven, Remapping } from './ports/inbox.ts'

type Choice = Partial<Pick<Entry, 'mapping' | 'sending'>>

export function choiceAt(resent: unknown, destination: Destination): Choice {
  return choicesIn(resent)[destination] ?? {}
}

/** The entry is sent there again. `asNew`: under a messageId that the destination has not seen yet. */
export function chosen(
  { mapping: own, resent }: { mapping: unknown; resent: unknown },
  destination: Destination,
  { mapping, asNew }: Pick<Redriven, 'mapping' | 'asNew'>,
): string | null {
  // mutant: sends to every destination as new what was to be new for one
  const { [destination]: before = {}, ...others } = choicesIn(resent)
  const by = mapping ?? before.mapping
  const sending = (before.sending ?? 0) + (asNew ? 1 : 0)
  const choice: Choice = {
    ...(by === undefined || by === Number(own) ? {} : { mapping: by }),
    ...(sending === 0 ? {} : { sending }),
  }
  const all = Object.keys(choice).length === 0 ? others : { ...others, [destination]: choice }
  return Object.keys(all).length === 0 ? null : JSON.stringify(all)
}

/**
 * What another mapping makes of an entry that waits for a destination: nothing where its own is not to be changed.
 * `given`: a sender has had it there, so it stays as it is. `isNoted`: what it is sent with there is kept.
 */
export function remapped(
  { mapping, history, resent, isNoted }: { mapping: unknown; history: unknown; resent: unknown; isNoted: boolean },
  { destination, moves }: Pick<Remapping, 'destination' | 'moves'>,
): 'given' | { mapping: number } | { resent: string | null } | undefined {
  // What was chosen when it was sent again comes before its own.
  const own = choiceAt(resent, destination).mapping
  const to = moves.find(({ from }) => from === (own ?? Number(mapping)))?.to
  if (to === undefined) return undefined
  // mutant: takes what was only sent again for what a sender has had
  const isTried = wasTried(history as Uint8Array | null, destination)
  if (isNoted || isTried) return 'given'
  return own === undefined ? { mapping: to } : { resent: chosen({ mapping, resent }, destination, { mapping: to }) }
}

function choicesIn(resent: unknown): Record<string, Choice> {
  return typeof resent === 'string' ? (JSON.parse(resent) as Record<string, Choice>) : {}
}
