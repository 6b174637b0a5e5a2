import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { addressOf, type Config, type Note, readConfig } from '../config.ts'
import { disconnectType } from '../drift/envelope.ts'
import { catalogue } from '../events/index.ts'
import { skewMsMax, systemClock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { openOutlet, type Send } from '../lib/request.ts'
import { explain } from '../pipeline/reasons.ts'
import { aheadMsOf } from '../pipeline/steps.ts'
import { addsUp, sumsOf } from '../pipeline/sums.ts'
import type { Store } from '../service.ts'
import type { Command, Context } from './command.ts'
import { standingLine } from './store.ts'

interface Finding {
  is: 'ok' | 'look' | 'bad'
  what: string
  todo?: string
}

const gigabyte = 1024 ** 3
/** Twice the reserve that drains a full disk: with less, a service that met the full disk accepts nothing new. */
const roomMin = 32 * 1024 ** 2
/** A clock this far off stamps events visibly wrong, and Drift's tokens seem to end early or late. */
const partnerSkewMsMax = 30_000
/** What is in line for longer than this is worth a look: an hour-long backlog drains in minutes. */
const inLineMsMax = 15 * 60_000

export const doctor: Command = {
  name: 'doctor',
  summary: 'examine settings, store, keys, disk, clock, partners and accounts; exits 1 when something is bad',
  options: [
    { flags: '--offline', meaning: 'ask nobody over the network' },
    { flags: '--json', meaning: 'print JSON' },
  ],
  examples: ['npx drift-segment-source doctor', 'npx drift-segment-source doctor --offline --json'],
  async run(context, given) {
    const findings: Finding[] = []
    const settings = readSettings(context, findings)
    if (settings) {
      await examineStore(context, settings, findings)
      if (!given.offline) await reach(settings, findings)
    }
    if (given.json) context.print(JSON.stringify({ findings, checklist: checklist(settings) }, undefined, 2))
    else {
      for (const { is, what, todo } of findings) {
        context.print(`${is.padEnd(5)}${what}`)
        if (todo) context.print(`     what to do: ${todo}`)
      }
      context.print('\nin the Drift app (dev.drift.com), please look that:')
      for (const line of checklist(settings)) context.print(`  - ${line}`)
    }
    if (findings.some(({ what }) => what.endsWith('(store_not_there)'))) return 78
    return findings.some(({ is }) => is === 'bad') ? 1 : 0
  },
}

function readSettings(context: Context, findings: Finding[]): Config | undefined {
  try {
    const config = readConfig(context.env, 'serve')
    findings.push({ is: 'ok', what: 'settings: all there and well formed' })
    findings.push(...config.notes.map(findingOf))
    return config
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    findings.push({ is: 'bad', what: error.message, todo: 'see the settings table in README.md' })
    return undefined
  }
}

function findingOf(note: Note): Finding {
  const look = (what: string, todo: string): Finding => ({ is: 'look', what: `settings: ${what}`, todo })
  switch (note.is) {
    case 'misspelt':
      return look(`there is none called ${note.setting}`, `was ${note.meant} meant?`)
    case 'unknown':
      return look(`there is none called ${note.setting}`, 'is it misspelt? README lists all')
    case 'passed_over':
      return look(
        `${note.setting} is an address that Kubernetes made of a Service's name, and is passed over`,
        'give that Service another name, or set enableServiceLinks: false',
      )
    case 'unusual':
      return look(`${note.setting} is taken, but unusual: ${note.why}`, 'mend it if it is wrong')
  }
}

async function examineStore(context: Context, config: Config, findings: Finding[]): Promise<void> {
  let store: Store
  try {
    store = await context.openStore(config)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    findings.push({
      is: 'bad',
      what: `store: ${error.message} (${error.code})`,
      ...(error.hint ? { todo: error.hint } : {}),
    })
    return
  }
  try {
    await examineFile(store, config, findings)
    await examineKeys(store, config, findings)
    await examineAccounts(store, findings)
    await examineClock(store, findings)
  } finally {
    await store.close()
  }
}

async function examineFile({ storage }: Store, { databaseUrl }: Config, findings: Finding[]): Promise<void> {
  const damage = await storage.examine()
  if (damage.length === 0) findings.push({ is: 'ok', what: 'store: opens, and is sound' })
  else {
    const todo = 'stop the service and restore the last backup: see docs/operate.md'
    findings.push({ is: 'bad', what: `store: damaged: ${damage.slice(0, 3).join('; ')}`, todo })
  }
  const refused = await storage.check().then(
    () => undefined,
    (error: Error) => error.message,
  )
  if (refused === undefined) findings.push({ is: 'ok', what: 'store: can be written' })
  else
    findings.push({
      is: 'bad',
      what: `store: cannot be written: ${refused}`,
      todo: 'webhooks are answered 503: see docs/operate.md',
    })
  for (const risk of await storage.risks()) findings.push({ is: 'look', what: `store: ${risk.what}`, todo: risk.todo })
  const path = databaseUrl.replace(/^sqlite:/, '')
  if (path === databaseUrl) return
  const { bavail, bsize } = await statfs(dirname(path))
  findings.push(judgeDisk(bavail * bsize))
}

/** `free`: bytes beside the store. */
export function judgeDisk(free: number): Finding {
  if (free < roomMin) {
    const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`
    return {
      is: 'bad',
      what: `disk: ${mebibytes(free)} free beside the store: a service that met the full disk refuses webhooks`,
      todo: `make room: with ${mebibytes(roomMin)} free it accepts them again by itself`,
    }
  }
  const what = `disk: ${(free / gigabyte).toFixed(1)} GiB free beside the store`
  return free < gigabyte ? { is: 'look', what, todo: 'make room: a full disk refuses webhooks' } : { is: 'ok', what }
}

async function examineKeys({ keyring }: Store, { encryptionKeys }: Config, findings: Finding[]): Promise<void> {
  const counts = await keyring.wrappedBy()
  const older = encryptionKeys.slice(1).filter(({ id }) => (counts.get(id) ?? 0) > 0)
  if (older.length === 0) findings.push({ is: 'ok', what: 'keys: everything is under the first of ENCRYPTION_KEYS' })
  else {
    const todo = '`npx drift-segment-source keys rotate` moves it under the first'
    findings.push({ is: 'look', what: `keys: ${older.map(({ id }) => id).join(', ')} are still needed`, todo })
  }
}

async function examineAccounts({ storage, roster, clock }: Store, findings: Finding[]): Promise<void> {
  const { totals, standings } = await storage.ledger.books()
  if (addsUp(sumsOf(totals, standings))) findings.push({ is: 'ok', what: 'counts: what was received adds up' })
  else findings.push({ is: 'bad', what: 'counts: they do not add up', todo: 'report it, with the output of `check`' })
  if (roster.all().length === 0)
    findings.push({ is: 'look', what: 'accounts: none yet', todo: 'connect one, or `installs add`' })
  for (const standing of standings) {
    const { org, state, reason, oldestReceivedAt } = standing
    if (state === 'delivered') continue
    if (reason === undefined && clock.now() - oldestReceivedAt < inLineMsMax) continue
    const what = `account ${org || '(none named)'}: ${standingLine(standing, clock.now())}`
    findings.push({ is: 'look', what, todo: reason === undefined ? 'see `inspect`' : explain(reason).todo })
  }
}

/** What the store has seen tells it also where none is asked, or the clock was wrong before. */
async function examineClock({ storage, clock }: Store, findings: Finding[]): Promise<void> {
  const aheadMs = await aheadMsOf(storage.lookup, clock.now())
  if (aheadMs <= skewMsMax) return
  findings.push({
    is: 'bad',
    what: `clock: the event that came last was received ${durationOf(aheadMs)} from now`,
    todo: 'let the machine keep time (NTP); if it does, its clock was ahead then, and nothing is left to do',
  })
}

function durationOf(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`
}

async function reach(config: Config, findings: Finding[]): Promise<void> {
  const outlet = openOutlet({ proxies: config.proxies })
  const { drift, segment } = config
  try {
    const partners: [string, string][] = [
      ['Drift', drift.apiUrl],
      ['Segment (us)', segment.us],
      ['Segment (eu)', segment.eu],
    ]
    findings.push(...(await Promise.all(partners.map(([name, url]) => reachOne(outlet.send, name, url)))).flat())
  } finally {
    await outlet.close()
  }
}

async function reachOne(send: Send, name: string, url: string): Promise<Finding[]> {
  const answered = await send({ method: 'GET', url, deadlineMs: 5_000 })
  if (answered.failure !== undefined) {
    const isTls = answered.failure.startsWith('TLS_')
    const todo = isTls
      ? explain(answered.failure).todo
      : 'let the service out to this address; look at DNS and the firewall'
    return [{ is: 'bad', what: `${name}: ${new URL(url).host} is out of reach (${answered.failure})`, todo }]
  }
  const theirs = Date.parse(answered.headers.date ?? '')
  const skewMs = Math.abs(theirs - systemClock.now())
  const reached: Finding = { is: 'ok', what: `${name}: ${new URL(url).host} answers` }
  if (!(skewMs > partnerSkewMsMax)) return [reached]
  const what = `clock: ${Math.round(skewMs / 1000)} s away from ${name}'s`
  return [reached, { is: 'bad', what, todo: 'let the machine keep time (NTP)' }]
}

/** What can be seen in Drift's developer pages only. */
function checklist(config: Config | undefined): string[] {
  const base = config ? addressOf(config) : 'PUBLIC_URL'
  return [
    `its OAuth redirect URL is ${base}/connect/callback`,
    `its webhook request URL is ${base}/webhooks/drift`,
    `it is subscribed to ${[...catalogue.keys(), disconnectType].join(', ')}`,
    'it has the scopes contact_read, all_contact_read and conversation_read',
    'its verification token is the one in DRIFT_VERIFICATION_TOKENS',
    'accounts were connected after the last change of events or scopes: Drift grants them as they were',
  ]
}
