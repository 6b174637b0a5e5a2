import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, test } from 'node:test'
import { eventually } from '../../../test/clock.ts'
import { limitConnections } from './connections.ts'

const limits = { connectionsMax: 100, aheadMax: 5, aheadInAllMax: 8, stillMsMax: 60_000 }
const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
let server: Server
let sockets: Socket[] = []

async function serve(listener: RequestListener, more: Partial<typeof limits> = {}): Promise<void> {
  server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (mayBeAnswered(request, response)) listener(request, response)
  })
  const mayBeAnswered = limitConnections(server, { ...limits, ...more })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

/** `answers`: how many have been read so far. */
async function open(text = ''): Promise<{ socket: Socket; answers(): number }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  socket.write(text)
  return { socket, answers: () => heard.split('HTTP/1.1 200').length - 1 }
}

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  server.closeAllConnections()
  server.close()
})

test('requests sent ahead of their answers are answered one by one, up to the limit', async () => {
  await serve((_, response) => response.end('x'))
  const sender = await open(request.repeat(6))
  await eventually(() => sender.answers() === 6)
  sender.socket.write(request.repeat(6))
  await eventually(() => sender.answers() === 12)
})

test('a connection that sends more requests ahead than the limit is closed, and no more of them are worked on', async () => {
  let worked = 0
  await serve(() => void worked++)
  const { socket } = await open(request.repeat(1_000))
  await eventually(() => socket.closed)
  assert.equal(worked, 6)
})

test('what all connections send ahead together has a limit too, and is free again when they go', async () => {
  await serve(() => {})
  const [one, two] = [await open(request.repeat(5)), await open(request.repeat(5))]
  const third = await open(request)
  await eventually(async () => (await connections()) === 3)
  two.socket.write(request)
  await eventually(() => two.socket.closed)
  assert.ok(!one.socket.closed && !third.socket.closed)
  await eventually(async () => (await connections()) === 2)
  const next = await open(request.repeat(5))
  await eventually(async () => (await connections()) === 3)
  assert.ok(!next.socket.closed)
})

test('when all connections are taken, those between two requests make room for the next', async () => {
  await serve((_, response) => response.end('x'), { connectionsMax: 10 })
  const idle = await Promise.all(Array.from({ length: 9 }, () => open(request)))
  await eventually(() => idle.every(({ answers }) => answers() === 1))
  const last = await open(request)
  await eventually(() => idle.every(({ socket }) => socket.closed) && last.answers() === 1)
  const next = await open(request)
  await eventually(() => next.answers() === 1)
})

test('a connection whose sender does not read its answer is closed', { timeout: 30_000 }, async () => {
  await serve((_, response) => response.end(Buffer.alloc(64 * 1024 * 1024)), { stillMsMax: 200 })
  const sender = await open()
  sender.socket.pause()
  sender.socket.write(request)
  await eventually(async () => (await connections()) === 0)
})

function connections(): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
}
