/**
 * One look at all accounts that want alerts: what the rules find now, compared with what was announced. The new state and its
 * messages are stored in one write, so of several replicas one announces it, and a crash neither loses nor repeats a message.
 */
import { z } from 'zod'
import type { Accounts } from '../accounts/accounts.ts'
import { settingsOf } from '../accounts/settings.ts'
import { isThere } from '../accounts/state.ts'
import type { Clock } from '../lib/clock.ts'
import { readText } from '../lib/json.ts'
import { type Random, timeOrderedId } from '../lib/random.ts'
import type { AlertRecipient, AlertWatch, NewMessage } from '../storage/ports/alerts.ts'
import type { Org } from '../storage/ports/entry.ts'
import type { Storage } from '../storage/ports/storage.ts'
import { type Found, foundFor, foundForOperator } from './audience.ts'
import { type About, bodiesOf, writeBody } from './body.ts'
import { gathering } from './facts.ts'
import { type AlertStates, namesOf, stepAll } from './machine.ts'
import { destinationIn, type Facts } from './rules.ts'

export interface WatchNeeds {
  storage: Pick<Storage, 'alerts' | 'jobs' | 'ledger' | 'lookup'>
  accounts: Pick<Accounts, 'all' | 'get'>
  clock: Clock
  random: Random
  /** The settings name where the operator wants alerts. */
  toOperator: boolean
}

/** No setting changes it. */
const ofOperator: About = { delayMinutes: 15, destinations: [] }
const minuteMs = 60_000
const operator: Org = ''

/** Resolves to how many messages were stored; `again`: another process was quicker for some account, so look again. */
export function watching({ storage, accounts, clock, random, toOperator }: WatchNeeds) {
  const { alerts } = storage
  const gather = gathering(storage)

  return async function look(): Promise<{ messages: number; again: boolean }> {
    const recipients = Map.groupBy((await alerts.recipients()).filter(isConfirmed), ({ org }) => org)
    const watches = new Map((await alerts.watches()).map((watch) => [watch.org, watch]))
    const installs = accounts.all().filter(isThere)
    const watched = toOperator ? installs : installs.filter(({ org }) => recipients.has(org))
    let messages = 0
    let again = false

    async function announce(audience: Audience, found: readonly Found[], known: AlertStates): Promise<void> {
      const { org, to } = audience
      const now = clock.now()
      const watch = watches.get(org) ?? { org, state: nothing, generation: 0 }
      const { states, announcements } = stepAll(known, found, now)
      const state = JSON.stringify({ states })
      if (state === watch.state) return
      const bodies = bodiesOf(announcements, audience).map(writeBody)
      // Each a millisecond later, since what was made first goes first.
      const made = bodies.flatMap((body, at) => to.map((recipient) => messageOf(recipient, body, now + at)))
      if (await alerts.move({ ...watch, state }, made)) messages += made.length
      else again = true
    }

    if (watched.length > 0 || toOperator) {
      const { facts, ofNone } = await gather(watched, clock.now())
      for (const [at, install] of watched.entries()) {
        const to = recipients.get(install.org)
        if (!to) continue
        const { alertsOff: off, alertDelayMinutes: delayMinutes } = settingsOf(install)
        const known = remembered(statesIn(watches.get(install.org)), facts[at]!, off)
        const found = foundFor(facts[at]!, known, { delayMs: delayMinutes * minuteMs, off })
        const { destinations } = facts[at]!
        await announce({ org: install.org, to, delayMinutes, destinations }, found, known)
      }
      if (toOperator) {
        const known = statesIn(watches.get(operator))
        const found = foundForOperator([...facts, ofNone], known, ofOperator.delayMinutes * minuteMs)
        await announce({ org: operator, to: [operatorRecipient], ...ofOperator }, found, known)
      }
    }
    await forget(watches, recipients)
    return { messages, again }
  }

  /** An audience without a recipient begins from nothing when it gets one. */
  async function forget(watches: ReadonlyMap<Org, AlertWatch>, recipients: ReadonlyMap<Org, unknown>): Promise<void> {
    for (const org of new Set([...watches.keys(), ...recipients.keys()])) {
      const watch = watches.get(org)
      const install = accounts.get(org)
      const isHeard = org === operator ? toOperator : recipients.has(org)
      // Another replica may have written it while this account was being erased. One that is not known here yet is new.
      if (install && !isThere(install)) await alerts.erase(org)
      else if (watch && watch.state !== nothing && !isHeard) await alerts.move({ ...watch, state: nothing }, [])
    }
  }

  function messageOf({ org, id: recipient, channel }: Recipient, body: string, createdAt: number): NewMessage {
    return { id: timeOrderedId(random, createdAt), org, recipient, channel, kind: 'alert', body, createdAt }
  }
}

interface Audience extends About {
  org: Org
  to: readonly Recipient[]
}

type Recipient = Pick<AlertRecipient, 'org' | 'id' | 'channel'>

const operatorRecipient: Recipient = { org: operator, id: '', channel: 'webhook' }
const nothing = JSON.stringify({ states: {} })

const schema = z.object({
  states: z.record(
    z.string(),
    z.object({
      phase: z.enum(['pending', 'raised', 'recovered']),
      since: z.number(),
      raisedAt: z.number().optional(),
      marks: z.array(z.string()).optional(),
    }),
  ),
})

/** What this version cannot read, because another one wrote it, counts as nothing announced. */
function statesIn(watch: AlertWatch | undefined): AlertStates {
  const read = readText(watch?.state ?? nothing)
  return (read.ok ? schema.safeParse(read.value).data?.states : undefined) ?? {}
}

/** What a rule raised that is off now, or of a destination that was removed, is forgotten: it has not recovered. */
function remembered(states: AlertStates, { destinations }: Facts, rulesOff: readonly string[]): AlertStates {
  const isRemembered = ([key]: [string, unknown]) => {
    const [rule, subject] = namesOf(key)
    const number = destinationIn(subject)
    const isThere = number === undefined || destinations.some((one) => one.number === number)
    return isThere && !rulesOff.includes(rule)
  }
  return Object.fromEntries(Object.entries(states).filter(isRemembered))
}

function isConfirmed({ confirmedAt }: AlertRecipient): boolean {
  return confirmedAt !== undefined
}
