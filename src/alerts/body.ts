/** The content of a message as it is stored: our own words and numbers, from which each channel makes its own text. */
import { z } from 'zod'
import { readText } from '../lib/json.ts'
import type { Org } from '../storage/ports/entry.ts'
import { type Found, partnerOf } from './audience.ts'
import type { Announcement } from './machine.ts'
import { type DestinationFacts, destinationIn, ruleNames } from './rules.ts'

/** An item names so many accounts, and counts the others. */
const accountsMax = 20

const itemSchema = z.object({
  rule: z.enum(ruleNames),
  change: z.enum(['raised', 'recovered']),
  since: z.number(),
  reason: z.string().optional(),
  /** Its number, where the account has several. */
  destination: z.number().optional(),
  /** Who is sent to, in words, where that is not Segment. */
  partner: z.string().optional(),
  count: z.number().optional(),
  minutes: z.number().optional(),
  accounts: z.array(z.object({ org: z.string(), reason: z.string().optional() })).optional(),
  /** Accounts in all, where not all are named. */
  accountsInAll: z.number().optional(),
})

const bodySchema = z.object({
  is: z.enum(['raised', 'recovered', 'test', 'confirm']),
  items: z.array(itemSchema),
})

export type Item = z.infer<typeof itemSchema>
export type Body = z.infer<typeof bodySchema>

export interface About {
  delayMinutes: number
  /** Of the account; of none to the operator. */
  destinations: readonly Pick<DestinationFacts, 'number' | 'endpoint'>[]
}

/** The announcements of one look for one audience: one body for all that was raised, one for all that recovered. */
export function bodiesOf(announcements: readonly Announcement[], about: About): Body[] {
  return (['raised', 'recovered'] as const).flatMap((is): Body[] => {
    const items = announcements.filter(({ change }) => change === is).map((one) => itemOf(one, about))
    return items.length === 0 ? [] : [{ is, items }]
  })
}

function itemOf({ rule, subject, change, since, finding }: Announcement, about: About): Item {
  const { count, accounts = [], at, ...found } = (finding ?? {}) as Partial<Found['finding']>
  const destination = destinationIn(subject)
  const partner = found.partner ?? partnerOf(about.destinations, subject, at)
  const reason = finding?.reason ?? (subject === '' || destination !== undefined ? undefined : subject)
  return {
    rule,
    change,
    since,
    ...(reason === undefined ? {} : { reason }),
    ...(destination === undefined || about.destinations.length < 2 ? {} : { destination }),
    ...(partner === undefined ? {} : { partner }),
    ...(count === undefined ? {} : { count }),
    ...(rule === 'delayed' ? { minutes: about.delayMinutes } : {}),
    ...(accounts.length === 0 ? {} : { accounts: accounts.slice(0, accountsMax).map((one) => ({ ...one })) }),
    ...(accounts.length > accountsMax ? { accountsInAll: accounts.length } : {}),
  }
}

export function writeBody(body: Body): string {
  return JSON.stringify(body)
}

/** Undefined where another version of the service wrote something that this one does not know. */
export function readBody(text: string): Body | undefined {
  const read = readText(text)
  return read.ok ? bodySchema.safeParse(read.value).data : undefined
}

/** The audience in words: an account by its number in Drift, or all of them. */
export function whose(org: Org): string {
  return org === '' ? 'all accounts' : `account ${org}`
}
