/** Outgoing requests through proxies, with a proxy that speaks HTTP as real ones do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, beforeEach, describe, test } from 'node:test'
import { openHttpClient, unmakeable } from './request.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What the proxy was asked for, and with which credentials. */
let asked: string[] = []
let refuses = 0
const note = ({ method, url, headers }: IncomingMessage) =>
  void asked.push([method, url, headers['proxy-authorization']].filter(Boolean).join(' '))

const partner = await listening(createServer((_, response) => void response.end('from the partner')))
/** Whatever name is asked for, it is the partner that answers: no name of a test leads anywhere. */
const proxy = await listening(
  createServer((incoming, outgoing) => {
    note(incoming)
    const onward = request({ port: partner, path: new URL(incoming.url!).pathname, method: incoming.method })
    onward.on('response', (answer) => answer.pipe(outgoing))
    incoming.pipe(onward)
  }).on('connect', (incoming: IncomingMessage, socket: Socket) => {
    note(incoming)
    socket.on('error', () => {})
    if (refuses) return void socket.end(`HTTP/1.1 ${refuses} No\r\n\r\n`)
    const onward = connect(partner, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    }).on('error', () => socket.destroy())
  }),
)
const proxied = `http://user:pass@127.0.0.1:${proxy}`
const ask = async (url: string, proxies: Parameters<typeof openHttpClient>[0] = {}) => {
  const httpClient = openHttpClient(proxies)
  try {
    return await httpClient.send({ method: 'GET', url, deadlineMs: 5_000 })
  } finally {
    await httpClient.close()
  }
}

describe('an outgoing request', { concurrency: false }, () => {
  beforeEach(() => {
    asked = []
    refuses = 0
  })

  test('to an http address goes through the proxy for http, with its credentials', async () => {
    const answer = await ask('http://segment.example/v1/batch', { proxies: { http: proxied } })
    assert.deepEqual([answer.status, 'body' in answer && answer.body], [200, 'from the partner'])
    assert.match(asked.join('\n'), /segment\.example.* Basic dXNlcjpwYXNz/)
  })

  test('to an https address asks the proxy for https for a tunnel', async () => {
    const answer = await ask('https://segment.example/v1/batch', { proxies: { https: proxied } })
    // What answers behind the tunnel speaks no TLS: that the request got so far is what is tried here.
    assert.equal(answer.status, 0)
    assert.match(asked[0]!, /^CONNECT segment\.example:443 Basic dXNlcjpwYXNz$/)
  })

  test('to loopback, to a host in NO_PROXY, or of a protocol without a proxy goes straight', async () => {
    const local = `http://127.0.0.1:${partner}/`
    assert.equal((await ask(local, { proxies: { http: proxied, https: proxied } })).status, 200)
    await ask('http://segment.example/', { proxies: { http: proxied, except: 'other.example, segment.example' } })
    await ask('http://api.segment.example/', { proxies: { http: proxied, except: '.segment.example' } })
    await ask('http://segment.example/', { proxies: { http: proxied, except: '*' } })
    await ask('https://segment.example/', { proxies: { http: proxied } })
    assert.deepEqual(asked, [])
  })

  test('asks no proxy of the environment: the settings say which', async () => {
    process.env.HTTP_PROXY = process.env.HTTPS_PROXY = proxied
    try {
      await ask('http://segment.example/')
      await ask('https://segment.example/', { proxies: { http: proxied } })
    } finally {
      delete process.env.HTTP_PROXY
      delete process.env.HTTPS_PROXY
    }
    assert.deepEqual(asked, [])
  })

  test('that the proxy refuses says so, with its status', async () => {
    refuses = 407
    const answer = await ask('https://segment.example/', { proxies: { https: proxied } })
    assert.deepEqual(answer, { status: 0, failure: 'PROXY_407' })
  })
})

test('a request that cannot even be made says so', async () => {
  const httpClient = openHttpClient()
  const url = `http://127.0.0.1:${partner}/`
  for (const outgoing of [
    { url, headers: { authorization: 'Bearer a\u200bb' } },
    { url, headers: { authorization: 'Bearer a\nb' } },
    { url: 'http://', headers: {} },
  ]) {
    const answer = await httpClient.send({ method: 'GET', deadlineMs: 5_000, ...outgoing })
    assert.deepEqual(answer, { status: 0, failure: unmakeable })
  }
  await httpClient.close()
})
