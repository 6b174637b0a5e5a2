/** Sending one lease's calls to Segment, and finding the one bad message when a batch is refused. */
import type { AccountReason } from '../accounts/needs-attention.ts'
import type { Packed } from '../segment/batch.ts'
import type { Verdict } from '../segment/verdict.ts'
import type { Pause } from './settle.ts'

export interface Delivered {
  delivered: number[]
  /** Refused alone, though Segment takes others of this account. */
  dead: { id: number; reason: string }[]
  /** Of those delivered: the second event that was to go with them was refused, for this reason. */
  extraRefused?: { id: number; reason: string }[]
  /** Why the rest was not sent: the whole lane waits. */
  stopped?: Pause
}

/** The reason when every single message was refused: no bad message, but an account that Segment does not want to hear. */
export const allRefused = 'segment_refuses_all' satisfies AccountReason

/** Sends one run, whole or in ever smaller halves. `attempt` is one request. */
export async function deliver(
  run: readonly Packed[],
  attempt: (part: readonly Packed[]) => Promise<Verdict>,
  probing: boolean,
): Promise<Delivered> {
  const result: Delivered = { delivered: [], dead: [] }
  const without = new Map<number, string>()
  const parts = [run]
  for (let part = parts.shift(); part; part = parts.shift()) {
    const verdict = await attempt(part)
    if (verdict.is === 'done') result.delivered.push(...part.map(({ id }) => id))
    // mutant: lets an event die of the one that goes with it
    else if (verdict.is === 'refused' && isPair(part)) {
      const [{ id, whose, alone }] = part
      without.set(id, verdict.reason)
      parts.unshift([{ id, whose, text: alone, bytes: Buffer.byteLength(alone) }])
    }
    // mutant: lets an outage be an end
    else if (verdict.is !== 'refused')
      return { ...withRefused(result, without), dead: sureDead(result), stopped: verdict }
    // mutant: drops the whole batch on a 400
    else if (part.length === 1) result.dead.push({ id: part[0]!.id, reason: verdict.reason })
    // mutant: sends the halves of a refused batch in the wrong order
    else parts.unshift(part.slice(0, part.length >> 1), part.slice(part.length >> 1))
  }
  if (result.dead.length === run.length && (run.length > 1 || probing)) {
    return { delivered: [], dead: [], stopped: { is: 'held', reason: allRefused } }
  }
  return withRefused(result, without)
}

/** One event, and a second one that goes with it. */
function isPair(part: readonly Packed[]): part is [Packed & { alone: string }] {
  return part.length === 1 && part[0]!.alone !== undefined
}

function withRefused(result: Delivered, without: ReadonlyMap<number, string>): Delivered {
  if (without.size === 0) return result
  const extraRefused = result.delivered.flatMap((id) => {
    const reason = without.get(id)
    return reason === undefined ? [] : [{ id, reason }]
  })
  return { ...result, extraRefused }
}

/** As long as Segment has taken nothing beside them, it may be the account that is refused, and of that nothing dies. */
function sureDead({ delivered, dead }: Delivered): Delivered['dead'] {
  return delivered.length > 0 ? dead : []
}

export interface Judgement {
  /** A request begins; what is returned judges what became of it beside the others. */
  begin(): (result: Delivered) => Delivered
  /** Refused alone, where nothing says that the account is refused: for the lease's end. */
  rest(): Delivered['dead']
}

/**
 * What several requests of one lease say together. Where each has one message, one that is refused is dead only when
 * Segment has taken a request that began later: when it has refused another instead, it may be the account that is refused.
 */
export function judgement(): Judgement {
  let begun = 0
  let doubted: { nth: number; dead: Delivered['dead'] }[] = []
  return {
    begin() {
      const nth = ++begun
      return (result) => {
        if (result.stopped) return result
        if (result.delivered.length > 0) {
          const sure = doubted.filter((one) => one.nth < nth)
          doubted = doubted.filter((one) => one.nth > nth)
          return { ...result, dead: [...sure.flatMap(({ dead }) => dead), ...result.dead] }
        }
        doubted.push({ nth, dead: result.dead })
        // mutant: lets events die of what the account is refused for
        if (doubted.length > 1) return { delivered: [], dead: [], stopped: { is: 'held', reason: allRefused } }
        return { delivered: [], dead: [] }
      }
    },
    rest: () => doubted.flatMap(({ dead }) => dead),
  }
}
