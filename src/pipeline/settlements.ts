/** What became of the events of one request, as the store is to have it. */
import type { Id } from '../events/define.ts'
import type { Packed } from '../segment/batch.ts'
import type { Settlement } from '../storage/ports/inbox.ts'
import type { Attempts } from './attempt.ts'
import type { Delivered } from './deliver.ts'

/** `learnt`: whose they are, where that was found out; `notes`: what is kept with them from now on. */
export function settlementsOf(
  { delivered, dead }: Delivered,
  learnt: Map<number, Id>,
  attemptOf: Attempts['attemptOf'],
  at: number,
  notes: ReadonlyMap<number, Buffer> = new Map(),
): Settlement[] {
  const by = (id: number) => {
    const contact = learnt.get(id)
    learnt.delete(id)
    const attempt = attemptOf(id)
    const known = notes.get(id)
    return { ...(attempt && { attempt }), ...(contact === undefined ? {} : { contact }), ...(known && { known }) }
  }
  return [
    ...delivered.map((id): Settlement => ({ id, to: 'delivered', at, ...by(id) })),
    ...dead.map(({ id, reason }): Settlement => ({ id, to: 'dead', at, reason, ...by(id) })),
  ]
}

/** Those of a run that were in a request that has failed, and wait for the next one. */
export function failedOf(
  run: readonly Packed[],
  { delivered, dead, stopped }: Delivered,
  attemptOf: Attempts['attemptOf'],
  at: number,
): Settlement[] {
  if (!stopped) return []
  const ended = new Set([...delivered, ...dead.map(({ id }) => id)])
  return run.flatMap(({ id }): Settlement[] => {
    const attempt = ended.has(id) ? undefined : attemptOf(id)
    return attempt ? [{ id, to: 'same', at, attempt }] : []
  })
}
