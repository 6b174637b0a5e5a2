import { withoutEnd } from '../lib/without-end.ts'
import { startSims } from '../sim/index.ts'
import type { Command } from './command.ts'

/** The account of Drift's own samples. */
const sampleOrg = 5_000_883

export const sim: Command = {
  name: 'sim',
  summary: 'run a Drift and a Segment of our own, for trying things out; both show at / what they received',
  options: [
    { flags: '--drift-port <port>', meaning: '0 takes a free one', default: '0' },
    { flags: '--segment-port <port>', meaning: '0 takes a free one', default: '0' },
    {
      flags: '--to <url>',
      meaning: "the service, for Drift's own page to send events to",
      default: 'http://127.0.0.1:8080',
    },
  ],
  examples: ['npx drift-segment-source sim', 'npx drift-segment-source sim --drift-port 4010 --segment-port 4020'],
  async run(context, given) {
    const sims = await startSims({
      drift: { port: Number(given.driftPort), requestUrl: `${withoutEnd(String(given.to), '/')}/webhooks/drift` },
      segment: { port: Number(given.segmentPort) },
    })
    const { drift, segment } = sims
    drift.addOrg({ orgId: sampleOrg, name: 'Sample account' })
    context.remark(`Drift's page of apps, which sends events too: ${drift.url}/settings/apps`)
    context.remark(`a shop with a chat, for the browser bridge: ${drift.url}/demo/site`)
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
      ].join('\n'),
    )
    await context.untilStopped()
    await sims.close()
  },
}
