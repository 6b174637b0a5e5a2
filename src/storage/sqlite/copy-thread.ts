/** A thread of its own in which SQLite rewrites a store into a new file: it takes minutes for a large one. Writes `to` only. */
import { workerData } from 'node:worker_threads'
import { rewriteInto } from './rewrite.ts'

const { from, to } = workerData as { from: string; to: string }
rewriteInto(from, to)
