/** The only reader of the environment: what the settings say, judged as a whole. See README for what each means. */
import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { codeOf, Problem } from './lib/errors.ts'
import type { logLevels } from './lib/log.ts'
import { isLoopback } from './lib/loopback.ts'
import { isUtf16, withoutMark } from './lib/pasted.ts'
import type { Proxies } from './lib/request.ts'
import { type Env, judgeSetting, type Note, type Read, readSettings } from './settings/read.ts'
import { type Name, type Setting, settingNames, settings, type ValueOf } from './settings/table.ts'

export { type Env, judgeSetting, type Note }

export interface Config {
  host: string
  port: number
  publicUrl: string | undefined
  databaseUrl: string
  encryptionKeys: { id: string; secret: KeyObject }[]
  verificationTokens: string[]
  oauth: { clientId: string; clientSecret: string } | undefined
  /** Single-account mode: this account is installed at start without OAuth. */
  single: { org: string; writeKey: string; accessToken: string; region: ValueOf<'SEGMENT_REGION'> } | undefined
  /** The account of DRIFT_ORG_ID, also for commands: what its first destination is, the settings say. */
  singleOrg: string | undefined
  /** The accounts that may be connected; undefined: any. */
  orgsAllowed: ReadonlySet<string> | undefined
  drift: { apiUrl: string; authorizeUrl: string; settingsUrl: string }
  /** Addresses without `/v1`; `endpoints`: those that speak Segment's API, by name. */
  segment: { us: string; eu: string; endpoints?: ReadonlyMap<string, string>; cdn: string }
  metrics: { host: string; port: number }
  retentionDays: number
  logLevel: (typeof logLevels)[number]
  proxies: Proxies
  /** Where alerts of all accounts go, and how mail does. */
  alerts: { operatorUrl: string | undefined; mail: { url: string; from: string } | undefined }
  /** What is odd about the environment and stops nothing: for the log at start and for `doctor`. */
  notes: Note[]
}

/** Where browsers and Drift reach the service: PUBLIC_URL, or where it listens. */
export function addressOf({
  publicUrl,
  host,
  port,
}: Pick<Config, 'host' | 'port'> & { publicUrl?: string | undefined }) {
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * The environment over a `.env` file of the working folder, also where one names a file and the other does not. Empty means
 * unset. Throws a Problem where `.env` is there and cannot be read.
 */
export function environment(folder = '.'): Env {
  const written = writtenIn(`${folder}/.env`)
  const set = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined && value !== ''))
  for (const names of settingNames.map(namesOf))
    if (names.some((name) => set[name] !== undefined)) for (const name of names) delete written[name]
  return { ...written, ...set }
}

/** Under all of which a setting may be given. */
function namesOf(name: Name): string[] {
  const { also, inFile }: Setting = settings[name]
  return [name, ...(also ? [also] : []), ...(inFile ? [`${name}_FILE`] : [])]
}

function writtenIn(file: string): Env {
  if (!existsSync(file)) return {}
  const bytes = bytesOf(file)
  if (isUtf16(bytes))
    throw new Problem('settings_wrong', '.env is not UTF-8 but UTF-16, as `>` of Windows PowerShell writes it', {
      hint: 'save it as UTF-8: most editors ask for the encoding under "Save as"',
      exitCode: 78,
    })
  return parseEnv(withoutMark(bytes.toString('utf8')))
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const code = codeOf(cause)
    const hint = dotEnvAdvice[code] ?? 'let it be a file that can be read, or take it away and set the environment'
    throw new Problem('settings_wrong', `.env is there but cannot be read: ${code}`, { hint, exitCode: 78, cause })
  }
}

const dotEnvAdvice: Record<string, string> = {
  EISDIR:
    'it is a folder, as Docker makes one where the file that it mounts is not there: take it away, and put the file there or set the environment',
  EACCES: 'let the user that runs this read it, or take it away and set the environment',
}

/** Which part of the settings a command needs: `store` only what opens the store. */
export type Needs = 'serve' | 'store'

/** Every setting read and judged; one Problem names all that is wrong or missing, never a value. */
export function readConfig(env: Env, needs: Needs = 'serve'): Config {
  const serving = needs === 'serve'
  const { given, values, problems, notes } = readSettings(env)
  const single = serving && given.has('DRIFT_ORG_ID')
  const oauth = given.has('DRIFT_CLIENT_ID') || given.has('DRIFT_CLIENT_SECRET') || (serving && !single)
  const isNeeded = { always: true, serve: serving, oauth, single, mail: given.has('SMTP_URL') }
  const why = {
    oauth: serving && !single ? ' (or set DRIFT_ORG_ID for single-account mode)' : '',
    single: ' (single-account mode needs it)',
    mail: ' (SMTP_URL needs it)',
    always: '',
    serve: '',
  }
  const missing = (name: Name): string | undefined => {
    if (given.has(name)) return undefined
    const { needed, hint }: Setting = settings[name]
    if (needed && isNeeded[needed]) return `${name}: is missing${why[needed]}${hint ? `: ${hint}` : ''}`
    if (name === 'PUBLIC_URL' && serving && values.HOST !== undefined && !isLoopback(values.HOST))
      return 'PUBLIC_URL: is missing: it is needed when HOST is not loopback; it is the https address that Drift and browsers use'
    return undefined
  }
  const wrong = [...settingNames.flatMap((name) => problems.get(name) ?? missing(name) ?? []), ...dangers(env)]
  if (wrong.length > 0) throw settingsWrong(wrong)
  return {
    host: values.HOST!,
    port: values.PORT!,
    publicUrl: values.PUBLIC_URL,
    databaseUrl: values.DATABASE_URL!,
    encryptionKeys: values.ENCRYPTION_KEYS!,
    verificationTokens: values.DRIFT_VERIFICATION_TOKENS ?? [],
    oauth: oauth ? { clientId: values.DRIFT_CLIENT_ID!, clientSecret: values.DRIFT_CLIENT_SECRET! } : undefined,
    single: single ? singleOf(values) : undefined,
    singleOrg: values.DRIFT_ORG_ID,
    orgsAllowed: allowedIn(values),
    drift: {
      apiUrl: values.DRIFT_API_URL!,
      authorizeUrl: values.DRIFT_AUTHORIZE_URL!,
      settingsUrl: values.DRIFT_SETTINGS_URL!,
    },
    segment: {
      us: values.SEGMENT_API_URL_US!,
      eu: values.SEGMENT_API_URL_EU!,
      cdn: values.SEGMENT_CDN_URL!,
      ...(values.DESTINATION_ENDPOINTS ? { endpoints: values.DESTINATION_ENDPOINTS } : {}),
    },
    metrics: { host: values.METRICS_HOST!, port: values.METRICS_PORT! },
    retentionDays: values.RETENTION_DAYS!,
    logLevel: values.LOG_LEVEL!,
    proxies: { https: values.HTTPS_PROXY, http: values.HTTP_PROXY, except: values.NO_PROXY },
    alerts: {
      operatorUrl: values.OPERATOR_ALERT_URL,
      mail: values.SMTP_URL === undefined ? undefined : { url: values.SMTP_URL, from: values.ALERT_FROM! },
    },
    notes: serving ? [...notes, ...unread(given)] : notes,
  }
}

/** What another setting must be there for. */
const readWith = {
  DRIFT_ORG_ID: ['SEGMENT_WRITE_KEY', 'DRIFT_ACCESS_TOKEN', 'SEGMENT_REGION'],
  SMTP_URL: ['ALERT_FROM'],
} as const satisfies { [Key in Name]?: readonly Name[] }

/** Those that are set, and that nothing reads: probably the other one was forgotten. */
function unread(given: ReadonlySet<Name>): Note[] {
  return Object.entries(readWith).flatMap(([other, names]) =>
    given.has(other as Name)
      ? []
      : names
          .filter((name) => given.has(name))
          .map((setting) => ({ is: 'unusual', setting, why: `nothing reads it without ${other}` }) as const),
  )
}

/** One setting alone, for a command that needs no other; undefined where it is unset. */
export function readOne<Key extends Name>(env: Env, name: Key): ValueOf<Key> | undefined {
  const { values, problems } = readSettings(env)
  const problem = problems.get(name)
  if (problem) throw settingsWrong([problem])
  return values[name]
}

function singleOf(values: Read['values']): NonNullable<Config['single']> {
  return {
    org: values.DRIFT_ORG_ID!,
    writeKey: values.SEGMENT_WRITE_KEY!,
    accessToken: values.DRIFT_ACCESS_TOKEN!,
    region: values.SEGMENT_REGION!,
  }
}

function allowedIn({ DRIFT_ORG_IDS_ALLOWED: allowed, DRIFT_ORG_ID: org }: Read['values']): Config['orgsAllowed'] {
  return allowed && new Set(org === undefined ? allowed : [...allowed, org])
}

function settingsWrong(lines: readonly string[]): Problem {
  const message = `these settings are missing or wrong:\n${lines.map((line) => `  ${line}`).join('\n')}`
  return new Problem('settings_wrong', message, {
    hint: 'see the settings table in README.md; `npm run demo` needs none of them, and shows the service at work',
    exitCode: 78,
  })
}

/** Settings of Node's own with which no secret is safe. */
function dangers(env: Env): string[] {
  return [
    ...(env.NODE_TLS_REJECT_UNAUTHORIZED === '0'
      ? ['NODE_TLS_REJECT_UNAUTHORIZED: must not be 0, which would let any server pose as Drift or Segment']
      : []),
    ...(/--inspect/.test(env.NODE_OPTIONS ?? '')
      ? ['NODE_OPTIONS: must not open the inspector, through which any program on this machine reads the keys']
      : []),
  ]
}
