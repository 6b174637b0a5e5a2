/** What Drift can do to us: as the one who is asked, as the one who gives tokens, and as the sender of webhooks. */
import { lasting, type Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const asking = { mix: { asked: 60, begun: 20, updated: 20 } } as const

export const driftScenarios: Scenario[] = [
  {
    name: 'Drift answers 429, 500, 404 and not at all',
    rows: ['F32'],
    async run(world) {
      world.load.start(asking)
      world.speed(60)
      const answers = [
        { status: 429, headers: { 'retry-after': '3' } },
        { status: 429 },
        { status: 500 },
        { status: 503, body: '<html>' },
        { status: 200, body: '{"data":' },
        { status: 404, body: { errors: [{ type: 'not_found', message: 'not there' }] } },
        { status: 404, body: '<html>' },
        { status: 401, body: { message: 'Unauthorized' } },
        { reset: 'after' },
        { reset: 'before' },
      ] as const
      world.sims.drift.script('/conversations/*', () => (world.fraction() < 0.5 ? world.pick(answers) : undefined))
      await lasting(3_000)
      return `${world.sims.drift.count('/conversations/*')} lookups so far`
    },
  },
  {
    name: 'access tokens die, and many lookups find out at once',
    rows: ['F27'],
    async run(world) {
      world.load.start(asking)
      for (let round = 0; round < 3; round++) {
        world.sims.drift.accessTokens.clear()
        await lasting(500)
      }
      return `${world.sims.drift.count('/oauth2/token')} refreshes so far`
    },
  },
  {
    name: 'the answer to a refresh is lost, and the grant with it',
    rows: ['F27'],
    async run(world) {
      const { drift } = world.sims
      world.load.start(asking)
      drift.script('/oauth2/token', { reset: 'after' })
      drift.accessTokens.clear()
      world.speed(20)
      await lasting(1_500)
      return connectAgain(world)
    },
  },
  {
    name: 'refresh tokens are dead',
    rows: ['F27'],
    async run(world) {
      const { drift } = world.sims
      world.load.start(asking)
      drift.revokeAll()
      await lasting(1_000)
      return connectAgain(world)
    },
  },
  {
    name: 'the same webhook many times at once',
    rows: ['F21'],
    async run({ load, accounts, pick }) {
      for (let round = 0; round < 10; round++) {
        const webhook = load.make('begun', pick(accounts).org)
        await Promise.all(Array.from({ length: 40 }, () => load.again(webhook)))
      }
      return '10 webhooks, 40 times each'
    },
  },
  {
    name: 'webhooks late, repeated and out of order',
    rows: ['F22'],
    async run({ load, proxies }) {
      load.start({ senders: 24, repeats: 30 })
      proxies.front.spoil({ cutBefore: 0.03, cutAfter: 0.08, truncate: 0.03 })
      const before = proxies.front.spoiled
      await lasting(2_500)
      return `${proxies.front.spoiled - before} webhooks or answers cut`
    },
  },
]

/** Only a person can give a new grant: everything that must ask waits for it, and nothing of it is lost. */
async function connectAgain(world: World): Promise<string> {
  world.sims.drift.script('/oauth2/token', undefined)
  for (const { org, writeKey } of world.accounts) await world.install(org, writeKey)
  return `${world.accounts.length} accounts connected again`
}
