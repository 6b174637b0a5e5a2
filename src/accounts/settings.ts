/**
 * What is not secret of an account's settings. The store keeps them as one JSON text and knows no option: a new one is a
 * line of this schema, an action of actions.ts that saves it, its form in src/web/console/connection.ts, and
 * the code that uses it.
 */
import { z } from 'zod'
import { Problem } from '../lib/errors.ts'
import { isObject, type JsonObject, readText } from '../lib/json.ts'
import { versionsSchema } from '../mapping/versions.ts'
import { regions } from '../segment/region.ts'
import type { Install } from '../storage/ports/accounts.ts'

/** An account has so many at most. */
export const destinationsMax = 10

/** Where an account's events go, and how it stands there. What else is stored of one is kept as it is. */
const destinationSchema = z.looseObject({
  /** From 1; the account never gives it to another one. */
  number: z.int().min(1),
  name: z.string().min(1),
  /** Where the Segment workspace is; of one that has an endpoint it says nothing. */
  region: z.enum(regions).default('us'),
  /** One of DESTINATION_ENDPOINTS, by name, in Segment's place. */
  endpoint: z.string().optional(),
  /** Its write key, sealed, in base64. */
  key: z.string().optional(),
  /** Fingerprint of the write key whose test event an admin has seen there. */
  confirmedKey: z.string().max(100).optional(),
  /** A person wants nothing to be sent there. */
  paused: z.literal(true).optional(),
  /** Why it refuses what is sent, in a word of docs/errors.md. */
  reason: z.string().optional(),
})

export type DestinationSettings = z.infer<typeof destinationSchema>

/** What an account begins with, and has left when it has disconnected. */
const firstDestination = { number: 1, name: 'Segment', region: 'us' } as const

/** Every option has a default, which is what an account has that never chose. */
export const settingsSchema = z.object({
  /** Drift event types that the account has switched off. */
  offTypes: z.array(z.string()).default([]),
  /** The options of its destinations, in versions: see options.ts. */
  optionVersions: versionsSchema.default({ first: 1, sets: [], list: [] }),
  /** Rules of alerts that the account has switched off. */
  alertsOff: z.array(z.string()).default([]),
  /** Events that wait for longer are late: five minutes to a day. */
  alertDelayMinutes: z.number().int().min(5).max(1_440).default(15),
  /** In the order of their numbers. */
  destinations: z.array(destinationSchema).min(1).max(destinationsMax).default([firstDestination]),
  /** The largest number that it has given a destination. */
  lastDestination: z.int().min(1).default(1),
  /** Whether it is compared with Drift once a day. */
  dailyReconcile: z.boolean().default(false),
})

type Configured = Pick<Install, 'org' | 'settings' | 'unreadable'>

/** Reading and changing settings as one schema has them. */
export function settingsBy<Schema extends z.ZodObject>(schema: Schema) {
  type Options = z.infer<Schema>
  const known = new WeakMap<Configured, Options>()

  /**
   * Of an account that is marked as unreadable: the defaults, by which all that comes in is kept. It is held, so none of
   * them decides what is sent.
   */
  function of(install: Configured): Options {
    return install.unreadable ? schema.parse({}) : read(install)
  }

  function read(install: Configured): Options {
    const found = known.get(install)
    if (found) return found
    const judged = schema.safeParse(storedIn(install))
    if (!judged.success) throw unreadable(install.org, `the setting ${judged.error.issues[0]?.path.join('.')}`)
    known.set(install, judged.data)
    return judged.data
  }

  /** Why this version cannot read them, if so. An account is looked at so wherever it is loaded. */
  function problemIn(install: Configured): Problem | undefined {
    try {
      read(install)
      return undefined
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
  }

  /**
   * The same account with some of its options changed. What else is stored stays as it is, also what is not known here.
   * Throws a Problem where this version cannot read what is there, or would not read what it was to become.
   */
  function change<Changed extends Configured>(install: Changed, options: Partial<Options>): Changed {
    read(install)
    const changed = { ...install, settings: JSON.stringify({ ...storedIn(install), ...options }) }
    read(changed)
    return changed
  }

  return { of, change, problemIn }
}

/** Of an account that has never chosen anything. */
export const noSettings = '{}'

/**
 * An account that leaves with settings which this version cannot read: nothing of them is kept, since keys are among them,
 * but the largest number of its destinations, so that it gives none of them again: the one that it begins with then has the next.
 */
export function withoutSettings<Left extends Configured>({
  unreadable: _,
  ...install
}: Left): Omit<Left, 'unreadable'> {
  const read = readText(install.settings)
  const last = read.ok && isObject(read.value) ? read.value.lastDestination : undefined
  const isKnown = typeof last === 'number' && Number.isSafeInteger(last) && last > 1
  if (!isKnown) return { ...install, settings: noSettings }
  const number = last + 1
  const destinations = [{ ...firstDestination, number }]
  return { ...install, settings: JSON.stringify({ destinations, lastDestination: number }) }
}

export const { of: settingsOf, change: changeSettings, problemIn: settingsProblem } = settingsBy(settingsSchema)

/** Throws a Problem where this version cannot read what an account has chosen. */
export function assertReadable(install: Configured): void {
  const problem = settingsProblem(install)
  if (problem) throw problem
}

function storedIn({ org, settings }: Configured): JsonObject {
  const read = readText(settings)
  if (read.ok && isObject(read.value)) return read.value
  throw unreadable(org, 'the settings')
}

/** Names the option and never its value. */
function unreadable(org: string, what: string): Problem {
  return new Problem('settings_unreadable', `account ${org}: ${what} cannot be read by this version`, {
    hint: 'run the version that saved them, or a newer one',
    exitCode: 78,
  })
}
