/** Accounts from the command line, beside a running service. Secrets come from standard input, never as arguments. */

import { pauseAccount, resumeAccount } from '../accounts/actions.ts'
import { configureAccount } from '../accounts/configure.ts'
import { settingsOf } from '../accounts/settings.ts'
import { holdOf, stateShown } from '../accounts/state.ts'
import { readConfig } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { explain } from '../operations/reasons.ts'
import { type Region, regionIn } from '../segment/region.ts'
import type { Install } from '../storage/ports.ts'
import type { Command, Context, Given, Option } from './command.ts'
import { disconnectCommand } from './installs-disconnect.ts'
import { secretsOf } from './secrets.ts'
import { notInstalled, org, orgOf, standingLine, who, withStore } from './store.ts'

const json: Option = { flags: '--json', meaning: 'print JSON' }

/** What may be shown of an account: everything but its secrets. */
function shown(install: Install) {
  return {
    org: install.org,
    state: stateShown(install),
    reason: holdOf(install) ?? install.reason,
    region: settingsOf(install).region,
    writeKey: install.writeKey !== undefined,
    grant: install.grant !== undefined,
    createdAt: new Date(install.createdAt).toISOString(),
    updatedAt: new Date(install.updatedAt).toISOString(),
  }
}

const list: Command = {
  name: 'list',
  summary: 'every account, its state, and what waits or was set aside',
  options: [json],
  examples: ['npx drift-segment-source installs list', 'npx drift-segment-source installs list --json'],
  run: (context, given) =>
    withStore(context, async ({ accounts, storage, clock }) => {
      const standings = (await storage.ledger.standings()).filter(({ state }) => state !== 'delivered')
      const rows = accounts.all().map((install) => ({
        ...shown(install),
        standings: standings.filter(({ org: whose }) => whose === install.org),
      }))
      if (given.json) return context.print(JSON.stringify(rows, undefined, 2))
      if (rows.length === 0) return context.print('no accounts yet: add one with `installs add`')
      for (const account of rows) {
        context.print(`${account.org}  ${account.state}  ${account.region}  since ${account.createdAt}`)
        for (const standing of account.standings) context.print(`  ${standingLine(standing, clock.now())}`)
        const reasons = new Set([account.reason, ...account.standings.map(({ reason }) => reason)])
        for (const reason of reasons) {
          if (reason === undefined) continue
          const { means, todo } = explain(reason)
          context.print(`  ${reason}: ${means}\n    what to do: ${todo}`)
        }
      }
    }),
}

const add: Command = {
  name: 'add',
  summary: 'add an account, or give it a new grant or write key; reads a JSON object of secrets from standard input',
  options: [org, { flags: '--region <region>', meaning: "where the account's Segment workspace is: us or eu" }],
  examples: [
    `echo '{"accessToken":"…","refreshToken":"…","writeKey":"…"}' | npx drift-segment-source installs add --org 12345`,
    'npx drift-segment-source installs add --org 12345 --region eu < secrets.json',
  ],
  async run(context, given) {
    const config = readConfig(context.env, 'store')
    const id = orgOf(given.org)
    const region = regionOf(given.region)
    const secrets = secretsOf(await context.readInput())
    const store = await context.openStore(config, 'create')
    try {
      const { grant, writeKey } = secrets
      const named = {
        ...(grant ? { grant } : {}),
        ...(writeKey ? { writeKey: writeKey.key } : {}),
        ...(region ? { region } : {}),
      }
      const saved = await configureAccount(store, id, named, who)
      context.print(`${id}: ${stateShown(saved)}`)
      if (saved.notAllowed) context.remark('it is not listed in DRIFT_ORG_IDS_ALLOWED: what comes in is kept, not sent')
      if (secrets.writeKey?.is === 'unusual') context.remark(`look again: ${secrets.writeKey.why}`)
    } finally {
      await store.close()
    }
  },
}

const pause: Command = {
  name: 'pause',
  summary: "hold an account's events; they are kept and sent when it is resumed",
  options: [org],
  examples: ['npx drift-segment-source installs pause --org 12345'],
  run: (context, given) => act(context, orgOf(given.org), pauseAccount),
}

const resume: Command = {
  name: 'resume',
  summary: 'send again, at once, what was paused or held for trouble',
  options: [org],
  examples: ['npx drift-segment-source installs resume --org 12345'],
  run: (context, given) => act(context, orgOf(given.org), resumeAccount),
}

export const installs: Command = {
  name: 'installs',
  summary: 'the Drift accounts this service works for',
  examples: [],
  commands: [list, add, pause, resume, disconnectCommand],
}

function act(context: Context, id: string, action: typeof pauseAccount): Promise<void> {
  return withStore(context, async (store) => {
    const done = await action(store, id, who)
    if (done.is === 'gone') throw notInstalled(id)
    if (done.is === 'asked')
      throw new Problem('still_asked', `account ${id}: Drift is being asked whether it has disconnected`, {
        hint: 'sending goes on by itself when it has not; without an answer for a day it can be resumed',
      })
    if (done.is === 'not_allowed')
      throw new Problem('not_allowed', `account ${id} is not listed in DRIFT_ORG_IDS_ALLOWED: nothing of it is sent`, {
        hint: 'list it there and restart the service: what was kept is sent then',
      })
    context.print(`${id}: ${stateShown(done.install)}`)
  })
}

function regionOf(given: Given[string]): Region | undefined {
  const region = given === undefined ? undefined : regionIn(String(given))
  if (given === undefined || region) return region
  throw new Problem('region_unusable', '--region takes us or eu', { exitCode: 2 })
}
