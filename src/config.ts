/** The only reader of the environment: all settings read and judged at once. See README for what each means. */
import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { codeOf, Problem } from './lib/errors.ts'
import type { logLevels } from './lib/log.ts'
import { isLoopback } from './lib/loopback.ts'
import { textProblem, trimmed } from './lib/pasted.ts'
import type { Proxies } from './lib/request.ts'
import { withoutEnd } from './lib/without-end.ts'
import { misspelt } from './settings/misspelt.ts'
import { type Name, type Setting, settings, type ValueOf } from './settings/table.ts'

export interface Config {
  host: string
  port: number
  publicUrl: string | undefined
  databaseUrl: string
  encryptionKeys: { id: string; secret: KeyObject }[]
  verificationTokens: string[]
  oauth: { clientId: string; clientSecret: string } | undefined
  /** Single-account mode: this account is installed at start without OAuth. */
  single: { org: string; writeKey: string; accessToken: string; region: 'us' | 'eu' } | undefined
  /** The accounts that may be connected; undefined: any. */
  orgsAllowed: ReadonlySet<string> | undefined
  drift: { apiUrl: string; authorizeUrl: string; settingsUrl: string }
  segment: { us: string; eu: string; cdn: string }
  metrics: { host: string; port: number }
  retentionDays: number
  logLevel: (typeof logLevels)[number]
  proxies: Proxies
  /** What is odd about the environment and stops nothing: for the log at start and for `doctor`. */
  notes: Note[]
}

/** `passed_over`: Kubernetes set it for a service of that name. `misspelt`: `meant` was probably meant. */
export type Note = { is: 'passed_over'; setting: string } | { is: 'misspelt'; setting: string; meant: string }

export type Env = Partial<Record<string, string>>

/** The environment over a `.env` file of the working folder. Empty means unset. */
export function environment(folder = '.'): Env {
  const written = writtenIn(`${folder}/.env`)
  const set = Object.entries(process.env).filter(([, value]) => value !== undefined && value !== '')
  return { ...written, ...Object.fromEntries(set) }
}

function writtenIn(file: string): Env {
  if (!existsSync(file)) return {}
  try {
    // Some editors begin a file with a byte order mark, which would be part of the first name.
    return parseEnv(readFileSync(file, 'utf8').replace(/^\ufeff/, ''))
  } catch (cause) {
    throw new Problem('settings_wrong', `.env is there but cannot be read: ${codeOf(cause)}`, { exitCode: 78, cause })
  }
}

/** Which part of the settings a command needs: `store` only what opens the store. */
export type Needs = 'serve' | 'store'

/** Every setting read and judged; one Problem names all that is wrong, never a value. */
export function readConfig(env: Env, needs: Needs = 'serve'): Config {
  const serving = needs === 'serve'
  const wrong: string[] = []
  const notes: Note[] = misspelt(Object.keys(env)).map(({ name, meant }) => ({ is: 'misspelt', setting: name, meant }))
  const complain = (name: Name, why: string) => void wrong.push(`${name}: ${why}`)

  /** The text of a setting; undefined when it is unset. */
  const textOf = (name: Name): string | undefined => {
    const given = textIn(env, name)
    if (given === undefined || 'problem' in given) {
      if (given) complain(name, given.problem)
      return undefined
    }
    if (/^(PORT|METRICS_PORT)$/.test(name) && given.text.startsWith('tcp://')) {
      notes.push({ is: 'passed_over', setting: name })
      return undefined
    }
    return given.text
  }
  const judged = <Key extends Name>(name: Key): ValueOf<Key> | undefined => {
    const row = settings[name] as Setting<ValueOf<Key>>
    const text = textOf(name) ?? row.default
    if (text === undefined) return undefined
    const problem = textProblem(text)
    const parsed = problem ? { problem } : row.parse(text)
    if ('value' in parsed) return parsed.value
    complain(name, parsed.problem)
    return undefined
  }
  /** Complained of where it is missing, but not twice. */
  const required = <Key extends Name>(name: Key, when = ''): ValueOf<Key> => {
    const before = wrong.length
    const value = judged(name)
    if (value === undefined && wrong.length === before) complain(name, `is missing${when}`)
    return value as ValueOf<Key>
  }
  const isGiven = (name: Name) => textIn(env, name) !== undefined
  const given = <Key extends Name>(name: Key) => judged(name) as ValueOf<Key>

  const host = given('HOST')
  const org = judged('DRIFT_ORG_ID')
  const wantsOauth =
    isGiven('DRIFT_CLIENT_ID') || isGiven('DRIFT_CLIENT_SECRET') || (serving && !isGiven('DRIFT_ORG_ID'))
  const unlessSingle = serving && org === undefined ? ' (or set DRIFT_ORG_ID for single-account mode)' : ''
  const inSingle = ' (single-account mode needs it)'
  const allowed = judged('DRIFT_ORG_IDS_ALLOWED')
  const publicUrl = judged('PUBLIC_URL')
  if (serving && !isGiven('PUBLIC_URL') && !isLoopback(host))
    complain('PUBLIC_URL', 'is missing: it is needed when HOST is not loopback')
  if (serving) wrong.push(...dangers(env))

  const config: Config = {
    host,
    port: given('PORT'),
    publicUrl,
    databaseUrl: given('DATABASE_URL'),
    encryptionKeys: required('ENCRYPTION_KEYS', ': `npx drift-segment-source keys new` prints one'),
    verificationTokens: serving ? required('DRIFT_VERIFICATION_TOKENS') : [],
    oauth: wantsOauth
      ? {
          clientId: required('DRIFT_CLIENT_ID', unlessSingle),
          clientSecret: required('DRIFT_CLIENT_SECRET', unlessSingle),
        }
      : undefined,
    single:
      org === undefined || !serving
        ? undefined
        : {
            org,
            writeKey: required('SEGMENT_WRITE_KEY', inSingle),
            accessToken: required('DRIFT_ACCESS_TOKEN', inSingle),
            region: given('SEGMENT_REGION'),
          },
    orgsAllowed: allowed && new Set(org === undefined ? allowed : [...allowed, org]),
    drift: {
      apiUrl: given('DRIFT_API_URL'),
      authorizeUrl: given('DRIFT_AUTHORIZE_URL'),
      settingsUrl: given('DRIFT_SETTINGS_URL'),
    },
    segment: { us: given('SEGMENT_API_URL_US'), eu: given('SEGMENT_API_URL_EU'), cdn: given('SEGMENT_CDN_URL') },
    metrics: { host: given('METRICS_HOST'), port: given('METRICS_PORT') },
    retentionDays: given('RETENTION_DAYS'),
    logLevel: given('LOG_LEVEL'),
    proxies: { https: judged('HTTPS_PROXY'), http: judged('HTTP_PROXY'), except: judged('NO_PROXY') },
    notes,
  }
  if (wrong.length === 0) return config
  const lines = wrong.map((line) => `  ${line}`).join('\n')
  throw new Problem('settings_wrong', `these settings are missing or wrong:\n${lines}`, {
    hint: '`npm run demo` needs none of them and shows the whole thing at work',
    exitCode: 78,
  })
}

/** A secret of the largest kind, a list of keys, has a few kB. */
const fileBytesMax = 64 * 1024

/** A setting's text, from the environment or from the file that NAME_FILE names; empty means unset. */
function textIn(env: Env, name: Name): { text: string } | { problem: string } | undefined {
  // curl and others read these in small letters.
  const lower = name.endsWith('_PROXY') ? env[name.toLowerCase()] : undefined
  const text = trimmed(env[name] ?? '') || trimmed(lower ?? '')
  const file = settings[name].secret ? trimmed(env[`${name}_FILE`] ?? '') : ''
  if (file === '') return text === '' ? undefined : { text }
  if (text !== '') return { problem: `is given twice, also as ${name}_FILE: take one of them away` }
  try {
    const { size } = statSync(file)
    if (size > fileBytesMax) return { problem: `${name}_FILE names a file of more than 64 KiB` }
    const read = withoutEnd(readFileSync(file, 'utf8'), '\r\n')
    return read === '' ? { problem: `${name}_FILE names an empty file` } : { text: read }
  } catch (cause) {
    return { problem: `${name}_FILE names a file that cannot be read (${codeOf(cause)})` }
  }
}

/** Settings of Node's own with which no secret is safe. */
function dangers(env: Env): string[] {
  return [
    ...(env.NODE_TLS_REJECT_UNAUTHORIZED === '0'
      ? ['NODE_TLS_REJECT_UNAUTHORIZED: must not be 0, which would let anyone pose as Drift or Segment']
      : []),
    ...(/--inspect/.test(env.NODE_OPTIONS ?? '')
      ? ['NODE_OPTIONS: must not open the inspector, through which anyone on this machine reads the keys']
      : []),
  ]
}
