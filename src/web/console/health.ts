/** Whether an account's events flow, in one word, and what needs somebody, each with what mends it. */
import { canResume, canRetry } from '../../accounts/retry.ts'
import { holdOf, leaving, unproven } from '../../accounts/state.ts'
import { ignoredIn } from '../../operations/ignored.ts'
import { explain } from '../../operations/reasons.ts'
import { isSilent, knownMs } from '../../operations/silence.ts'
import { addsUp, type Sums, sumsOf } from '../../operations/totals.ts'
import type { Install } from '../../storage/ports/accounts.ts'
import type { IgnoredReason, Org } from '../../storage/ports/entry.ts'
import type { LaneShown, Ledger, Lookup, Standing } from '../../storage/ports/lookup.ts'
import { type Action, disconnect, reconnect, resume, retry, toKey } from '../pages/actions.ts'
import { counted, lasting } from '../pages/parts.ts'

export interface Attention {
  level: 'warn' | 'bad'
  title: string
  says: string
  todo?: string
  actions: readonly Action[]
}

export interface Overview {
  /** Something waits for a later time, and none of the attentions has the button for it. */
  canRetry: boolean
  health: { level: 'good' | 'warn' | 'bad'; word: string; says: string }
  attention: Attention[]
  lastWebhook?: number
  lastDelivery?: number
  oldestWaiting?: number
  waiting: number
  sums: Sums & { addsUp: boolean }
  /** How many of the ignored ones for which reason. */
  ignored: ReadonlyMap<IgnoredReason, number>
}

interface Looked {
  ledger: Pick<Ledger, 'books' | 'moments'>
  lookup: Pick<Lookup, 'lanes' | 'find'>
}

export async function overviewOf(
  { ledger, lookup }: Looked,
  org: Org,
  install: Install | undefined,
  now: number,
  connects = true,
): Promise<Overview> {
  const [{ totals, standings }, lanes, newest, moments] = await Promise.all([
    ledger.books(),
    lookup.lanes(org),
    lookup.find({ org }, { limit: 1 }),
    ledger.moments(org, now - knownMs, now + 1),
  ])
  const own = standings.filter((standing) => standing.org === org)
  const ownTotals = totals.filter((total) => total.org === org)
  const sums = sumsOf(ownTotals, own)
  const ignored = new Map<IgnoredReason, number>()
  for (const { reason, count } of ignoredIn(ownTotals)) ignored.set(reason, (ignored.get(reason) ?? 0) + count)
  const inLine = own.filter(({ state }) => state === 'waiting' || state === 'asking')
  const last = (outcome: string) => moments.findLast((moment) => moment.outcome === outcome)?.at
  const send = lanes.find(({ lane }) => lane === 'send')
  const delivered = last('delivered')
  // A moment is a whole minute or hour; what was tried last, and well, is the very time.
  const lastDelivery =
    send?.triedAt !== undefined && !send.setback && delivered !== undefined ? send.triedAt : delivered
  const lastWebhook = newest.entries[0]?.receivedAt ?? last('received')
  const oldest = Math.min(...inLine.map(({ oldestReceivedAt }) => oldestReceivedAt))
  const heardAt = moments.filter(({ outcome }) => outcome === 'received').map(({ at }) => at)
  const isAlarming = install?.state !== 'disconnected' && isSilent(heardAt, sums.received > 0, now)
  const silence = isAlarming ? [ofSilence(lastWebhook, now)] : []
  const attention = [...ofAccount(install, lanes, now, connects), ...silence, ...ofEvents(own)]
  return {
    health: healthOf(install, attention),
    attention,
    canRetry: canRetry(install, lanes, now) && !attention.some(({ actions }) => actions.includes(retry)),
    waiting: inLine.reduce((sum, { count }) => sum + count, 0),
    sums: { ...sums, addsUp: addsUp(sums) },
    ignored,
    ...(lastWebhook === undefined ? {} : { lastWebhook }),
    ...(lastDelivery === undefined ? {} : { lastDelivery }),
    ...(Number.isFinite(oldest) ? { oldestWaiting: oldest } : {}),
  }
}

function healthOf(install: Install | undefined, attention: readonly Attention[]): Overview['health'] {
  if (install?.state === 'disconnected')
    return { level: 'bad', word: 'Disconnected', says: 'Nothing is received or sent for this account.' }
  if (install?.reason === leaving)
    return { level: 'warn', word: 'Paused', says: 'Events are received and kept until Drift has answered.' }
  if (install && holdOf(install) === 'settings_unreadable')
    return {
      level: 'warn',
      word: 'Paused',
      says: 'Events are received and kept, and sent when a version runs that can read the settings of this account.',
    }
  if (install && holdOf(install) === 'not_allowed')
    return {
      level: 'warn',
      word: 'Paused',
      says: 'Events are received and kept, and sent when this account is listed.',
    }
  if (install?.state === 'paused' && install.reason !== unproven)
    return { level: 'warn', word: 'Paused', says: 'Events are received and kept, and sent when you resume.' }
  if (attention.some(({ level }) => level === 'bad'))
    return {
      level: 'bad',
      word: 'Needs attention',
      says: 'Something keeps events from getting through. What was received is kept.',
    }
  if (attention.length > 0)
    return { level: 'warn', word: 'Worth a look', says: 'Events flow from Drift to Segment; something waits for you.' }
  return { level: 'good', word: 'Working', says: 'Events flow from Drift to Segment.' }
}

/** The lanes know the trouble first; the install says what was decided. */
function ofAccount(
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  connects: boolean,
): Attention[] {
  if (!install) return []
  const hold = holdOf(install)
  const level = hold === unproven ? 'bad' : 'warn'
  const given = [install, lanes, now, connects] as const
  if (hold) return [{ level, title: titleOf(hold), ...told(hold, connects), actions: remediesOf(hold, ...given) }]
  const reasons = new Set([install.reason, ...lanes.map(({ trouble }) => trouble)].filter((one) => one !== undefined))
  const troubles = [...reasons].map(
    (reason): Attention => ({
      level: 'bad',
      title: titleOf(reason),
      ...told(reason, connects),
      actions: remediesOf(reason, ...given),
    }),
  )
  const setbacks = lanes
    .filter(({ failures, setback, trouble }) => failures > 0 && setback !== undefined && trouble === undefined)
    .map(({ lane, setback, readyAt, failures }): Attention => {
      const partner = lane === 'send' ? 'Segment' : 'Drift'
      const next = readyAt !== undefined && readyAt > now ? `, next in ${lasting(readyAt - now)}` : ''
      const says = `${explain(setback!).means} (${setback}). Tried ${counted(failures, 'time')} in a row${next}.`
      return {
        level: 'warn',
        title: `${partner} does not answer as it should`,
        says,
        todo: 'Nothing is lost: it is tried again until it works.',
        actions: remediesOf(setback!, ...given),
      }
    })
  return [...troubles, ...setbacks]
}

/** What never came leaves no trace, so only we can say it. `lastAt` is not known when the last event is not kept any more. */
function ofSilence(lastAt: number | undefined, now: number): Attention {
  const says =
    lastAt === undefined
      ? 'Not one event has come for more than a week.'
      : `The last event came ${lasting(now - lastAt)} ago, which is much longer than usual here.`
  const todo = "What to do: look whether the app is still connected in Drift, and still has this service's address."
  return { level: 'bad', title: 'Drift has fallen silent', says, todo, actions: [] }
}

function ofEvents(standings: readonly Standing[]): Attention[] {
  const many = (state: Standing['state']) =>
    standings.filter((standing) => standing.state === state).reduce((sum, { count }) => sum + count, 0)
  const [dead, aside] = [many('dead'), many('quarantined')]
  return [
    ...(dead === 0
      ? []
      : [look(dead, 'dead', 'given up', 'Refused alone, not by an outage: each shows its reason, and what to do.')]),
    ...(aside === 0
      ? []
      : [
          look(
            aside,
            'quarantined',
            'set aside',
            'Each shows its reason: mostly, what came cannot be read as an event that Drift documents.',
          ),
        ]),
  ]
}

function look(many: number, state: string, word: string, says: string): Attention {
  const were = many === 1 ? 'event was' : 'events were'
  const label = many === 1 ? 'Look at it' : 'Look at them'
  const actions: Action[] = [{ by: 'link', to: `/console/events?state=${state}`, label }]
  return { level: 'warn', title: `${many.toLocaleString('en')} ${were} ${word}`, says, actions }
}

function told(reason: string, connects: boolean): Pick<Attention, 'says' | 'todo'> {
  const { means, todo } = explain(reason)
  const byOperator = isMendedByConnecting(reason) && !connects ? ` ${onlyOperator}` : ''
  return { says: sentence(means), todo: `What to do: ${todo}.${byOperator}` }
}

const onlyOperator = 'Only the people who run this service can do that.'

function isMendedByConnecting(reason: string): boolean {
  return /^(grant|drift)_|^disconnected$/.test(reason)
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function titleOf(reason: string): string {
  if (reason === 'paused') return 'Sending is paused'
  if (reason === 'no_write_key') return 'The write key is missing'
  if (reason === 'settings_unreadable') return 'The settings of this account cannot be read'
  if (reason === 'not_allowed') return 'This account is not listed among those that may use this service'
  if (/^(grant|drift)_/.test(reason)) return 'Drift does not let us in'
  if (/^(segment|write_key)_/.test(reason)) return 'Segment refuses this account'
  if (reason === unproven) return 'Has this account disconnected?'
  return reason === 'disconnected' ? 'The account has left' : 'Drift says that this account disconnected'
}

/**
 * Every remedy that the reason's text names, and those that help whatever it is: each only where it does something.
 * `connects`: whether the account can be connected in the browser.
 */
export function remediesOf(
  reason: string,
  install: Install | undefined,
  lanes: readonly LaneShown[],
  now: number,
  connects = true,
): Action[] {
  return [
    ...(reason === 'no_write_key' || /^(segment|write_key)_/.test(reason) ? [toKey] : []),
    ...(isMendedByConnecting(reason) && connects ? [reconnect] : []),
    ...(reason === unproven ? [disconnect] : []),
    ...(canResume(install) ? [resume] : []),
    ...(canRetry(install, lanes, now) ? [retry] : []),
  ]
}
