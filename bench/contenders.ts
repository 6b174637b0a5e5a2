/** This service and its peers, each between a load and a Segment, started and ended alike. */
import type { Bench } from './line.ts'
import { type Running, start } from './process.ts'
import { install, serve, settingsFor } from './product.ts'
import { type Segment, startSegment } from './segment.ts'
import { firstOrg, token, writeKeyOf } from './webhook.ts'

export interface Stand {
  segment: Segment
  receiver: Running
  /** Starts it again after a kill, on whatever it has kept. */
  again(): Promise<void>
  close(): Promise<void>
}

export const names = { express: 'Express + @segment/analytics-node, answers first', nodeRed: 'Node-RED, answers first' }

/** How long the Segment of these lines takes to answer: about what a transatlantic round trip does. */
export const segmentDelayMs = 80

export interface StandOptions {
  accounts?: number
  /** A store that is there already, such as a backlog. */
  folder?: string
  delayMs?: number
}

export async function ours(bench: Bench, { accounts = 1, folder, delayMs = segmentDelayMs }: StandOptions = {}) {
  const segment = await startSegment({ delayMs })
  const env = settingsFor(bench.engine, folder ?? (await bench.folder()), segment.url)
  if (folder === undefined) await install(bench.root, env, accounts)
  return standUp(segment, () => serve(bench.root, env))
}

export async function express(): Promise<Stand> {
  const segment = await startSegment({ delayMs: segmentDelayMs })
  return standUp(segment, () => start('bench/peers/express.mjs', [], peerEnv(segment)))
}

export async function nodeRed(bench: Bench): Promise<Stand> {
  const segment = await startSegment({ delayMs: segmentDelayMs })
  const env = { ...peerEnv(segment), BENCH_FOLDER: await bench.folder() }
  return standUp(segment, () => start('bench/peers/node-red.mjs', [], env))
}

function peerEnv({ url }: Segment): NodeJS.ProcessEnv {
  return { SEGMENT_URL: url, WRITE_KEY: writeKeyOf(firstOrg), TOKEN: token }
}

async function standUp(segment: Segment, begin: () => Promise<Running>): Promise<Stand> {
  const stand: Stand = {
    segment,
    receiver: await begin(),
    async again() {
      stand.receiver = await begin()
    },
    async close() {
      await stand.receiver.kill()
      await segment.kill()
    },
  }
  return stand
}
