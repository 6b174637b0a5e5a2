/** Disconnecting one account, or all of them, from the command line. */
import { disconnecting } from '../accounts/disconnect.ts'
import { disconnectMany, type Report } from '../accounts/disconnect-many.ts'
import { openGrants } from '../accounts/grant.ts'
import { readConfig } from '../config.ts'
import { openHttpClient } from '../lib/request.ts'
import { explain } from '../operations/reasons.ts'
import { assertGone, untilGone } from '../pipeline/until-gone.ts'
import type { Command, Context, Given } from './command.ts'
import { installOf, orgOrAll, who } from './store.ts'

/** How often a long run says how far it is. */
const tellEvery = 25

export const disconnectCommand: Command = {
  name: 'disconnect',
  summary: "end an account's grant at Drift and erase everything of it; with --all of every account",
  options: [
    { flags: '--org <id>', meaning: "this account: Drift's account number (orgId)" },
    { flags: '--all', meaning: 'every account; begun again, it goes on with those that are left' },
    { flags: '--json', meaning: 'print the report as JSON' },
  ],
  examples: [
    'npx drift-segment-source installs disconnect --org 12345',
    'npx drift-segment-source installs disconnect --all --json',
  ],
  run: (context, given) => disconnect(context, given),
}

async function disconnect(context: Context, given: Given): Promise<number> {
  const wanted = orgOrAll(given)
  const config = readConfig(context.env(), 'store')
  const store = await context.openStore(config)
  const httpClient = openHttpClient({ proxies: config.proxies })
  const stop = new AbortController()
  void context.untilStopped().then(() => stop.abort())
  try {
    const { storage, accounts, keyring, clock } = store
    if (wanted !== undefined) installOf(store, wanted)
    const common = { accounts, keyring, send: httpClient.send, clock, apiUrl: config.drift.apiUrl, app: config.oauth }
    const grants = openGrants({ ...common, installs: storage.installs })
    const report = await disconnectMany(
      {
        accounts,
        disconnect: disconnecting({ ...common, ...storage, grants }),
        progress: (done, of) => {
          if (of > 1 && (done % tellEvery === 0 || done === of)) context.remark(`${done} of ${of} accounts`)
        },
        signal: stop.signal,
      },
      wanted === undefined ? accounts.all().map(({ org }) => org) : [wanted],
      who,
    )
    const purged = report.disconnected > 0 ? await untilGone({ storage, keyring, clock }) : 'done'
    tell(context, report, given.json === true)
    if (report.left.length > 0) return 1
    assertGone(purged)
    return 0
  } finally {
    await httpClient.close()
    await store.close()
  }
}

function tell({ print }: Context, report: Report, asJson: boolean): void {
  if (asJson) {
    print(JSON.stringify(report, undefined, 2))
    return
  }
  print(`${report.disconnected} disconnected, and erased here`)
  if (report.withoutGrant.length > 0)
    print('no grant of these was kept, so nothing was ended at Drift: remove the app there if it is still connected')
  for (const org of report.withoutGrant) print(`  ${org}`)
  if (report.unconfirmed.length > 0)
    print('Drift has not confirmed these: end them in Drift, under Settings → App Settings, or ask Drift to')
  for (const { org, reason } of report.unconfirmed) {
    const { means } = explain(reason)
    print(`  ${org}  ${means === reason ? reason : `${reason}: ${means}`}`)
  }
  if (report.left.length > 0) print('these are still connected: run it again')
  for (const { org, reason } of report.left) print(`  ${org}  ${reason}`)
}
