/**
 * Stores of released versions: for each engine and each number of steps of its schema one sample, made when a version was
 * released with it (`npm run freeze`) and kept as test/storage/frozen/ENGINE-STEPS.json.gz. Steps that one of them has are
 * never edited again.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import type { Clock } from '../../src/lib/clock.ts'
import { steps as postgresSteps } from '../../src/storage/postgres/migrations.ts'
import { steps as sqliteSteps } from '../../src/storage/sqlite/migrations.ts'
import { type Engine, engines } from '../engines.ts'
import { makeSample, type Sample } from './sample.ts'

export interface Frozen {
  engine: Engine['name']
  /** The version that made it, and the SHA-256 of each step that its schema has. */
  version: string
  steps: string[]
  sample: Sample
  /** The file of SQLite in base64; what PostgreSQL is to run, in SQL. */
  store: string
}

interface Kind {
  /** What each step says. */
  steps: readonly string[]
  /** Of a store that no process has open. */
  dump(url: string): Promise<string>
  /** Into a place where nothing is yet. */
  restore(url: string, store: string): Promise<void>
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = 'test/storage/frozen'
const schema = 'drift_segment_source'

const inFile: Kind = {
  steps: sqliteSteps,
  async dump(url) {
    const scratch = mkdtempSync(join(tmpdir(), 'frozen-'))
    const db = new DatabaseSync(pathOf(url))
    try {
      db.exec(`VACUUM INTO '${join(scratch, 'copy.db')}'`)
      return readFileSync(join(scratch, 'copy.db'), 'base64')
    } finally {
      db.close()
      rmSync(scratch, { recursive: true })
    }
  },
  restore: async (url, store) => writeFileSync(pathOf(url), Buffer.from(store, 'base64')),
}

const kinds: Readonly<Record<Engine['name'], Kind>> = {
  sqlite: inFile,
  postgres: {
    steps: postgresSteps.map(({ sql }) => sql),
    dump: (url) => withClient(url, dumpRows),
    restore: (url, store) => withClient(url, async (query) => void (await query(store))),
  },
}

/** Whether the present schema of each engine is frozen in the project at this folder, which is that of the present one. */
export function isFrozen(at = root): boolean {
  return frozenFiles().every((file) => existsSync(join(at, file)))
}

/** Where the samples of the present schemas are kept, one for each engine. */
export function frozenFiles(): string[] {
  return engines.map(({ name }) => join(folder, nameOf(name, kinds[name].steps)))
}

export function readFrozen(): Frozen[] {
  if (!existsSync(join(root, folder))) return []
  const files = readdirSync(join(root, folder)).sort()
  return files.map((file) => JSON.parse(gunzipSync(readFileSync(join(root, folder, file))).toString()) as Frozen)
}

/** Keeps a sample for each engine whose schema has none; gives the names of their files. */
export async function freeze(version: string): Promise<string[]> {
  const made: string[] = []
  mkdirSync(join(root, folder), { recursive: true })
  for (const engine of engines) {
    const file = join(folder, nameOf(engine.name, kinds[engine.name].steps))
    if (existsSync(join(root, file))) continue
    writeFileSync(join(root, file), gzipSync(JSON.stringify(await makeFrozen(engine, version)), { level: 9 }))
    made.push(file)
  }
  return made
}

/** `clock`: by which everything in it is done. */
export async function makeFrozen({ name, start }: Engine, version: string, clock?: Clock): Promise<Frozen> {
  const stores = await start()
  try {
    const url = await stores.fresh()
    const sample = await makeSample(url, clock)
    const { steps, dump } = kinds[name]
    return { engine: name, version, steps: steps.map(digestOf), sample, store: await dump(url) }
  } finally {
    await stores.close()
  }
}

/** At a DATABASE_URL of its engine, where nothing is yet. */
export function restore({ engine, store }: Frozen, url: string): Promise<void> {
  return kinds[engine].restore(url, store)
}

/** Which of the steps that it has, from 1, do not say any more what they said then. */
export function editedSteps({ engine, steps }: Frozen, present: readonly string[] = kinds[engine].steps): number[] {
  return steps.flatMap((digest, at) => (present[at] !== undefined && digestOf(present[at]) === digest ? [] : [at + 1]))
}

function nameOf(engine: Engine['name'], { length }: readonly string[]): string {
  return `${engine}-${length}.json.gz`
}

function digestOf(step: string): string {
  return createHash('sha256').update(step).digest('hex')
}

function pathOf(url: string): string {
  return url.slice(url.indexOf(':') + 1)
}

type Query = (sql: string) => Promise<Record<string, string>[]>

async function withClient<T>(url: string, work: (query: Query) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(async (sql) => (await client.query<Record<string, string>>(sql)).rows)
  } finally {
    await client.end()
  }
}

/** The steps as they stand, and then every row and the place of every sequence. npm has no pg_dump. */
async function dumpRows(query: Query): Promise<string> {
  const told = [
    `CREATE SCHEMA ${schema}; SET search_path TO ${schema}`,
    'CREATE TABLE meta (schema integer NOT NULL, least integer NOT NULL)',
    ...kinds.postgres.steps.map((step) => step.trim().replace(/;$/, '')),
  ]
  const columns = await query(
    `SELECT table_name AS table, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS names,
       string_agg(format('quote_nullable(%I::text)', column_name), ', ' ORDER BY ordinal_position) AS quoted
     FROM information_schema.columns WHERE table_schema = '${schema}' GROUP BY 1 ORDER BY 1`,
  )
  for (const { table, names, quoted } of columns) {
    const rows = await query(`SELECT concat_ws(', ', ${quoted}) AS row FROM ${schema}.${table} ORDER BY 1`)
    told.push(`DELETE FROM ${table}`)
    for (const { row } of rows) told.push(`INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE VALUES (${row})`)
  }
  const sequences = await query(
    `SELECT sequencename AS name, last_value AS last FROM pg_sequences WHERE schemaname = '${schema}' AND last_value > 0`,
  )
  for (const { name, last } of sequences) told.push(`SELECT setval('${name}', ${last})`)
  return `${told.join(';\n')};\n`
}
