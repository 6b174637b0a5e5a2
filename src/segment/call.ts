/** One Segment Identify or Track, as it stands in the `batch` of `POST /v1/batch`. */
import { readFileSync } from 'node:fs'
import type { Json } from '../lib/json.ts'

export const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** `externalIds` and `consent`: where a destination's options add them. */
export interface Context {
  integration: { name: string; version: string }
  externalIds?: { id: string; type: string; collection: string; encoding: string }[]
  consent?: { categoryPreferences: Record<string, boolean> }
}

interface Message {
  /** The Drift contactId as a string, but where a destination's options take another. */
  anonymousId: string
  /** The customer's own id of the person, where a destination's options say so. */
  userId?: string
  /** At most 100 characters (Segment's limit); the same on every attempt, so that Segment can drop repeats. */
  messageId: string
  /** When it happened, ISO 8601 in UTC. */
  timestamp: string
  context: Context
  /** What comes from Drift is not sent back to Drift by Segment's Drift destination. */
  integrations: Record<string, boolean>
}

export interface Track extends Message {
  type: 'track'
  event: string
  properties: Record<string, Json>
}

export interface Identify extends Message {
  type: 'identify'
  traits: Record<string, Json>
}

export type Call = Track | Identify

/** Who sends: Segment asks every partner to name itself so (Segment's guidelines for partner sources). */
export const context: Context = { integration: { name: 'drift-segment-source', version } }
export const integrations = { Drift: false }
