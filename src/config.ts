/** The settings, and the only reader of process.env. See README for what each means. */

import { createSecretKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { codeOf, Problem } from './lib/errors.ts'
import { logLevels } from './lib/log.ts'

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
  drift: { apiUrl: string; authorizeUrl: string; settingsUrl: string }
  segment: { us: string; eu: string; cdn: string }
  metrics: { host: string; port: number }
  retentionDays: number
  logLevel: (typeof logLevels)[number]
}

export interface Setting {
  name: string
  meaning: string
  default?: string
  secret?: boolean
}

/** Every setting by name, for README and for the messages about them. */
export const settings = [
  { name: 'HOST', meaning: 'where the service listens', default: '127.0.0.1' },
  { name: 'PORT', meaning: 'where the service listens; 0 takes a free one and prints it', default: '8080' },
  {
    name: 'PUBLIC_URL',
    meaning: 'the https address that browsers and Drift see; needed unless HOST is loopback',
    default: 'http://HOST:PORT on loopback',
  },
  {
    name: 'DATABASE_URL',
    meaning: 'where events are kept: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE for several replicas',
    default: 'sqlite:data/drift-segment-source.db',
  },
  {
    name: 'ENCRYPTION_KEYS',
    meaning:
      'id:base64-of-32-bytes, comma separated; the first seals, all open; `npx drift-segment-source keys new` prints one',
    secret: true,
  },
  {
    name: 'DRIFT_VERIFICATION_TOKENS',
    meaning: "the Drift app's verification token; two, comma separated, while it is changed",
    secret: true,
  },
  { name: 'DRIFT_CLIENT_ID', meaning: 'the Drift app, for installing by OAuth; not needed in single-account mode' },
  { name: 'DRIFT_CLIENT_SECRET', meaning: "the Drift app's secret; goes with DRIFT_CLIENT_ID", secret: true },
  { name: 'DRIFT_ORG_ID', meaning: 'single-account mode: this account is installed at start, without OAuth' },
  { name: 'SEGMENT_WRITE_KEY', meaning: 'single-account mode: the write key of the Segment source', secret: true },
  { name: 'DRIFT_ACCESS_TOKEN', meaning: "single-account mode: the Drift app's own access token", secret: true },
  { name: 'SEGMENT_REGION', meaning: 'single-account mode: us or eu', default: 'us' },
  { name: 'DRIFT_API_URL', meaning: "Drift's API", default: 'https://driftapi.com' },
  { name: 'DRIFT_AUTHORIZE_URL', meaning: "Drift's consent page", default: 'https://dev.drift.com/authorize' },
  { name: 'DRIFT_SETTINGS_URL', meaning: 'where an install ends', default: 'https://app.drift.com/settings/apps' },
  { name: 'SEGMENT_API_URL_US', meaning: "Segment's API, without /v1", default: 'https://api.segment.io' },
  { name: 'SEGMENT_API_URL_EU', meaning: "Segment's API in the EU", default: 'https://events.eu1.segmentapis.com' },
  { name: 'SEGMENT_CDN_URL', meaning: "Segment's settings by write key", default: 'https://cdn.segment.com' },
  { name: 'METRICS_HOST', meaning: 'where metrics are served', default: '127.0.0.1' },
  { name: 'METRICS_PORT', meaning: 'where metrics are served; 0: off', default: '9464' },
  {
    name: 'RETENTION_DAYS',
    meaning:
      'how long bodies of delivered events stay; dead and quarantined ones stay 30 days, undelivered ones always',
    default: '7',
  },
  { name: 'LOG_LEVEL', meaning: logLevels.join(', '), default: 'info' },
] as const satisfies readonly Setting[]

type Name = (typeof settings)[number]['name']
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

/** Names that look like settings and are none: most likely misspelt. Kubernetes makes some of a service's name. */
export function strangeNames(env: Env): string[] {
  const known = new Set<string>(settings.map(({ name }) => name))
  const ours = /^(DATABASE|DRIFT|ENCRYPTION|METRICS|PUBLIC|RETENTION|SEGMENT)_(?!SEGMENT_SOURCE_)/
  return Object.keys(env).filter((name) => ours.test(name.toUpperCase()) && !known.has(name))
}

/** Which part of the settings a command needs: `store` only what opens the store. */
export type Needs = 'serve' | 'store'

/** Every setting read and judged; one Problem names all that is wrong, never a value. */
export function readConfig(env: Env, needs: Needs = 'serve'): Config {
  const wrong: string[] = []
  const complain = (name: Name, why: string) => void wrong.push(`${name}: ${why}`)
  const text = (name: Name): string | undefined => {
    const value = env[name]?.trim()
    if (value === undefined || value === '') {
      const { default: fallback } = settings.find((setting) => setting.name === name) as Setting
      return fallback
    }
    if (isPlaceholder(value)) complain(name, 'is still a placeholder')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    if (/[\u0000-\u001f\u007f]/.test(value)) complain(name, 'holds a line break or another control character')
    return value
  }
  const required = (name: Name, when = ''): string => {
    const value = text(name)
    if (value === undefined) complain(name, `is missing${when}`)
    return value ?? ''
  }
  const whole = (name: Name, from: number, to: number): number => {
    const value = text(name)!
    if (/^\d{1,9}$/.test(value) && Number(value) >= from && Number(value) <= to) return Number(value)
    complain(name, `must be a whole number from ${from} to ${to}`)
    return from
  }
  const url = (name: Name): string => {
    const value = text(name)!
    const problem = urlProblem(value)
    if (problem) complain(name, problem)
    return value.replace(/\/+$/, '')
  }

  const host = text('HOST')!
  const port = whole('PORT', 0, 65_535)
  const serving = needs === 'serve'
  const org = env.DRIFT_ORG_ID?.trim() ? text('DRIFT_ORG_ID') : undefined
  if (org !== undefined && !/^[1-9][0-9]{0,18}$/.test(org))
    complain('DRIFT_ORG_ID', "must be Drift's account number, in digits")
  const region = text('SEGMENT_REGION')!
  if (region !== 'us' && region !== 'eu') complain('SEGMENT_REGION', 'must be us or eu')
  const wantsOauth = env.DRIFT_CLIENT_ID?.trim() || env.DRIFT_CLIENT_SECRET?.trim() || (serving && org === undefined)
  const unlessSingle = serving && org === undefined ? ' (or set DRIFT_ORG_ID for single-account mode)' : ''
  const publicUrl = env.PUBLIC_URL?.trim() ? url('PUBLIC_URL') : undefined
  if (publicUrl === undefined && serving && !isLoopback(host)) {
    complain('PUBLIC_URL', 'is missing: it is needed when HOST is not loopback')
  }
  const logLevel = text('LOG_LEVEL') as Config['logLevel']
  if (!logLevels.includes(logLevel)) complain('LOG_LEVEL', `must be one of ${logLevels.join(', ')}`)
  const databaseUrl = text('DATABASE_URL')!
  if (!/^sqlite:.+/.test(databaseUrl) && !(/^postgres(ql)?:\/\//.test(databaseUrl) && URL.canParse(databaseUrl)))
    complain('DATABASE_URL', 'must look like sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE')
  if (serving && env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    wrong.push('NODE_TLS_REJECT_UNAUTHORIZED: must not be 0, which would let anyone pose as Drift or Segment')
  }
  if (serving && /--inspect/.test(env.NODE_OPTIONS ?? '')) {
    wrong.push('NODE_OPTIONS: must not open the inspector, through which anyone on this machine reads the keys')
  }

  const config: Config = {
    host,
    port,
    publicUrl,
    databaseUrl,
    encryptionKeys: keysOf(required('ENCRYPTION_KEYS', ': `npx drift-segment-source keys new` prints one'), (why) =>
      complain('ENCRYPTION_KEYS', why),
    ),
    verificationTokens: serving ? tokensOf(required('DRIFT_VERIFICATION_TOKENS'), complain) : [],
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
            writeKey: required('SEGMENT_WRITE_KEY', ' (single-account mode needs it)'),
            accessToken: required('DRIFT_ACCESS_TOKEN', ' (single-account mode needs it)'),
            region: region as 'us' | 'eu',
          },
    drift: {
      apiUrl: url('DRIFT_API_URL'),
      authorizeUrl: url('DRIFT_AUTHORIZE_URL'),
      settingsUrl: url('DRIFT_SETTINGS_URL'),
    },
    segment: { us: url('SEGMENT_API_URL_US'), eu: url('SEGMENT_API_URL_EU'), cdn: url('SEGMENT_CDN_URL') },
    metrics: { host: text('METRICS_HOST')!, port: whole('METRICS_PORT', 0, 65_535) },
    retentionDays: whole('RETENTION_DAYS', 1, 3_650),
    logLevel,
  }
  if (wrong.length > 0) {
    throw new Problem(
      'settings_wrong',
      `these settings are missing or wrong:\n${wrong.map((line) => `  ${line}`).join('\n')}`,
      {
        hint: '`npm run demo` needs none of them and shows the whole thing at work',
        exitCode: 78,
      },
    )
  }
  return config
}

function keysOf(text: string, complain: (why: string) => void): Config['encryptionKeys'] {
  const seen = new Set<string>()
  return text.split(',').flatMap((part) => {
    if (text === '') return []
    const [id = '', encoded = ''] = part.trim().split(':')
    const bytes = Buffer.from(encoded, 'base64')
    const wellFormed = /^[A-Za-z0-9_-]{1,32}$/.test(id) && bytes.length === 32 && bytes.toString('base64') === encoded
    if (!wellFormed) complain('each must look like id:base64-of-32-bytes')
    else if (new Set(bytes).size < 8) complain('one is no random key')
    else if (seen.has(id)) complain('two have the same id')
    seen.add(id)
    return wellFormed ? [{ id, secret: createSecretKey(bytes) }] : []
  })
}

/** Shorter ones could be guessed; Drift's are longer. */
const tokenCharactersMin = 8

function tokensOf(text: string, complain: (name: Name, why: string) => void): string[] {
  const tokens = text.split(',').map((token) => token.trim())
  if (text !== '' && tokens.some((token) => token.length < tokenCharactersMin)) {
    complain('DRIFT_VERIFICATION_TOKENS', `each must have at least ${tokenCharactersMin} characters`)
  }
  // One alone has been complained of already.
  if (tokens.length > 1 && tokens.some(isPlaceholder))
    complain('DRIFT_VERIFICATION_TOKENS', 'one is still a placeholder')
  return tokens
}

function isPlaceholder(value: string): boolean {
  return /^(undefined|null|changeme|change-me|placeholder|todo|x{3,}|<.*>|\.{3})$|your[_ -]|replace[_ -]?(me|with)/i.test(
    value,
  )
}

function urlProblem(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url) return 'must be an address such as https://example.com'
  if (url.username || url.password) return 'must not hold a user name or password'
  if (url.search || url.hash) return 'must have no query and no fragment'
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return undefined
  return 'must be https (or http on loopback)'
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
