/** What Segment, and the way to it, can do to us. */
import type { SegmentAction } from '../../src/sim/index.ts'
import { lasting, type Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const processed = (said: string): SegmentAction => ({ saidInstead: said })

/** Everything that a status, a header or a body can say. What is processed was taken, whatever the answer's body. */
const answers: readonly SegmentAction[] = [
  ...['1', '0', '-5', '99999999999', 'soon', new Date(Date.now() + 20_000).toUTCString()].map((after) => ({
    status: 429,
    headers: { 'retry-after': after },
  })),
  ...[429, 408, 425, 460, 500, 502, 503, 504, 505, 599].map((status) => ({ status })),
  { status: 503, body: '<html>Bad gateway</html>' },
  { status: 400, body: '{"success":false,"message":"An invalid write key was provided"}' },
  { status: 400, body: '' },
  { status: 413 },
  ...[401, 403, 404].map((status) => ({ status })),
  { redirect: 'http://127.0.0.1:9/v1/batch' },
  { status: 301, headers: { location: '/elsewhere' } },
  { status: 200, body: '{"success":false}' },
  processed(''),
  processed('<html>all is well</html>'),
  processed('{"success":'),
]

/** A message that is refused alone while others are taken is dead, and rightly: so only what is more than one is refused. */
function blamesMessages({ status, body }: SegmentAction): boolean {
  return status === 413 || (status === 400 && body === '')
}

function isOfOne(body: string): boolean {
  return (JSON.parse(body) as { batch: unknown[] }).batch.length === 1
}

export const segmentScenarios: Scenario[] = [
  {
    name: "Segment's whole verdict table",
    rows: ['F12', 'F13', 'F18', 'F20'],
    async run(world) {
      world.speed(60)
      // Each request gets the next one, so that all of them are met however long accounts rest between.
      const left = answers.map((answer) => ({ answer, at: world.fraction() })).sort((one, other) => one.at - other.at)
      let requests = 0
      world.segment(({ body }) => {
        requests++
        const next =
          world.fraction() < 0.7 ? left.find(({ answer }) => !(blamesMessages(answer) && isOfOne(body))) : undefined
        if (next) left.splice(left.indexOf(next), 1)
        return next?.answer
      })
      for (let looks = 0; left.length > 0 && looks < 100; looks++) await lasting(100)
      const met = answers.length - left.length
      if (met < answers.length / 2) throw new Error(`only ${met} of ${answers.length} answers were met`)
      return `${requests} requests, ${met} of ${answers.length} answers met`
    },
  },
  {
    name: 'an outage of ten minutes',
    rows: ['F13'],
    async run(world) {
      world.speed(150)
      let requests = 0
      world.segment(() => {
        requests++
        return { status: world.pick([500, 502, 503, 504]) }
      })
      await lasting(4_000)
      world.speed(1)
      // Backoff doubles from one second: about eleven tries of each account in ten minutes, and half of each is chance.
      const most = world.accounts.length * 20
      if (requests > most) throw new Error(`${requests} requests in an outage of ten minutes, ${most} were enough`)
      return `${requests} requests of ${world.accounts.length} accounts`
    },
  },
  {
    name: 'connections are refused for minutes',
    rows: ['F14'],
    async run(world) {
      world.speed(60)
      await world.proxies.segment.shut()
      await world.proxies.drift.shut()
      await lasting(2_000)
      return 'two minutes'
    },
  },
  {
    name: 'answers are cut, before and after processing',
    rows: ['F15'],
    async run(world) {
      world.speed(20)
      world.proxies.segment.spoil({ cutBefore: 0.15, cutAfter: 0.2, truncate: 0.1 })
      world.proxies.drift.spoil({ cutBefore: 0.1, cutAfter: 0, truncate: 0.1 })
      const before = world.proxies.segment.spoiled
      await lasting(3_000)
      return spoiled(world.proxies.segment.spoiled - before, 'cuts')
    },
  },
  {
    name: 'slow ways, drips and huge answers',
    rows: ['F16'],
    async run(world) {
      world.proxies.segment.spoil({ latencyMs: 120 })
      await lasting(700)
      world.proxies.segment.spoil({ dripMs: 4 })
      await lasting(700)
      await world.proxies.segment.heal()
      world.segment(() => ({ hugeBody: 8 * 1024 * 1024 }))
      await lasting(700)
      return undefined
    },
  },
  {
    name: 'half-open connections',
    rows: ['F17'],
    async run(world) {
      world.proxies.segment.spoil({ halfOpen: 0.3 })
      const before = world.proxies.segment.spoiled
      await lasting(1_500)
      return spoiled(world.proxies.segment.spoiled - before, 'vanished')
    },
  },
  {
    name: 'one destination of two is dead',
    rows: ['F36'],
    async run(world) {
      const { org, writeKey } = world.second!
      const alone = await arrivalTimes(world, org)
      world.segment(({ body }) => (body.includes(writeKey) ? world.pick(deadAnswers) : undefined))
      const beside = await arrivalTimes(world, org)
      const [one, other] = [alone, beside].map((times) => times.sort((a, b) => a - b).at(-1)!)
      // Ten events of each: a destination that waited for the other would wait for a probe, a minute.
      if (other! > 10 * one! + 2_000)
        throw new Error(`an event took ${Math.round(other!)} ms beside the dead destination`)
      return `the slowest of ten took ${Math.round(one!)} ms alone, and ${Math.round(other!)} ms beside the dead one`
    },
  },
  {
    name: 'poison among the others',
    rows: ['F19'],
    async run(world) {
      world.load.start({ mix: { begun: 20, updated: 20, poisoned: 8, oversized: 2, shapeless: 4 } })
      await lasting(2_000)
      return poisonCount(world)
    },
  },
]

const deadAnswers: readonly SegmentAction[] = [
  { status: 503 },
  { status: 401 },
  { status: 200, body: '<html>Sign in</html>' },
  { reset: 'before' },
]

/** How long ten events took from their post to the account's first destination. */
async function arrivalTimes({ load, sims, ledger, read }: World, org: string): Promise<number[]> {
  const times: number[] = []
  for (let nth = 0; nth < 10; nth++) {
    const startedAt = performance.now()
    const webhook = load.make('clicked', org)
    await load.again(webhook)
    await sims.segment.waitFor(() => {
      read()
      return ledger.arrivals.includes(webhook.mark)
    }, 15_000)
    times.push(performance.now() - startedAt)
  }
  return times
}

/** A fault that did not happen proves nothing. */
function spoiled(count: number, what: string): string {
  if (count === 0) throw new Error(`no ${what}: nothing was shown`)
  return `${count} ${what}`
}

function poisonCount({ ledger }: World): string {
  return `${[...ledger.said.values()].filter(({ expected }) => expected === 'dead').length} poison events so far`
}
