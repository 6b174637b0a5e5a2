/** What `/bridge.js` is made from: it starts by itself, with what its tag and `window.driftSegmentBridge` say. */
import { startBridge } from './index.ts'

startBridge()
