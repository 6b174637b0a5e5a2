/** The module `drift-segment-source-bridge`. */
import type { Bridge } from './bridge.ts'
import type { BridgeOptions } from './options.ts'

export type { Bridge, BridgeState } from './bridge.ts'
export { type WidgetEvent, widgetEvents } from './events.ts'
export type { BridgeOptions, Consent, TrackedEvent } from './options.ts'
export type { Analytics, Drift } from './page.ts'
export { type DriftSegmentPlugin, driftSegmentSource } from './plugin.ts'
export { startBridge } from './start.ts'

declare global {
  interface Window {
    driftSegmentBridge?: Bridge | BridgeOptions
  }
}
