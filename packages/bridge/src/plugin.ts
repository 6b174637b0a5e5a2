/** The bridge as a plugin of analytics.js, for a site that has it from npm: `analytics.register(driftSegmentSource())`. */
import type { Bridge } from './bridge.ts'
import type { BridgeOptions } from './options.ts'
import type { Analytics, Page } from './page.ts'
import { startFor } from './start.ts'

/** That of the package, which a test holds it to: this folder imports nothing from outside. */
export const version = '0.2.0'

/** A utility plugin, as analytics.js types it. */
export interface DriftSegmentPlugin {
  name: string
  type: 'utility'
  version: string
  /** To say the visitor's choice, for one. */
  bridge: Bridge
  isLoaded(): boolean
  load(context: unknown, analytics: Analytics): Promise<void>
}

/**
 * It listens from now on, and what the widget says goes to the instance that it is registered with, when that is loaded:
 * settings that come late, or a consent manager that loads it late, lose nothing.
 */
export function driftSegmentSource(
  options: Omit<BridgeOptions, 'analytics'> = {},
  page: Page = globalThis as unknown as Page,
): DriftSegmentPlugin {
  let instance: Analytics | undefined
  const bridge = startFor(options, page, () => instance)
  return {
    name: 'Drift Segment Source',
    type: 'utility',
    version,
    bridge,
    isLoaded: () => true,
    async load(_context, analytics) {
      instance = analytics
    },
  }
}
