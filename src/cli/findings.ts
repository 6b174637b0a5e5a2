/** Every sentence that `doctor` can say, by name: how serious it is, its words, and what to do. It says nothing else. */
import { Problem } from '../lib/errors.ts'
import { quantity } from '../lib/quantity.ts'
import { explain } from '../operations/reasons.ts'
import type { BacklogRow } from '../storage/ports/lookup.ts'
import { roomMinBytes } from '../storage/ports/storage.ts'
import { backlogLine } from './store.ts'

export interface Finding {
  name: FindingName
  /** `ok`: as it should be. `look`: may be meant so. `bad`: the command exits with a code that is not 0. */
  is: 'ok' | 'look' | 'bad'
  what: string
  todo?: string
}

/** What a sentence is made of, and both of its halves. */
interface Sentence<Facts extends readonly unknown[]> {
  is: Finding['is']
  what(...facts: Facts): string
  todo?(...facts: Facts): string | undefined
}

const sentence = <Facts extends readonly unknown[]>(
  is: Finding['is'],
  what: Sentence<Facts>['what'],
  todo?: NonNullable<Sentence<Facts>['todo']>,
): Sentence<Facts> => ({ is, what, ...(todo ? { todo } : {}) })

const mebibyte = 1024 ** 2
const mebibytes = (bytes: number) => `${Math.floor(bytes / mebibyte)} MiB`
const gibibytes = (bytes: number) => `disk: ${(bytes / 1024 ** 3).toFixed(1)} GiB free beside the store`

function durationOf(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  return minutes < 120 ? quantity(minutes, 'minute') : `${Math.round(minutes / 60)} hours`
}

const endTheReader =
  'end what reads the file beside the service, such as a backup or an sqlite3 shell; the service then empties the log within ten seconds'

export const sentences = {
  settings_good: sentence('ok', () => 'settings: all there and well formed'),
  settings_wrong: sentence(
    'bad',
    (error: Problem) => error.message,
    () => 'see the settings table in README.md',
  ),
  setting_misspelt: sentence(
    'look',
    (setting: string, _meant: string) => `settings: ${setting} is not a setting`,
    (_setting, meant) => `did you mean ${meant}?`,
  ),
  setting_unknown: sentence(
    'look',
    (setting: string) => `settings: ${setting} is not a setting`,
    () => 'check its spelling: README.md lists all settings',
  ),
  setting_passed_over: sentence(
    'look',
    (setting: string) =>
      `settings: ${setting} is an address that Kubernetes made from the name of a Service, and is ignored`,
    () => 'give that Service another name, or set enableServiceLinks: false',
  ),
  setting_unusual: sentence(
    'look',
    (setting: string, why: string) => `settings: ${setting} is accepted, but unusual: ${why}`,
    () => 'correct it if it is wrong',
  ),

  disk_enough: sentence('ok', (free: number) => gibibytes(free)),
  disk_short: sentence(
    'look',
    (free: number) => gibibytes(free),
    () => 'make room: webhooks are refused when the disk is full',
  ),
  disk_full: sentence(
    'bad',
    (free: number) =>
      `disk: ${mebibytes(free)} free beside the store: a service that met the full disk refuses webhooks`,
    () => `make room: with ${mebibytes(roomMinBytes)} free it accepts them again by itself`,
  ),

  store_unusable: sentence(
    'bad',
    (error: Problem) => `store: ${error.message} (${error.code})`,
    (error) => error.hint ?? `look up ${error.code} in docs/errors.md`,
  ),
  store_sound: sentence('ok', () => 'store: opens, and is sound'),
  store_damaged: sentence(
    'bad',
    (damage: readonly string[]) => `store: damaged: ${damage.slice(0, 3).join('; ')}`,
    () => 'stop the service and restore the last backup: see docs/backup.md',
  ),
  store_writable: sentence('ok', () => 'store: can be written'),
  store_not_writable: sentence(
    'bad',
    (error: Error) => `store: cannot be written: ${error.message}`,
    (error) =>
      `webhooks are answered 503 until it can${error instanceof Problem && error.hint ? `: ${error.hint}` : ''}`,
  ),
  server_setting_off: sentence(
    'bad',
    (setting: string) => `store: PostgreSQL runs with ${setting} = off: a power loss can take what was answered 200`,
    (setting) => `set ${setting} = on in postgresql.conf, and reload the server`,
  ),
  index_not_valid: sentence(
    'bad',
    (index: string) => `store: the index ${index} is not valid, so PostgreSQL does not use it`,
    (index) => `make it again, while the service runs: REINDEX INDEX CONCURRENTLY ${index}`,
  ),
  standbys_not_waited_for: sentence(
    'look',
    (standbys: number) =>
      `store: PostgreSQL has standbys (${standbys}), and a commit waits for none of them: a failover loses the last events`,
    () => 'set synchronous_standby_names where a failover must lose nothing: see docs/replicas.md',
  ),
  erased_in_log: sentence(
    'look',
    () => 'store: the log beside the file may still hold what was erased (erase_pending)',
    () => endTheReader,
  ),
  erased_in_file: sentence(
    'look',
    () => 'store: the file may still hold copies of what was erased (erase_pending)',
    () => 'stop the service and run `npx drift-segment-source compact`: see docs/size.md',
  ),
  log_long: sentence(
    'look',
    (bytes: number) =>
      `store: the log beside the file has grown to ${mebibytes(bytes)}, because another process reads an older state`,
    () => endTheReader,
  ),

  keys_first: sentence('ok', () => 'keys: everything is sealed under the first of ENCRYPTION_KEYS'),
  keys_older: sentence(
    'look',
    (ids: readonly string[]) => `keys: still needed beside the first: ${ids.join(', ')}`,
    () => '`npx drift-segment-source keys rotate` moves everything to the first',
  ),

  counts_right: sentence('ok', () => 'counts: what was received adds up'),
  counts_wrong: sentence(
    'bad',
    () => 'counts: what was received does not add up',
    () => 'report it, with the output of `check`',
  ),

  accounts_none: sentence(
    'look',
    () => 'accounts: none yet',
    () => 'connect one at /connect, or with `installs add`',
  ),
  account_unreadable: sentence(
    'bad',
    (problem: Problem) => `${problem.message}: its events are kept and not sent`,
    (problem) => problem.hint,
  ),
  account_events: sentence(
    'look',
    (backlogRow: BacklogRow, now: number, _endpoint: string | undefined) =>
      `account ${backlogRow.org || '(none named)'}: ${backlogLine(backlogRow, now)}`,
    ({ lookupReason, reason = lookupReason }, _now, endpoint) =>
      reason === undefined ? 'see `inspect`' : explain(reason, endpoint).todo,
  ),

  partner_answers: sentence('ok', (partner: string, host: string) => `${partner}: ${host} answers`),
  partner_unreachable: sentence(
    'bad',
    (partner: string, host: string, failure: string) => `${partner}: ${host} cannot be reached (${failure})`,
    (_partner, _host, failure) =>
      /^(TLS|PROXY)_/.test(failure)
        ? explain(failure).todo
        : 'let the service out to this address; look at DNS and the firewall, and at the proxy if HTTPS_PROXY names one',
  ),
  clock_behind: sentence(
    'bad',
    (aheadMs: number) => `clock: the event that came last was received ${durationOf(aheadMs)} from now`,
    () => 'let the machine keep time (NTP); if it does, its clock was ahead then, and nothing is left to do',
  ),
  clock_wrong: sentence(
    'bad',
    (seconds: number, partner: string) => `clock: ${seconds} s away from ${partner}'s`,
    () => 'let the machine keep time (NTP)',
  ),
} as const

export type FindingName = keyof typeof sentences

/** The sentence of this name, of these facts. */
export function finding<Name extends FindingName>(
  name: Name,
  ...facts: Parameters<(typeof sentences)[Name]['what']>
): Finding {
  const { is, what, todo } = sentences[name] as Sentence<readonly unknown[]>
  const toDo = todo?.(...facts)
  return { name, is, what: what(...facts), ...(toDo ? { todo: toDo } : {}) }
}
