/** The settings as a table: what is wrong is named with its setting, all at once, and never shown. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Env, readConfig } from './config.ts'
import { Problem } from './lib/errors.ts'

const key = `k1:${Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')}`
const whole: Env = {
  ENCRYPTION_KEYS: key,
  DRIFT_VERIFICATION_TOKENS: 'vT8sQ2xLr4',
  DRIFT_CLIENT_ID: 'cI5nW9zKe1',
  DRIFT_CLIENT_SECRET: 'cS7mB3yHp6',
}

function problemOf(env: Env): Problem {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('these settings were taken')
}

describe('settings', () => {
  test('with the required ones only, the rest is as documented', () => {
    const config = readConfig(whole)
    assert.deepEqual([config.host, config.port, config.retentionDays, config.logLevel], ['127.0.0.1', 8080, 7, 'info'])
    assert.deepEqual(config.metrics, { host: '127.0.0.1', port: 9464 })
    assert.equal(config.databaseUrl, 'sqlite:data/drift-segment-source.db')
    assert.deepEqual(config.segment, {
      us: 'https://api.segment.io',
      eu: 'https://events.eu1.segmentapis.com',
      cdn: 'https://cdn.segment.com',
    })
    assert.equal(config.drift.apiUrl, 'https://driftapi.com')
  })

  test('L01 all that is missing is named at once, with exit code 78 and the demo', () => {
    const { message, hint, exitCode, code } = problemOf({})
    for (const name of Object.keys(whole)) assert.match(message, new RegExp(`^ {2}${name}`, 'm'))
    assert.deepEqual([exitCode, code], [78, 'settings_wrong'])
    assert.match(hint ?? '', /npm run demo/)
  })

  const wrong: [row: string, name: string, value: string][] = [
    ['L01 empty means unset', 'ENCRYPTION_KEYS', '  '],
    ['L02 too short a key', 'ENCRYPTION_KEYS', 'k1:c2hvcnQ='],
    ['L02 no base64', 'ENCRYPTION_KEYS', `k1:${'!'.repeat(44)}`],
    ['L02 a key of zeros', 'ENCRYPTION_KEYS', `k1:${Buffer.alloc(32).toString('base64')}`],
    ['L02 no id', 'ENCRYPTION_KEYS', key.slice(3)],
    ['L02 an id twice', 'ENCRYPTION_KEYS', `${key},${key}`],
    ['W08 a placeholder', 'DRIFT_VERIFICATION_TOKENS', 'changeme'],
    ['W08 undefined', 'DRIFT_VERIFICATION_TOKENS', 'undefined'],
    ['L05 NaN', 'RETENTION_DAYS', 'NaN'],
    ['L05 an exponent', 'RETENTION_DAYS', '1e2'],
    ['L05 hexadecimal', 'RETENTION_DAYS', '0x10'],
    ['L05 a unit', 'RETENTION_DAYS', '5d'],
    ['L05 negative', 'RETENTION_DAYS', '-1'],
    ['L05 nothing kept', 'RETENTION_DAYS', '0'],
    ['L06 a port too high', 'PORT', '65536'],
    ['L06 a word', 'PORT', 'http'],
    ['L06 the same for metrics', 'METRICS_PORT', '70000'],
    ['L07 http in public', 'PUBLIC_URL', 'http://source.example'],
    ['L07 credentials', 'PUBLIC_URL', 'https://a:b@source.example'],
    ['L07 no address', 'PUBLIC_URL', 'source.example'],
    ['L08 a partner over http', 'SEGMENT_API_URL_US', 'http://169.254.169.254'],
    ['L08 another protocol', 'DRIFT_API_URL', 'file:///etc/passwd'],
    ['an unknown store', 'DATABASE_URL', 'mysql://x'],
    ['an unknown level', 'LOG_LEVEL', 'loud'],
    ['L14 TLS switched off', 'NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['L14 an inspector for anyone here', 'NODE_OPTIONS', '--inspect=0.0.0.0'],
    ['L08 a machine next door', 'DRIFT_API_URL', 'http://[::ffff:169.254.169.254]'],
    ['L08 a number for an address', 'SEGMENT_API_URL_EU', 'http://2852039166'],
    ['L19 a secret with a line break', 'DRIFT_CLIENT_SECRET', 'cS7mB3\nyHp6'],
    ['an address with /v1, which is added', 'SEGMENT_API_URL_US', 'https://api.segment.io/v1'],
    ['an address with /v1/batch', 'SEGMENT_API_URL_EU', 'https://eu.example/V1/batch/'],
    ['the same of the settings by write key', 'SEGMENT_CDN_URL', 'https://cdn.segment.com/v1/'],
    ['a public address with a path', 'PUBLIC_URL', 'https://source.example/drift'],
    ['a public address with a query', 'PUBLIC_URL', 'https://source.example/?x=1'],
    ['a write key in quotes', 'SEGMENT_WRITE_KEY', "'Pl4ntedQ7wXk0123456789abcdefghij'"],
    ['a store in quotes', 'DATABASE_URL', '"sqlite:data/source.db"'],
    ['a number in quotes', 'PORT', '"8080"'],
    ['tokens in quotes', 'DRIFT_VERIFICATION_TOKENS', 'vT8sQ2xLr4,"wU9tR3yMs5"'],
    ['typographic quotes', 'DRIFT_CLIENT_ID', '“cI5nW9zKe1”'],
    ['a zero-width space at the end of a secret', 'DRIFT_CLIENT_SECRET', 'cS7mB3yHp6\u200b'],
    ['a no-break space before a token', 'DRIFT_VERIFICATION_TOKENS', '\u00a0vT8sQ2xLr4'],
    ['a byte order mark before a key', 'ENCRYPTION_KEYS', `\ufeff${key}`],
    ['a direction mark in an address', 'DRIFT_API_URL', 'https://driftapi.com\u200e'],
    ['a token with a space', 'DRIFT_CLIENT_SECRET', 'Bearer cS7mB3yHp6'],
    ['a token that no header can hold', 'DRIFT_CLIENT_SECRET', 'cS7mB3yHpé'],
    ['an empty part', 'DRIFT_VERIFICATION_TOKENS', 'vT8sQ2xLr4,,wU9tR3yMs5'],
    ['an account that is a name', 'DRIFT_ORG_IDS_ALLOWED', '12345,acme'],
    ['a proxy without a protocol', 'HTTPS_PROXY', 'outgoing.example:3128'],
    ['a proxy of another kind', 'HTTP_PROXY', 'socks5://proxy.example'],
  ]
  for (const [row, name, value] of wrong) {
    test(`${row}: ${name}`, () => {
      const single = name === 'SEGMENT_WRITE_KEY' ? { DRIFT_ORG_ID: '1', DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2' } : {}
      const { message, exitCode } = problemOf({ ...whole, ...single, [name]: value })
      assert.match(message, new RegExp(`^ {2}${name}`, 'm'))
      assert.equal(message.split('\n').length, 2, 'and nothing else is')
      assert.equal(exitCode, 78)
      if (value.trim().length > 4) assert.ok(!message.includes(value), 'its value is not shown')
    })
  }

  test('a public address is needed where the listener is public', () => {
    assert.match(problemOf({ ...whole, HOST: '0.0.0.0' }).message, /PUBLIC_URL/)
    const { publicUrl } = readConfig({ ...whole, HOST: '0.0.0.0', PUBLIC_URL: 'https://source.example' })
    assert.equal(publicUrl, 'https://source.example')
  })

  test('a single account needs its key and its token, and then no OAuth app', () => {
    const { DRIFT_CLIENT_ID: _, DRIFT_CLIENT_SECRET: _secret, ...base } = whole
    const { message } = problemOf({ ...base, DRIFT_ORG_ID: '5000883' })
    for (const name of ['SEGMENT_WRITE_KEY', 'DRIFT_ACCESS_TOKEN']) assert.match(message, new RegExp(name))
    assert.match(problemOf({ ...base, DRIFT_ORG_ID: 'acme' }).message, /^ {2}DRIFT_ORG_ID: must be/m)
    const more = { SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij', DRIFT_ACCESS_TOKEN: 'aT6kJ8vNd2' }
    const { single, oauth } = readConfig({ ...base, ...more, DRIFT_ORG_ID: '5000883' })
    assert.deepEqual([single?.org, single?.region, oauth], ['5000883', 'us', undefined])
  })

  test('two tokens and two keys while they are changed; the first key seals', () => {
    const older = `k0:${Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64')}`
    const env = { ...whole, ENCRYPTION_KEYS: `${key}, ${older}`, DRIFT_VERIFICATION_TOKENS: 'vT8sQ2xLr4, wU9tR3yMs5' }
    const { encryptionKeys, verificationTokens } = readConfig(env)
    assert.deepEqual(
      encryptionKeys.map(({ id }) => id),
      ['k1', 'k0'],
    )
    assert.deepEqual(verificationTokens, ['vT8sQ2xLr4', 'wU9tR3yMs5'])
  })
})

describe('a setting', () => {
  test('is taken in any case where it is a word', () => {
    const single = {
      DRIFT_ORG_ID: '1',
      SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij',
      DRIFT_ACCESS_TOKEN: 'aT6k',
    }
    const config = readConfig({ ...whole, ...single, SEGMENT_REGION: 'EU', LOG_LEVEL: 'Warn' })
    assert.deepEqual([config.single?.region, config.logLevel], ['eu', 'warn'])
  })

  for (const writeKey of [
    'https://api.segment.io',
    'sgp_abcdefghijklmnop',
    'YOUR_WRITE_KEY',
    'key;drop',
    'x'.repeat(300),
  ])
    test(`SEGMENT_WRITE_KEY is refused as a form refuses it: ${writeKey.slice(0, 30)}`, () => {
      const single = { DRIFT_ORG_ID: '1', DRIFT_ACCESS_TOKEN: 'aT6k', SEGMENT_WRITE_KEY: writeKey }
      assert.match(problemOf({ ...whole, ...single }).message, /^ {2}SEGMENT_WRITE_KEY: /m)
    })

  test('of a port that Kubernetes made of a service is passed over, and said so', () => {
    const config = readConfig({ ...whole, PORT: 'tcp://10.0.0.1:8080', METRICS_PORT: 'tcp://10.0.0.1:9464' })
    assert.deepEqual([config.port, config.metrics.port], [8080, 9464])
    assert.deepEqual(config.notes, [
      { is: 'passed_over', setting: 'PORT' },
      { is: 'passed_over', setting: 'METRICS_PORT' },
    ])
  })

  const misspellings = ['SEGMENT_REGOIN', 'SEGMENT_REGON', 'SEGMENT_REGIONS', 'SEGMENT_RAGION', 'segment_region']
  test('that is one edit away from ours is noticed, with the one that was meant', () => {
    const odd = Object.fromEntries(misspellings.map((name) => [name, 'eu']))
    const { notes } = readConfig({ ...whole, ...odd, DATABASE_URL_FIEL: '/x' })
    assert.deepEqual(notes, [
      ...misspellings.map((setting) => ({ is: 'misspelt', setting, meant: 'SEGMENT_REGION' })),
      { is: 'misspelt', setting: 'DATABASE_URL_FIEL', meant: 'DATABASE_URL_FILE' },
    ])
  })

  test('of another program is not noticed', () => {
    const others = {
      PATH: 'x',
      HOSTS: 'x',
      PORTS: 'x',
      DRIFT_SEGMENT_SOURCE_PORT: 'tcp://x',
      no_proxy: 'x',
      HTTP_PROXY2: 'x',
    }
    assert.deepEqual(
      readConfig({ ...whole, ...others }).notes.map(({ setting }) => setting),
      ['HTTP_PROXY2'],
    )
  })

  test('of proxies is read in small letters too; capitals win', () => {
    const { proxies } = readConfig({
      ...whole,
      https_proxy: 'http://one:1',
      HTTP_PROXY: 'http://two:2',
      http_proxy: 'http://x',
    })
    assert.deepEqual(proxies, { https: 'http://one:1', http: 'http://two:2', except: undefined })
  })

  test('of allowed accounts counts the single account among them', () => {
    const single = {
      DRIFT_ORG_ID: '7',
      SEGMENT_WRITE_KEY: 'Pl4ntedQ7wXk0123456789abcdefghij',
      DRIFT_ACCESS_TOKEN: 'aT6k',
    }
    const { orgsAllowed } = readConfig({ ...whole, ...single, DRIFT_ORG_IDS_ALLOWED: '1, 2' })
    assert.deepEqual([...orgsAllowed!], ['1', '2', '7'])
    assert.equal(readConfig(whole).orgsAllowed, undefined)
  })
})
