/** Connections with the settings that make a commit durable, and transactions that are tried again where that is safe. */
import { createHash } from 'node:crypto'
import pg from 'pg'
import { Problem } from '../../lib/errors.ts'
import { isClosing, isContention, problemOf } from './errors.ts'

export type Row = Record<string, unknown>

/** A statement that each connection parses and plans once. */
export interface Prepared {
  name: string
  text: string
}

/**
 * For the statements of every webhook and every turn. Their columns must be listed: what `*` stands for may grow during a
 * rolling upgrade, and then the server refuses a statement that was prepared before.
 */
export function prepared(text: string): Prepared {
  return { name: `drift_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`, text }
}

type Sql = string | Prepared

/** One connection at a time: statements go out in order and need not wait for each other's answers. */
export interface Session {
  all(sql: Sql, ...values: unknown[]): Promise<Row[]>
  get(sql: Sql, ...values: unknown[]): Promise<Row | undefined>
  /** Resolves to how many rows were touched. */
  run(sql: Sql, ...values: unknown[]): Promise<number>
  /** Several statements, without values. */
  script(sql: string): Promise<void>
}

/** Statements by themselves: each commits at once. */
export interface Database extends Session {
  /** All of it, or nothing and a rejection. `work` may be called again: it must do nothing but speak to the session. */
  transaction<Result>(work: (session: Session) => Promise<Result>): Promise<Result>
  /**
   * `last` makes its statements at once, without waiting for anything: the commit goes out with them, so that the rows which
   * most others wait for are not held for another way to the server and back.
   */
  transaction<Done, Result>(
    work: (session: Session) => Promise<Done>,
    last: (session: Session, done: Done) => Promise<Result>,
  ): Promise<Result>
  /** One statement that does all of it or nothing: tried again where another transaction was in its way. */
  alone(sql: Sql, ...values: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** Everything of ours stands in a schema of its own, so that a database may be shared with others. */
export const schema = 'drift_segment_source'

/** A server that is not there is noticed within this; one that has gone silent within the longer one. */
const connectMs = 2_000
const answerMs = 15_000
/** A replica that stops in the middle of a transaction holds its locks no longer than this. */
const silentMs = 5_000
const attempts = 5

/**
 * On: a commit waits for the disk, as it does with remote_apply, which is left alone. A server may be set otherwise for
 * everybody else; with `off` the last commits before a crash are gone although they were answered.
 */
const sessionSettings = `
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
  SET search_path TO ${schema};
  SET default_transaction_isolation TO 'read committed';
  SET idle_in_transaction_session_timeout TO ${silentMs};
  SET lock_timeout TO ${answerMs - 1_000};
  SET statement_timeout TO ${answerMs - 1_000};
  SET jit TO off`

const int8 = 20

/** Whole numbers of ours stay far below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

/**
 * The client checks the certificate in these modes as in verify-full, and prints seven lines about its next version, which
 * will not. Here they keep their meaning.
 */
function checked(url: string): string {
  if (/[?&]uselibpqcompat=true(&|$)/.test(url)) return url
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/g, '$1verify-full')
}

export function connectionTo(url: string): pg.ClientConfig {
  return {
    connectionString: checked(url),
    application_name: 'drift-segment-source',
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    keepAlive: true,
    types: types as pg.CustomTypesConfig,
  }
}

/**
 * A statement that was planned while a table was empty is not planned again before the server has counted that: it must
 * not read all of a table that has grown meanwhile.
 */
const indexesOnly = 'SET enable_seqscan TO off'

/** Connects when it is first used. `gone` is called when what cannot come back by waiting is seen. */
export function openDatabase(
  url: string,
  connectionsMax: number,
  gone: (problem: Problem) => void,
  use: 'work' | 'look' = 'look',
): Database {
  const pool = new pg.Pool({
    ...connectionTo(url),
    max: connectionsMax,
    pipeline: true,
    onConnect: async (client) => {
      // The query reports the end of its connection; without a listener an idle one would end the process.
      client.on('error', () => {})
      await client.query(use === 'work' ? `${sessionSettings}; ${indexesOnly}` : sessionSettings)
    },
  } as pg.PoolConfig)
  pool.on('error', () => {})

  async function once<Done, Result>(
    work: (session: Session) => Promise<Done>,
    last?: (session: Session, done: Done) => Promise<Result>,
  ): Promise<Done | Result> {
    const client = await pool.connect()
    let broken: Error | undefined
    try {
      // Goes out together with the first statement: its answer is waited for with the last.
      const begun = client.query('BEGIN')
      begun.catch(() => {})
      let isOver = false
      const session = sessionOn(
        client,
        (error) => error,
        () => isOver,
      )
      const done = await work(session)
      const lasting = last?.(session, done)
      isOver = true
      const [result, { command }] = await Promise.all([lasting ?? done, client.query('COMMIT')])
      // The commit of a transaction that has failed is answered as a rollback, and no error.
      if (command !== 'COMMIT')
        throw new Problem('store_statement_failed', 'PostgreSQL rolled back what was to be committed')
      return result
    } catch (error) {
      broken = isClosing(error) ? (error as Error) : undefined
      if (!broken) await client.query('ROLLBACK').catch((failed: Error) => (broken = failed))
      throw error
    } finally {
      client.release(broken)
    }
  }

  function told(error: unknown): Problem {
    const problem = problemOf(error)
    if (problem.code === 'store_gone') gone(problem)
    return problem
  }

  return {
    ...sessionOn(pool, told),
    async transaction<Done, Result>(
      work: (session: Session) => Promise<Done>,
      last?: (session: Session, done: Done) => Promise<Result>,
    ): Promise<Done & Result> {
      for (let tries = 1; ; tries++) {
        try {
          return (await once(work, last)) as Done & Result
        } catch (error) {
          if (tries === attempts || !isContention(error)) throw told(error)
        }
      }
    },
    async alone(sql, ...values) {
      const session = sessionOn(pool)
      for (let tries = 1; ; tries++) {
        try {
          return await session.all(sql, ...values)
        } catch (error) {
          if (tries === attempts || !isContention(error)) throw told(error)
        }
      }
    },
    close: () => pool.end(),
  }
}

function sessionOn(
  client: Pick<pg.Pool, 'query'>,
  told: (error: unknown) => unknown = (error) => error,
  isOver = () => false,
): Session {
  const query = async (sql: Sql, values?: unknown[]) => {
    const named = typeof sql === 'string' ? { text: sql } : sql
    // By itself it would be committed by itself.
    if (isOver()) throw new Problem('store_statement_failed', 'a statement of a transaction came after its commit')
    try {
      return await client.query<Row>({ ...named, ...(values && { values: values.map(sendable) }) })
    } catch (error) {
      throw told(error)
    }
  }
  return {
    all: async (sql, ...values) => (await query(sql, values)).rows,
    get: async (sql, ...values) => (await query(sql, values)).rows[0],
    run: async (sql, ...values) => (await query(sql, values)).rowCount ?? 0,
    script: async (sql) => void (await query(sql)),
  }
}

/** PostgreSQL's text holds no NUL: it becomes the sign for what cannot be shown, when writing and when searching. */
function sendable(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  if (Array.isArray(value)) return value.map(sendable)
  // A view of a larger buffer, or of a kind that the client does not know.
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value
}
