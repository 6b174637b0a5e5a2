/** Alerts while Segment, the receivers of alerts and the service itself are away: each arrives once, and none is missing. */
import { type AlertReceiver, startAlertReceiver } from '../../src/sim/alert-receiver.ts'
import type { Action } from '../../src/sim/index.ts'
import { usualMix } from '../load.ts'
import { lasting, type Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

/** Real time that the alerts of a change may take to arrive. */
const patienceMs = 60_000
const looks: readonly Action[] = [{ status: 503 }, { reset: 'before' }, { reset: 'after' }, { hang: true }]

export const alertScenarios: Scenario[] = [
  {
    name: 'Segment refuses, receivers of alerts are away, and the service is killed between',
    rows: ['F35', 'F20'],
    // Where Segment refuses two events by themselves, it may hold their account for two hours, with probes that fail.
    load: { mix: { ...usualMix, poisoned: 0 } },
    async run(world) {
      const receiver = await startAlertReceiver()
      try {
        const orgs = world.accounts.map(({ org }) => org)
        for (const org of orgs) await addRecipient(world, receiver, org)
        receiver.script(() => world.pick(looks))
        world.speed(10)
        world.segment(() => ({ status: 401 }))
        for (const org of orgs) await world.load.say('begun', org)
        await until(async () => (await logged(world, orgs, 'raised')) === orgs.length, 'alerts were stored')
        await killed(world)
        world.normally()
        // Half of what is sent arrives now, and the answer to half of that is lost.
        receiver.script(() => (world.fraction() < 0.5 ? world.pick(looks) : undefined))
        await until(
          async () => (await logged(world, orgs, 'recovered')) === orgs.length,
          'recoveries were stored',
          () => world.skip(45_000),
        )
        await killed(world)
        receiver.script(undefined)
        await until(
          async () => arrived(receiver, orgs),
          'alerts arrived',
          () => world.skip(45_000),
        )
        const wrong = orgs.flatMap((org) =>
          [...stoppedOf(receiver, org)]
            .filter(([, states]) => states.join(' ') !== 'raised recovered')
            .map(([destination, states]) => `${org}, destination ${destination}: ${states.join(' ')}`),
        )
        if (wrong.length > 0) throw new Error(wrong.join('; '))
        const again = receiver.requests.length - receiver.received.length
        return `${receiver.received.length} alerts, ${again} attempts more`
      } finally {
        for (const org of world.accounts.map((account) => account.org)) await removeRecipients(world, org)
        await receiver.close()
      }
    },
  },
]

async function killed(world: World): Promise<void> {
  await lasting(world.whole(0, 300))
  await world.service().kill()
  await world.start()
}

async function until(isSo: () => Promise<boolean>, what: string, meanwhile = () => {}): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`not in ${patienceMs / 1_000} s: ${what}`)
    await lasting(200)
    meanwhile()
  }
}

async function addRecipient(world: World, { url }: AlertReceiver, org: string): Promise<void> {
  const address = `${url}/${org}/T0RTUREalertsS3CRET`
  world.ledger.secrets.add(address)
  const given = { org, channel: 'webhook' }
  const { exitCode, output } = await world.command('alerts add', { stdin: address, given, unsafeAllowLoopback: true })
  if (exitCode !== 0) throw new Error(output)
}

/** Other scenarios of this world need no receiver. */
async function removeRecipients(world: World, org: string): Promise<void> {
  const { output } = await world.command('alerts list', { given: { org, json: true } })
  for (const { id } of JSON.parse(output) as { id: string }[])
    await world.command('alerts remove', { given: { org, recipient: id } })
}

/** Of how many accounts the store has an alert about being stopped, or about the end of that. */
async function logged(world: World, orgs: readonly string[], change: 'raised' | 'recovered'): Promise<number> {
  const says = { raised: 'events are not sent', recovered: 'events are sent again' }[change]
  const logs = await Promise.all(orgs.map((org) => world.command('alerts log', { given: { org } })))
  return logs.filter(({ output }) => output.includes(says)).length
}

/** What the receiver has of an account about being stopped, by destination, each message once. */
function stoppedOf({ received }: AlertReceiver, org: string): Map<number, string[]> {
  const byDestination = new Map<number, string[]>()
  for (const { body } of received) {
    const { account, alerts } = body.data as { account: string; alerts: Record<string, unknown>[] }
    for (const { rule, state, destination = 1 } of alerts) {
      if (account !== org || rule !== 'stopped') continue
      const states = byDestination.get(Number(destination)) ?? []
      byDestination.set(Number(destination), [...states, String(state)])
    }
  }
  return byDestination
}

function arrived(receiver: AlertReceiver, orgs: readonly string[]): boolean {
  return orgs.every((org) => {
    const all = [...stoppedOf(receiver, org).values()]
    return all.length > 0 && all.every((states) => states.at(-1) === 'recovered')
  })
}
