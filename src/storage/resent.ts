/**
 * What a person chose when an entry was sent again, by destination, as JSON in its row; null where it is sent as it came. What
 * is chosen for one destination leaves what another one gets as it was, also where that waits for its next attempt.
 */
import type { Destination, Entry } from './ports/entry.ts'
import type { Redriven } from './ports/inbox.ts'

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

function choicesIn(resent: unknown): Record<string, Choice> {
  return typeof resent === 'string' ? (JSON.parse(resent) as Record<string, Choice>) : {}
}
