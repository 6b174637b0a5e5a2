/** The settings as a table: what is wrong is named with its setting, all at once, and never shown. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Env, environment, readConfig, strangeNames } from './config.ts'
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
  ]
  for (const [row, name, value] of wrong) {
    test(`${row}: ${name}`, () => {
      const { message, exitCode } = problemOf({ ...whole, [name]: value })
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

describe('the file .env', () => {
  const written = (bytes: string | undefined): Env => {
    const folder = mkdtempSync(join(tmpdir(), 'config-test-'))
    try {
      if (bytes === undefined) mkdirSync(join(folder, '.env'))
      else writeFileSync(join(folder, '.env'), bytes)
      return environment(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const rows: [row: string, bytes: string, value: string | undefined][] = [
    ['L04 a byte order mark', '\ufeffDRIFT_TEST_A=1', '1'],
    ['L04 lines that end as on Windows', 'X=0\r\nDRIFT_TEST_A=1\r\nY=2\r\n', '1'],
    ['L04 tabs and spaces', '\tDRIFT_TEST_A =\t1 ', '1'],
    ['L04 a name twice: the last', 'DRIFT_TEST_A=0\nDRIFT_TEST_A=1', '1'],
    ['L04 a comment, and what is no setting', '# DRIFT_TEST_A=0\n???\nDRIFT_TEST_A=1', '1'],
    ['L04 ten megabytes', `X=${'x'.repeat(10_000_000)}\nDRIFT_TEST_A=1`, '1'],
    ['L19 quotes', "DRIFT_TEST_A='1'", '1'],
  ]
  for (const [row, bytes, value] of rows) test(row, () => assert.equal(written(bytes).DRIFT_TEST_A, value))

  test('L04 a folder of that name is said to be one', () => {
    assert.throws(
      () => written(undefined),
      (error: Problem) => error.exitCode === 78 && /\.env .*EISDIR/.test(error.message),
    )
  })

  test('L04 a misspelt name is noticed; what others put into the environment is not', () => {
    const env = { ...whole, SEGMENT_REGOIN: 'eu', drift_org_id: '1', PATH: '', DRIFT_SEGMENT_SOURCE_PORT: 'tcp://x' }
    assert.deepEqual(strangeNames(env), ['SEGMENT_REGOIN', 'drift_org_id'])
  })
})
