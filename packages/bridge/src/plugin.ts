/** The bridge as a plugin of analytics.js, for a site that has it from npm: `analytics.register(driftSegmentSource())`. */
import { startBridge } from './bridge.ts'
import type { BridgeOptions } from './options.ts'
import type { Analytics } from './page.ts'

/** That of the package, which a test holds it to: this folder imports nothing from outside. */
export const version = '0.1.0'

/** A utility plugin, as analytics.js types it. */
export interface DriftSegmentPlugin {
  name: string
  type: 'utility'
  version: string
  isLoaded(): boolean
  load(context: unknown, analytics: Analytics): Promise<void>
}

/** What the widget says goes to the instance that it is registered with. */
export function driftSegmentSource(options: Omit<BridgeOptions, 'analytics'> = {}): DriftSegmentPlugin {
  return {
    name: 'Drift Segment Source',
    type: 'utility',
    version,
    isLoaded: () => true,
    async load(_context, analytics) {
      startBridge({ ...options, analytics })
    },
  }
}
