/** Senders that are slow, many, or have an old token: what becomes of them, and that no other sender waits for them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { addsUp } from '../../src/operations/totals.ts'
import { eventually } from '../clock.ts'
import { org, type Rig, startRig } from '../rig.ts'

let rig: Rig
let token = ''
const old = 'an-older-token-0123456789'
/** Where slow senders send, from the first moment on: the service waits for them while other tests run. */
let slowRig: Rig
let slow: Record<'stops' | 'headers' | 'body', Promise<string>>
before(async () => {
  slowRig = await startRig()
  rig = await startRig()
  token = rig.sims.drift.settings.verificationToken
  const head = `POST /webhooks/drift HTTP/1.1\r\nHost: x\r\nX-Verification-Token: ${token}\r\n`
  slow = {
    stops: open(`${head}Content-Length: 500\r\n\r\n{"type":`, slowRig).then(heardOf),
    headers: dripping(`${head}A: `),
    body: dripping(`${head}Content-Length: 200000\r\n\r\n`),
  }
})
after(() => Promise.all([rig.close(), slowRig.close()]))
afterEach(async () => assert.ok(addsUp(await rig.outcomes())))

async function open(text = '', { to } = rig): Promise<Socket> {
  const { hostname, port } = new URL(to)
  const socket = connect(Number(port), hostname).on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

/** What the server says until it closes; a sender that still writes a second later gets a reset. */
async function heardOf(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  await new Promise((resolve) => socket.once('close', resolve))
  return heard
}

/** A byte every few milliseconds, for as long as the service listens. */
async function dripping(start: string): Promise<string> {
  const socket = await open(start, slowRig)
  const heard = heardOf(socket)
  await eventually(() => {
    socket.write('x')
    return socket.closed
  })
  return heard
}

const post = async (n: number, presented = token) => {
  const body = JSON.stringify({ type: 'new_conversation', orgId: org, data: { contactId: 7, id: n, createdAt: n } })
  return (await fetch(rig.to, { method: 'POST', headers: { 'x-verification-token': presented }, body })).status
}

test('two thousand idle connections do not make a webhook wait', { timeout: 60_000 }, async () => {
  const idle = await Promise.all(Array.from({ length: 2_000 }, () => open()))
  for (let n = 1; n <= 20; n++) assert.equal(await post(n), 200)
  for (const socket of idle) socket.destroy()
})

test('however much slow strangers have sent, a small webhook with its token only in the body gets its 200 within a second', {
  timeout: 60_000,
}, async () => {
  const head = 'POST /webhooks/drift HTTP/1.1\r\nHost: x\r\nContent-Length: 262144\r\n\r\n'
  const before = process.memoryUsage().rss
  const heard: Promise<string>[] = []
  const strangers = await Promise.all(Array.from({ length: 600 }, () => open(head + 'x'.repeat(250_000))))
  for (const socket of strangers) heard.push(heardOf(socket))
  const startedAt = performance.now()
  for (let n = 1; n <= 5; n++) {
    const body = JSON.stringify({ token, type: 'new_conversation', orgId: org, data: { contactId: 7, id: 5_000 + n } })
    assert.equal((await fetch(rig.to, { method: 'POST', body })).status, 200)
  }
  assert.ok(performance.now() - startedAt < 5_000, 'five of them')
  await eventually(() => strangers.filter(({ closed }) => closed).length > 250)
  for (const socket of strangers) socket.destroy()
  const answers = (await Promise.all(heard)).filter((answer) => answer.includes('strangers_too_many'))
  assert.ok(answers.length > 250, 'those who were cut hear why')
  assert.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024)
})

test('slow forms of strangers share that room, and a small form has its answer within a second', {
  timeout: 60_000,
}, async () => {
  const head =
    'POST /console/sign-in/guessed HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'
  const slow = `${head}Content-Length: 65536\r\n\r\n${'x'.repeat(65_000)}`
  const strangers = await Promise.all(Array.from({ length: 900 }, () => open(slow)))
  const heard: string[] = []
  for (const socket of strangers) void heardOf(socket).then((answer) => heard.push(answer))
  const startedAt = performance.now()
  const form = { method: 'POST', body: new URLSearchParams({ a: 'b' }) }
  assert.equal((await fetch(`${rig.service.url}/console/sign-in/guessed`, form)).status, 410)
  assert.ok(performance.now() - startedAt < 1_000)
  await eventually(() => heard.length >= 100)
  for (const socket of strangers) socket.destroy()
  assert.ok(heard.every((answer) => /^HTTP\/1\.1 408 .*strangers_too_many/s.test(answer)))
})

test('in a flood of wrong tokens each is refused, nothing is stored of it, and the right ones are taken', {
  timeout: 60_000,
}, async () => {
  const { received } = await rig.outcomes()
  const flood = Array.from({ length: 2_000 }, (_, n) => post(n, 'x'.repeat(token.length)))
  const right = Array.from({ length: 50 }, (_, n) => post(1_000 + n))
  assert.deepEqual(new Set(await Promise.all(right)), new Set([200]))
  assert.deepEqual(new Set(await Promise.all(flood)), new Set([401]))
  assert.equal((await rig.outcomes()).received, received + 50)
})

test('two verification tokens are right while one replaces the other; then the old one is refused', async () => {
  rig.env.DRIFT_VERIFICATION_TOKENS = `${token},${old}`
  await rig.restart()
  assert.deepEqual([await post(2_001), await post(2_002, old)], [200, 200])
  rig.env.DRIFT_VERIFICATION_TOKENS = token
  await rig.restart()
  assert.deepEqual([await post(2_003), await post(2_004, old)], [200, 401])
})

describe('slow senders are sent away, and nothing of theirs is kept', { timeout: 60_000 }, () => {
  test('a sender whose body does not come is sent away with 408', async () => {
    assert.match(await slow.stops, /^HTTP\/1\.1 408 /)
  })

  test('a sender of headers without end, a byte at a time, is sent away', async () => {
    assert.match(await slow.headers, /^(HTTP\/1\.1 (408|431) |$)/)
  })

  test('a sender of a body, a byte at a time, is sent away', async () => {
    assert.match(await slow.body, /^(HTTP\/1\.1 408 |$)/)
  })

  after(async () => assert.equal((await slowRig.outcomes()).received, 0))
})
