import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { openHttpClient } from './request.ts'

const httpClient = openHttpClient()
const servers: { close(): void; closeAllConnections(): void }[] = []
after(async () => {
  await httpClient.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const ask = (url: string, deadlineMs = 10_000) => httpClient.send({ method: 'POST', url, body: '{}', deadlineMs })

describe('an outgoing request', () => {
  test('gives status, headers and body', async () => {
    const url = await serve((_, response) => response.writeHead(418, { 'retry-after': '3' }).end('tea'))
    const answer = await ask(url)
    assert.equal(answer.failure, undefined)
    assert.deepEqual([answer.status, answer.headers?.['retry-after'], answer.body], [418, '3', 'tea'])
  })

  test('begins at once, beside as many as the pipeline makes: none waits for a connection until its lease is another’s', async () => {
    const [accounts, requestsOfEach] = [32, 4]
    let begun = 0
    const all = Promise.withResolvers<void>()
    const url = await serve((_, response) => {
      if (++begun === accounts * requestsOfEach) all.resolve()
      void all.promise.then(() => response.end())
    })
    const answers = await Promise.all(Array.from({ length: accounts * requestsOfEach }, () => ask(url, 3_000)))
    assert.deepEqual(new Set(answers.map(({ failure }) => failure)), new Set([undefined]))
  })

  test('follows no redirect: the body would go to a stranger', async () => {
    let reached = false
    const elsewhere = await serve((_, response) => {
      reached = true
      response.end()
    })
    const url = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end())
    assert.equal((await ask(url)).status, 307)
    assert.equal(reached, false)
  })

  test('ends at its deadline, whole: neither silence nor a drip keeps it longer', async () => {
    const silent = await serve(() => {})
    const dripping = await serve((_, response) => {
      const drip = setInterval(() => response.write('.'), 10)
      response.on('close', () => clearInterval(drip))
    })
    for (const url of [silent, dripping]) {
      assert.deepEqual(await ask(url, 200), { status: 0, failure: 'TIMEOUT' })
    }
  })

  test('takes no answer without end', async () => {
    const url = await serve((_, response) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more)
      }
      more()
    })
    const answer = await ask(url)
    assert.equal(answer.failure, 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    const cut = await httpClient.send({ method: 'POST', url, deadlineMs: 10_000, takesBeginning: true })
    assert.ok(cut.failure === undefined && cut.isCut)
    assert.deepEqual([cut.status, cut.body.length], [200, 1024 * 1024])
  })

  test('takes an answer of a MiB whole', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(1024 * 1024)))
    const answer = await ask(url)
    assert.ok(answer.failure === undefined && !answer.isCut)
    assert.equal(answer.body.length, 1024 * 1024)
  })

  test('to a port where nothing listens says so', async () => {
    const url = await serve(() => {})
    const server = servers.at(-1)!
    server.close()
    assert.deepEqual(await ask(url), { status: 0, failure: 'ECONNREFUSED' })
  })

  test('whose connection the other side closes fails with a code', async () => {
    const url = await serve((request) => request.socket.destroy())
    assert.match((await ask(url)).failure ?? '', /^(UND_ERR_SOCKET|ECONNRESET)$/)
  })
})
