/** The whole thing at work in a temporary folder of its own: a Drift, a Segment, the service, and all ten events. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, readConfig } from '../config.ts'
import { eventName } from '../events/define.ts'
import { catalogue } from '../events/index.ts'
import type { JsonObject } from '../lib/json.ts'
import { silentLog } from '../lib/log.ts'
import { systemRandom } from '../lib/random.ts'
import type { Service } from '../main.ts'
import { difference } from '../sim/expected.ts'
import { type Sims, startSims } from '../sim/index.ts'
import type { Command, Context } from './command.ts'
import { installs } from './installs.ts'

/** The account of Drift's own samples. */
const org = 5_000_883
/** The demo's patience for ten events that take a fraction of a second. */
const patienceMs = 20_000

export const demo: Command = {
  name: 'demo',
  summary: 'show the main job end to end, on free ports and in a temporary folder; needs no settings',
  options: [{ flags: '--once', meaning: 'exit when done: 0 only if all ten events arrived as documented' }],
  examples: ['npm run demo', 'npm run demo -- --once'],
  async run(context, given) {
    const folder = await mkdtemp(join(tmpdir(), 'drift-segment-source-demo-'))
    const sims = await startSims()
    let service: Service | undefined
    try {
      const env = settingsFor(sims, folder)
      service = await context.openService(readConfig(env), { log: silentLog })
      context.print(
        `a Drift is at    ${sims.drift.url}\na Segment is at  ${sims.segment.url}\nthe service is at ${service.url}\n`,
      )
      await install(context, env, sims)
      const allRight = await fireAll(context, service, sims)
      if (given.once) return allRight ? 0 : 1
      context.print(
        `\na shop with a chat, and what its browser sends to Segment: ${sims.drift.url}/demo/site` +
          `\nall of it stays up until Ctrl+C; the first two addresses above show what they received`,
      )
      await context.untilStopped()
      return 0
    } finally {
      await service?.close()
      await sims.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

function settingsFor(sims: Sims, folder: string): Env {
  const { clientId, clientSecret, verificationToken } = sims.drift.settings
  return {
    PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: `sqlite:${join(folder, 'demo.db')}`,
    ENCRYPTION_KEYS: `demo:${systemRandom.bytes(32).toString('base64')}`,
    DRIFT_VERIFICATION_TOKENS: verificationToken,
    DRIFT_CLIENT_ID: clientId,
    DRIFT_CLIENT_SECRET: clientSecret,
    DRIFT_API_URL: sims.drift.url,
    DRIFT_AUTHORIZE_URL: `${sims.drift.url}/authorize`,
    DRIFT_SETTINGS_URL: `${sims.drift.url}/settings/apps`,
    SEGMENT_API_URL_US: sims.segment.url,
    SEGMENT_API_URL_EU: sims.segment.url,
    SEGMENT_CDN_URL: sims.segment.url,
  }
}

/** By the same command that a person would use, beside the running service. */
async function install(context: Context, env: Env, { drift }: Sims): Promise<void> {
  drift.addOrg({ orgId: org })
  const secrets = { ...drift.issueToken(org), writeKey: 'DemoSourceKey0123456789abcdefghi' }
  const add = installs.commands!.find(({ name }) => name === 'add')!
  context.remark('$ drift-segment-source installs add --org 5000883')
  await add.run!({ ...context, env, readInput: async () => JSON.stringify(secrets) }, { org: String(org) }, [])
}

async function fireAll(context: Context, service: Service, { drift, segment }: Sims): Promise<boolean> {
  const types = [...catalogue.keys()]
  // The events of accounts that are not installed yet are held, so nothing depends on who is quicker here.
  for (const type of types) await drift.send(type, { to: `${service.url}/webhooks/drift`, orgId: org })
  const accepted = await segment.waitFor(types.length, patienceMs).catch(() => segment.accepted)
  const unseen = new Set(types)
  context.print(`${'Segment received'.padEnd(66)}${'anonymousId'.padEnd(14)}as documented?`)
  for (const { message, receivedAt } of accepted) {
    const candidates = candidatesFor(message, unseen)
    const verdicts = await Promise.all(candidates.map((type) => difference(type, message, receivedAt)))
    const right = candidates[verdicts.indexOf(undefined)]
    if (right !== undefined) unseen.delete(right)
    const what = message.type === 'track' ? `Track     ${message.event}` : `Identify  (${right ?? 'of no event known'})`
    const verdict = right ? 'yes' : `NO: ${verdicts[0] ?? 'not expected'}`
    context.print(`${what.padEnd(66)}${String(message.anonymousId).padEnd(14)}${verdict}`)
  }
  for (const type of unseen) context.print(`${type.padEnd(76)}NO: missing or wrong`)
  return unseen.size === 0
}

/** The event types this message may be of: a Track names its own, an Identify may be of any that becomes one. */
function candidatesFor(message: JsonObject, types: Iterable<string>): string[] {
  return [...types].filter((type) =>
    message.type === 'track' ? message.event === eventName({ type }) : catalogue.get(type)?.call === 'identify',
  )
}
