/** The module `drift-segment-source/bridge`. */
export { type Bridge, type BridgeState, startBridge } from './bridge.ts'
export { type WidgetEvent, widgetEvents } from './events.ts'
export type { BridgeOptions, Consent } from './options.ts'
export type { Analytics, Drift } from './page.ts'
export { type DriftSegmentPlugin, driftSegmentSource } from './plugin.ts'
