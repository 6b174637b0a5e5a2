/** Every setting, one row each: README's table, `doctor` and the check at start are made of them. */
import { logLevels } from '../lib/log.ts'
import { judgeWriteKey } from '../segment/key.ts'
import { regions } from '../segment/region.ts'
import type { Parse } from './parse.ts'
import * as parse from './parse.ts'

export interface Setting<Value = unknown> {
  meaning: string
  parse: Parse<Value>
  /** What holds where it is unset; undefined where that is nothing, or where `defaultWords` says what it is. */
  default?: string
  /** For README, where the default is not a value. */
  defaultWords?: string
  /** It is never shown, and may also be given as NAME_FILE, a file that holds it. */
  secret?: boolean
}

const setting = <Value>(row: Setting<Value>): Setting<Value> => row

const writeKey: Parse<string> = (text) => {
  const judged = judgeWriteKey(text)
  return judged.is === 'refused' ? { problem: `cannot be a write key: ${judged.why}` } : { value: judged.key }
}

export const settings = {
  HOST: setting({ meaning: 'where the service listens', parse: parse.anyText, default: '127.0.0.1' }),
  PORT: setting({
    meaning: 'where the service listens; 0 takes a free one and prints it',
    parse: parse.wholeNumber(0, 65_535),
    default: '8080',
  }),
  PUBLIC_URL: setting({
    meaning: 'the https address that browsers and Drift see, without a path; needed unless HOST is loopback',
    parse: parse.addressWithoutPath,
    defaultWords: 'http://HOST:PORT on loopback',
  }),
  DATABASE_URL: setting({
    meaning: 'where events are kept: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE for several replicas',
    parse: parse.databaseAddress,
    default: 'sqlite:data/drift-segment-source.db',
    secret: true,
  }),
  ENCRYPTION_KEYS: setting({
    meaning:
      'id:base64-of-32-bytes, comma separated; the first seals, all open; `npx drift-segment-source keys new` prints one',
    parse: parse.encryptionKeys,
    secret: true,
  }),
  DRIFT_VERIFICATION_TOKENS: setting({
    meaning: "the Drift app's verification token; two, comma separated, while it is changed",
    parse: parse.verificationTokens,
    secret: true,
  }),
  DRIFT_CLIENT_ID: setting({
    meaning: 'the Drift app, for installing by OAuth; not needed in single-account mode',
    parse: parse.secret,
  }),
  DRIFT_CLIENT_SECRET: setting({
    meaning: "the Drift app's secret; goes with DRIFT_CLIENT_ID",
    parse: parse.secret,
    secret: true,
  }),
  DRIFT_ORG_ID: setting({
    meaning: 'single-account mode: this account is installed at start, without OAuth',
    parse: parse.orgId,
  }),
  DRIFT_ORG_IDS_ALLOWED: setting({
    meaning: 'only these accounts may connect, comma separated; DRIFT_ORG_ID counts as one of them',
    parse: parse.list(parse.orgId),
    defaultWords: 'any',
  }),
  SEGMENT_WRITE_KEY: setting({
    meaning: 'single-account mode: the write key of the Segment source',
    parse: writeKey,
    secret: true,
  }),
  DRIFT_ACCESS_TOKEN: setting({
    meaning: "single-account mode: the Drift app's own access token",
    parse: parse.secret,
    secret: true,
  }),
  SEGMENT_REGION: setting({
    meaning: 'single-account mode: us or eu',
    parse: parse.oneOf(regions),
    default: 'us',
  }),
  DRIFT_API_URL: setting({ meaning: "Drift's API", parse: parse.address, default: 'https://driftapi.com' }),
  DRIFT_AUTHORIZE_URL: setting({
    meaning: "Drift's consent page",
    parse: parse.address,
    default: 'https://dev.drift.com/authorize',
  }),
  DRIFT_SETTINGS_URL: setting({
    meaning: 'where an install ends',
    parse: parse.address,
    default: 'https://app.drift.com/settings/apps',
  }),
  SEGMENT_API_URL_US: setting({
    meaning: "Segment's API, without /v1",
    parse: parse.segmentAddress,
    default: 'https://api.segment.io',
  }),
  SEGMENT_API_URL_EU: setting({
    meaning: "Segment's API in the EU, without /v1",
    parse: parse.segmentAddress,
    default: 'https://events.eu1.segmentapis.com',
  }),
  SEGMENT_CDN_URL: setting({
    meaning: "Segment's settings by write key, without /v1",
    parse: parse.segmentAddress,
    default: 'https://cdn.segment.com',
  }),
  METRICS_HOST: setting({ meaning: 'where metrics are served', parse: parse.anyText, default: '127.0.0.1' }),
  METRICS_PORT: setting({
    meaning: 'where metrics are served; 0: off',
    parse: parse.wholeNumber(0, 65_535),
    default: '9464',
  }),
  RETENTION_DAYS: setting({
    meaning:
      'how long bodies of delivered events stay; dead and quarantined ones stay 30 days, undelivered ones always',
    parse: parse.wholeNumber(1, 3_650),
    default: '7',
  }),
  LOG_LEVEL: setting({ meaning: logLevels.join(', '), parse: parse.oneOf(logLevels), default: 'info' }),
  HTTPS_PROXY: setting({
    meaning: 'a proxy for outgoing requests to https addresses; loopback addresses are reached without it',
    parse: parse.proxyAddress,
  }),
  HTTP_PROXY: setting({ meaning: 'the same for http addresses', parse: parse.proxyAddress }),
  NO_PROXY: setting({
    meaning: 'hosts that are reached without a proxy, comma separated; .example.com stands for all below it, * for all',
    parse: parse.anyText,
  }),
} as const

export type Name = keyof typeof settings
export type ValueOf<Key extends Name> = (typeof settings)[Key] extends Setting<infer Value> ? Value : never

export const settingNames = Object.keys(settings) as Name[]
