/** The ways in and out of the console, and what every answer has, over real HTTP. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { org, type Rig, startRig } from '../../test/rig.ts'
import { silentLog } from '../lib/log.ts'

describe('the app', () => {
  let rig: Rig
  const problems: string[] = []
  before(async () => {
    rig = await startRig({ log: { ...silentLog, error: (event) => void problems.push(event) } })
  })
  after(() => rig.close())

  const ask = (path: string, init: RequestInit = {}) => fetch(rig.service.url + path, { redirect: 'manual', ...init })
  const link = async () => {
    const { output } = await rig.command('sign-in', { given: { org: String(org), url: rig.service.url } })
    return output.split('\n')[0]!.slice(rig.service.url.length)
  }

  const routes: [method: string, path: string, status: number, header?: [name: string, value: string]][] = [
    ['GET', '/', 303, ['location', '/console']],
    ['GET', '/console/', 303, ['location', '/console']],
    ['GET', '/console', 303, ['location', '/console/sign-in']],
    ['HEAD', '/console/sign-in', 200],
    ['DELETE', '/console', 405, ['allow', 'GET, HEAD']],
    ['GET', '/console/sign-out', 405, ['allow', 'POST']],
    ['POST', '/console/sign-out', 303, ['location', '/console/sign-in']],
    ['GET', '/package.json', 404],
    ['POST', '/nowhere', 404],
  ]
  for (const [method, path, status, header] of routes) {
    test(`${method} ${path}: ${status}`, async () => {
      const answer = await ask(path, { method })
      assert.equal(answer.status, status)
      if (header) assert.equal(answer.headers.get(header[0]), header[1])
      assert.match(answer.headers.get('content-security-policy')!, /default-src 'none'.*frame-ancestors 'none'/)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    })
  }

  test('a one-time link opens the console once, after a button was pressed, and signing out ends it', async () => {
    const path = await link()
    assert.equal((await ask(path)).status, 200)
    const opened = await ask(path, { method: 'POST' })
    assert.deepEqual([opened.status, opened.headers.get('location')], [303, '/console'])
    assert.equal((await ask(path, { method: 'POST' })).status, 410)
    const cookie = opened.headers.get('set-cookie')!.split(';', 1)[0]!
    const console = await (await ask('/console', { headers: { cookie } })).text()
    assert.match(console, new RegExp(String(org)))
    const csrf = /name="csrf" value="([^"]+)"/.exec(console)![1]!
    const signOut = (fields: Record<string, string>) =>
      ask('/console/sign-out', { method: 'POST', headers: { cookie }, body: new URLSearchParams(fields) })
    assert.equal((await signOut({})).status, 403)
    assert.equal((await signOut({ csrf })).status, 303)
    assert.equal((await ask('/console', { headers: { cookie } })).status, 303)
  })

  test('a link is not used from another site', async () => {
    const path = await link()
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
    ])
      assert.equal((await ask(path, { method: 'POST', headers })).status, 403)
    assert.equal((await ask(path, { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } })).status, 303)
  })

  test('a POST without a body, and without a word about its length, is one with an empty form', async () => {
    const text = `POST ${await link()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
    assert.match(await raw(rig.service.url, text), /^HTTP\/1\.1 303 /)
  })

  test('a form is a small form, also when it does not say how long it is', async () => {
    const chunk = 'x'.repeat(70_000)
    const head = `POST ${await link()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`
    const text = `${head}${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`
    assert.match(await raw(rig.service.url, text), /^HTTP\/1\.1 413 /)
    const body = new URLSearchParams({ a: 'x'.repeat(70_000) })
    assert.equal((await ask(await link(), { method: 'POST', body })).status, 413)
  })

  test('a sender that goes away half-way does not count as our problem', async () => {
    const opened = await ask(await link(), { method: 'POST' })
    const cookie = opened.headers.get('set-cookie')!.split(';', 1)[0]!
    const form = `Cookie: ${cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100`
    await raw(rig.service.url, `POST /console/pause HTTP/1.1\r\nHost: x\r\n${form}\r\n\r\ncsrf`, true)
    await ask('/console')
    assert.deepEqual(problems, [])
  })

  test('an address that is none is answered, and the service lives', async () => {
    for (const target of ['/\\evil', '/console\\', '//', '/%', '/console/%ff', '/console/sign-in/%00', '/console?%'])
      assert.match(
        await raw(rig.service.url, `GET ${target} HTTP/1.1\r\nHost: x y\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1\.1 [34]\d\d /,
      )
    assert.equal((await ask('/console/sign-in')).status, 200)
  })
})

/** What a client gets that no browser would send. */
async function raw(url: string, text: string, leaves = false): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(text)
  if (leaves) socket.end()
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}
