/** Failures to agree on TLS, by what a person has to do about them. A certificate that is refused stays refused. */

export type TlsFailure = 'TLS_UNTRUSTED' | 'TLS_EXPIRED' | 'TLS_REVOKED' | 'TLS_WRONG_HOST' | 'TLS_NOT_SPOKEN'

/** Node's codes: OpenSSL's verify errors (nodejs.org/api/tls.html, X509 certificate error codes) and its own. */
const families: readonly [codes: RegExp, is: TlsFailure][] = [
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$|^ERROR_IN_CERT_NOT_(BEFORE|AFTER)_FIELD$/, 'TLS_EXPIRED'],
  [/^CERT_REVOKED$/, 'TLS_REVOKED'],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, 'TLS_WRONG_HOST'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY|GET|DECRYPT|DECODE)_\w+|CERT_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/,
    'TLS_UNTRUSTED',
  ],
  [/^(EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/, 'TLS_NOT_SPOKEN'],
]

export function tlsFailureOf(code: string): TlsFailure | undefined {
  return families.find(([codes]) => codes.test(code))?.[1]
}
