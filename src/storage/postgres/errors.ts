/** What an error of PostgreSQL's means for us: try again, reconnect, or nothing more can be promised. */
import { codeOf, Problem } from '../../lib/errors.ts'
import { type TlsFailure, tlsFailureOf } from '../../lib/tls-failures.ts'

/** Classes and codes of postgresql.org/docs/current/errcodes-appendix.html. */
const contention = ['40001', '40P01']
const fullOrShort = /^53/
/** What statement_timeout and lock_timeout end. */
const tookTooLong = ['57014', '55P03']
const gone = ['42P01', '42883', '3F000']
const unfit = /^28/
/**
 * Nearly all of PgBouncer's own answers have one code. These speak of what DATABASE_URL or the pool's settings say; the
 * others, such as `server_login_retry` while the server is away, end by themselves. The first is checked before the second,
 * which it may quote.
 */
const ofPool = '08P01'
const poolWaits = /server_login_retry|server login has been failing/i
const poolRefuses =
  /no such (user|database)|auth|password|login rejected|not allowed|unsupported startup|config error|SSL|TLS/i

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
      hint: 'restore the last backup, or name the right database: see docs/backup.md',
      cause: error,
    })
  if (state === '42501')
    return new Problem('store_forbidden', 'the database role of DATABASE_URL may not make or use our tables', {
      hint: 'let it: GRANT CREATE ON DATABASE … TO …, or make an empty schema for it: CREATE SCHEMA drift_segment_source AUTHORIZATION …; where another role has made the tables, name that one in DATABASE_URL',
      exitCode: 78,
      cause: error,
    })
  if (state === '3D000')
    return new Problem('store_refused', 'PostgreSQL has no database of the name in DATABASE_URL', {
      hint: 'create it (CREATE DATABASE …), or correct the name',
      exitCode: 78,
      cause: error,
    })
  if (unfit.test(state)) return notLetIn(error)
  if (state === ofPool) {
    const { message } = error as Error
    return poolRefuses.test(message) && !poolWaits.test(message) ? notLetIn(error) : poolUnreachable(error)
  }
  if (fullOrShort.test(state))
    return new Problem('store_full', 'PostgreSQL has no room or no connections left: nothing new is accepted', {
      hint: 'make room on its disk, or raise max_connections; it goes on by itself',
      cause: error,
    })
  if (tookTooLong.includes(state) || isContention(error))
    return new Problem(
      'store_busy',
      `PostgreSQL did not carry a statement out in time (${state}); nothing of it was done`,
      {
        hint: 'it is tried again by itself; look for what locks our tables, such as VACUUM FULL, or keeps the server busy',
        cause: error,
      },
    )
  if (isClosing(error)) return unreachable(error)
  return new Problem('store_statement_failed', `PostgreSQL refused a statement (${state})`, {
    hint: 'its log says which and why',
    cause: error,
  })
}

/** What is wrong with it, and what to do about it. */
const certificateWords: Record<Exclude<TlsFailure, 'TLS_NOT_SPOKEN'>, readonly [is: string, hint: string]> = {
  TLS_UNTRUSTED: [
    'is not trusted',
    'name the authority that signed it: sslmode=verify-full&sslrootcert=/path/to/ca.crt in DATABASE_URL, or NODE_EXTRA_CA_CERTS',
  ],
  TLS_EXPIRED: [
    'has expired, or is not valid yet',
    "look at this machine's clock; if it is right, renew the certificate at the server",
  ],
  TLS_REVOKED: ['was revoked by its authority', 'replace the certificate at the server'],
  TLS_WRONG_HOST: [
    'is of another host',
    'write the host into DATABASE_URL as it stands in the certificate, or have a certificate made for the host in DATABASE_URL',
  ],
}

function unreachable(cause: unknown): Problem {
  const tls = tlsFailureOf(codeOf(cause))
  // A certificate stays refused, where a failure of the protocol may be the network's.
  if (tls !== undefined && tls !== 'TLS_NOT_SPOKEN') {
    const [is, hint] = certificateWords[tls]
    return new Problem('store_certificate', `PostgreSQL's certificate ${is} (${codeOf(cause)})`, {
      hint,
      exitCode: 78,
      cause,
    })
  }
  // A file is opened for nothing but TLS; a socket is connected to.
  if ((cause as NodeJS.ErrnoException).syscall === 'open')
    return new Problem('store_certificate', `a file that DATABASE_URL names cannot be read (${codeOf(cause)})`, {
      hint: 'look at the paths in sslrootcert, sslcert and sslkey, and let the user that runs the service read them',
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
    hint: `look whether the server runs and can be reached from here; ${connectsAgain}`,
    cause,
  })
}

const connectsAgain = 'a service connects again by itself, a command is to be run again'

function poolUnreachable(cause: unknown): Problem {
  return new Problem('store_unreachable', 'PostgreSQL cannot be reached: the pool before it has no connection to it', {
    hint: `look whether the server runs, and into the log of the pool (PgBouncer); ${connectsAgain}`,
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
