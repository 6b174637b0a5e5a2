/** A proxy between the service and a partner that spoils connections: plain TCP, it knows nothing of HTTP. */
import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { freePort } from '../test/free-port.ts'

/** What happens to what passes. Each happens to every piece of data with this likelihood. */
export interface Spoiling {
  /** Reset before the request goes on: nothing was processed. */
  cutBefore?: number
  /** Reset when the answer comes: everything was processed. */
  cutAfter?: number
  /** A part of the answer, then the end. */
  truncate?: number
  /** From then on nothing passes and no connection is closed, as when the other side has vanished. */
  halfOpen?: number
  /** Each piece waits so long, in milliseconds. */
  latencyMs?: number
  /** The answer comes in single bytes, so many milliseconds apart. */
  dripMs?: number
}

export interface FaultProxy {
  url: string
  /** Where to: URLs on loopback, each in turn. */
  aim(...urls: string[]): void
  spoil(how: Spoiling): void
  /** Stops listening: connections are refused. */
  shut(): Promise<void>
  /** Listens again, on the same port, and spoils nothing. */
  heal(): Promise<void>
  /** How often something was spoiled. */
  readonly spoiled: number
  close(): Promise<void>
}

export async function startProxy(target: string, fraction: () => number): Promise<FaultProxy> {
  let targets = [target]
  let connections = 0
  let how: Spoiling = {}
  let spoiled = 0
  const port = await freePort()
  let server: Server | undefined
  const open = new Set<Socket>()
  const happens = (likelihood = 0) => {
    const does = likelihood > 0 && fraction() < likelihood
    if (does) spoiled++
    return does
  }

  function pass(near: Socket): void {
    const to = new URL(targets[connections++ % targets.length]!)
    const far = dial(Number(to.port), to.hostname)
    const both = [near, far]
    let vanished = false
    const end = () => {
      for (const socket of both) if (!socket.destroyed) socket.resetAndDestroy()
    }
    for (const socket of both) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        if (!vanished) for (const other of both) other.end()
      })
    }
    const carry = (into: Socket, bytes: Buffer) => {
      if (vanished || into.destroyed) return
      if (how.latencyMs) setTimeout(() => into.write(bytes), how.latencyMs)
      else into.write(bytes)
    }
    near.on('data', (bytes) => {
      if (happens(how.cutBefore)) return end()
      if (happens(how.halfOpen)) vanished = true
      carry(far, bytes)
    })
    far.on('data', (bytes) => {
      if (happens(how.cutAfter)) return end()
      if (happens(how.halfOpen)) vanished = true
      if (happens(how.truncate)) {
        near.write(bytes.subarray(0, bytes.length >> 1))
        return near.end()
      }
      if (how.dripMs) drip(near, bytes, how.dripMs)
      else carry(near, bytes)
    })
    near.on('end', () => far.end())
    far.on('end', () => {
      if (!vanished) near.end()
    })
  }

  async function listen(): Promise<void> {
    server = createServer(pass).listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  async function shut(): Promise<void> {
    const closing = server
    server = undefined
    for (const socket of open) socket.resetAndDestroy()
    if (!closing) return
    closing.close()
    await once(closing, 'close')
  }

  await listen()
  return {
    url: `http://127.0.0.1:${port}`,
    aim(...urls) {
      targets = urls
    },
    spoil(spoiling) {
      how = spoiling
    },
    shut,
    async heal() {
      how = {}
      if (!server) await listen()
    },
    get spoiled() {
      return spoiled
    },
    close: shut,
  }
}

function drip(into: Socket, bytes: Buffer, everyMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    if (into.destroyed || at === bytes.length) return clearInterval(timer)
    into.write(bytes.subarray(at, ++at))
  }, everyMs)
}
