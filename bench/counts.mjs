// Loaded into the service before anything of its own, in each of its threads: counts the statements that it gives its
// store, SQLite's commits, and the pages that SQLite adds to its log. Tells its parent when asked. Costs a fraction of a microsecond a statement.
import { openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

const name = 'bench counts'
if (isMainThread) setEnvironmentData(name, new Int32Array(new SharedArrayBuffer(12)))
/** The statements, pages and commits of all threads. */
const counts = getEnvironmentData(name)
const count = (which, more) => Atomics.add(counts, which, more)

function before(prototype, method, act) {
  const original = prototype[method]
  prototype[method] = function (...args) {
    act(this)
    return original.apply(this, args)
  }
}

const commits = new WeakMap()
const { prepare } = DatabaseSync.prototype
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest)
  if (sql === 'COMMIT') commits.set(statement, pagesOf(`${this.location()}-shm`))
  return statement
}
before(DatabaseSync.prototype, 'exec', () => count(0, 1))
for (const method of ['get', 'all', 'iterate']) before(StatementSync.prototype, method, () => count(0, 1))
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
    before(pg.Client.prototype, 'query', () => count(0, 1))
  }
  process.on('message', () => {
    const [statements, pages, commits] = counts
    process.send({ statements, pages, commits })
  })
  process.channel.unref()
}
