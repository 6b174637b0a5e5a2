/** Accounts from the command line, beside a running service. Secrets come from standard input, never as arguments. */
import { readConfig } from '../config.ts'
import { pauseAccount, resumeAccount } from '../install/actions.ts'
import { type Grant, grantFields } from '../install/grant.ts'
import { configured, holdOf, stateShown } from '../install/state.ts'
import { sealWriteKey } from '../install/write-key.ts'
import { Problem } from '../lib/errors.ts'
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import { explain } from '../pipeline/reasons.ts'
import { keyIn, writeKeyProblem } from '../segment/key.ts'
import type { Install } from '../storage/ports.ts'
import type { Command, Context, Option } from './command.ts'
import { org, orgOf, standingLine, who, withStore } from './store.ts'

const json: Option = { flags: '--json', meaning: 'print JSON' }

/** What may be shown of an account: everything but its secrets. */
function shown(install: Install) {
  return {
    org: install.org,
    state: stateShown(install),
    reason: install.reason ?? (install.state === 'live' ? undefined : holdOf(install)),
    region: install.region,
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
    withStore(context, async ({ roster, storage, clock }) => {
      const standings = (await storage.ledger.standings()).filter(({ state }) => state !== 'delivered')
      const accounts = roster.all().map((install) => ({
        ...shown(install),
        standings: standings.filter(({ org: whose }) => whose === install.org),
      }))
      if (given.json) return context.print(JSON.stringify(accounts, undefined, 2))
      if (accounts.length === 0) return context.print('no accounts yet: add one with `installs add`')
      for (const account of accounts) {
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
  options: [
    org,
    { flags: '--region <region>', meaning: "where the account's Segment workspace is", choices: ['us', 'eu'] },
  ],
  examples: [
    `echo '{"accessToken":"…","refreshToken":"…","writeKey":"…"}' | npx drift-segment-source installs add --org 12345`,
    'npx drift-segment-source installs add --org 12345 --region eu < secrets.json',
  ],
  async run(context, given) {
    const config = readConfig(context.env, 'store')
    const id = orgOf(given.org)
    const secrets = secretsOf(await context.readInput())
    const store = await context.openStore(config, 'create')
    try {
      const { keyring, roster, clock } = store
      const now = clock.now()
      const fields: Partial<Install> = {
        ...(secrets.grant ? await grantFields(keyring, id, secrets.grant, now) : {}),
        ...(secrets.writeKey ? { writeKey: await sealWriteKey(keyring, id, secrets.writeKey) } : {}),
        ...(given.region ? { region: given.region as 'us' | 'eu' } : {}),
      }
      const isNewGrant = secrets.grant !== undefined
      const saved = await roster.change(id, now, (install) => configured({ ...install, ...fields }, isNewGrant))
      context.print(`${id}: ${saved && stateShown(saved)}`)
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
  commands: [list, add, pause, resume],
}

function act(context: Context, id: string, action: typeof pauseAccount): Promise<void> {
  return withStore(context, async (store) => {
    const done = await action(store, id, who)
    if (done.is === 'gone')
      throw new Problem('not_installed', `account ${id} is not installed`, {
        hint: '`installs list` shows which are; `installs add` adds one',
      })
    if (done.is === 'asked')
      throw new Problem('still_asked', `account ${id}: Drift is being asked whether it has disconnected`, {
        hint: 'sending goes on by itself when it has not; without an answer for a day it can be resumed',
      })
    context.print(`${id}: ${stateShown(done.install)}`)
  })
}

function secretsOf(input: string): { grant?: Grant; writeKey?: string } {
  const hint = 'give a JSON object with accessToken, refreshToken (unless it is a private token) and writeKey'
  const reading = readText(input)
  if (!reading.ok || !isObject(reading.value)) {
    throw new Problem('input_unreadable', 'standard input is no JSON object', { hint, exitCode: 2 })
  }
  const given: JsonObject = reading.value
  const names = ['accessToken', 'refreshToken', 'writeKey']
  const unknown = Object.keys(given).find((name) => !names.includes(name) || typeof given[name] !== 'string')
  if (unknown !== undefined) {
    throw new Problem('input_unknown', 'standard input holds a name that is not known, or a value that is no text', {
      hint,
      exitCode: 2,
    })
  }
  const { accessToken, refreshToken, writeKey } = given as Record<string, string | undefined>
  const problem = writeKey === undefined ? undefined : writeKeyProblem(writeKey)
  if (problem)
    throw new Problem('write_key_unusable', problem, {
      hint: 'copy it again from Segment: Source → Settings → API Keys',
      exitCode: 2,
    })
  return {
    // How old a pasted access token is cannot be known: with a refresh token it is renewed before its first use.
    ...(accessToken ? { grant: { accessToken, ...(refreshToken ? { refreshToken, expiresAt: 0 } : {}) } } : {}),
    ...(writeKey ? { writeKey: keyIn(writeKey) } : {}),
  }
}
