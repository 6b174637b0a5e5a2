// Loaded into the service before anything of its own, in each of its threads: counts the statements that it gives its
// store, SQLite's commits, and the pages that SQLite adds to its log. Tells its parent when asked. Costs a fraction of a microsecond a statement.
// From the first time that its parent asks for the slowest statement, it measures how long each takes.
import { openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

const name = 'bench counts'
if (isMainThread) setEnvironmentData(name, new Int32Array(new SharedArrayBuffer(20)))
/** The statements, pages and commits of all threads; whether statements are timed, and the microseconds of the slowest. */
const counts = getEnvironmentData(name)
const count = (which, more) => Atomics.add(counts, which, more)

function counted(prototype, method) {
  const original = prototype[method]
  prototype[method] = function (...args) {
    count(0, 1)
    if (counts[3] === 0) return original.apply(this, args)
    const startedAt = performance.now()
    const result = original.apply(this, args)
    const end = () => ended(startedAt)
    if (typeof result?.then === 'function') result.then(end, end)
    else end()
    return result
  }
}

function ended(startedAt) {
  const us = Math.round((performance.now() - startedAt) * 1_000)
  for (let most = counts[4]; us > most; most = counts[4]) Atomics.compareExchange(counts, 4, most, us)
}

const commits = new WeakMap()
const { prepare } = DatabaseSync.prototype
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest)
  if (sql === 'COMMIT') commits.set(statement, pagesOf(`${this.location()}-shm`))
  return statement
}
counted(DatabaseSync.prototype, 'exec')
for (const method of ['get', 'all', 'iterate']) counted(StatementSync.prototype, method)
const { run } = StatementSync.prototype
StatementSync.prototype.run = function (...args) {
  count(0, 1)
  const result = run.apply(this, args)
  const pages = commits.get(this)
  if (pages) {
    count(1, pages())
    count(2, 1)
  }
  return result
}

/** How many pages the log has got since the last call. The first 48 bytes of the index are said in SQLite's walformat.html. */
function pagesOf(path) {
  const index = openSync(path)
  const header = Buffer.alloc(48)
  const look = () => {
    readSync(index, header, 0, 48, 0)
    return { frames: header.readUInt32LE(16), salt: header.readUInt32LE(32) }
  }
  let last = look()
  return () => {
    const now = look()
    // The log begins again from its start, under another salt, once all of it is in the file.
    const pages = now.salt === last.salt ? now.frames - last.frames : now.frames
    last = now
    return pages
  }
}

if (isMainThread) {
  if (process.env.DATABASE_URL?.startsWith('postgres')) {
    const pg = createRequire(process.argv[1])('pg')
    counted(pg.Client.prototype, 'query')
  }
  process.on('message', (asked) => {
    const [statements, pages, commits] = counts
    if (asked === 'counts') return process.send({ statements, pages, commits })
    Atomics.store(counts, 3, 1)
    process.send({ slowestMs: Atomics.exchange(counts, 4, 0) / 1_000 })
  })
  process.channel.unref()
}
