/** A Drift and a Segment of our own, real HTTP servers on loopback: for people, the demo and the tests alike. */
import { type DriftOptions, type DriftSim, startDrift } from './drift.ts'
import { type SegmentOptions, type SegmentSim, startSegment } from './segment.ts'

export type { DriftSim } from './drift.ts'
export { type SegmentAction, type SegmentSim, startSegment } from './segment.ts'
export type { Action, Received } from './server.ts'

export interface Sims {
  drift: DriftSim
  segment: SegmentSim
  close(): Promise<void>
}

/** The source of the demo page's browser; the webhooks of an account have another. */
const demoKey = 'DemoBrowserKey0123456789abcdefgh'

/** Both simulators, each on a free port where none is named. */
export async function startSims(options: { drift?: DriftOptions; segment?: SegmentOptions } = {}): Promise<Sims> {
  const segment = await startSegment(options.segment)
  const site = { segmentUrl: segment.url, writeKey: demoKey }
  const drift = await startDrift({ site, ...options.drift }).catch(async (error: unknown) => {
    await segment.close()
    throw error
  })
  return { drift, segment, close: async () => void (await Promise.all([drift.close(), segment.close()])) }
}
