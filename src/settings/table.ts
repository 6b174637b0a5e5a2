/** Every setting, one row each: README's table, `doctor` and the check at start are made of them. */
import { logLevels } from '../lib/log.ts'
import { judgeWriteKey } from '../segment/key.ts'
import { regions } from '../segment/region.ts'
import {
  address,
  addressWithoutPath,
  databaseAddress,
  endpoints,
  mailServerAddress,
  proxyAddress,
  segmentAddress,
  webhookAddress,
} from './address.ts'
import {
  encryptionKeys,
  host,
  hostsExcepted,
  list,
  mailAddress,
  oneOf,
  orgId,
  type Parse,
  secret,
  verificationTokens,
  wholeNumber,
} from './parse.ts'

export interface Setting<Value = unknown> {
  meaning: string
  /** The one function that judges it; what is wrong with any text (quotes, unseen characters) is looked for before. */
  parse: Parse<Value>
  /** What holds where it is unset. */
  default?: string
  /** For README, where the default is not a value. */
  defaultWords?: string
  /** When it must be set: for every command, for the service, for OAuth, for single-account mode, beside SMTP_URL. */
  needed?: 'always' | 'serve' | 'oauth' | 'single' | 'mail'
  /** How to get one, where it is missing. */
  hint?: string
  /** It is never shown. */
  secret?: true
  /** It may also be given as NAME_FILE, a file that holds it. */
  inFile?: true
  /** Another name that it is read by when its own is not set. */
  also?: string
  /** Values that another program puts there: as if it were unset. */
  passedOver?: RegExp
}

const setting = <Value>(row: Setting<Value>): Setting<Value> => row

/** What Drift's developer portal shows of the app. */
const ofApp = (words: string) => `dev.drift.com shows it as ${words} under App Credentials, see docs/drift-app.md`

const aSecret = { secret: true, inFile: true } as const

/** Where a Service of that name exists, Kubernetes sets NAME_PORT to such an address. */
const aPort = { parse: wholeNumber(0, 65_535), passedOver: /^(tcp|udp|sctp):\/\//i }

const writeKey: Parse<string> = (text) => {
  const judged = judgeWriteKey(text)
  if (judged.is === 'refused') return { problem: `cannot be a write key: ${judged.why}` }
  return { value: judged.key, ...(judged.is === 'unusual' ? { unusual: judged.why } : {}) }
}

export const settings = {
  HOST: setting({ meaning: 'the address on which the service listens', parse: host, default: '127.0.0.1' }),
  PORT: setting({
    meaning: 'the port on which the service listens; 0 takes a free one and prints it',
    default: '8080',
    ...aPort,
  }),
  PUBLIC_URL: setting({
    meaning: 'the https address that browsers and Drift see, without a path; needed unless HOST is loopback',
    parse: addressWithoutPath,
    defaultWords: '`http://HOST:PORT` on loopback',
  }),
  DATABASE_URL: setting({
    meaning: 'where events are kept: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE for several replicas',
    parse: databaseAddress,
    default: 'sqlite:data/drift-segment-source.db',
    ...aSecret,
  }),
  ENCRYPTION_KEYS: setting({
    meaning:
      'id:base64-of-32-bytes, comma separated; the first seals, all open; `npx drift-segment-source keys new` prints one',
    parse: encryptionKeys,
    needed: 'always',
    hint: '`npx drift-segment-source keys new` prints one',
    ...aSecret,
  }),
  DRIFT_VERIFICATION_TOKENS: setting({
    meaning: "the Drift app's verification token; two, comma separated, while it is changed",
    parse: verificationTokens,
    needed: 'serve',
    hint: ofApp('Verification Token'),
    ...aSecret,
  }),
  DRIFT_CLIENT_ID: setting({
    meaning: "the Drift app's client id, for installing by OAuth",
    parse: secret,
    needed: 'oauth',
    hint: ofApp('Client ID'),
  }),
  DRIFT_CLIENT_SECRET: setting({
    meaning: "the Drift app's secret; goes with DRIFT_CLIENT_ID",
    parse: secret,
    needed: 'oauth',
    hint: ofApp('Client Secret'),
    ...aSecret,
  }),
  DRIFT_ORG_ID: setting({
    meaning: 'single-account mode: this account is installed at start, without OAuth',
    parse: orgId,
  }),
  DRIFT_ORG_IDS_ALLOWED: setting({
    meaning: 'only these accounts may connect, comma separated; DRIFT_ORG_ID counts as one of them',
    parse: list(orgId),
    defaultWords: 'any',
  }),
  SEGMENT_WRITE_KEY: setting({
    meaning: 'single-account mode: the write key of the Segment source',
    parse: writeKey,
    needed: 'single',
    hint: 'Segment shows it in the source, under Settings, API Keys',
    ...aSecret,
  }),
  DRIFT_ACCESS_TOKEN: setting({
    meaning: "single-account mode: the Drift app's own access token",
    parse: secret,
    needed: 'single',
    hint: '"For one account only" in docs/drift-app.md says how to get one',
    ...aSecret,
  }),
  SEGMENT_REGION: setting({
    meaning: 'single-account mode: the region of the Segment workspace, us or eu',
    parse: oneOf(regions),
    default: 'us',
  }),
  DRIFT_API_URL: setting({ meaning: "Drift's API", parse: address, default: 'https://driftapi.com' }),
  DRIFT_AUTHORIZE_URL: setting({
    meaning: "Drift's consent page",
    parse: address,
    default: 'https://dev.drift.com/authorize',
  }),
  DRIFT_SETTINGS_URL: setting({
    meaning: 'the page of Drift where the browser goes when an install is done',
    parse: address,
    default: 'https://app.drift.com/settings/apps',
  }),
  SEGMENT_API_URL_US: setting({
    meaning: "Segment's API, without /v1",
    parse: segmentAddress,
    default: 'https://api.segment.io',
  }),
  SEGMENT_API_URL_EU: setting({
    meaning: "Segment's API in the EU, without /v1",
    parse: segmentAddress,
    default: 'https://events.eu1.segmentapis.com',
  }),
  SEGMENT_CDN_URL: setting({
    meaning: "Segment's settings by write key, without /v1",
    parse: segmentAddress,
    default: 'https://cdn.segment.com',
  }),
  DESTINATION_ENDPOINTS: setting({
    meaning:
      'name=address, comma separated: what admins may choose beside Segment because it speaks its HTTP API at address/v1/batch, such as a RudderStack data plane; plain http only as name=insecure+http://…; names are shown, addresses are not',
    parse: endpoints,
    defaultWords: 'Segment only',
    secret: true,
  }),
  METRICS_HOST: setting({ meaning: 'the address on which metrics are served', parse: host, default: '127.0.0.1' }),
  METRICS_PORT: setting({ meaning: 'the port on which metrics are served; 0: off', default: '9464', ...aPort }),
  RETENTION_DAYS: setting({
    meaning:
      'how long bodies of delivered events stay; dead and quarantined ones stay 30 days, undelivered ones always',
    parse: wholeNumber(1, 3_650),
    default: '7',
  }),
  SMTP_URL: setting({
    meaning: 'the mail server for alerts by e-mail: smtps://USER:PASSWORD@HOST, or smtp:// which must offer STARTTLS',
    parse: mailServerAddress,
    defaultWords: 'no e-mail',
    ...aSecret,
  }),
  ALERT_FROM: setting({
    meaning: 'the address that alerts by e-mail come from',
    parse: mailAddress,
    needed: 'mail',
    hint: 'an address that your mail server may send from',
  }),
  OPERATOR_ALERT_URL: setting({
    meaning: 'a webhook for alerts about all accounts; https, or http on loopback',
    parse: webhookAddress,
    ...aSecret,
  }),
  LOG_LEVEL: setting({
    meaning: `how much the log says: ${logLevels.join(', ')}`,
    parse: oneOf(logLevels),
    default: 'info',
  }),
  HTTPS_PROXY: setting({
    meaning:
      'a proxy for outgoing requests to https addresses, also as https_proxy; loopback addresses are reached without it',
    parse: proxyAddress,
    also: 'https_proxy',
    secret: true,
  }),
  HTTP_PROXY: setting({
    meaning: 'the same for http addresses',
    parse: proxyAddress,
    also: 'http_proxy',
    secret: true,
  }),
  NO_PROXY: setting({
    meaning: 'hosts that are reached without a proxy, comma separated; .example.com stands for all below it, * for all',
    parse: hostsExcepted,
    also: 'no_proxy',
  }),
} as const

export type Name = keyof typeof settings
export type ValueOf<Key extends Name> = (typeof settings)[Key] extends Setting<infer Value> ? Value : never

export const settingNames = Object.keys(settings) as Name[]
