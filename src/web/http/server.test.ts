import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { eventually, manualClock } from '../../../test/clock.ts'
import { bytesHeld } from '../../../test/memory.ts'
import { systemClock } from '../../lib/clock.ts'
import { answer, type Listener, listen } from './server.ts'

let listener: Listener
const sockets: Socket[] = []
before(async () => {
  listener = await listen(
    {
      '/live': { GET: (_, response) => answer(response, 200, {}) },
      '/refuses': { POST: (_, response) => answer(response, 413, {}, { connection: 'close' }) },
    },
    { host: '127.0.0.1', port: 0, settings: 'none' },
    systemClock,
  )
})
after(async () => {
  for (const socket of sockets) socket.destroy()
  await listener.close()
})

async function open(text: string): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1').on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

test('headers that come slowly cost little more than their bytes, however small and many they are', async () => {
  const slow = `GET /live HTTP/1.1\r\nHost: x\r\n${'ab:\r\n'.repeat(6_000)}`
  const ask = async () => (await fetch(`http://127.0.0.1:${listener.port}/live`)).arrayBuffer()
  await ask()
  const held = bytesHeld()
  const strangers = await Promise.all(Array.from({ length: 300 }, () => open(slow)))
  await eventually(() => strangers.every(({ writableLength }) => writableLength === 0))
  // What came before it on the other connections has been read when this is answered.
  for (let n = 0; n < 10; n++) await ask()
  const each = (bytesHeld() - held) / strangers.length
  assert.ok(each < 100_000, `${each} bytes for each`)
})

test('an idle connection keeps nothing of the request that was answered last', async () => {
  const headers = (n: number) => `a: ${n}${'b'.repeat(3_000)}\r\n`.repeat(10)
  const idle = async (n: number) => once(await open(`GET /live HTTP/1.1\r\nHost: x\r\n${headers(n)}\r\n`), 'data')
  for (let n = 0; n < 20; n++) await idle(n)
  const held = bytesHeld()
  for (let n = 0; n < 100; n++) await idle(n)
  const each = (bytesHeld() - held) / 100
  assert.ok(each < 20_000, `${each} bytes for each`)
})

test('a sender that is refused while it writes hears why, and then the end', async () => {
  const bytes = 8 * 1024 * 1024
  const socket = await open(`POST /refuses HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`)
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  let error: unknown
  socket.on('error', (one) => {
    error = one
  })
  for (let sent = 0; sent < bytes / 2; sent += 64 * 1024) socket.write(Buffer.alloc(64 * 1024))
  await once(socket, 'close')
  assert.match(heard, /^HTTP\/1\.1 413 /)
  assert.equal(error, undefined)
})

test('requests behind a refused one end its connection, instead of being read for as long as they come', async (t) => {
  const refuses = { POST: (_: unknown, response: ServerResponse) => answer(response, 413, {}, { connection: 'close' }) }
  // Its clock stands still, so that the moment of listening to what is dropped has no end.
  const still = await listen({ '/': refuses }, { host: '127.0.0.1', port: 0, settings: 'none' }, manualClock())
  const socket = connect({ port: still.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {})
  t.after(() => {
    socket.destroy()
    return still.close()
  })
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n')
  await once(socket, 'data')
  socket.write('0123456789')
  await eventually(() => {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    return socket.closed
  })
})
