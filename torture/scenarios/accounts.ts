/** Accounts that flood, leave, come back, change their key, or were never there. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../../src/lib/json.ts'
import { markOf } from '../events.ts'
import { lasting, type Scenario } from '../scenario.ts'

/** Three crashes for each of them would be more than a run looks at. */
const innocentsBefore = 8

export const accountScenarios: Scenario[] = [
  {
    name: 'one account floods, a hundred to one',
    rows: ['F24'],
    async run({ load, accounts, sims, ledger, read }) {
      const [flooding, ...others] = accounts.map(({ org }) => org)
      const orgs = [...Array<string>(100 * others.length).fill(flooding!), ...others]
      load.start({ senders: 32, perSecond: 900, orgs, mix: { begun: 60, updated: 38, poisoned: 2 } })
      await lasting(1_500)
      const quiet = await Promise.all(others.map((org) => timeToArrive(org)))
      return `a quiet account's event arrived after ${Math.round(Math.max(...quiet))} ms at the latest`

      async function timeToArrive(org: string): Promise<number> {
        const startedAt = performance.now()
        const webhook = load.make('clicked', org)
        await load.again(webhook)
        await sims.segment.waitFor(() => {
          read()
          return ledger.arrivals.includes(webhook.mark)
        }, 15_000)
        return performance.now() - startedAt
      }
    },
  },
  {
    name: 'events of an account that is installed later',
    rows: ['F25'],
    async run(world) {
      const org = String(7_000_000 + world.whole(0, 900_000))
      world.load.start({ orgs: [org, ...world.accounts.map((account) => account.org)] })
      await lasting(1_000)
      await world.install(org, `LaterAccountKey${org}`)
      await lasting(500)
      return undefined
    },
  },
  {
    name: 'an account leaves with events under way, and comes back',
    rows: ['F25'],
    async run(world) {
      const { load, sims, ledger } = world
      const org = String(8_000_000 + world.whole(0, 900_000))
      await world.install(org, `LeavingAccountKey${org}`)
      load.start({ orgs: [org, ...world.accounts.map((account) => account.org)] })
      await lasting(1_000)
      await load.finish()
      for (const grants of [sims.drift.accessTokens, sims.drift.refreshTokens])
        for (const [token, grant] of grants) if (grant.orgId === Number(org)) grants.delete(token)
      ledger.left(org)
      const goodbye = { type: 'app_disconnected', orgId: Number(org), data: {} }
      const answer = await sims.drift.send(goodbye, { to: `${world.proxies.front.url}/webhooks/drift` })
      if (answer.status !== 200) throw new Error('a disconnect was not taken')
      const expected = 'delivered or expired'
      ledger.post({ mark: `app_disconnected:${org}`, org, contact: '', expected, inOrder: false })(true)
      world.speed(20)
      const isGone = async () => /disconnected/.test((await world.command('installs list')).output)
      for (let looks = 0; !(await isGone()) && looks < 100; looks++) await lasting(50)
      world.read()
      const before = ledger.transmissions.length
      await lasting(300)
      world.read()
      const after = ledger.transmissions.slice(before).filter(({ mark }) => ledger.said.get(mark)?.org === org)
      if (after.length > 0) throw new Error(`${after.length} events were sent after the account had left`)
      world.speed(1)
      await world.install(org, `ReturnedAccountKey${org}`)
      // The service notices within a second; until then what comes is ignored, as of any account that has left.
      await lasting(1_200)
      load.start()
      await lasting(500)
      return undefined
    },
  },
  {
    name: 'the write key changes while batches are under way',
    rows: ['F26'],
    async run(world) {
      world.segment(() => ({ delayMs: 150 }))
      for (let round = 0; round < 3; round++) {
        const account = world.pick(world.accounts)
        account.writeKey = `ChangedKey${world.whole(1_000_000, 9_999_999)}${account.org}`
        await world.install(account.org, account.writeKey)
        await lasting(400)
      }
      return '3 changes'
    },
  },
  {
    name: 'a backup under load, and the service on its copy',
    rows: ['F31'],
    impossible: (engine) => engine !== 'sqlite' && "this engine is backed up by its own server's means",
    async run(world) {
      world.segment(() => ({ status: 503 }))
      await lasting(500)
      const folder = join(world.folder, 'backup')
      await mkdir(folder, { recursive: true })
      const copy = join(folder, `${world.whole(1, 1e9)}.db`)
      await world.command('backup', { args: [copy] })
      const since = new Set(world.ledger.said.keys())
      await world.load.finish()
      world.normally()
      for (let waits = 0; waits < 5; waits++) {
        world.skip(200_000)
        await lasting(300)
      }
      // A copy that goes to work beside the original: what it sends again carries the same messageIds.
      await world.service().stop()
      const second = await world.start({}, { DATABASE_URL: `sqlite:${copy}` })
      world.skip(900_000)
      await lasting(1_500)
      await second.stop()
      await copyFile(copy, `${copy}.used`)
      await world.start()
      return `${since.size} events said before`
    },
  },
  {
    name: 'an event that ends every process that works on it',
    rows: ['F23'],
    async run(world) {
      const { load, accounts, pick, sims, ledger } = world
      // Of another it would be fatal at each destination by itself.
      const { org, writeKey } = pick(accounts.filter((one) => !ledger.isTwice(one.org)))
      const fatal = { ...load.make('clicked', org), expected: 'held' as const }
      const gathering = Promise.withResolvers<void>()
      let gathered = false
      let struck = false
      world.segment(({ body }) => {
        const said = body === '' ? {} : (JSON.parse(body) as { writeKey?: string; batch?: JsonObject[] })
        if (said.batch?.some((message) => markOf(message) === fatal.mark)) {
          struck = true
          return { hang: true }
        }
        if (gathered || said.writeKey !== writeKey) return undefined
        gathering.resolve()
        return { delayMs: 2_000 }
      })
      load.start({ perSecond: 60 })
      await load.say('clicked', org)
      // While one request of the account is under way, others are queued before the fatal one: none of them costs a process.
      await gathering.promise
      for (let innocent = 0; innocent < innocentsBefore; innocent++) await load.say('clicked', org)
      await load.again(fatal)
      gathered = true
      for (let deaths = 0; deaths < 20; deaths++) {
        if (await isQuarantined()) {
          world.normally()
          return `quarantined after ${deaths} processes, with ${sims.segment.accepted.length} other events delivered`
        }
        // Who has the batch is not known from outside.
        await Promise.all(world.services().map((one) => one.kill()))
        struck = false
        // Before the next ones are there: each has one lease of it, and none that runs out under its hands.
        world.skip(60_000)
        await world.start()
      }
      throw new Error('it ended twenty processes')

      /** Looks until a process has it under way; true when none will any more. */
      async function isQuarantined(): Promise<boolean> {
        for (const giveUpAt = performance.now() + 60_000; performance.now() < giveUpAt; await lasting(50)) {
          if (struck) return false
          const { backlog } = await world.outcomes()
          if (backlog.some(({ reason }) => reason === 'crashes')) return true
        }
        throw new Error('it is neither under way nor quarantined')
      }
    },
  },
  {
    name: 'little memory and few file descriptors',
    rows: ['F29'],
    impossible: (engine) => engine !== 'sqlite' && 'run on the embedded engine only: the limits are of one process',
    async run(world) {
      await world.service().stop()
      const under = ['sh', '-c', 'ulimit -n 96; exec "$@"', 'sh']
      await world.start({ under }, { NODE_OPTIONS: '--max-old-space-size=64' })
      world.load.start({ senders: 60, perSecond: 500 })
      await lasting(2_000)
      await world.load.finish()
      if (world.service().isUp()) await world.service().stop()
      await world.start()
      return undefined
    },
  },
]
