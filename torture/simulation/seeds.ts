/** Runs of the simulation, and the seeds that once found something: each of them stays a test. */

import { simulate } from './world.ts'

/** Seeds that broke an invariant, with what they found; `npm run torture -- --simulate` prints a line to add here. */
export const found: readonly { seed: number; what: string }[] = [
  { seed: 677833453, what: 'two refused events were all that was left of an account, and no event came after them' },
]

export interface Summary {
  seeds: number
  events: number
  accepted: number
  transmissions: number
  retransmissions: number
  faults: Record<string, number>
  broken: { seed: number; what: string[] }[]
}

/** One seed after the other, from `first` on; with `stop` only to the first that breaks something. */
export async function simulateMany(first: number, count: number, { stop = false } = {}): Promise<Summary> {
  const summary: Summary = {
    seeds: 0,
    events: 0,
    accepted: 0,
    transmissions: 0,
    retransmissions: 0,
    faults: {},
    broken: [],
  }
  for (let seed = first; seed < first + count && !(stop && summary.broken.length > 0); seed++) {
    const one = await simulate(seed)
    summary.seeds++
    for (const name of ['events', 'accepted', 'transmissions', 'retransmissions'] as const) summary[name] += one[name]
    for (const [name, times] of Object.entries(one.faults)) summary.faults[name] = (summary.faults[name] ?? 0) + times
    if (one.broken.length > 0) summary.broken.push({ seed, what: one.broken })
  }
  return summary
}

export function describe({ seeds, events, accepted, transmissions, retransmissions, faults, broken }: Summary): string {
  const made = Object.entries(faults)
    .map(([name, times]) => `${name} ${times}`)
    .join(', ')
  return [
    `${seeds} seeds: ${events} events, ${accepted} answered 200, ${transmissions} messages sent, ${retransmissions} of them again`,
    `faults: ${made}`,
    ...broken.map(
      ({ seed, what }) => `BROKEN  { seed: ${seed}, what: ${JSON.stringify(what.join('; ').slice(0, 400))} },`,
    ),
    broken.length === 0 ? 'every invariant held' : `${broken.length} seeds broke an invariant`,
  ].join('\n')
}
