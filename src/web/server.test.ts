import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { eventually } from '../../test/clock.ts'
import { bytesHeld } from '../../test/memory.ts'
import { systemClock } from '../lib/clock.ts'
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
