/** Examines the whole and says what it finds; the sentences themselves stand in findings.ts. */
import { realpath, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { endpointOf } from '../accounts/destinations.ts'
import { settingsProblem } from '../accounts/settings.ts'
import { addressOf, type Config, type Note, readConfig } from '../config.ts'
import { disconnectType } from '../drift/envelope.ts'
import { catalogue } from '../events/index.ts'
import { skewMsMax, systemClock } from '../lib/clock.ts'
import { Problem } from '../lib/errors.ts'
import { openHttpClient, type Send } from '../lib/request.ts'
import { aheadMsOf } from '../operations/clock-steps.ts'
import { addsUp, outcomesByDestination, outcomesOf } from '../operations/totals.ts'
import type { Store } from '../service.ts'
import { type Risk, roomMinBytes } from '../storage/ports/storage.ts'
import type { Command, Context } from './command.ts'
import { type Finding, finding } from './findings.ts'

/** With less free room, a day of many webhooks can fill the disk. */
const roomWanted = 1024 ** 3
/** A clock this far off stamps events visibly wrong, and Drift's tokens seem to end early or late. */
const partnerSkewMsMax = 30_000
/** What is queued for longer than this is worth a look: an hour-long backlog drains in minutes. */
const inLineMsMax = 15 * 60_000

export const doctor: Command = {
  name: 'doctor',
  summary: 'examine settings, store, keys, disk, clock, partners and accounts; exits 1 or 78 when something is bad',
  options: [
    { flags: '--offline', meaning: 'do not ask Drift or Segment' },
    { flags: '--json', meaning: 'print JSON' },
  ],
  examples: ['npx drift-segment-source doctor', 'npx drift-segment-source doctor --offline --json'],
  async run(context, given) {
    const findings: Finding[] = []
    const settings = readSettings(context, findings)
    const unusable = settings && (await examineStore(context, settings, findings))
    if (settings) readAsOwner(context, findings)
    if (settings && !given.offline) await reach(settings, findings)
    if (given.json) context.print(JSON.stringify({ findings, checklist: checklist(settings) }, undefined, 2))
    else {
      for (const { is, what, todo } of findings) {
        context.print(`${is.padEnd(5)}${what}`)
        if (todo) context.print(`     what to do: ${todo}`)
      }
      context.print('\nonly dev.drift.com shows these of the Drift app; please check there that:')
      for (const line of checklist(settings)) context.print(`  - ${line}`)
    }
    if (unusable) return unusable.exitCode
    return findings.some(({ is }) => is === 'bad') ? 1 : 0
  },
}

function readSettings(context: Context, findings: Finding[]): Config | undefined {
  try {
    const config = readConfig(context.env(), 'serve')
    findings.push(finding('settings_good'), ...config.notes.map(findingOf))
    return config
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    findings.push(finding('settings_wrong', error))
    return undefined
  }
}

/** Root has become the user whom an SQLite store belongs to, the service's: that user must be able to read each file too. */
function readAsOwner(context: Context, findings: Finding[]): void {
  const read: Finding[] = []
  if (readSettings(context, read)) return
  const good = findings.findIndex(({ name }) => name === 'settings_good')
  findings.splice(good, 1, ...read)
}

function findingOf(note: Note): Finding {
  switch (note.is) {
    case 'misspelt':
      return finding('setting_misspelt', note.setting, note.meant)
    case 'unknown':
      return finding('setting_unknown', note.setting)
    case 'passed_over':
      return finding('setting_passed_over', note.setting)
    case 'unusual':
      return finding('setting_unusual', note.setting, note.why)
  }
}

/** Resolves to why the store cannot be used, if so; what was found until then stays found. */
async function examineStore(context: Context, config: Config, findings: Finding[]): Promise<Problem | undefined> {
  const disk = await examineDisk(config)
  if (disk) findings.push(disk)
  let store: Store | undefined
  try {
    store = await context.openStore(config)
    const damage = await store.storage.examine()
    // What else a damaged store says of itself would mean nothing.
    if (damage.length > 0) findings.push(finding('store_damaged', damage))
    else {
      findings.push(finding('store_sound'))
      // A little can often be written to a full disk; webhooks are refused all the same.
      if (disk?.name !== 'disk_full') findings.push(await examineWriting(store))
      findings.push(...(await examineServer(store)))
      findings.push(await examineKeys(store, config))
      findings.push(...(await examineAccounts(store)))
      findings.push(...(await examineClock(store)))
    }
    return undefined
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    findings.push(
      error.code === 'store_damaged' ? finding('store_damaged', [error.message]) : finding('store_unusable', error),
    )
    return error
  } finally {
    await store?.close()
  }
}

/** Where the store is a file that is there: a link to it may lie on another disk. */
async function examineDisk({ databaseUrl }: Config): Promise<Finding | undefined> {
  const path = databaseUrl.replace(/^sqlite:/, '')
  const real = path === databaseUrl ? undefined : await realpath(path).catch(() => undefined)
  if (real === undefined) return undefined
  const { bavail, bsize } = await statfs(dirname(real))
  // A service that has met the full disk, and found no room since, has given it up.
  const reserve = await stat(`${real}.reserve`).then(
    ({ size }) => size,
    () => 0,
  )
  return judgeDisk(bavail * bsize, reserve)
}

/** Bytes beside the store: `free`, and `reserve`, which the service keeps for draining a full disk. */
export function judgeDisk(free: number, reserve = 0): Finding {
  if (free + reserve < roomMinBytes) return finding('disk_full', free)
  return finding(free < roomWanted ? 'disk_short' : 'disk_enough', free)
}

async function examineWriting({ storage }: Store): Promise<Finding> {
  return storage.check().then(
    () => finding('store_writable'),
    (error: Error) => finding('store_not_writable', error),
  )
}

async function examineServer({ storage }: Store): Promise<Finding[]> {
  return (await storage.risks()).map(ofRisk)
}

function ofRisk(risk: Risk): Finding {
  switch (risk.is) {
    case 'setting_off':
      return finding('server_setting_off', risk.setting)
    case 'index_not_valid':
      return finding('index_not_valid', risk.index)
    case 'standbys':
      return finding('standbys_not_waited_for', risk.standbys)
    case 'erase_pending':
      return finding(risk.purged === 'compact' ? 'erased_in_file' : 'erased_in_log')
    case 'log_long':
      return finding('log_long', risk.bytes)
  }
}

async function examineKeys({ keyring }: Store, { encryptionKeys }: Config): Promise<Finding> {
  const counts = await keyring.wrappedBy()
  const older = encryptionKeys.slice(1).filter(({ id }) => (counts.get(id) ?? 0) > 0)
  if (older.length === 0) return finding('keys_first')
  return finding(
    'keys_older',
    older.map(({ id }) => id),
  )
}

async function examineAccounts({ storage, accounts, clock }: Store): Promise<Finding[]> {
  const { totals, backlog } = await storage.ledger.snapshotOfAll()
  const now = clock.now()
  const noted = backlog.filter(
    ({ state, lookupReason, reason = lookupReason, oldestReceivedAt }) =>
      state !== 'delivered' && (reason !== undefined || now - oldestReceivedAt >= inLineMsMax),
  )
  return [
    finding(
      [outcomesOf(totals, backlog), ...outcomesByDestination(totals, backlog)].every(addsUp)
        ? 'counts_right'
        : 'counts_wrong',
    ),
    ...(accounts.all().length === 0 ? [finding('accounts_none')] : []),
    ...accounts.all().flatMap((install) => {
      const problem = settingsProblem(install)
      return problem ? [finding('account_unreadable', problem)] : []
    }),
    ...noted.map((backlogRow) =>
      finding('account_events', backlogRow, now, endpointOf(accounts.get(backlogRow.org), backlogRow.destination)),
    ),
  ]
}

/** What the store has seen tells it also where no partner is asked, or the clock was wrong before. */
async function examineClock({ storage, clock }: Store): Promise<Finding[]> {
  const aheadMs = await aheadMsOf(storage.lookup, clock.now())
  return aheadMs > skewMsMax ? [finding('clock_behind', aheadMs)] : []
}

async function reach(config: Config, findings: Finding[]): Promise<void> {
  const httpClient = openHttpClient({ proxies: config.proxies })
  const { drift, segment } = config
  try {
    const partners: [string, string][] = [
      ['Drift', drift.apiUrl],
      ['Segment (us)', segment.us],
      ['Segment (eu)', segment.eu],
    ]
    const endpoints = [...(segment.endpoints ?? [])].map(([name, url]) => [`Endpoint ${name}`, url] as const)
    const all = [...partners, ...endpoints]
    findings.push(...(await Promise.all(all.map(([name, url]) => reachOne(httpClient.send, name, url)))).flat())
  } finally {
    await httpClient.close()
  }
}

async function reachOne(send: Send, name: string, url: string): Promise<Finding[]> {
  const { host } = new URL(url)
  const answered = await send({ method: 'GET', url, deadlineMs: 5_000 })
  if (answered.failure !== undefined) return [finding('partner_unreachable', name, host, answered.failure)]
  const theirs = Date.parse(answered.headers.date ?? '')
  const skewMs = Math.abs(theirs - systemClock.now())
  const reached = finding('partner_answers', name, host)
  return skewMs > partnerSkewMsMax ? [reached, finding('clock_wrong', Math.round(skewMs / 1000), name)] : [reached]
}

/** What can be seen in Drift's developer pages only. */
function checklist(config: Config | undefined): string[] {
  // A free port is known to the service that listens on it alone.
  const isKnown = config && (config.publicUrl !== undefined || config.port !== 0)
  const base = isKnown ? addressOf(config) : 'PUBLIC_URL'
  return [
    // Without a client id no browser is led to Drift: single-account mode.
    ...(config && !config.oauth ? [] : [`its OAuth redirect URL is ${base}/connect/callback`]),
    `its webhook request URL is ${base}/webhooks/drift`,
    `it is subscribed to ${[...catalogue.keys(), disconnectType].join(', ')}`,
    'it has the scopes contact_read, all_contact_read and conversation_read',
    'its verification token is the one in DRIFT_VERIFICATION_TOKENS',
    'every account was connected after the last change of events or scopes, which Drift takes over only then',
  ]
}
