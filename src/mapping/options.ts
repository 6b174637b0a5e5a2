/**
 * The options of a destination, in the order in which they apply: each is a file of its own and a line here. All of them name
 * what they mean by its original name. A new one is its file, its line, and its place on the page of the console.
 */
import { z } from 'zod'
import { anonymousId } from './anonymous-id.ts'
import { consent } from './consent.ts'
import { drop } from './drop.ts'
import { externalIds } from './external-ids.ts'
import { hash } from './hash.ts'
import { liveChat } from './live-chat.ts'
import { only } from './only.ts'
import { type KnownNames, nameMax, type Option } from './option.ts'
import { prefix } from './prefix.ts'
import { rename } from './rename.ts'
import { safeNames } from './safe-names.ts'
import { userId } from './user-id.ts'

export const options = {
  only,
  userId,
  anonymousId,
  externalIds,
  consent,
  safeNames,
  liveChat,
  drop,
  hash,
  prefix,
  rename,
} as const

export type OptionName = keyof typeof options

/** What a destination has chosen; an option that is not there is off. */
export type Options = { [Name in OptionName]?: z.infer<(typeof options)[Name]['schema']> | undefined }

export const optionNames = Object.keys(options) as OptionName[]

const shape = Object.fromEntries(optionNames.map((name) => [name, options[name].schema.optional()]))

export const optionsSchema = z.strictObject(shape) as unknown as z.ZodType<Options>

/** The options in their order, each with its setting; those that are off are not among them. */
export function chosen(of: Options): { name: OptionName; option: Option; setting: unknown }[] {
  return optionNames.flatMap((name) => {
    const setting = of[name]
    return setting === undefined ? [] : [{ name, option: options[name] as Option, setting }]
  })
}

/** The attributes of a contact that these options take. */
export function attributesTaken(of: Options): string[] {
  return [...new Set(chosen(of).flatMap(({ option, setting }) => option.takes?.(setting) ?? []))].sort()
}

/** So many characters of JSON are what one set of options may have: settings are read with the account, each time. */
const charactersMax = 16_384

/** Why options cannot be saved, in words that never quote a value that could be personal. */
export interface Refused {
  /** The option, and the part of it; nothing where it is about all of them. */
  at: readonly PropertyKey[]
  says: string
}

/** What is judged before options are saved. `why`: for each option that is refused. */
export function judgeOptions(
  given: unknown,
  known: KnownNames,
): { ok: true; options: Options } | { ok: false; why: Refused[] } {
  const read = optionsSchema.safeParse(given)
  if (!read.success) {
    const { issues } = read.error
    const others = judgeOptions(without(given, issues.flatMap(namedBy)), known)
    return {
      ok: false,
      why: [...issues.map((one) => ({ at: one.path, says: shapeSaid(one) })), ...(others.ok ? [] : others.why)],
    }
  }
  if (JSON.stringify(read.data).length > charactersMax)
    return { ok: false, why: [{ at: [], says: 'they are too long' }] }
  const why = chosen(read.data).flatMap(({ name, option, setting }): Refused[] => {
    const refusal = option.refusal?.(setting, read.data as Record<string, unknown>, known)
    if (refusal === undefined) return []
    return [
      typeof refusal === 'string' ? { at: [name], says: refusal } : { at: [name, refusal.part], says: refusal.says },
    ]
  })
  return why.length > 0 ? { ok: false, why } : { ok: true, options: read.data }
}

/** The options of a wrong shape. */
function namedBy(issue: z.core.$ZodIssue): string[] {
  return issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path.slice(0, 1).map(String)
}

/** What can be judged besides: nothing where all of it is of a wrong shape. */
function without(given: unknown, names: readonly string[]): object {
  if (names.length === 0) return {}
  return Object.fromEntries(Object.entries(given as object).filter(([name]) => !names.includes(name)))
}

/** By the names that the command line has for options. */
export function refusedSaid({ at, says }: Refused): string {
  return `${at.map(String).join('.') || 'options'}: ${says}`
}

const shapes: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** What the library says of a value's shape is for programmers. */
function shapeSaid(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return 'it is empty'
    case 'too_big':
      return `it has more than ${issue.maximum} ${issue.origin === 'array' ? 'names' : 'characters'}`
    case 'invalid_key':
      return `a name is empty, or longer than ${nameMax} characters`
    case 'unrecognized_keys':
      return `there is no option ${issue.keys.map((key) => JSON.stringify(key.slice(0, nameMax))).join(', ')}`
    case 'invalid_value':
      return `it is not ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'invalid_type':
      return /received undefined$/.test(issue.message)
        ? 'it is missing'
        : `it is not ${shapes[issue.expected] ?? issue.expected}`
    default:
      return issue.message
  }
}
