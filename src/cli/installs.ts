/** Accounts from the command line, beside a running service. Secrets come from standard input, never as arguments. */

import { type Done, pauseAccount } from '../accounts/actions.ts'
import { configureAccount } from '../accounts/add-account.ts'
import { destinationsOf, endpointOf, firstOf } from '../accounts/destinations.ts'
import { resumeNow, retryNow } from '../accounts/retry.ts'
import { holdOf, reasonOf, stateShown } from '../accounts/state.ts'
import { readConfig } from '../config.ts'
import { Problem } from '../lib/errors.ts'
import { explain } from '../operations/reasons.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { BacklogRow, LaneShown } from '../storage/ports/lookup.ts'
import { isServed, tellAttempt } from './attempts.ts'
import type { Command, Option } from './command.ts'
import { disconnectCommand } from './installs-disconnect.ts'
import { secretsOf } from './secrets.ts'
import { backlogLine, installOf, notInstalled, org, orgOf, regionOf, who, withStore } from './store.ts'

const json: Option = { flags: '--json', meaning: 'print JSON' }

/** What may be shown of an account: everything but its secrets. */
function shown(install: Install) {
  const first = firstOf(install)
  return {
    org: install.org,
    state: stateShown(install),
    reason: holdOf(install) ?? reasonOf(install),
    region: install.unreadable || first.endpoint !== undefined ? undefined : first.region,
    endpoint: install.unreadable ? undefined : first.endpoint,
    destinations: install.unreadable ? undefined : destinationsOf(install).length,
    writeKey: first.key !== undefined,
    grant: install.grant !== undefined,
    createdAt: new Date(install.createdAt).toISOString(),
    updatedAt: new Date(install.updatedAt).toISOString(),
  }
}

const list: Command = {
  name: 'list',
  summary: 'every account, its state, and what waits, is dead or is quarantined',
  options: [json],
  examples: ['npx drift-segment-source installs list', 'npx drift-segment-source installs list --json'],
  run: (context, given) =>
    withStore(context, async ({ accounts, storage, clock }) => {
      const all = (await storage.ledger.backlog()).filter(({ state }) => state !== 'delivered')
      const rows = []
      for (const install of accounts.all()) {
        const backlog = all.filter(({ org: whose }) => whose === install.org)
        const lanes = backlog.some(isQueued) ? await storage.lookup.lanes(install.org) : []
        rows.push({ ...shown(install), backlog: backlog.map((row) => ({ ...row, ...lastErrorOf(row, lanes) })) })
      }
      if (given.json) return context.print(JSON.stringify(rows, undefined, 2))
      if (rows.length === 0) return context.print('no accounts yet: add one with `installs add`')
      for (const account of rows) {
        const { org: id, state, region, endpoint, destinations = 1, createdAt } = account
        const more = destinations > 1 ? `; it has ${destinations} destinations: \`destinations list --org ${id}\`` : ''
        context.print(`${id}  ${state}  ${region ?? endpoint ?? '-'}  since ${createdAt}${more}`)
        for (const backlogRow of account.backlog) {
          const { lastError } = backlogRow
          const failed = lastError === undefined ? '' : `; the last attempt failed: ${lastError}`
          context.print(`  ${backlogLine(backlogRow, clock.now())}${failed}`)
        }
        for (const [reason, endpoint] of reasonsOf(accounts.get(account.org)!, account)) {
          const { means, todo, comesFrom } = explain(reason, endpoint)
          context.print(`  ${reason}: ${means}`)
          if (comesFrom) context.print(`    comes from: ${comesFrom}`)
          context.print(`    what to do: ${todo}`)
        }
      }
    }),
}

interface Attempted extends BacklogRow {
  /** Of what is queued: why the last attempt failed, as a code. */
  lastError?: string
}

function isQueued({ state }: BacklogRow): boolean {
  return state === 'waiting' || state === 'asking'
}

function lastErrorOf(row: BacklogRow, lanes: readonly LaneShown[]): { lastError?: string } {
  // A reason of its own says more: the account or the destination is held or refused.
  if (!isQueued(row) || row.reason !== undefined) return {}
  const lane = row.state === 'asking' ? 'ask' : 'send'
  const its = lanes.find((one) => one.lane === lane && (lane === 'ask' || one.destination === row.destination))
  return its?.lastError !== undefined && its.failures > 0 ? { lastError: its.lastError } : {}
}

/** Each once for each place that it is about. */
function reasonsOf(
  install: Install,
  { reason, backlog }: { reason: string | undefined; backlog: readonly Attempted[] },
): [reason: string, endpoint: string | undefined][] {
  const its = destinationsOf(install).find((one) => one.reason === reason)?.endpoint
  const all = [
    { reason, endpoint: its },
    ...backlog.flatMap((one) => {
      const whys = one.reason === undefined ? [one.lastError, one.lookupReason] : [one.reason]
      return whys.map((why) => ({ reason: why, endpoint: endpointOf(install, one.destination) }))
    }),
  ]
  const known = all.flatMap((one) => (one.reason === undefined ? [] : [[one.reason, one.endpoint] as const]))
  return [
    ...new Map(known.map(([why, at]) => [`${why} ${at ?? ''}`, [why, at] as [string, string | undefined]])).values(),
  ]
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
    const config = readConfig(context.env(), 'store')
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
      if (saved.state === 'waiting_for_key' && saved.grant === undefined)
        context.remark('it has neither a grant of Drift’s nor a write key yet: what comes in is kept, and sent later')
      if (grant && store.singleOrg === id)
        context.remark('at its next start the service takes DRIFT_ACCESS_TOKEN instead: set this token there')
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
  run: (context, given) =>
    withStore(context, async (store) => {
      const done = await pauseAccount(store, orgOf(given.org), who)
      if (done.is !== 'done') throw notDone(orgOf(given.org), done.is)
      context.print(`${orgOf(given.org)}: ${stateShown(done.install)}`)
    }),
}

const resume: Command = {
  name: 'resume',
  summary:
    'end a pause or a refusal, try at once what waits, and say what that brought; exits 1 when it is refused again',
  options: [org],
  examples: ['npx drift-segment-source installs resume --org 12345'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      const done = await resumeNow(store, id, who)
      if (done.is !== 'done') throw notDone(id, done.is)
      // What the attempt brings may be that it is refused again.
      context.print(`${id}: ${done.asked.length > 0 ? 'resumed' : stateShown(done.install)}`)
      if (done.asked.length > 0 && !(await isServed(store))) {
        context.remark('no service runs on this store: what waits is sent when one is started')
        return 0
      }
      const { isRefused } = await tellAttempt(context, store, id, done)
      return isRefused ? 1 : 0
    }),
}

const retry: Command = {
  name: 'retry',
  summary:
    'try at once what waits for a later time, and say what that brought; exits 0 when it was accepted or nothing waits',
  options: [org],
  examples: ['npx drift-segment-source installs retry --org 12345'],
  run: (context, given) =>
    withStore(context, async (store) => {
      const id = orgOf(given.org)
      const known = installOf(store, id)
      if (holdOf(known) === undefined && !(await isServed(store)))
        throw new Problem('no_service', 'no service runs on this store: nothing was tried', {
          hint: 'start it: it tries what waits by itself',
        })
      const retried = await retryNow(store, id, who)
      if (retried.is === 'gone') throw notInstalled(id)
      if (retried.is === 'held') {
        const { means, todo } = explain(retried.reason)
        throw new Problem('not_retried', `account ${id}: nothing was tried, since ${means}`, { hint: todo })
      }
      const isNothing = retried.asked.length + retried.later.length === 0
      if (isNothing) context.print(`${id}: nothing waits`)
      return (await tellAttempt(context, store, id, retried)).isAccepted ? 0 : 1
    }),
}

export const installs: Command = {
  name: 'installs',
  summary: 'the Drift accounts this service works for',
  examples: [],
  commands: [list, add, pause, resume, retry, disconnectCommand],
}

function notDone(id: string, is: Exclude<Done['is'], 'done'>): Problem {
  if (is === 'gone') return notInstalled(id)
  if (is === 'asked')
    return new Problem('still_asked', `account ${id}: Drift is being asked whether it has disconnected`, {
      hint: 'sending goes on by itself when it has not; without an answer for a day it can be resumed',
    })
  if (is === 'not_allowed')
    return new Problem('not_allowed', `account ${id} is not listed in DRIFT_ORG_IDS_ALLOWED: nothing of it is sent`, {
      hint: 'list it there and restart the service: what was kept is sent then',
    })
  return new Problem('not_paused', `account ${id} is neither paused nor refused: there is nothing to resume`, {
    hint: `\`installs retry --org ${id}\` tries at once what waits for a later time`,
  })
}
