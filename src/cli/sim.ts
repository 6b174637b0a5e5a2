/** A simulated Drift and a simulated Segment as servers, for trying things out. */
import { systemClock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { notListening } from '../lib/not-listening.ts'
import { withoutEnd } from '../lib/without-end.ts'
import { startControl } from '../sim/control.ts'
import { startSims } from '../sim/index.ts'
import { pastOf } from '../sim/past.ts'
import type { Command, Given } from './command.ts'

/** The account of Drift's own samples. */
const sampleOrg = 5_000_883
/** A key that the simulated Segment takes, as it takes every well-formed one. */
const sampleKey = 'SampleSourceKey0123456789abcdefg'

export const sim: Command = {
  name: 'sim',
  summary:
    'run a simulated Drift and a simulated Segment, for trying things out; the start page of each shows what it received',
  options: [
    { flags: '--drift-port <port>', meaning: '0 takes a free one', default: '0' },
    { flags: '--segment-port <port>', meaning: '0 takes a free one', default: '0' },
    {
      flags: '--to <url>',
      meaning: "the service, for Drift's own page to send events to",
      default: 'http://127.0.0.1:8080',
    },
    {
      flags: '--single-account',
      meaning: 'print the settings that install the sample account at the start, without a browser, as well',
    },
    {
      flags: '--control [port]',
      meaning:
        'an address on loopback at which you make either of them fail, to rehearse an outage; without a port it takes a free one',
    },
  ],
  examples: [
    'npx drift-segment-source sim',
    'npx drift-segment-source sim --drift-port 4010 --segment-port 4020 --control 4030',
  ],
  async run(context, given) {
    const controlPort = given.control === true ? 0 : portIn('--control', given.control)
    const sims = await startSims({
      drift: {
        port: portIn('--drift-port', given.driftPort),
        requestUrl: `${withoutEnd(String(given.to), '/')}/webhooks/drift`,
      },
      segment: { port: portIn('--segment-port', given.segmentPort) },
    }).catch(cannotListen)
    const { drift, segment } = sims
    const starting = given.control ? startControl(sims, { port: controlPort }) : undefined
    const control = await starting?.catch(async (error) => {
      await sims.close()
      return cannotListen(error)
    })
    drift.addOrg({ orgId: sampleOrg, name: 'Sample account', ...pastOf(systemClock.now()) })
    context.remark(`Drift's page of apps, which sends events too: ${drift.url}/settings/apps`)
    context.remark(`a shop with a chat, for the browser bridge: ${drift.url}/demo/site`)
    if (control)
      context.remark(`make Segment fail: curl -X PUT ${control.url}/segment -d '{"status":503}'; see docs/outages.md`)
    const { clientId, clientSecret, verificationToken } = drift.settings
    context.remark('a Drift and a Segment are running; stop them with Ctrl+C. Settings for the service:')
    context.print(
      [
        `DRIFT_API_URL=${drift.url}`,
        `DRIFT_AUTHORIZE_URL=${drift.url}/authorize`,
        `DRIFT_SETTINGS_URL=${drift.url}/settings/apps`,
        `DRIFT_CLIENT_ID=${clientId}`,
        `DRIFT_CLIENT_SECRET=${clientSecret}`,
        `DRIFT_VERIFICATION_TOKENS=${verificationToken}`,
        `SEGMENT_API_URL_US=${segment.url}`,
        `SEGMENT_API_URL_EU=${segment.url}`,
        `SEGMENT_CDN_URL=${segment.url}`,
        ...(given.singleAccount
          ? [
              `DRIFT_ORG_ID=${sampleOrg}`,
              `DRIFT_ACCESS_TOKEN=${drift.privateToken(sampleOrg)}`,
              `SEGMENT_WRITE_KEY=${sampleKey}`,
            ]
          : []),
      ].join('\n'),
    )
    await context.untilStopped()
    await control?.close()
    await sims.close()
  },
}

/** Throws a Problem of what is not a port; 0 where none is given. */
function portIn(option: string, given: Given[string]): number {
  const port = /^\d{1,5}$/.test(String(given ?? 0)) ? Number(given ?? 0) : Number.NaN
  if (port < 65_536) return port
  throw new Problem('port_unusable', `${option} takes a port: a number from 0 to 65535`, { exitCode: 2 })
}

/** Throws what a person can do about an error of a server that was to listen. */
function cannotListen(error: Error & { address?: string; port?: number }): never {
  const { address: host, port } = error
  if (host === undefined || port === undefined) throw error
  throw notListening({ host, port }, 'choose another by --drift-port, --segment-port or --control', error)
}
