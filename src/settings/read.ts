/** Every setting's text is read, from the environment or from the file that NAME_FILE names, and judged. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { codeOf } from '../lib/errors.ts'
import { isUtf16, textProblem, trimmed } from '../lib/pasted.ts'
import { type Odd, oddNames } from './names.ts'
import type { Parsed } from './parse.ts'
import { type Name, type Setting, settingNames, settings, type ValueOf } from './table.ts'

export type Env = Partial<Record<string, string>>
export type Values = { [Key in Name]?: ValueOf<Key> }

/**
 * What is odd about the environment and stops nothing. `passed_over`: Kubernetes made it of a service's name. `unusual`:
 * it may be right, and `why` says why it may not be.
 */
export type Note = Odd | { is: 'passed_over'; setting: string } | { is: 'unusual'; setting: string; why: string }

export interface Read {
  /** Those that are set, well formed or not. */
  given: ReadonlySet<Name>
  /** Those that are well formed, and the defaults of those that are not set. */
  values: Values
  /** One line for each that is not well formed. It begins with the name, and never holds the value. */
  problems: ReadonlyMap<Name, string>
  notes: Note[]
}

export function readSettings(env: Env): Read {
  const given = new Set<Name>()
  const values: Partial<Record<Name, unknown>> = {}
  const problems = new Map<Name, string>()
  const notes: Note[] = oddNames(Object.keys(env))
  for (const name of settingNames) {
    const row: Setting = settings[name]
    const found = textOf(env, name)
    const isPassedOver = found !== undefined && 'text' in found && row.passedOver?.test(found.text) === true
    if (isPassedOver) notes.push({ is: 'passed_over', setting: name })
    else if (found) given.add(name)
    const text = found && !isPassedOver ? found : row.default === undefined ? undefined : { text: row.default }
    if (text === undefined) continue
    const judged = 'problem' in text ? text : judgeSetting(name, text.text)
    if ('problem' in judged) problems.set(name, `${found?.name ?? name}: ${judged.problem}`)
    else {
      values[name] = judged.value
      if (judged.unusual) notes.push({ is: 'unusual', setting: name, why: judged.unusual })
    }
  }
  return { given, values: values as Values, problems, notes }
}

/** What a setting's text means: the same for what a command is given in its place. */
export function judgeSetting<Key extends Name>(name: Key, text: string): Parsed<ValueOf<Key>> {
  const problem = textProblem(text)
  return problem ? { problem } : (settings[name] as Setting<ValueOf<Key>>).parse(text)
}

type Found = { name: string } & ({ text: string } | { problem: string })

/** A setting's text, and the name it was found under; empty means unset. */
function textOf(env: Env, name: Name): Found | undefined {
  const { also, inFile }: Setting = settings[name]
  const under = [name, ...(also ? [also] : [])].find((one) => trimmed(env[one] ?? '') !== '')
  const path = inFile ? trimmed(env[`${name}_FILE`] ?? '') : ''
  if (path === '') return under === undefined ? undefined : { name: under, text: trimmed(env[under]!) }
  if (under) return { name, problem: `is given twice, also as ${name}_FILE: take one of them away` }
  const problem = textProblem(path)
  if (problem) return { name: `${name}_FILE`, problem }
  const read = readSecret(path)
  return 'text' in read ? { name, ...read } : { name: `${name}_FILE`, ...read }
}

/** A secret of the largest kind, a list of keys, has a few kB. */
const fileBytesMax = 64 * 1024

function readSecret(path: string): { text: string } | { problem: string } {
  try {
    // Without waiting: a pipe may never be written to.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      if (!fstatSync(file).isFile()) return { problem: 'names something that is not a file' }
      const bytes = Buffer.alloc(fileBytesMax + 1)
      const length = readSync(file, bytes)
      if (length > fileBytesMax) return { problem: 'names a file of more than 64 KiB' }
      if (isUtf16(bytes.subarray(0, length)))
        return { problem: 'names a file that is not UTF-8 but UTF-16: save it as UTF-8' }
      const text = trimmed(bytes.toString('utf8', 0, length))
      return text === '' ? { problem: 'names an empty file' } : { text }
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    const code = codeOf(cause)
    return { problem: `names a file that cannot be read (${code})${fileAdvice[code] ?? ''}` }
  }
}

const fileAdvice: Record<string, string> = {
  ENOENT: ': the file does not exist; a path without / in front begins in the folder where this is started',
  EACCES: ": let the service's user read it, and enter its folder",
}
