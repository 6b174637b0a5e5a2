/** What is said of a partner whose certificate or protocol is not as it should be. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createPlain } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openssl, withoutOpenssl } from '../../test/openssl.ts'
import { openHttpClient } from './request.ts'
import { tlsFailureOf } from './tls-failures.ts'

const folder = mkdtempSync(join(tmpdir(), 'tls-'))
const servers: (Server | ReturnType<typeof createPlain>)[] = []
after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

async function failureAt(server: Server | ReturnType<typeof createPlain>) {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const httpClient = openHttpClient()
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`
  const answered = await httpClient.send({ method: 'GET', url, deadlineMs: 5_000 })
  await httpClient.close()
  return answered
}

const expected: [code: string, is: string | undefined][] = [
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS_UNTRUSTED'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'TLS_UNTRUSTED'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TLS_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TLS_UNTRUSTED'],
  ['CERT_REVOKED', 'TLS_REVOKED'],
  ['CERT_HAS_EXPIRED', 'TLS_EXPIRED'],
  ['CERT_NOT_YET_VALID', 'TLS_EXPIRED'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_WRONG_HOST'],
  ['EPROTO', 'TLS_NOT_SPOKEN'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS_NOT_SPOKEN'],
  ['ECONNREFUSED', undefined],
  ['TIMEOUT', undefined],
]
for (const [code, is] of expected)
  test(`${code} is ${is ?? 'not about TLS'}`, () => assert.equal(tlsFailureOf(code), is))

test('a partner that speaks plain http behind https is said to speak no TLS', async () => {
  const plain = createPlain((_, response) => response.end())
  assert.deepEqual(await failureAt(plain), { status: 0, failure: 'TLS_NOT_SPOKEN' })
})

test('a partner with a certificate of its own making is said not to be trusted', { skip: withoutOpenssl }, async () => {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost', folder)
  const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file)))
  const answered = await failureAt(createServer({ key, cert }, (_, response) => response.end()))
  assert.deepEqual(answered, { status: 0, failure: 'TLS_UNTRUSTED' })
})
