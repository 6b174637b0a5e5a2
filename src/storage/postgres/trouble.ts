/** What an error of PostgreSQL's means for us: try again, reconnect, or nothing more can be promised. */
import { codeOf, Problem } from '../../lib/errors.ts'
import { tlsFailureOf } from '../../lib/tls-failures.ts'

/** Classes and codes of postgresql.org/docs/current/errcodes-appendix.html. */
const contention = ['40001', '40P01']
const fullOrShort = /^53/
const gone = ['42P01', '3F000']
const unfit = /^(28|3D|08P01)/

/** Two transactions met; nothing of this one was done, and it may be done again. */
export function isContention(error: unknown): boolean {
  return contention.includes(stateOf(error) ?? '')
}

/** The connection is of no use any more: errors of the socket and of the client, a server that stops or is a standby. */
export function isClosing(error: unknown): boolean {
  const state = stateOf(error)
  return state === undefined || /^(08|57P|25P03|25006)/.test(state)
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const state = stateOf(error)
  if (state === undefined) return unreachable(error)
  if (gone.includes(state))
    return new Problem('store_gone', 'our tables are not in the database any more', {
      hint: 'restore the last backup, or name the right database: see docs/operate.md',
      cause: error,
    })
  if (state === '42501')
    return new Problem('store_forbidden', 'the database role of DATABASE_URL may not make or use our tables', {
      hint: 'let it: GRANT CREATE ON DATABASE … TO …, or make an empty schema for it: CREATE SCHEMA drift_segment_source AUTHORIZATION …; where another role has made the tables, name that one in DATABASE_URL',
      exitCode: 78,
      cause: error,
    })
  if (unfit.test(state)) return notLetIn(error)
  if (fullOrShort.test(state))
    return new Problem('store_full', 'PostgreSQL has no room or no connections left: nothing new is accepted', {
      hint: 'make room on its disk, or raise max_connections; it goes on by itself',
      cause: error,
    })
  if (isClosing(error)) return unreachable(error)
  return new Problem('store_statement_failed', `PostgreSQL refused a statement (${state})`, {
    hint: 'its log says which and why',
    cause: error,
  })
}

function unreachable(cause: unknown): Problem {
  const tls = tlsFailureOf(codeOf(cause))
  // A certificate stays refused, where a failure of the protocol may be the network's.
  if (tls !== undefined && tls !== 'TLS_NOT_SPOKEN')
    return new Problem('store_certificate', `PostgreSQL's certificate is not trusted (${codeOf(cause)})`, {
      hint: 'name the authority that signed it: sslmode=verify-full&sslrootcert=/path/to/ca.crt in DATABASE_URL, or NODE_EXTRA_CA_CERTS; the host in DATABASE_URL must stand in the certificate',
      exitCode: 78,
      cause,
    })
  const why = whyOf(cause)
  if (/^SASL: /.test(why)) return notLetIn(cause)
  if (/does not support SSL/.test(why))
    return new Problem('store_refused', 'PostgreSQL speaks no TLS, which DATABASE_URL asks for', {
      hint: 'switch it on at the server (ssl = on); sslmode=disable in DATABASE_URL only where the way to it is private',
      exitCode: 78,
      cause,
    })
  return new Problem('store_unreachable', `PostgreSQL cannot be reached (${why})`, {
    hint: 'it is connected to again by itself; look whether the server runs and can be reached from here',
    cause,
  })
}

function notLetIn(cause: unknown): Problem {
  return new Problem('store_refused', 'PostgreSQL does not let us in with this DATABASE_URL', {
    hint: 'look at the user, the password and the database it names',
    exitCode: 78,
    cause,
  })
}

/** What the client, pg, finds out by itself has no code, but a message of its own. */
function whyOf(error: unknown): string {
  const code = codeOf(error)
  return code === 'Error' ? (error as Error).message : code
}

/** SQLSTATE, which only the server's own errors have; those of sockets and the client have other codes or none. */
function stateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined
}
