/** What happened to events: a list of them, or one step by step. */
import { record } from '../accounts/audit.ts'
import { destinationsOf } from '../accounts/destinations.ts'
import { catalogue } from '../events/index.ts'
import { Problem } from '../lib/errors.ts'
import { type RecentlyIgnored, recentlyIgnored } from '../operations/ignored.ts'
import { openEntry, type Story, tell } from '../operations/inspect.ts'
import { type Pass, passesOf } from '../operations/passes.ts'
import { ofIgnored } from '../operations/reasons.ts'
import { knownMs } from '../operations/silence.ts'
import { happenedTo } from '../operations/timeline.ts'
import { messageIdAt } from '../segment/message-id.ts'
import type { Store } from '../service.ts'
import type { Cursor, Query, Shown } from '../storage/ports/lookup.ts'
import type { Command, Context, Given } from './command.ts'
import { filter, queryOf, remarkUnknown, who, withStore } from './store.ts'

export const inspect: Command = {
  name: 'inspect',
  summary:
    'what happened to events, and why: a list, or step by step when only one is found; with --org also what was ignored',
  options: [
    ...filter,
    { flags: '--limit <n>', meaning: 'at most so many, newest first', default: '20' },
    { flags: '--data', meaning: 'also what came in and what goes out: personal data, noted in the audit' },
    { flags: '--json', meaning: 'print JSON' },
  ],
  examples: [
    'npx drift-segment-source inspect --org 12345 --contact 3339562',
    'npx drift-segment-source inspect --org 12345 --type new_meeting',
    'npx drift-segment-source inspect --message drift-AZNdL0gAWlpaWlpaWlpaWlpaWlpa --data',
    'npx drift-segment-source inspect --state dead,quarantined --from 24h',
  ],
  run: (context, given) => withStore(context, (store) => look(context, given, store)),
}

async function look(context: Context, given: Given, store: Store): Promise<void> {
  const { clock } = store
  const limit = limitOf(given.limit)
  const query = queryOf(given, clock.now(), store.accounts)
  remarkUnknown(context, store, query)
  // What is asked of a state is asked of each destination.
  const isOfStates = (query.states ?? query.reason) !== undefined
  const passes = isOfStates ? passesOf(store.accounts, query) : [undefined]
  const pages = []
  for (const pass of passes) pages.push(await findUpTo(limit, query, store, pass))
  const all = pages.flatMap(({ found }) => found).sort((one, other) => other.id - one.id)
  const found = all.slice(0, limit)
  const isMore = all.length > limit || pages.some(({ next }) => next !== undefined)
  const only = await ignoredBeside(query, store)
  const told = []
  for (const shown of found) {
    const one = await tellOne(store, shown, given.data === true)
    const elsewhere = query.destination === undefined && !isOfStates ? await tellOthers(store, shown) : []
    told.push(elsewhere.length === 0 ? one : { ...one, elsewhere })
  }
  if (given.json) return context.print(JSON.stringify({ entries: told, more: isMore, ...only }, undefined, 2))
  if (told.length === 0) context.print('nothing found')
  else if (told.length === 1) context.print(story(told[0]!))
  else {
    for (const one of told) context.print(line(one))
    if (isMore) context.print(`… and more: narrow it down, or --limit ${limit * 5}`)
    context.print('one event step by step: inspect --message <messageId>')
  }
  if (only) for (const row of ignoredLines(only)) context.print(row)
}

/** The newest that a query finds, in one pass where one is given; `next`: there may be more. */
async function findUpTo(limit: number, query: Query, { storage }: Store, pass: Pass | undefined) {
  const at = pass ? { ...query, destination: pass.destination } : query
  const found: Shown[] = []
  let next: Cursor | undefined
  do {
    const page = await storage.lookup.find(at, { limit: limit - found.length, ...(next ? { before: next } : {}) })
    found.push(...page.entries.filter((shown) => pass?.isMeant(shown) ?? true))
    next = page.next
  } while (next && found.length < limit)
  return { found, next }
}

/** `ofAllAbsent`: the counts are those of all accounts that are not installed here, not of the one that was named. */
type Counted = RecentlyIgnored & { ofAllAbsent?: true }

/** What is not among an account's entries, since nothing of it is kept: the counts of what was ignored. */
async function ignoredBeside(
  { org, type, reason, from, to, ...others }: Query,
  { storage, accounts, clock }: Store,
): Promise<Counted | undefined> {
  // What else a query names is of single events, and of these only counts are kept.
  if (org === undefined || Object.keys(others).length > 0) return undefined
  const now = clock.now()
  const isHere = accounts.get(org) !== undefined
  const span = { from: from ?? now - knownMs, to: to ?? now + 1 }
  const isKnown = (name: string) => catalogue.has(name)
  const found = await recentlyIgnored(storage.ledger, isHere ? org : '', { ...span, type, isKnown })
  const ofReason = { ignored: found.ignored.filter((one) => one.reason === reason), duplicates: [] }
  return { ...(reason === undefined ? found : ofReason), ...(isHere ? {} : { ofAllAbsent: true }) }
}

function ignoredLines({ ignored, duplicates, ofAllAbsent }: Counted): string[] {
  const minute = (at: number) => iso(at).replace(/:\d\d\.\d{3}Z$/, 'Z')
  const rows = ignored.map(({ type, reason, count, lastAt }) => {
    const [means, todo] = ofIgnored[reason]
    return `  ${type}: ${count} ignored, last about ${minute(lastAt)} (${reason}): ${means}\n    what to do: ${todo}`
  })
  const again = duplicates.map(
    ({ type, count, lastAt }) => `  ${type}: ${count} were the same event again, last about ${minute(lastAt)}`,
  )
  if (rows.length + again.length === 0) return []
  const whose = ofAllAbsent ? ', of all accounts that are not installed here together' : ''
  return [`counted and not kept${whose}, as far as the last eight days tell:`, ...rows, ...again]
}

interface Told extends Shown, Story {
  /** The messageId that the destination gets. */
  sentAs: string
  data?: Awaited<ReturnType<typeof openEntry>>
  /** The same event at the account's other destinations. */
  elsewhere?: Told[]
}

/** How it stands at the others, where the account has several and the event was given over to one. */
async function tellOthers(store: Store, { org, messageId, destination: here }: Shown): Promise<Told[]> {
  const install = store.accounts.get(org)
  if (!install || install.unreadable || here === 0) return []
  const others = destinationsOf(install).filter(({ number }) => number !== here)
  const told: Told[] = []
  for (const { number } of others) {
    const { entries } = await store.storage.lookup.find({ org, message: messageId, destination: number }, { limit: 1 })
    for (const shown of entries) told.push(await tellOne(store, shown, false))
  }
  return told
}

async function tellOne({ storage, accounts, keyring, clock }: Store, shown: Shown, open: boolean): Promise<Told> {
  const { lookup, audit } = storage
  const [lanes, happened] = await Promise.all([lookup.lanes(shown.org), happenedTo({ lookup, keyring }, shown.id)])
  const told = tell(shown, accounts.get(shown.org), lanes, clock.now(), happened)
  const sentAs = messageIdAt(shown.messageId, shown.destination, shown.sending)
  if (!open) return { ...shown, ...told, sentAs }
  await record({ audit, clock }, { org: shown.org, who, act: 'lookedAtData', about: shown.messageId })
  const data = await openEntry({ catalogue, keyring, lookup, accounts }, shown)
  return { ...shown, ...told, sentAs, ...(data ? { data } : {}) }
}

function line({ elsewhere = [], ...told }: Told): string {
  const { receivedAt, org, type, sentAs, contact } = told
  const whose = contact ? ` contact ${contact}` : ''
  const also = elsewhere.map((one) => `; destination ${one.destination}: ${stateOf(one)}`).join('')
  return `${iso(receivedAt)}  ${org || '-'}  ${type}  ${stateOf(told)}  ${sentAs}${whose}${also}`
}

function stateOf({ state, why }: Told): string {
  return `${state}${why && why.reason !== 'queued' ? `: ${why.reason}` : ''}`
}

function story({ sentAs, org, type, state, steps, why, data, elsewhere = [] }: Told): string {
  const lines = [`${type} of account ${org || '(none named)'}: ${state}`, `messageId ${sentAs}`, ...rowsOf(steps)]
  if (why) lines.push(`why: ${why.means} (${why.reason})`)
  if (why?.comesFrom) lines.push(`comes from: ${why.comesFrom}`)
  if (why) lines.push(`what to do: ${why.todo}`)
  for (const other of elsewhere) {
    const own = other.steps.filter(({ what }) => !steps.some((step) => step.what === what))
    lines.push(`at destination ${other.destination}: ${stateOf(other)}, messageId ${other.sentAs}`, ...rowsOf(own))
    if (other.why) lines.push(`  why: ${other.why.means}`, `  what to do: ${other.why.todo}`)
  }
  if (data) lines.push('came in:', json(data.cameIn), 'goes out:', data.goesOut ? json(data.goesOut) : '  nothing yet')
  if (data?.oddFields) lines.push(`not as Drift documents it: ${data.oddFields.join(', ')}`)
  if (data?.goesWith) lines.push('and with it:', json(data.goesWith))
  for (const note of data?.notes ?? []) lines.push(`note: ${note}`)
  return lines.join('\n')
}

function rowsOf(steps: Story['steps']): string[] {
  return steps.map(({ at, what }) => `  ${at === undefined ? ' '.repeat(24) : iso(at)}  ${what}`)
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
    .split('\n')
    .map((row) => `  ${row}`)
    .join('\n')
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

function limitOf(given: string | boolean | undefined): number {
  const limit = Number(given)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit
  throw new Problem('filter_unusable', '--limit takes a number from 1 to 10000', { exitCode: 2 })
}
