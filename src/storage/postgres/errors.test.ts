import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemOf } from './errors.ts'

const codeFor = (code: string) => problemOf(Object.assign(new Error('no'), { code })).code

test("the problem names a certificate that Node refuses, for each of Node's codes, and for nothing else", () => {
  const refused = [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'PATH_LENGTH_EXCEEDED',
    'CERT_HAS_EXPIRED',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ]
  for (const code of refused) assert.equal(codeFor(code), 'store_certificate', code)
  const others = ['ECONNREFUSED', 'ECONNRESET', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_TLS_HANDSHAKE_TIMEOUT']
  for (const code of others) assert.equal(codeFor(code), 'store_unreachable', code)
})

test('what to do about a refused certificate is said by what is wrong with it: renewing helps one that has expired, not an authority', () => {
  const cases: [code: string, is: RegExp, hint: RegExp][] = [
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted/, /sslrootcert.*NODE_EXTRA_CA_CERTS/],
    ['CERT_HAS_EXPIRED', /has expired/, /renew/],
    ['CERT_REVOKED', /revoked/, /replace/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host/, /DATABASE_URL/],
  ]
  for (const [code, is, hint] of cases) {
    const problem = problemOf(Object.assign(new Error('no'), { code }))
    assert.match(problem.message, is)
    assert.match(problem.hint!, hint)
    assert.equal(/sslrootcert/.test(problem.hint!), code === 'SELF_SIGNED_CERT_IN_CHAIN')
  }
})

test('what the client finds out by itself has no code: its message is shown, and a password that is missing is not waited for', () => {
  const late = problemOf(new Error('timeout expired'))
  assert.deepEqual([late.code, late.message], ['store_unreachable', 'PostgreSQL cannot be reached (timeout expired)'])
  assert.match(late.hint!, /a service connects again by itself, a command is to be run again$/)
  // pg, lib/crypto/sasl.js: the server wants a password, and DATABASE_URL has none.
  const without = problemOf(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'))
  assert.deepEqual([without.code, without.exitCode], ['store_refused', 78])
})

test('a statement that waited too long, for a lock or for others in a circle, is the store being busy, and not refused', () => {
  const stateOf = (code: string) => problemOf(Object.assign(new Error('no'), { code, severity: 'ERROR' })).code
  // query_canceled by statement_timeout, lock_not_available by lock_timeout, serialization_failure, deadlock_detected.
  for (const state of ['57014', '55P03', '40001', '40P01']) assert.equal(stateOf(state), 'store_busy', state)
  for (const state of ['22021', '23505', '42601']) assert.equal(stateOf(state), 'store_statement_failed', state)
})

test('what PgBouncer answers while its server is away is waited for, and what it refuses for its settings is not', () => {
  const problemFor = (message: string) =>
    problemOf(Object.assign(new Error(message), { code: '08P01', severity: 'FATAL' }))
  const away = [
    'server login has been failing, try again later (server_login_retry)',
    'server login has been failing, cached error: connect failed (server_login_retry)',
    'server login has been failing, cached error: password authentication failed for user "source" (server_login_retry)',
    'query_wait_timeout',
    'server conn crashed?',
    'client_login_timeout (server down)',
    'no more connections allowed (max_client_conn)',
    'pgbouncer cannot connect to server',
  ]
  for (const message of away) {
    const { code, exitCode } = problemFor(message)
    assert.deepEqual([code, exitCode], ['store_unreachable', 1], message)
  }
  const refused = [
    'no such user: source',
    'no such database: source',
    'SASL authentication failed',
    'login rejected',
    'unsupported startup parameter: options',
    'bouncer config error',
    'SSL required',
  ]
  for (const message of refused) assert.equal(problemFor(message).code, 'store_refused', message)
})
