/** A thread of its own in which SQLite writes a store's content anew: it takes minutes for a large one. Writes `to` only. */
import { workerData } from 'node:worker_threads'
import { writeAnew } from './write-anew.ts'

const { from, to } = workerData as { from: string; to: string }
writeAnew(from, to)
