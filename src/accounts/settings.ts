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

/** Every option has a default, which is what an account has that never chose. */
export const settingsSchema = z.object({
  /** Where the account's Segment workspace is. */
  region: z.enum(regions).default('us'),
  /** Drift event types that the account has switched off. */
  offTypes: z.array(z.string()).default([]),
  /** Fingerprint of the write key whose test event an admin has seen in Segment; empty where none was. */
  confirmedKey: z.string().max(100).default(''),
  /** The options of its destinations, in versions: see options.ts. */
  optionVersions: versionsSchema.default({ first: 1, sets: [], list: [] }),
  /** Rules of alerts that the account has switched off. */
  alertsOff: z.array(z.string()).default([]),
  /** Events that wait for longer are late: five minutes to a day. */
  alertDelayMinutes: z.number().int().min(5).max(1_440).default(15),
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

export const { of: settingsOf, change: changeSettings, problemIn: settingsProblem } = settingsBy(settingsSchema)

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
