/** What the commands beside a running service have in common: the store, an account, and a filter of entries. */
import { type Destination, destinationCalled, destinationsOf } from '../accounts/destinations.ts'
import { assertReadable } from '../accounts/settings.ts'
import { isThere } from '../accounts/state.ts'
import { readConfig } from '../config.ts'
import { isOrgId } from '../drift/org.ts'
import { Problem } from '../lib/errors.ts'
import { trimmed } from '../lib/pasted.ts'
import { readMessageId } from '../segment/message-id.ts'
import { type Region, regionIn } from '../segment/region.ts'
import type { Store } from '../service.ts'
import type { Install } from '../storage/ports/accounts.ts'
import type { BacklogRow, Query, ShownState } from '../storage/ports/lookup.ts'
import type { Context, Given, Option } from './command.ts'

export const org: Option = { flags: '--org <id>', meaning: "Drift's account number (orgId)", required: true }

export async function withStore<Result>(context: Context, use: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await context.openStore(readConfig(context.env(), 'store'))
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

export const destination: Option = {
  flags: '--destination <name>',
  meaning: "one of the account's destinations, by its name or number",
}

/** The account, and its destination that `--destination` names. Throws a Problem where either is not there. */
export function destinationNamed(
  { accounts }: Pick<Store, 'accounts'>,
  given: Given,
): { install: Install; named: Destination } {
  const install = installOf({ accounts }, orgOf(given.org))
  assertReadable(install)
  const named = destinationCalled(install, String(given.destination ?? ''))
  if (named) return { install, named }
  const has = destinationsOf(install).map(({ number, name }) => `${number} (${name})`)
  throw new Problem('destination_unknown', `account ${install.org} has no destination of this name or number`, {
    hint: `give one of those it has, by its number or name: ${has.join(', ')}`,
    exitCode: 2,
  })
}

/** What a message says of a destination, by number and name. */
export function destinationSaid({ number, name }: Pick<Destination, 'number' | 'name'>): string {
  return `destination ${number} (${name})`
}

export function orgOf(given: string | boolean | undefined): string {
  const id = trimmed(String(given ?? ''))
  if (isOrgId(id)) return id
  throw new Problem('org_unusable', "--org takes Drift's account number, in digits", { exitCode: 2 })
}

export function regionOf(given: Given[string]): Region | undefined {
  const region = given === undefined ? undefined : regionIn(String(given))
  if (given === undefined || region) return region
  throw new Problem('region_unusable', '--region takes us or eu', { exitCode: 2 })
}

/** The account of `--org`, or undefined for `--all`: exactly one of them must be given. */
export function orgOrAll(given: Given): string | undefined {
  if ((given.org === undefined) === (given.all === true)) return given.all === true ? undefined : orgOf(given.org)
  throw new Problem('org_unusable', 'give --org with an account number, or --all, and not both', { exitCode: 2 })
}

/** Throws a Problem where the account is not installed, or has left. */
export function installOf({ accounts }: Pick<Store, 'accounts'>, id: string): Install {
  const install = accounts.get(id)
  if (install && isThere(install)) return install
  throw notInstalled(id)
}

export function notInstalled(id: string): Problem {
  return new Problem('not_installed', `account ${id} is not installed`, {
    hint: '`installs list` shows which are; `installs add` adds one',
  })
}

/** What stands there and why, and since when. */
export function backlogLine(
  { count, state, lookupReason = 'queued', reason = lookupReason, destination, oldestReceivedAt }: BacklogRow,
  now: number,
): string {
  const hours = Math.max(now - oldestReceivedAt, 0) / hourMs
  const age =
    hours < 1
      ? `${Math.round(hours * 60)} min`
      : hours < 48
        ? `${hours.toFixed(1)} h`
        : `${Math.round(hours / 24)} days`
  const where = destination > 1 ? ` for destination ${destination}` : ''
  return `${count} ${state}${where}: ${reason}, the oldest for ${age}`
}

/** Who acted, in the audit, where it was a command. */
export const who = 'command line'

export const states = [
  'waiting',
  'asking',
  'unclaimed',
  'quarantined',
  'dead',
  'delivered',
  'ignored',
  'not_given',
] as const satisfies ShownState[]

export const filter: Option[] = [
  { flags: '--org <id>', meaning: 'of this account' },
  { flags: '--message <id>', meaning: 'the one with this messageId' },
  { flags: '--contact <id>', meaning: "of this contact (Drift's contactId, Segment's anonymousId); needs --org" },
  { flags: '--conversation <id>', meaning: 'of this conversation; needs --org' },
  { flags: '--type <type>', meaning: 'of this Drift event type' },
  {
    flags: '--destination <name>',
    meaning: "as it stands at this one of the account's destinations, by name or number; needs --org",
  },
  { flags: '--state <state>', meaning: `in this state, or several with commas: ${states.join(', ')}` },
  { flags: '--reason <reason>', meaning: 'with this reason' },
  { flags: '--from <time>', meaning: 'received at or after: 2026-11-24T08:00Z, 2026-11-24, or 90m, 24h, 7d ago' },
  { flags: '--to <time>', meaning: 'received before' },
]

/** Throws a Problem of what cannot be understood; `accounts`: whose destinations have which names. */
export function queryOf(given: Given, now: number, accounts: Store['accounts']): Query {
  const text = (name: string) => (typeof given[name] === 'string' ? (given[name] as string) : undefined)
  const [contact, conversation, message, type, reason] = [
    text('contact'),
    text('conversation'),
    text('message'),
    text('type'),
    text('reason'),
  ]
  if ((contact ?? conversation) !== undefined && text('org') === undefined) {
    throw new Problem(
      'filter_unusable',
      '--contact and --conversation need --org: their numbers are an account’s own',
      {
        exitCode: 2,
      },
    )
  }
  if (text('destination') !== undefined && text('org') === undefined) {
    throw new Problem('filter_unusable', '--destination needs --org: each account has destinations of its own', {
      exitCode: 2,
    })
  }
  const named = text('destination') === undefined ? undefined : destinationNamed({ accounts }, given).named
  const read = message === undefined ? undefined : readMessageId(message)
  const at = named?.number ?? read?.destination
  const wanted = text('state')?.split(',')
  const odd = wanted?.find((state) => !(states as readonly string[]).includes(state))
  if (odd !== undefined) {
    throw new Problem('filter_unusable', `--state does not know "${odd}"`, {
      hint: `it takes ${states.join(', ')}`,
      exitCode: 2,
    })
  }
  if (wanted?.includes('not_given') && named === undefined) {
    throw new Problem('filter_unusable', '--state not_given needs --destination: which one never had them', {
      exitCode: 2,
    })
  }
  const from = timeOf('--from', text('from'), now)
  const to = timeOf('--to', text('to'), now)
  return {
    ...(text('org') === undefined ? {} : { org: orgOf(text('org')) }),
    ...(read === undefined ? {} : { message: read.messageId }),
    ...(at === undefined ? {} : { destination: at }),
    ...(contact === undefined ? {} : { contact: contactOf(contact) }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(type === undefined ? {} : { type }),
    ...(reason === undefined ? {} : { reason }),
    ...(wanted ? { states: wanted as ShownState[] } : {}),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
}

/** Drift's number of a contact. Throws a Problem when it is not a number. */
export function contactOf(given: Given[string]): string {
  const contact = trimmed(String(given ?? ''))
  if (/^[1-9][0-9]{0,18}$/.test(contact)) return contact
  throw new Problem('contact_unusable', "--contact takes Drift's contactId, in digits", { exitCode: 2 })
}

/** A mistyped number finds nothing: events may be here of an account that is not. */
export function remarkUnknown({ remark }: Pick<Context, 'remark'>, { accounts }: Store, { org: id }: Query): void {
  if (id !== undefined && !accounts.get(id)) remark(`account ${id} is not installed here`)
}

const hourMs = 3_600_000
const unitsMs: Record<string, number> = { m: 60_000, h: hourMs, d: 24 * hourMs }

function timeOf(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const ago = /^(\d{1,6})([mhd])$/.exec(text)
  if (ago) return now - Number(ago[1]) * unitsMs[ago[2]!]!
  // Without a zone it is in UTC, as a day is: the machine of the command need not stand where the service does.
  const hasNoZone = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(hasNoZone ? `${text}Z` : text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new Problem('filter_unusable', `${option} is not a time`, {
    hint: 'give 2026-11-24, 2026-11-24T08:00Z, or how long ago: 90m, 24h, 7d',
    exitCode: 2,
  })
}
