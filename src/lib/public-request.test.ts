/**
 * Requests to addresses that a customer gives. The trap is a server on this machine that must never be reached; where a
 * connection would go is noted by a dial that makes none.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { after, beforeEach, describe, test } from 'node:test'
import type { buildConnector } from 'undici'
import { addressProblem, addressRefused, openPublicSend, type PublicOptions } from './public-request.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Every connection that the trap got. */
let caught = 0
const trap = await listening(
  createTcpServer((socket) => {
    caught++
    socket.on('error', () => {}).destroy()
  }),
)

/** Where connections would have gone. */
let dialled: string[] = []
const dial = ((asked: { hostname: string; port: string; servername?: string }, callback: buildConnector.Callback) => {
  dialled.push(`${asked.hostname} ${asked.port} ${asked.servername}`)
  callback(Object.assign(new Error('unreachable'), { code: 'EHOSTUNREACH' }), null)
}) as unknown as buildConnector.connector

const names: Record<string, string[]> = {
  'good.example': ['8.8.8.8'],
  'twice.example': ['2606:4700::1111', '8.8.4.4'],
  'inside.example': ['127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'shared.example': ['100.64.0.1'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'nat64.example': ['64:ff9b::a00:1'],
  'mixed.example': ['8.8.8.8', '10.0.0.1'],
  'nowhere.example': [],
}
let asked: string[] = []
const resolve = async (host: string) => {
  asked.push(host)
  return names[host] ?? assert.fail(`unknown: ${host}`)
}

const ask = (url: string, options: PublicOptions = {}) =>
  openPublicSend({ resolve, dial, ...options })({ method: 'POST', url, body: '{}', deadlineMs: 5_000 })

beforeEach(() => {
  caught = 0
  dialled = []
  asked = []
})

describe('an address that is refused as it stands', () => {
  const refused: readonly [what: string, ...addresses: string[]][] = [
    ['http', 'http://good.example/', 'ftp://good.example/', 'file:///etc/passwd', 'gopher://good.example/'],
    ['another port', 'https://good.example:8443/', 'https://good.example:22/', `https://127.0.0.1:${trap}/`],
    ['credentials', 'https://user@good.example/', 'https://user:pass@good.example/', 'https://good.example@127.0.0.1/'],
    ['a fragment', 'https://good.example/#@127.0.0.1/'],
    [
      'no address',
      '',
      'good.example',
      'https://',
      'https:good.example',
      '//good.example/',
      'https://good.example\\@a/',
    ],
    ['this machine by name', 'https://localhost/', 'https://localhost./', 'https://LOCALHOST/'],
    ['this machine by number', 'https://127.0.0.1/', 'https://127.1/', 'https://0x7f.1/', 'https://2130706433/'],
    ['this machine in other spellings', 'https://0177.0.0.1/', 'https://0/', 'https://[::1]/', 'https://[::]/'],
    ['a private number', 'https://10.0.0.1/', 'https://192.168.1.1/', 'https://172.16.0.1/', 'https://[fd00::1]/'],
    ['metadata', 'https://169.254.169.254/latest/', 'https://[fe80::1]/', 'https://2852039166/'],
    ['a number shared by customers of a provider', 'https://100.64.0.1/'],
    ['a mapped number', 'https://[::ffff:127.0.0.1]/', 'https://[::ffff:a9fe:a9fe]/', 'https://[::ffff:8.8.8.8]/'],
    ['a number behind NAT64', 'https://[64:ff9b::7f00:1]/', 'https://[64:ff9b::808:808]/'],
    ['full-width digits', 'https://１２７.0.0.1/', 'https://127。0。0。1/'],
    ['an endless one', `https://good.example/${'a'.repeat(2_100)}`],
  ]
  for (const [what, ...addresses] of refused)
    test(`${what}: nothing is looked up and nothing is connected to`, async () => {
      for (const url of addresses) {
        assert.notEqual(addressProblem(url), undefined, url)
        assert.deepEqual(await ask(url), { status: 0, failure: addressRefused }, url)
        assert.deepEqual(await ask(url, { proxies: { https: `http://127.0.0.1:${trap}` } }), refusedAnswer, url)
      }
      assert.deepEqual([asked, dialled, caught], [[], [], 0])
    })

  test('what is wrong is said without the address', () => {
    for (const url of ['https://u:secret@good.example/secret', 'http://secret.example/', 'https://10.0.0.1/secret'])
      assert.doesNotMatch(addressProblem(url)!, /secret|10\.0/)
  })

  test('an ordinary one is not', () => {
    for (const url of ['https://good.example/a?b=c', 'https://good.example:443/', 'https://8.8.8.8/', 'https://a.b/'])
      assert.equal(addressProblem(url), undefined, url)
  })
})

const refusedAnswer = { status: 0, failure: addressRefused }

describe('a name', () => {
  for (const host of ['inside', 'metadata', 'shared', 'mapped', 'nat64', 'mixed', 'nowhere'])
    test(`that leads elsewhere than to the public internet alone (${host}) is not connected to`, async () => {
      assert.deepEqual(await ask(`https://${host}.example/`), refusedAnswer)
      assert.deepEqual(dialled, [])
    })

  test('is looked up once, and connected to by the number that was looked at, under its name', async () => {
    assert.deepEqual(await ask('https://good.example/a'), { status: 0, failure: 'EHOSTUNREACH' })
    assert.deepEqual([asked, dialled], [['good.example'], ['8.8.8.8 443 good.example']])
  })

  test('is tried at its next address where the first cannot be reached', async () => {
    await ask('https://twice.example/')
    assert.deepEqual(dialled, ['2606:4700::1111 443 twice.example', '8.8.4.4 443 twice.example'])
  })

  test('that changes its address between two requests is looked up for each', async () => {
    const answers = [['8.8.8.8'], ['127.0.0.1']]
    const send = openPublicSend({ resolve: async () => answers.shift()!, dial, port: trap })
    const request = { method: 'POST', url: `https://rebinding.example:${trap}/`, deadlineMs: 5_000 } as const
    assert.equal((await send(request)).status, 0)
    assert.deepEqual(await send(request), refusedAnswer)
    assert.deepEqual([dialled, caught], [[`8.8.8.8 ${trap} rebinding.example`], 0])
  })

  test('whose connection leads elsewhere than it was meant to is given nothing', async () => {
    let said = ''
    const inside = await listening(createTcpServer((socket) => socket.on('data', (bytes) => (said += bytes))))
    const astray = ((_: unknown, callback: buildConnector.Callback) => {
      const socket: Socket = connect(inside, '127.0.0.1', () => callback(null, socket))
    }) as unknown as buildConnector.connector
    assert.deepEqual(await ask('https://good.example/', { dial: astray }), refusedAnswer)
    assert.equal(said, '')
  })

  test('that never resolves ends with the deadline', async () => {
    const send = openPublicSend({ resolve: () => new Promise(() => {}), dial })
    const answer = await send({ method: 'POST', url: 'https://good.example/', deadlineMs: 50 })
    assert.deepEqual(answer, { status: 0, failure: 'TIMEOUT' })
  })
})

describe('through an outgoing proxy', () => {
  let tunnels: string[] = []
  beforeEach(() => {
    tunnels = []
  })
  const proxied = async () => {
    const port = await listening(
      createServer().on('connect', ({ url }, socket: Socket) => {
        tunnels.push(url!)
        socket.end('HTTP/1.1 403 No\r\n\r\n')
      }),
    )
    return { https: `http://127.0.0.1:${port}` }
  }

  test('a name is looked up here, and the proxy is asked for the number', async () => {
    const answer = await ask('https://good.example/', { proxies: await proxied() })
    assert.deepEqual(answer, { status: 0, failure: 'PROXY_403' })
    assert.deepEqual(tunnels, ['8.8.8.8:443'])
  })

  test('a name that leads inside is refused before the proxy hears of it', async () => {
    const proxies = await proxied()
    for (const host of ['inside', 'mixed', 'mapped', 'nat64'])
      assert.deepEqual(await ask(`https://${host}.example/`, { proxies }), refusedAnswer)
    assert.deepEqual(tunnels, [])
  })

  test('a host of NO_PROXY is connected to directly, under the same rules', async () => {
    const proxies = { ...(await proxied()), except: 'other.example, .example' }
    await ask('https://good.example/', { proxies })
    assert.deepEqual(await ask('https://inside.example/', { proxies }), refusedAnswer)
    assert.deepEqual([tunnels, dialled], [[], ['8.8.8.8 443 good.example']])
  })
})

describe('where loopback is allowed in code', () => {
  const ours = { unsafeAllowLoopback: true }
  test('a receiver on this machine is reached, its redirect is not followed, and its answer is cut', async () => {
    const port = await listening(
      createServer((incoming, outgoing) => {
        if (incoming.url === '/moved') outgoing.writeHead(307, { location: `http://127.0.0.1:${trap}/` }).end()
        else outgoing.end('a'.repeat(100_000))
      }),
    )
    const moved = await ask(`http://127.0.0.1:${port}/moved`, ours)
    assert.deepEqual([moved.status, caught], [307, 0])
    const long = await ask(`http://127.0.0.1:${port}/`, ours)
    assert.deepEqual([long.status, 'body' in long && long.body.length], [200, 4 * 1024])
  })

  test('nothing else becomes allowed', async () => {
    for (const url of [
      'http://good.example/',
      'https://10.0.0.1/',
      'https://good.example:8443/',
      'https://169.254.1.1/',
    ])
      assert.deepEqual(await ask(url, ours), refusedAnswer, url)
    assert.deepEqual([asked, dialled], [[], []])
  })

  test('a receiver that hangs ends with the deadline', async () => {
    const port = await listening(createServer(() => {}))
    const send = openPublicSend(ours)
    const answer = await send({ method: 'POST', url: `http://127.0.0.1:${port}/`, deadlineMs: 50 })
    assert.deepEqual(answer, { status: 0, failure: 'TIMEOUT' })
  })
})
