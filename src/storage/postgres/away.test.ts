/** A server that goes away, comes back, or is set up carelessly: what was acknowledged is there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../../test/clock.ts'
import { startPostgres, withoutPostgres } from '../../../test/postgres.ts'
import { startProxy } from '../../../torture/proxy.ts'
import { append, arrival, claimOne, conserved } from '../conformance.ts'
import type { Entry } from '../ports/entry.ts'
import type { Lease } from '../ports/inbox.ts'
import type { Storage } from '../ports/storage.ts'
import { open } from './open.ts'

const claimOptions = { now: 2_000, leaseMs: 60_000, limit: 10_000, bytesMax: 100_000_000 }

/** All that waits. A claim passes over a lane that a transaction still holds whose client has gone. */
async function waiting({ inbox }: Storage): Promise<readonly Entry[]> {
  let lease: Lease | undefined
  await eventually(async () => {
    lease = await claimOne(inbox, 'send', claimOptions)
    return lease !== undefined
  })
  return lease!.entries
}

describe('a server that goes away', { skip: withoutPostgres }, () => {
  test('is refused and reported while it is away, and connected to again by itself', { timeout: 60_000 }, async () => {
    const server = await startPostgres()
    const storage = await open(await server.fresh(), 'serve')
    try {
      let stopped = false
      void storage.broken.then(() => (stopped = true))
      await append(storage, [arrival()])
      await storage.check()
      await server.stop('immediate')
      const startedAt = performance.now()
      await assert.rejects(append(storage, [arrival()]), { code: 'store_unreachable' })
      await assert.rejects(storage.check(), { code: 'store_unreachable' })
      assert.ok(performance.now() - startedAt < 10_000)
      await server.start()
      await eventually(() =>
        storage.check().then(
          () => true,
          () => false,
        ),
      )
      await append(storage, [arrival()])
      assert.equal((await waiting(storage)).length, 2)
      assert.equal(stopped, false)
    } finally {
      await storage.close()
      await server.close()
    }
  })

  test('in the middle of a load keeps all that was acknowledged, and each event once', {
    timeout: 60_000,
  }, async () => {
    const server = await startPostgres()
    const storage = await open(await server.fresh(), 'serve')
    try {
      const [kept, refused] = [new Set<string>(), new Set<string>()]
      let stop = false
      const writers = Array.from({ length: 8 }, async () => {
        while (!stop) {
          const one = arrival({ identity: Buffer.from(crypto.randomUUID()) })
          // The sender tries again until it gets 200: it does not have to know whether the first try was committed.
          while (!(await append(storage, [one]).catch(() => undefined)) && !stop) refused.add(one.messageId)
          if (!stop) kept.add(one.messageId)
        }
      })
      for (const many of [100, 300, 500]) {
        await eventually(() => kept.size >= many)
        await server.stop('immediate')
        await server.start()
      }
      await eventually(() => kept.size >= 700)
      stop = true
      await Promise.all(writers)
      const found = (await waiting(storage)).map(({ messageId }) => messageId)
      assert.deepEqual(
        [...kept].filter((messageId) => !found.includes(messageId)),
        [],
      )
      assert.equal(new Set(found).size, found.length)
      assert.ok(refused.size > 0)
      await conserved(storage)
    } finally {
      await storage.close()
      await server.close()
    }
  })
})

test('a claim whose connection is cut, at whatever answer, keeps nothing from the process that made it', {
  skip: withoutPostgres,
  timeout: 60_000,
}, async () => {
  const server = await startPostgres()
  const url = new URL(await server.fresh())
  let cutAt = Number.POSITIVE_INFINITY
  const proxy = await startProxy(`http://${url.host}`, () => (--cutAt === 0 ? 0 : 1))
  url.host = new URL(proxy.url).host
  const storage = await open(url.href, 'serve')
  try {
    await append(storage, [arrival(), arrival()])
    const claim = () => claimOne(storage.inbox, 'send', { ...claimOptions, holder: { id: 'a', busy: [] } })
    let lost = 0
    proxy.spoil({ cutAfter: 0.5 })
    // How many pieces an answer comes in is left to chance.
    for (let round = 0; round < 10 || (lost === 0 && round < 50); round++) {
      const { token } = (await claim())!
      cutAt = 1 + (round % 5)
      const given = await claim().catch(() => undefined)
      cutAt = Number.POSITIVE_INFINITY
      const again = (await claim())!
      assert.deepEqual([again.entries.length, again.crashes], [2, 0])
      if (!given && again.token > token + 1) lost++
      assert.equal(await storage.inbox.settle(again, [], { readyAt: 0, failures: 0 }), true)
    }
    assert.ok(lost > 0, 'none was cut between its commit and the answer')
  } finally {
    await storage.close()
    await proxy.close()
    await server.close()
  }
})

test('a commit waits for the disk even where the server is set not to; without that the last of them are lost', {
  skip: withoutPostgres,
  timeout: 60_000,
}, async () => {
  // As a server may well be set for everybody else, with the longest wait there is.
  const server = await startPostgres(['synchronous_commit=off', 'wal_writer_delay=10s'])
  const url = await server.fresh()
  const storage = await open(url, 'serve')
  try {
    await server.query('CREATE TABLE careless (n integer)', url)
    await append(storage, [arrival()])
    await server.query('INSERT INTO careless VALUES (1)', url)
    await append(storage, [arrival({ messageId: 'the last' })])
    const lost = await server.query('INSERT INTO careless VALUES (2) RETURNING n', url)
    assert.deepEqual(lost, [{ n: 2 }], 'it was said to be there')
    await server.stop('immediate')
    await server.start()
    assert.deepEqual(await server.query('SELECT n FROM careless', url), [{ n: 1 }])
    await eventually(() =>
      storage.check().then(
        () => true,
        () => false,
      ),
    )
    assert.equal((await waiting(storage)).at(-1)?.messageId, 'the last')
  } finally {
    await storage.close()
    await server.close()
  }
})
