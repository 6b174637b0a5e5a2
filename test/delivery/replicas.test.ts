/**
 * Several services on one PostgreSQL, under load, each killed with -9 in turn and the server stopped as if its power had
 * gone. Two ledgers decide, as for one service: what was answered 200, and what Segment accepted. A third, what each
 * replica says of its leases, shows that no lane is ever in two hands.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/config.ts'
import { readFixture } from '../../src/events/fixtures.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { silentLog } from '../../src/lib/log.ts'
import { addsUp } from '../../src/operations/totals.ts'
import { openService } from '../../src/service.ts'
import { open } from '../../src/storage/postgres/open.ts'
import { bareEnv, endChild, startChild } from '../children.ts'
import { eventually, leastMs } from '../clock.ts'
import { type Postgres, startPostgres, withoutPostgres } from '../postgres.ts'
import type { LeaseTold, Told } from '../replica.ts'
import { install, org, type Rig, startRig } from '../rig.ts'
import { startStage } from '../stage.ts'
import { openWalk } from '../walk.ts'

const file = fileURLToPath(new URL('../replica.ts', import.meta.url))
const leaseMs = 2_000

interface Replica {
  process: ChildProcess
  to: string
  stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<unknown>
}

async function startReplica(rig: Rig, leases: LeaseTold[]): Promise<Replica> {
  const env = { ...bareEnv, ...rig.env, LOG_LEVEL: 'silent' }
  const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', file, String(leaseMs)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const listening = Promise.withResolvers<string>()
  listening.promise.catch(() => {})
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const told = JSON.parse(line) as Told
    if (told.what === 'listening') listening.resolve(`${told.url}/webhooks/drift`)
    else leases.push(told)
  })
  child.once('exit', (code) => listening.reject(new Error(`the replica ended by itself: ${code}`)))
  return {
    process: child,
    to: await listening.promise,
    stop: (signal) => endChild(child, signal),
  }
}

/**
 * Leases of one lane that overlap: the next was asked for before the one before had ended or been given back. A process may
 * take its own back at once, if it works on it no more (decision 0020).
 */
function overlaps(leases: readonly LeaseTold[]): string[] {
  const lanes = Map.groupBy(leases, ({ org: account, lane }) => `${account} ${lane}`)
  return [...lanes].flatMap(([lane, told]) => {
    const byToken = [...Map.groupBy(told, ({ token }) => token)].sort(([one], [other]) => one - other)
    return byToken.flatMap(([token, of], at) => {
      const claims = of.filter(({ what }) => what === 'claimed')
      if (claims.length > 1) return [`${lane}: token ${token} was given twice`]
      const earlier = byToken[at - 1]?.[1]
      if (!earlier || claims.length === 0) return []
      const settled = earlier.find(({ what }) => what === 'settled')?.asked ?? Number.POSITIVE_INFINITY
      const lasts = Math.max(...earlier.filter(({ what }) => what !== 'settled').map(({ until }) => until))
      const { asked, answered, by } = claims[0]!
      if (!by!.busy && earlier.some((one) => one.by?.id === by!.id)) return []
      return answered >= settled || asked >= lasts ? [] : [`${lane}: token ${token} while the one before was held`]
    })
  })
}

describe('three replicas', { skip: withoutPostgres }, () => {
  const orgs = [org, org + 1, org + 2]
  let server: Postgres
  let rig: Rig
  before(async () => {
    server = await startPostgres()
    rig = await startRig({ env: { DATABASE_URL: await server.fresh() } })
    for (const other of orgs.slice(1)) await install(rig, other)
    await rig.service.close()
  })
  after(async () => {
    await rig.close()
    await server.close()
  })

  test('lose nothing, keep the order and share no lease while each is killed in turn and the server restarted', {
    timeout: 180_000,
  }, async (context) => {
    const { drift, segment } = rig.sims
    const leases: LeaseTold[] = []
    const replicas = await Promise.all(orgs.map(() => startReplica(rig, leases)))
    const acknowledged: { contact: number; orgId: number; vary: number }[] = []
    let [stopped, refused, vary] = [false, 0, 0]
    context.after(() => (stopped = true))
    // Each has a contact of its own and sends one event after the other: again, elsewhere, until one is answered 200.
    const senders = Array.from({ length: 6 }, async (_, contact) => {
      const orgId = orgs[contact % orgs.length]!
      for (let turn = contact; !stopped; ) {
        const event = { orgId, contact, vary: ++vary }
        let status = 0
        while (status !== 200 && !stopped) {
          const { to } = replicas[turn++ % replicas.length]!
          status = (await drift.send('new_conversation', { ...event, to })).status
          if (status !== 200) refused++
          if (status !== 200) await new Promise(setImmediate)
        }
        if (status === 200) acknowledged.push(event)
      }
    })
    const more = (many: number) => {
      const goal = acknowledged.length + many
      return eventually(
        () => acknowledged.length >= goal,
        () => acknowledged.length,
      )
    }
    for (let victim = 0; victim < replicas.length; victim++) {
      await more(60)
      await replicas[victim]!.stop('SIGKILL')
      await more(25)
      if (victim === 1) {
        await server.stop('immediate')
        await server.start()
      }
      replicas[victim] = await startReplica(rig, leases)
    }
    await more(60)
    stopped = true
    await Promise.all(senders)
    const { id } = (await readFixture('new_conversation')).drift.data as JsonObject
    const markOf = (event: { vary: number }) => String(Number(id) + event.vary)
    const wanted = new Set(acknowledged.map(markOf))
    const arrived = () => segment.accepted.map(({ message }) => idOf(message))
    await segment.waitFor(() => wanted.isSubsetOf(new Set(arrived())), 60_000)

    const lost = [...wanted].filter((mark) => !new Set(arrived()).has(mark)).length
    const twice = arrived().length - new Set(arrived()).size
    const order = orgs.flatMap((_, account) =>
      [account, account + 3].map((contact) => {
        const sent = acknowledged.filter((one) => one.contact === contact).map(markOf)
        const mine = new Set(sent)
        const got = [...new Set(arrived())].filter((mark) => mine.has(mark))
        return sent.every((mark, at) => mark === got[at])
      }),
    )
    context.diagnostic(
      `answered 200: ${acknowledged.length}, refused and sent again: ${refused}, delivered: ${wanted.size - lost}, ` +
        `lost: ${lost}, repeats on the wire: ${segment.duplicates.length}, leases: ${leases.filter(({ what }) => what === 'claimed').length}`,
    )
    assert.equal(lost, 0)
    assert.equal(twice, 0, 'under one messageId, whichever replica sends it')
    assert.deepEqual(
      order,
      order.map(() => true),
    )
    assert.deepEqual(overlaps(leases), [])
    assert.ok(replicas.length === new Set(replicas.map(({ to }) => to)).size)
    await Promise.all(replicas.map((replica) => replica.stop('SIGTERM')))
    const { exitCode, output } = await rig.command('check', { given: { json: true } })
    assert.equal(exitCode, 0, output)
    assert.ok(addsUp(JSON.parse(output)))
  })

  test('a replica that must stop gives back every lease at once, and another goes on with what waits', {
    timeout: 60_000,
  }, async () => {
    const { drift, segment } = rig.sims
    const [leaving, staying] = [await startReplica(rig, []), await startReplica(rig, [])]
    const earlier = segment.accepted.length
    const sent = await Promise.all(
      Array.from({ length: 90 }, (_, n) =>
        drift.send('new_conversation', { to: leaving.to, orgId: orgs[n % 3]!, contact: n, vary: 100_000 + n }),
      ),
    )
    await leaving.stop('SIGTERM')
    assert.equal(leaving.process.exitCode, 0)
    const held = await server.query(
      `SELECT count(*)::integer AS held FROM drift_segment_source.lanes WHERE lease_until > ${Date.now() + leaseMs}`,
      rig.env.DATABASE_URL,
    )
    assert.deepEqual(held, [{ held: 0 }])
    await segment.waitFor(earlier + sent.filter(({ status }) => status === 200).length)
    await staying.stop('SIGTERM')
    const left = await server.query(
      'SELECT count(*)::integer AS held FROM drift_segment_source.lanes WHERE lease_until IS NOT NULL',
      rig.env.DATABASE_URL,
    )
    assert.deepEqual(left, [{ held: 0 }])
  })

  test('know each other’s sessions, forget each other’s keys, and hear of each other’s accounts within a second', {
    timeout: 60_000,
  }, async () => {
    const [here, there] = await Promise.all([1, 2].map(() => openService(readConfig(rig.env), { log: silentLog })))
    const walk = openWalk({ service: here!, sims: rig.sims })
    const id = String(org + 10)
    try {
      const heardAfterMs = await leastMs(1_000, async (attempt) => {
        await walk.connect(org + 10 + attempt)
        const startedAt = performance.now()
        await eventually(() => there!.store.accounts.get(String(org + 10 + attempt)) !== undefined)
        return performance.now() - startedAt
      })
      assert.ok(heardAfterMs < 1_000)
      // Behind one address both are one origin to a browser.
      walk.cookies.set(there!.url, walk.cookies.get(here!.url)!)
      assert.equal((await walk.get(`${there!.url}/console/events`)).status, 200)
      const sealed = await here!.store.keyring.seal(id, 'a place', 'a secret')
      assert.equal(String(await there!.store.keyring.open('a place', sealed)), 'a secret')
      for (const name of await here!.store.keyring.namesOf(id)) await here!.store.storage.vault.remove(name)
      await here!.store.keyring.reload()
      await eventually(() =>
        there!.store.keyring.open('a place', sealed).then(
          () => false,
          ({ code }) => code === 'key_forgotten',
        ),
      )
    } finally {
      await walk.close()
      await Promise.all([here!.close(), there!.close()])
    }
  })

  test('exchange a grant that has run out once, however many need it, and all go on with the pair that was stored', {
    timeout: 120_000,
  }, async () => {
    const url = await server.fresh()
    const stores = await Promise.all([1, 2, 3, 4].map(() => open(url, 'serve')))
    const stage = await startStage(stores[0])
    const tokenPath = '/oauth2/token'
    try {
      await stage.install()
      const holders = await Promise.all(stores.map((store) => stage.another(store)))
      const id = String(org)
      for (let round = 0; round < 20; round++) {
        stage.clock.advance(2 * 3_600_000)
        const before = stage.sims.drift.count(tokenPath)
        const asking = Promise.all(holders.flatMap(({ grants }) => [grants.access(id), grants.access(id)]))
        let answers: Awaited<typeof asking> | undefined
        void asking.then((all) => (answers = all))
        await eventually(() => {
          stage.clock.advance(10)
          return answers !== undefined
        })
        assert.equal(stage.sims.drift.count(tokenPath) - before, 1, `round ${round}`)
        assert.equal(new Set(answers!.map((answer) => answer.is === 'token' && answer.token)).size, 1)
        assert.equal(answers![0]!.is, 'token')
      }
      assert.equal((await stores[1]!.installs.get(id))?.state, 'live')
    } finally {
      await stage.close()
      await Promise.all(stores.map((store) => store.close()))
    }
  })
})

function idOf(message: JsonObject): string {
  return String(((message.properties ?? {}) as JsonObject).id)
}
