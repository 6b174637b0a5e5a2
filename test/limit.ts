/**
 * Ends the process of a test file that hangs, in whatever way, and names the file: `node --import …/limit.ts?ms=1000 --test`
 * hands it to each file's process. From a thread of its own, which also a loop that never ends leaves alone.
 */
import { isMainThread, Worker } from 'node:worker_threads'

const ms = Number(new URL(import.meta.url).searchParams.get('ms'))
const [, file] = process.argv

const source = `
  const { writeSync } = require('node:fs')
  const { file, ms } = require('node:worker_threads').workerData
  setTimeout(() => {
    writeSync(2, file + ' was ended: it ran for ' + ms / 1000 + ' seconds, the most that a test file may take\\n')
    process.kill(process.pid, 'SIGKILL')
  }, ms)`

// The runner's own process has no file, and workers of a test have its arguments.
if (isMainThread && file?.endsWith('.test.ts'))
  new Worker(source, { eval: true, execArgv: [], workerData: { file, ms } }).unref()
